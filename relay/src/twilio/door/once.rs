//! What a webhook comes to, once: here, and among all relays where several share calls. What was seen before gets the
//! answer that it got, and does nothing.

use partyline_shared::twilio::form::Form;
use serde_json::json;
use tracing::debug;

use super::hook::Hook;
use super::{Door, Here};
use crate::broker::commons::{Brought, Claim, What};
use crate::clock::Now;
use crate::twilio::marks::{self, Mark};
use crate::twilio::pass::desk::Passes;
use crate::twilio::replays::{self, Once, Seen};
use crate::twilio::voice::{self, Told, Whereto};
use crate::twilio::webhook;

impl Door {
    /// What the relay calls itself, for its doctor: by this it is known through whatever stands before it.
    fn who(&self, form: &Form) -> String {
        let nonce = form.get("Nonce").unwrap_or_default();
        json!({ "node": self.registry.node(), "nonce": nonce }).to_string()
    }

    /// Only what is signed is remembered: there is no need to catch what anybody may say anyway.
    pub(super) async fn callback(&self, now: Now, hook: Hook, seen: Option<Seen>, form: &Form) {
        let act = || match hook {
            Hook::Status => webhook::status(now, &self.registry, form),
            Hook::Stream => webhook::stream(now, &self.registry, form),
            Hook::Transcription => webhook::transcription(now, &self.registry, form),
            Hook::Voice | Hook::Notice | Hook::Who => {}
        };
        let Some(seen) = seen else { return act() };
        let once = match self.elsewhere(now, hook, seen).await {
            // Whoever has begun does it.
            Claim::Seen(_) | Claim::Begun => self.replays.callback(now.mono, seen, || ()).again(),
            Claim::Ours | Claim::Unknown => self.replays.callback(now.mono, seen, act),
        };
        self.remembered(now, hook, seen, &once, marks::CALLBACK.to_owned());
    }

    /// The same for what is answered with TwiML.
    pub(super) async fn answer(
        &self,
        now: Now,
        here: Here<'_>,
        hook: Hook,
        seen: Option<Seen>,
        asked: (&Form, &Form),
    ) -> String {
        let config = here.config;
        let (base, host) = (config.base(here.local), config.host(here.local));
        let to = Whereto {
            base: &base,
            host: &host,
            draining: here.draining,
        };
        // It changes nothing, and may be asked as often as anybody likes who signs.
        if hook == Hook::Who {
            return self.who(asked.1);
        }
        let act = |nonce| match hook {
            Hook::Notice => (voice::notice(config), Told::Notice),
            _ => voice::voice(now, config, self, to, asked, nonce),
        };
        let Some(seen) = seen else {
            return act(rand::random()).0;
        };
        let nonce = Passes::nonce(&seen);
        let mut first = None;
        let once = match self.elsewhere(now, hook, seen).await {
            Claim::Seen(word) => {
                let told = Told::from_word(&word);
                self.replays.answer(now.mono, seen, || told).again()
            }
            // What came of it is not known here: it is not remembered as anything.
            Claim::Begun => Once {
                kept: Told::Plain,
                again: true,
                forgotten: None,
            },
            Claim::Ours | Claim::Unknown => self.replays.answer(now.mono, seen, || {
                let (text, told) = act(nonce);
                first = Some(text);
                told
            }),
        };
        self.remembered(now, hook, seen, &once, once.kept.to_word());
        // What an earlier relay was asked is not known, but that this is no more than the notice.
        if hook == Hook::Notice {
            return voice::notice(config);
        }
        first.unwrap_or_else(|| voice::again(config, self, to, asked, once.kept, nonce))
    }

    /// Whether another relay has seen a webhook that was not seen here. The notice changes nothing: nobody is asked.
    async fn elsewhere(&self, now: Now, hook: Hook, seen: Seen) -> Claim {
        if !self.commons.is_shared() || hook == Hook::Notice || self.replays.has(now.mono, seen) {
            return Claim::Unknown;
        }
        self.commons.claim(replays::name(seen)).await
    }

    fn remembered<T>(&self, now: Now, hook: Hook, seen: Seen, once: &Once<T>, word: String) {
        if once.again {
            self.metrics().webhooks_replayed.add_one();
            debug!(?hook, "seen before: answered the same, and nothing done");
        } else {
            let kind = if hook.is_answered() {
                marks::Kind::Answer
            } else {
                marks::Kind::Callback
            };
            let mark = Mark::webhook(kind, seen, now.wall.unix_ms());
            self.mark(mark);
            if hook != Hook::Notice {
                self.commons.bring(Brought {
                    what: What::Seen(replays::name(seen)),
                    told: word,
                    until_ms: mark.until_ms,
                });
            }
        }
        if let Some(forgotten) = once.forgotten {
            self.metrics().webhooks_forgotten.add(forgotten.count as u64);
            self.refusals.forgot(now.mono, forgotten.age);
        }
    }
}
