//! What a session cannot answer by itself: a line of the record must be on disk before anything is heard. One at a time,
//! done by the socket's task; what the client says meanwhile waits in its order.

use std::collections::VecDeque;
use std::fmt;

use partyline_shared::id::CallSid;

use super::{OWED, OWED_BYTES, Session};
use crate::audit::{Entry, Event};
use crate::cable::channel::Channel;
use crate::cable::message::Command;
use crate::calls::call::Call;
use crate::calls::fanout::SubId;
use crate::clock::Now;

/// These are to be on disk; whether they are goes to `on_answer`.
#[derive(Debug, PartialEq)]
pub struct Asked(pub Vec<Entry>);

/// What is done once the answer is there.
pub(super) enum Waiting {
    Subscribe {
        identifier: String,
        channel: Channel,
        call: CallSid,
    },
    Unmute(SubId, CallSid),
}

/// What waits for its turn.
pub(super) enum Wish {
    Said(Command),
    /// A call that was over and is heard again.
    Unmute(SubId),
}

impl Wish {
    fn bytes(&self) -> usize {
        match self {
            Wish::Said(Command::Subscribe(identifier) | Command::Unsubscribe(identifier)) => identifier.len(),
            Wish::Unmute(_) => 0,
        }
    }
}

#[derive(Default)]
pub(super) struct Asks {
    asked: Option<Asked>,
    waiting: Option<Waiting>,
    later: VecDeque<Wish>,
    later_bytes: usize,
}

impl fmt::Debug for Asks {
    /// Nothing of what a client chose to say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asks")
            .field("later", &self.later.len())
            .finish_non_exhaustive()
    }
}

impl Asks {
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    pub(super) fn wait(&mut self, wish: Wish) {
        self.later_bytes += wish.bytes();
        self.later.push_back(wish);
    }

    fn next_wish(&mut self) -> Option<Wish> {
        let wish = self.later.pop_front()?;
        self.later_bytes = self.later_bytes.saturating_sub(wish.bytes());
        Some(wish)
    }

    pub(super) fn asks_much(&self) -> bool {
        self.later.len() >= OWED || self.later_bytes >= OWED_BYTES
    }

    fn ask(&mut self, asked: Asked, waiting: Waiting) {
        (self.asked, self.waiting) = (Some(asked), Some(waiting));
    }
}

/// Streams that are still heard must not find a client that is gone.
impl Drop for Session {
    fn drop(&mut self) {
        let now = Now::take();
        let why = self.why_gone();
        self.give_up_asking(now, why);
        for mut sub in std::mem::take(&mut self.subs) {
            self.end_hearing(now, &mut sub, why);
        }
        self.lost_frames(self.mailbox.close());
    }
}

impl Session {
    /// What the socket's task is to do, once; the answer goes to [`Session::on_answer`].
    pub fn next_asked(&mut self) -> Option<Asked> {
        self.asks.asked.take()
    }

    /// Whether what was asked last is on disk.
    pub fn on_answer(&mut self, now: Now, recorded: bool) {
        match self.asks.waiting.take() {
            Some(Waiting::Subscribe {
                identifier,
                channel,
                call,
            }) if recorded => self.take_place(now, identifier, channel, &call),
            // Nobody may begin who cannot be put on record.
            Some(Waiting::Subscribe { identifier, .. }) => self.reject(&identifier),
            Some(Waiting::Unmute(id, call)) => self.unmute(now, id, &call, recorded),
            None => {}
        }
        while !self.asks.is_waiting()
            && let Some(wish) = self.asks.next_wish()
        {
            match wish {
                Wish::Said(command) => self.on_command(now, command),
                Wish::Unmute(id) => self.ask_to_unmute(now, id),
            }
        }
    }

    /// Who sits down to hear a call is on record first.
    pub(super) fn ask_to_hear(&mut self, now: Now, call: &Call, waiting: Waiting) {
        let entry = self.host.entry(now, Event::ListenBegin, &self.grant, call);
        self.asks.ask(Asked(vec![entry]), waiting);
    }

    /// A call that was over has come back.
    pub(super) fn wish_to_unmute(&mut self, now: Now, id: SubId) {
        if self.asks.is_waiting() {
            self.asks.wait(Wish::Unmute(id));
        } else {
            self.ask_to_unmute(now, id);
        }
    }

    fn ask_to_unmute(&mut self, now: Now, id: SubId) {
        let Some(sub) = self.subs.iter().find(|sub| sub.id == id) else {
            return;
        };
        let call = sub.call.clone();
        self.ask_to_hear(now, &call, Waiting::Unmute(id, call.sid().clone()));
    }

    /// Who was put on record and then went before hearing anything is on record as gone.
    fn give_up_asking(&self, now: Now, why: &'static str) {
        if self.asks.asked.is_some() {
            // Nobody has begun to write it.
            return;
        }
        let (Some(Waiting::Subscribe { call, .. }) | Some(Waiting::Unmute(_, call))) = &self.asks.waiting
        else {
            return;
        };
        self.host.end_unheard(now, &self.grant, call, why);
    }
}
