//! Whether a stream is let in. Its handshake shows that Twilio opened it; but every handshake of a relay has the
//! same signature, so its `start` has to show a pass of this very call. A stream that is refused changes nothing
//! of the call that it names, and writes nothing into it: whoever guessed or read a CallSid would write there.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use partyline_shared::id::CallSid;
use partyline_shared::twilio::form::Form;
use partyline_shared::twilio::media::Start;

use super::door::Door;
use super::marks::{Kind, Mark};
use super::pass::{self, Valid, desk::Whose};
use super::refused::Why;
use super::signature;
use crate::broker::commons::{Brought, What};
use crate::clock::Now;
use crate::config::{Config, Foreign};

#[cfg(test)]
mod tests;

/// What a handshake showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// It is signed by a token of these accounts; `None` is a token that takes any.
    Signed(Vec<Option<String>>),
    /// Nothing, which is enough under --insecure.
    Nothing,
}

/// Stands between one socket's `start` and its call.
pub struct Gate {
    door: Arc<Door>,
    config: Arc<Config>,
    shown: Shown,
}

impl Shown {
    /// What the headers of a handshake show, whose target is `path_and_query`.
    ///
    /// # Errors
    /// [`Why`] it is not upgraded.
    pub fn read(
        config: &Config,
        host: &str,
        headers: &HeaderMap,
        path_and_query: &str,
    ) -> Result<Shown, Why> {
        let Some(header) = signature::of(headers) else {
            return if config.insecure {
                Ok(Shown::Nothing)
            } else {
                Err(Why::Unsigned)
            };
        };
        // Without a token nothing can be checked, and --insecure lets in what is not signed at all.
        if config.insecure && config.accounts.is_empty() {
            return Ok(Shown::Nothing);
        }
        let urls = signature::accepted_urls(&format!("wss://{host}{path_and_query}"));
        let signs = |token| signature::verify(&[token], &urls, &Form::default(), header);
        let accounts: Vec<Option<String>> = config
            .accounts
            .all()
            .filter(|(_, token)| signs(token))
            .map(|(account, _)| account.map(str::to_owned))
            .collect();
        if accounts.is_empty() {
            return Err(Why::Mismatch);
        }
        Ok(Shown::Signed(accounts))
    }

    /// Whether it showed a signature that is right.
    pub fn is_signed(&self) -> bool {
        matches!(self, Shown::Signed(_))
    }
}

impl Gate {
    /// For a socket whose handshake showed `shown`, while `config` is in force.
    pub fn new(door: Arc<Door>, config: Arc<Config>, shown: Shown) -> Gate {
        Gate { door, config, shown }
    }

    /// What the handshake showed.
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Lets a stream in as far as this relay knows, and spends its pass here; or counts and tells why not. To be asked
    /// once, and before anything else is done about the call. What is given is the pass that other relays have to be
    /// [asked](Gate::among_all) about before the stream is accepted, where there are others.
    ///
    /// # Errors
    /// [`Why`] not.
    pub fn admit(&self, now: Now, start: &Start) -> Result<Option<Valid>, Why> {
        self.counted(now, self.judge(now, start))
    }

    /// Lets a stream in whose pass was shown at no other relay. Where Redis does not say, what this relay knows decides;
    /// that it was shown here is brought there afterwards.
    ///
    /// # Errors
    /// [`Why`] not.
    pub async fn among_all(&self, now: Now, pass: Valid) -> Result<(), Why> {
        let left = pass.until_ms.saturating_sub(now.wall.unix_ms());
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        let first = match self.door.commons().spend(pass.nonce, left).await {
            Some(false) => Err(Why::UsedPass),
            Some(true) => Ok(()),
            None => {
                self.bring(pass);
                Ok(())
            }
        };
        self.counted(now, first)
    }

    /// A pass was shown here, and nobody waits for what other relays say of it.
    pub fn bring(&self, pass: Valid) {
        self.door.commons().bring(Brought {
            what: What::Pass(pass.nonce),
            told: "1".to_owned(),
            until_ms: pass.until_ms,
        });
    }

    fn counted<T>(&self, now: Now, judged: Result<T, Why>) -> Result<T, Why> {
        judged.inspect_err(|why| {
            self.door.metrics().streams_refused.add_one();
            self.door.refused(now, *why, "");
        })
    }

    fn judge(&self, now: Now, start: &Start) -> Result<Option<Valid>, Why> {
        let (config, account) = (&self.config, start.account_sid.as_str());
        if let Shown::Signed(accounts) = &self.shown
            && !accounts
                .iter()
                .any(|of| of.as_deref().is_none_or(|of| of == account))
        {
            return Err(Why::OtherAccount);
        }
        if let Some(pass) = start.custom_parameters.get(pass::PARAMETER) {
            let whose = Whose {
                accounts: &config.accounts,
                insecure: config.insecure,
                account,
                call: &start.call_sid,
            };
            let taken = self.door.passes().take(now.wall, whose, pass)?;
            self.door.mark(Mark {
                kind: Kind::Pass,
                id: taken.nonce,
                until_ms: taken.until_ms,
            });
            return Ok(self.door.commons().is_shared().then_some(taken));
        }
        if config.insecure {
            return Ok(None);
        }
        let foreign = config.foreign_streams == Foreign::Allow
            && self.shown.is_signed()
            && config.accounts.is_ours(account)
            && self.is_not_ours(&start.call_sid, account);
        if foreign { Ok(None) } else { Err(Why::NoPass) }
    }

    /// Whether the call is one whose TwiML another wrote; nothing is known of it, or no more than that it is
    /// the account's.
    fn is_not_ours(&self, call: &str, account: &str) -> bool {
        let known = CallSid::parse(call).ok();
        let known = known.and_then(|sid| self.door.registry().origin(&sid));
        known
            .is_none_or(|origin| !origin.answered && origin.account.as_deref().is_none_or(|of| of == account))
    }
}
