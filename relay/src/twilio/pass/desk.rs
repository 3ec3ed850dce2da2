//! Where one relay writes passes and takes them: chooses the key, and remembers what was shown.

use partyline_shared::time::UtcTime;

use super::spent::{NotSpent, Spent};
use super::{Key, Wrong, read};
use crate::config::Accounts;
use crate::twilio::refused::Why;

/// One relay's passes.
pub struct Passes {
    /// Under --insecure there may be no token to make a key of; nobody else can check these.
    own: Key,
    spent: Spent,
}

/// Whose stream it is, and what the relay knows of accounts.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// Ours.
    pub accounts: &'a Accounts,
    /// The flag.
    pub insecure: bool,
    /// `AC…`.
    pub account: &'a str,
    /// `CA…`.
    pub call: &'a str,
}

impl Default for Passes {
    fn default() -> Passes {
        Passes {
            own: Key::new(rand::random()),
            spent: Spent::default(),
        }
    }
}

impl Passes {
    /// A pass for one stream. `None` without an account to bind it to, and without a key.
    pub fn write(&self, now: UtcTime, whose: Whose<'_>) -> Option<String> {
        if whose.account.is_empty() {
            return None;
        }
        let nonce = rand::random();
        // The first token is the primary one.
        let tokens = whose.accounts.tokens_of(Some(whose.account));
        let primary = tokens.first().map(|token| Key::of_token(token));
        let key = primary.as_ref().or(whose.insecure.then_some(&self.own))?;
        Some(key.write(now, nonce, whose.account, whose.call))
    }

    /// Takes a pass, once.
    ///
    /// # Errors
    /// [`Why`] it is not taken.
    pub fn take(&self, now: UtcTime, whose: Whose<'_>, pass: &str) -> Result<(), Why> {
        let tokens = whose.accounts.tokens_of(Some(whose.account));
        let mut keys: Vec<Key> = tokens.into_iter().map(Key::of_token).collect();
        if whose.insecure {
            keys.push(self.own.clone());
        }
        let valid = read(&keys, now, whose.account, whose.call, pass).map_err(|wrong| match wrong {
            Wrong::Forged => Why::ForgedPass,
            Wrong::Late => Why::LatePass,
        })?;
        let spent = self.spent.spend(now.unix_ms(), valid.nonce, valid.until_ms);
        spent.map_err(|why| match why {
            NotSpent::Again => Why::UsedPass,
            NotSpent::Full => Why::TooManyPasses,
        })
    }
}
