//! What was heard of a call is kept, which the relay puts on record first: it is asked, and nothing is kept before it
//! has agreed. The subscription and its audio go on meanwhile, and are afterwards as they were.

use std::collections::BTreeMap;

use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::{ClientMessage, Saved, Subscribe};
use partyline_shared::text::clean;

use super::{Session, Update};

/// Calls asked for at once: a hand full are heard, and each is asked for once at a time.
const MAX_ASKED: usize = 16;

const AWAY: &str = "the relay is away, and has to put it on record first";
const CUT: &str = "the connection to the relay was cut before it had agreed";
pub(super) const NOT_YET: &str = "the relay has not answered yet";
const GONE: &str = "the relay no longer knows the call, or no longer grants it";

/// What the relay has yet to agree to, by call.
#[derive(Debug, Default)]
pub(super) struct Keeping(BTreeMap<CallSid, Asked>);

/// One of them. A `subscribed` may also come by itself, when another stream takes over; the pong to a ping that was
/// sent behind the question says that the question is answered.
#[derive(Debug, Default)]
struct Asked {
    ping: u64,
    ponged: bool,
    stands: bool,
}

impl Keeping {
    /// A `subscribed` of the call came.
    fn stands(&mut self, call: &CallSid) {
        if let Some(asked) = self.0.get_mut(call) {
            asked.stands = true;
        }
    }

    fn pong(&mut self, id: u64) {
        for asked in self.0.values_mut() {
            asked.ponged |= asked.ping == id;
        }
    }

    /// The next one that is agreed to, once.
    fn agreed(&mut self) -> Option<CallSid> {
        let agreed = self.0.iter().find(|(_, asked)| asked.stands && asked.ponged);
        let call = agreed.map(|(call, _)| call.clone())?;
        self.0.remove(&call);
        Some(call)
    }
}

impl Session {
    /// Wants to keep what was heard of a call in that time: whether it may comes as [`Update::Keeps`].
    pub fn keep(&mut self, now: u64, call: CallSid, saved: Saved) {
        if !self.link.greeted {
            return self.not_kept(call, AWAY);
        }
        if self.keeping.0.len() >= MAX_ASKED || self.keeping.0.contains_key(&call) {
            return self.not_kept(call, NOT_YET);
        }
        let message = match self.wants.get(&call) {
            Some(sub) => match sub.ask_to_keep(&call, saved) {
                Some(message) => message,
                None => return self.not_kept(call, NOT_YET),
            },
            // It is over, and what was heard of it is still here.
            None => ClientMessage::Subscribe(Subscribe {
                call_sid: call.clone(),
                audio: false,
                after: self.past.after(&call),
                replay_ms: 0,
                save: true,
                saved: Some(saved),
            }),
        };
        self.send(&message);
        self.ping(now);
        let asked = Asked {
            ping: self.next_ping,
            ..Asked::default()
        };
        self.keeping.0.insert(call, asked);
    }

    /// The relay says that a call is subscribed.
    pub(super) fn keeping_stands(&mut self, call: &CallSid) {
        self.keeping.stands(call);
        self.kept();
    }

    pub(super) fn keeping_pong(&mut self, id: u64) {
        self.keeping.pong(id);
        self.kept();
    }

    /// The relay refuses something about a call; whether that was this.
    pub(super) fn keeping_refused(&mut self, call: &CallSid, why: &str) -> bool {
        let was = self.keeping.0.remove(call).is_some();
        if was {
            self.not_kept(call.clone(), &clean(why));
        }
        was
    }

    /// The relay shows a call no more.
    pub(super) fn keeping_gone(&mut self, call: &CallSid) {
        self.keeping_refused(call, GONE);
    }

    /// The socket is gone.
    pub(super) fn keeping_cut(&mut self) {
        for call in std::mem::take(&mut self.keeping.0).into_keys() {
            self.not_kept(call, CUT);
        }
    }

    /// Tells of what is agreed to; from here on nothing more is kept.
    fn kept(&mut self) {
        while let Some(call) = self.keeping.agreed() {
            let message = match self.wants.get(&call) {
                Some(sub) => sub.ask_no_longer(&call),
                None => {
                    self.link.leaves(&call);
                    ClientMessage::Unsubscribe {
                        call_sid: call.clone(),
                    }
                }
            };
            self.send(&message);
            let why_not = None;
            self.updates.push_back(Update::Keeps { call, why_not });
        }
    }

    fn not_kept(&mut self, call: CallSid, why: &str) {
        let why_not = Some(why.to_owned());
        self.updates.push_back(Update::Keeps { call, why_not });
    }
}
