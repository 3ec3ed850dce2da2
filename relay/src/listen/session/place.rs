//! What a session follows: a call is asked for, taken a place in, and let go. Whoever hears is on record before (see
//! `asks`).

use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::Subscribe;
use partyline_shared::protocol::codec::to_text;
use partyline_shared::protocol::server::{ErrorCode, ServerMessage};

use super::{MAX_HEARD, MAX_SUBSCRIPTIONS, Said, Session};
use crate::access::Right;
use crate::calls::call::{Ask, Begin};
use crate::calls::fanout::SubId;
use crate::clock::Now;
use crate::hearing::NOT_GRANTED;
use crate::listen::subscription::Sub;
use crate::presence::Follows;

const NEEDS_SAVE: &str = "keeping audio needs the right save";

impl Session {
    pub(super) fn subscribe(&mut self, now: Now, ask: Subscribe) {
        let sid = ask.call_sid.clone();
        let Some(call) = self.host.registry.find(&self.grant, &sid) else {
            self.host.refuse(now, &self.grant, &sid, NOT_GRANTED);
            return self.no_such_call(&sid);
        };
        if ask.save && !self.grant.has(Right::Save) {
            self.host.refuse(now, &self.grant, &sid, NEEDS_SAVE);
            return self.refuse(ErrorCode::NotAllowed, NEEDS_SAVE.to_owned(), &sid);
        }
        if let Err(message) = self.has_place(&ask) {
            return self.refuse(ErrorCode::TooManySubscriptions, message, &sid);
        }
        if ask.saved.is_some_and(|saved| saved.to < saved.from) {
            let message = "saved ends before it begins";
            return self.refuse(ErrorCode::BadMessage, message.to_owned(), &sid);
        }
        self.ask_for_place(now, &call, ask);
    }

    /// Whether what is heard of a call goes on as it is: of who keeps what was heard, or does so no longer, nobody says
    /// that they went and came again. Any other second subscription begins anew.
    pub(super) fn goes_on(&self, ask: &Subscribe) -> bool {
        let keeps = |sub: &Sub| ask.saved.is_some() || sub.saved;
        let stays = |sub: &Sub| sub.call.sid() == &ask.call_sid && keeps(sub) && sub.hears_on();
        ask.audio && ask.replay_ms == 0 && self.subs.iter().any(stays)
    }

    /// Sits down where that is on record, or stays.
    pub(super) fn be_placed(&mut self, now: Now, ask: Subscribe, begins: bool) {
        if begins || !ask.audio {
            return self.take_place(now, ask, begins);
        }
        let sid = ask.call_sid.clone();
        // The right may have been lost while it was put on record.
        if ask.save && !self.grant.has(Right::Save) {
            self.host.unkept(now, &self.grant, &sid);
            return self.refuse(ErrorCode::NotAllowed, NEEDS_SAVE.to_owned(), &sid);
        }
        let sub = self.subs.iter_mut().find(|sub| sub.call.sid() == &sid);
        let told = sub.and_then(|sub| Some((sub.stay(&ask)?, sub.save)));
        let Some((subscribed, save)) = told else {
            if ask.save {
                self.host.unkept(now, &self.grant, &sid);
            }
            return self.no_such_call(&sid);
        };
        self.here.keeps(&sid, save);
        self.control
            .push_back(Said::Subscribed(sid, to_text(&subscribed)));
    }

    /// A second one changes the first, and needs no place of its own.
    fn has_place(&self, ask: &Subscribe) -> Result<(), String> {
        let others = self.subs.iter().filter(|sub| sub.call.sid() != &ask.call_sid);
        let (all, heard) = others.fold((0, 0), |(all, heard), sub| {
            (all + 1, heard + usize::from(sub.audio))
        });
        if all >= MAX_SUBSCRIPTIONS || (ask.audio && heard >= MAX_HEARD) {
            return Err(format!(
                "one socket hears {MAX_HEARD} calls and follows {MAX_SUBSCRIPTIONS} at most; unsubscribe from one"
            ));
        }
        Ok(())
    }

    /// Sits down, where `on_record` after that was written.
    fn take_place(&mut self, now: Now, ask: Subscribe, on_record: bool) {
        let sid = &ask.call_sid;
        // The right may have been lost while it was put on record.
        if ask.save && !self.grant.has(Right::Save) {
            if on_record {
                self.end_unheard(now, sid, NEEDS_SAVE);
            }
            return self.refuse(ErrorCode::NotAllowed, NEEDS_SAVE.to_owned(), sid);
        }
        let call = self.host.registry.find(&self.grant, sid);
        // Its place is given up, its audio on the way is stale.
        self.drop_sub(now, sid, "subscribed anew");
        let id = self.next_sub;
        self.next_sub = self.next_sub.wrapping_add(1);
        self.hear(ask.audio.then_some(id));
        let seat = Ask {
            mailbox: &self.mailbox,
            sub: id,
            audio: ask.audio,
            form: None,
            from: ask.after.as_ref().map_or(Begin::Remembered, Begin::After),
            replay_ms: ask.replay_ms,
        };
        let made = call.and_then(|call| Some((call.subscribe(now, &self.grant, seat)?, call)));
        let Some((made, call)) = made else {
            self.hear(None);
            if on_record {
                self.end_unheard(now, sid, "the call was gone");
            }
            return self.no_such_call(sid);
        };
        let (mut sub, subscribed) = Sub::new(id, call, &ask, made);
        if on_record {
            sub.begin(now, &self.grant, 0);
        }
        self.control
            .push_back(Said::Subscribed(sid.clone(), to_text(&subscribed)));
        self.here.follows(Follows {
            call_sid: sid.clone(),
            audio: sub.audio,
            save: sub.save,
            since: now.wall,
        });
        self.subs.push(sub);
    }

    /// Ends a subscription, and says so.
    pub(super) fn unsubscribe(&mut self, now: Now, sid: &CallSid, why: &'static str) {
        self.drop_sub(now, sid, why);
        self.say(&ServerMessage::Unsubscribed {
            call_sid: sid.clone(),
        });
    }

    /// Ends a subscription; answers whether there was one.
    pub(super) fn drop_sub(&mut self, now: Now, sid: &CallSid, why: &'static str) -> bool {
        let Some(at) = self.subs.iter().position(|sub| sub.call.sid() == sid) else {
            return false;
        };
        let mut sub = self.subs.remove(at);
        self.end_hearing(now, &mut sub, why);
        self.here.leaves(sid);
        self.hear(None);
        true
    }

    /// Tells the mailbox what is heard; `another` is about to be.
    fn hear(&self, another: Option<SubId>) {
        let heard = self.subs.iter().filter(|sub| sub.audio).map(|sub| sub.id);
        self.mailbox.set_subs(heard.chain(another).collect());
    }
}
