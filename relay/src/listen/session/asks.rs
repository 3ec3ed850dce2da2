//! What a session cannot answer by itself: a line of the record must be on disk before anything is heard, a token must
//! be known. One at a time, done by the socket's task; what the listener says meanwhile waits in order.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::{ClientMessage, Saved, Subscribe};
use partyline_shared::protocol::close;
use partyline_shared::protocol::server::ErrorCode;

use super::Session;
use crate::access::Grant;
use crate::audit::{Entry, Event};
use crate::calls::call::Call;
use crate::clock::Now;
use crate::listen::subscription::Sub;

/// What an admin's word is called, on record and in the close. Its code is the one for who may not come back: the token
/// still counts, so it is not the one that says otherwise.
const DISMISSED: &str = "ended by an admin";

const UNRECORDED: &str = "who listens cannot be put on record now, so nobody may begin; try again later";
const UNKEPT: &str = "what is kept cannot be put on record now, so nothing may be; try again later";

/// To be done, and answered by [`Session::on_answer`].
#[derive(Debug, PartialEq)]
pub enum Asked {
    /// These are to be on disk.
    Record(Vec<Entry>),
    /// Who bears this token?
    Bearer(Token),
}

/// A token as somebody said it. It must not be logged, and a print shows nothing of it.
#[derive(PartialEq)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// How it went.
#[derive(Debug)]
pub enum Answer {
    /// Whether all of it is on disk.
    Recorded(bool),
    /// What the bearer may; `None` for nobody known.
    Bearer(Option<Grant>),
    /// The bearer has as many sockets as it may have, in words for it.
    TooMany(&'static str),
}

/// What is done once the answer is there.
#[derive(Debug)]
enum Waiting {
    /// And whether it is hearing that begins with it.
    Subscribe(Subscribe, bool),
    Unmute(CallSid),
    Bearer,
}

/// What waits for its turn.
#[derive(Debug)]
pub(super) enum Wish {
    Said(ClientMessage),
    /// A call that was over and is heard again.
    Unmute(CallSid),
}

#[derive(Debug, Default)]
pub(super) struct Asks {
    asked: Option<Asked>,
    waiting: Option<Waiting>,
    later: VecDeque<Wish>,
}

impl Asks {
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    pub(super) fn wait(&mut self, wish: Wish) {
        self.later.push_back(wish);
    }

    pub(super) fn waiting_wishes(&self) -> usize {
        self.later.len()
    }

    fn ask(&mut self, asked: Asked, waiting: Waiting) {
        (self.asked, self.waiting) = (Some(asked), Some(waiting));
    }
}

/// Streams that are still heard must not find a listener that is gone.
impl Drop for Session {
    fn drop(&mut self) {
        let now = Now::take();
        let why = match self.closing {
            Some((close::NOT_AUTHORISED, _)) => "the token counts no longer",
            Some((close::POLICY, why)) => why,
            _ => "the connection ended",
        };
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

    /// The answer to what was asked last.
    pub fn on_answer(&mut self, now: Now, answer: Answer) {
        match (self.asks.waiting.take(), answer) {
            (Some(Waiting::Subscribe(ask, begins)), Answer::Recorded(true)) => {
                self.be_placed(now, ask, begins);
            }
            (Some(Waiting::Subscribe(ask, begins)), Answer::Recorded(false)) => {
                let message = if begins { UNRECORDED } else { UNKEPT };
                self.refuse(ErrorCode::NotAllowed, message.to_owned(), &ask.call_sid);
            }
            (Some(Waiting::Unmute(sid)), Answer::Recorded(recorded)) => self.unmute(now, &sid, recorded),
            (Some(Waiting::Bearer), Answer::Bearer(Some(grant))) => {
                self.regrant(now, grant);
                // It may have been revoked since it was looked up.
                self.recheck(now);
            }
            (Some(Waiting::Bearer), Answer::TooMany(why)) => self.close(close::TOO_MANY, why),
            (Some(Waiting::Bearer), _) => self.not_authorised(),
            (_, _) => {}
        }
        while !self.asks.is_waiting()
            && let Some(wish) = self.asks.later.pop_front()
        {
            self.grant_wish(now, wish);
        }
    }

    pub(super) fn grant_wish(&mut self, now: Now, wish: Wish) {
        match wish {
            Wish::Said(message) => self.on_message(now, message),
            Wish::Unmute(sid) => self.ask_to_unmute(now, sid),
        }
    }

    /// Who sits down to hear a call, or keeps what they hear, is on record first.
    pub(super) fn ask_for_place(&mut self, now: Now, call: &Call, ask: Subscribe) {
        let begins = ask.audio && !self.goes_on(&ask);
        let mut entries = Vec::new();
        if begins {
            entries.push(self.entry(now, Event::ListenBegin, call));
        }
        if begins && ask.replay_ms > 0 {
            // More is asked for by many than is remembered of any call.
            let most = Duration::from_millis(ask.replay_ms).min(self.host.registry.history());
            let ms = i64::try_from(most.as_millis()).unwrap_or(i64::MAX);
            let mut replay = self.entry(now, Event::Replay, call);
            (replay.from, replay.to) = (Some(now.wall.plus_ms(ms.saturating_neg())), Some(now.wall));
            entries.push(replay);
        }
        // Also of who stays and keeps what is to come, where only what was heard is on record as kept.
        if ask.save && (ask.audio || ask.saved.is_some()) {
            let mut save = self.entry(now, Event::Save, call);
            if let Some(Saved { from, to }) = ask.saved {
                let ms = to.unix_ms().saturating_sub(from.unix_ms());
                (save.from, save.to, save.seconds) = (Some(from), Some(to), Some(ms as f64 / 1000.0));
            }
            entries.push(save);
        }
        if entries.is_empty() {
            return self.be_placed(now, ask, begins);
        }
        self.asks
            .ask(Asked::Record(entries), Waiting::Subscribe(ask, begins));
    }

    pub(super) fn ask_for_bearer(&mut self, token: String) {
        self.asks.ask(Asked::Bearer(Token(token)), Waiting::Bearer);
    }

    fn ask_to_unmute(&mut self, now: Now, sid: CallSid) {
        // Once only: it may have been asked for before, or the subscription be another since.
        let waits = |sub: &&Sub| sub.call.sid() == &sid && sub.audio && sub.seat.is_muted();
        let Some(sub) = self.subs.iter().find(waits) else {
            return;
        };
        let entry = self.entry(now, Event::ListenBegin, &sub.call);
        self.asks.ask(Asked::Record(vec![entry]), Waiting::Unmute(sid));
    }

    fn unmute(&mut self, now: Now, sid: &CallSid, recorded: bool) {
        let Some(at) = self.subs.iter().position(|sub| sub.call.sid() == sid) else {
            if recorded {
                self.end_unheard(now, sid, "the call was gone");
            }
            return;
        };
        if !recorded {
            return self.unsubscribe(now, sid, "it could not be put on record");
        }
        let mut sub = self.subs.remove(at);
        let written = self.mailbox.bytes(sub.id);
        if sub.seat.unmute() {
            // The last of what it heard before may not have been told until now.
            self.end_hearing(now, &mut sub, "the call ended");
            sub.begin(now, &self.grant, written);
        } else {
            self.end_unheard(now, sid, "the call was over again");
        }
        self.subs.insert(at, sub);
    }

    /// What is heard of a subscription ends here, and that goes on record.
    pub(super) fn end_hearing(&self, now: Now, sub: &mut Sub, why: &'static str) {
        if let Some(heard) = sub.heard.take() {
            let bytes = sub.bytes + self.mailbox.bytes(sub.id);
            self.host.end(now, heard, sub.call.sid(), bytes, why);
        }
    }

    pub(super) fn entry(&self, now: Now, event: Event, call: &Call) -> Entry {
        self.host.entry(now, event, &self.grant, call)
    }

    /// What the bearer may is looked at again.
    pub fn recheck(&mut self, now: Now) {
        if self.here.is_dismissed() {
            // Also where it was about to go for a reason that lets it come back.
            self.closing = Some((close::POLICY, DISMISSED));
            return;
        }
        self.tell_relays();
        match self.host.access.renewed(&self.grant, now.wall) {
            None => self.not_authorised(),
            Some(grant) if grant == self.grant => self.expire_at(now),
            Some(grant) => self.regrant(now, grant),
        }
    }

    /// Whether something that was said, and may not have left yet, is no longer for this listener.
    pub fn has_lost_rights(&self) -> bool {
        self.must_go() || self.subs.iter().any(|sub| sub.seat.is_lost())
    }

    /// It is to go, and to be told nothing more.
    pub(super) fn must_go(&self) -> bool {
        matches!(self.closing, Some((close::NOT_AUTHORISED | close::POLICY, _)))
    }

    /// Who was put on record and then went before hearing anything is on record as gone.
    pub(super) fn give_up_asking(&self, now: Now, why: &'static str) {
        if self.asks.asked.is_some() {
            // Nobody has begun to write it.
            return;
        }
        let sid = match &self.asks.waiting {
            Some(Waiting::Subscribe(ask, true)) => &ask.call_sid,
            Some(Waiting::Unmute(sid)) => sid,
            Some(Waiting::Subscribe(_, false) | Waiting::Bearer) | None => return,
        };
        self.end_unheard(now, sid, why);
    }

    /// The record of somebody who did not come to hear anything.
    pub(super) fn end_unheard(&self, now: Now, sid: &CallSid, why: &'static str) {
        self.host.end_unheard(now, &self.grant, sid, why);
    }

    fn regrant(&mut self, now: Now, grant: Grant) {
        if (grant.name(), grant.source()) != (self.grant.name(), self.grant.source()) {
            // Somebody else hears from here on, who is not on record yet.
            self.unsubscribe_all(now, |sub| sub.audio, "another bearer took over");
        }
        self.here.regrant(&grant);
        self.grant = grant;
        self.expire_at(now);
        for sub in &self.subs {
            sub.seat.regrant(&self.grant);
        }
        self.list.regrant(&self.host.registry, &self.grant);
        self.lobby_due = true;
        if !self.grant.has(crate::access::Right::Save) {
            self.unsubscribe_all(now, |sub| sub.save, "the right to keep it was lost");
        }
    }

    fn unsubscribe_all(&mut self, now: Now, which: impl Fn(&Sub) -> bool, why: &'static str) {
        let subs = self.subs.iter().filter(|sub| which(sub));
        let sids: Vec<CallSid> = subs.map(|sub| sub.call.sid().clone()).collect();
        for sid in sids {
            self.unsubscribe(now, &sid, why);
        }
    }

    /// Nothing more is told but that.
    fn not_authorised(&mut self) {
        self.close(
            close::NOT_AUTHORISED,
            "this token is not valid here, or no longer",
        );
    }
}
