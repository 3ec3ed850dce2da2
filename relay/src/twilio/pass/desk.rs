//! Where one relay writes passes and takes them: chooses the key, and remembers what was shown.

use arc_swap::ArcSwapOption;
use partyline_shared::time::UtcTime;

use super::spent::{Nonce, NotSpent, Spent};
use super::{Key, Valid, Wrong, name, read};
use crate::config::Accounts;
use crate::twilio::refused::Why;
use crate::twilio::replays::Seen;

/// One relay's passes.
pub struct Passes {
    /// Under --insecure there may be no token to make a key of: nobody else can check these.
    own: Key,
    /// The same for relays that share their calls.
    among: ArcSwapOption<Key>,
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
            among: ArcSwapOption::empty(),
            spent: Spent::default(),
        }
    }
}

impl Passes {
    /// Names the pass of a webhook that is known by `seen`: as good as random, and the same when it is asked for
    /// again, here or at another relay.
    pub fn nonce(seen: &Seen) -> Nonce {
        name(seen)
    }

    /// A pass for one stream, named by a `nonce` that no other has. `None` without an account to bind it to, and
    /// without a key.
    pub fn write(&self, now: UtcTime, nonce: Nonce, whose: Whose<'_>) -> Option<String> {
        if whose.account.is_empty() {
            return None;
        }
        // The first token is the primary one.
        let tokens = whose.accounts.tokens_of(Some(whose.account));
        let primary = tokens.first().map(|token| Key::of_token(token));
        let among = self.among.load();
        let unnamed = among.as_deref().unwrap_or(&self.own);
        let key = primary.as_ref().or(whose.insecure.then_some(unnamed))?;
        Some(key.write(now, nonce, whose.account, whose.call))
    }

    /// Takes a pass, once.
    ///
    /// # Errors
    /// [`Why`] it is not taken.
    pub fn take(&self, now: UtcTime, whose: Whose<'_>, pass: &str) -> Result<Valid, Why> {
        let tokens = whose.accounts.tokens_of(Some(whose.account));
        let mut keys: Vec<Key> = tokens.into_iter().map(Key::of_token).collect();
        if whose.insecure {
            keys.push(self.own.clone());
            keys.extend(self.among.load().as_deref().cloned());
        }
        let valid = read(&keys, now, whose.account, whose.call, pass).map_err(|wrong| match wrong {
            Wrong::Forged => Why::ForgedPass,
            Wrong::Late => Why::LatePass,
        })?;
        let spent = self.spent.spend(now.unix_ms(), valid.nonce, valid.until_ms);
        spent.map(|()| valid).map_err(|why| match why {
            NotSpent::Again => Why::UsedPass,
            NotSpent::Full => Why::TooManyPasses,
        })
    }

    /// What all relays that share their calls agreed on: where there are no tokens, each can check the others' passes.
    pub fn adopt(&self, secret: &[u8]) {
        self.among.store(Some(Key::among_relays(secret).into()));
    }

    /// One that was taken before this relay was started.
    pub fn recall(&self, now: UtcTime, taken: Valid) {
        // One that was taken is remembered already, and for one too many there is no room: as without a restart.
        let _ = self.spent.spend(now.unix_ms(), taken.nonce, taken.until_ms);
    }
}
