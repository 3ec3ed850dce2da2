//! What a session follows: a call is asked for, taken a place in, and let go. Whoever hears is on record before (see
//! `asks`).

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use partyline_shared::id::CallSid;

use super::asks::Waiting;
use super::{CROSSED, MAX_OF_CALL, MAX_SUBSCRIPTIONS, Said, Session, channel, confirmation, data};
use crate::access::Grant;
use crate::broadcast;
use crate::cable::channel::Channel;
use crate::cable::form::Media;
use crate::calls::call::{Ask, Begin, Call, SeatGuard};
use crate::calls::fanout::{Form, SubId};
use crate::calls::journal::{Cursor, Entry};
use crate::clock::Now;
use crate::hearing::{Heard, NOT_GRANTED};
use crate::presence::Follows;

/// One subscription.
pub(super) struct Sub {
    pub(super) id: SubId,
    /// As the client spelled it.
    pub(super) identifier: String,
    pub(super) channel: Channel,
    pub(super) call: Arc<Call>,
    pub(super) seat: SeatGuard,
    pub(super) form: Option<Arc<dyn Form>>,
    pub(super) cursor: Cursor,
    pub(super) entries: VecDeque<Entry>,
    /// Since when it is on record that this is heard.
    pub(super) heard: Option<Heard>,
    /// Bytes of audio told by the session, beside those that its mailbox wrote.
    pub(super) bytes: u64,
    /// When its client was told last that it stands.
    pub(super) confirmed_at: Option<Instant>,
    /// The call is over, and the last of it has been told: no audio is taken, until it comes back.
    pub(super) over: bool,
    /// It has come back, and that is being put on record.
    pub(super) coming_back: bool,
}

impl fmt::Debug for Sub {
    /// Nothing of what a client chose to say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sub")
            .field("id", &self.id)
            .field("channel", &self.channel)
            .field("call", &self.call.sid())
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn subscribe(&mut self, now: Now, identifier: String) {
        if let Some(sub) = self.subs.iter().find(|sub| sub.identifier == identifier) {
            // The confirmation that is on its way, or has hardly left, answers this one too.
            let heard = |at: Instant| now.mono.saturating_duration_since(at) >= CROSSED;
            if sub.confirmed_at.is_some_and(heard) {
                let again = Said::Of(sub.id, confirmation(&identifier));
                self.say(again);
            }
            return;
        }
        let named = channel::named(&identifier).filter(|_| self.subs.len() < MAX_SUBSCRIPTIONS);
        let Some((channel, sid)) = named else {
            return self.reject(&identifier);
        };
        if self.subs.iter().filter(|sub| *sub.call.sid() == sid).count() >= MAX_OF_CALL {
            return self.reject(&identifier);
        }
        let Some(call) = self.host.registry.find(&self.grant, &sid) else {
            self.host.refuse(now, &self.grant, &sid, NOT_GRANTED);
            return self.reject(&identifier);
        };
        let waiting = Waiting::Subscribe {
            identifier,
            channel,
            call: call.sid().clone(),
        };
        self.ask_to_hear(now, &call, waiting);
    }

    /// Sits down, once that is on record.
    pub(super) fn take_place(&mut self, now: Now, identifier: String, channel: Channel, sid: &CallSid) {
        let id = self.next_sub;
        self.next_sub = self.next_sub.wrapping_add(1);
        self.hear(Some(id));
        let seat = Ask {
            mailbox: &self.mailbox,
            sub: id,
            audio: true,
            form: Some(Arc::new(Media::new(&identifier, sid))),
            from: Begin::Now,
            replay_ms: 0,
        };
        let call = self.host.registry.find(&self.grant, sid);
        let made = call.and_then(|call| Some((call.subscribe(now, &self.grant, seat)?, call)));
        let Some((made, call)) = made else {
            self.hear(None);
            self.host.end_unheard(now, &self.grant, sid, "the call was gone");
            return self.reject(&identifier);
        };
        if !self.subs.iter().any(|sub| sub.call.sid() == sid) {
            self.here.follows(Follows {
                call_sid: sid.clone(),
                audio: true,
                save: false,
                since: now.wall,
            });
        }
        self.say(Said::Confirmed(id));
        if channel == Channel::Stream && made.stream.is_some() && !made.seat.is_muted() {
            // Where it changed hands since, its place is lost as well.
            if let Some(start) = start(&call, &self.grant) {
                self.say(Said::Of(id, data(&identifier, &start)));
            }
        }
        // Of a call that is over nothing comes but that.
        self.news_due |= made.seat.is_muted();
        self.subs.push(Sub {
            id,
            identifier,
            channel,
            heard: Some(Heard::begin(now, &self.grant, &call, 0)),
            call,
            seat: made.seat,
            form: made.form,
            cursor: made.cursor,
            entries: VecDeque::new(),
            bytes: 0,
            confirmed_at: None,
            over: false,
            coming_back: false,
        });
    }

    pub(super) fn unsubscribe(&mut self, now: Now, identifier: &str) {
        let at = self.subs.iter().position(|sub| sub.identifier == identifier);
        if let Some(at) = at {
            self.leave_place(now, at, "unsubscribed");
        }
    }

    /// Lets a place go, and says nothing of it.
    pub(super) fn leave_place(&mut self, now: Now, at: usize, why: &'static str) -> Sub {
        let mut sub = self.subs.remove(at);
        self.end_hearing(now, &mut sub, why);
        if !self.subs.iter().any(|other| other.call.sid() == sub.call.sid()) {
            self.here.leaves(sub.call.sid());
        }
        self.hear(None);
        sub
    }

    /// What is heard of a subscription ends here, and that goes on record.
    pub(super) fn end_hearing(&self, now: Now, sub: &mut Sub, why: &'static str) {
        if let Some(heard) = sub.heard.take() {
            let bytes = sub.bytes + self.mailbox.bytes(sub.id);
            self.host.end(now, heard, sub.call.sid(), bytes, why);
        }
    }

    /// A call that was over is heard again, where that is `recorded`.
    pub(super) fn unmute(&mut self, now: Now, id: SubId, sid: &CallSid, recorded: bool) {
        let Some(at) = self.subs.iter().position(|sub| sub.id == id) else {
            if recorded {
                self.host
                    .end_unheard(now, &self.grant, sid, "the subscription was gone");
            }
            return;
        };
        if !recorded {
            let sub = self.leave_place(now, at, "it could not be put on record");
            return self.reject(&sub.identifier);
        }
        if let Some(sub) = self.subs.get_mut(at) {
            (sub.over, sub.coming_back) = (false, false);
        }
        self.hear(None);
        let Some(sub) = self.subs.get_mut(at) else { return };
        if sub.seat.unmute() {
            let told = sub.bytes + self.mailbox.bytes(id);
            sub.heard = Some(Heard::begin(now, &self.grant, &sub.call, told));
        } else {
            self.host
                .end_unheard(now, &self.grant, sid, "the call was over again");
            sub.over = true;
            self.hear(None);
        }
    }

    /// Tells the mailbox what is heard; `another` is about to be.
    pub(super) fn hear(&self, another: Option<SubId>) {
        let heard = self.subs.iter().filter(|sub| !sub.over).map(|sub| sub.id);
        self.mailbox.set_subs(heard.chain(another).collect());
    }
}

/// The payload that tells that a stream of the call has begun; nothing where `grant` does not cover it at this moment.
pub(super) fn start(call: &Call, grant: &Grant) -> Option<String> {
    let view = call.shown_to(grant)?;
    Some(broadcast::start(
        call.sid(),
        view.customer_id.as_deref(),
        view.started_at,
    ))
}
