//! What a session tells on its subscriptions: lines first, then audio, then that a call is over, once the last of its
//! audio has been told.

use std::collections::VecDeque;

use super::place::{Sub, start};
use super::{BATCH, Said, Session, data, rejection};
use crate::broadcast;
use crate::cable::channel::Channel;
use crate::cable::message::Disconnect;
use crate::calls::fanout::{Item, SubId};
use crate::calls::journal::{Entry, Forgotten};
use crate::clock::Now;
use crate::pump::Transmit;

/// Entries of a journal taken at a time.
const ENTRIES: usize = 64;

impl Session {
    pub(super) fn next_live(&mut self, now: Now) -> Option<Transmit> {
        loop {
            if self.audio.is_empty() {
                let signals = self.mailbox.take(&mut self.audio, BATCH);
                self.lost_frames(signals.lost);
                let marks = &self.host.registry.metrics().marks;
                marks.mailbox.note(signals.most as u64);
                self.news_due |= signals.journal;
            }
            if self.news_due {
                match self.next_line() {
                    Ok(Some(line)) => return Some(Transmit::Text(line)),
                    Ok(None) => self.look_at_calls(now),
                    // Lines are never left out: it comes back, and knows that it was away.
                    Err(Forgotten) => {
                        self.close(Disconnect::TOO_SLOW);
                        return None;
                    }
                }
            }
            let Some((id, item)) = self.audio.pop_front() else {
                return self.next_end(now).map(Transmit::Text);
            };
            if let Some(told) = self.told(id, item) {
                return Some(told);
            }
        }
    }

    /// The next line of whatever subscription.
    fn next_line(&mut self) -> Result<Option<String>, Forgotten> {
        let media = |sub: &&mut Sub| sub.channel == Channel::Media;
        for sub in self.subs.iter_mut().filter(media) {
            while let Some(entry) = sub.read_on()? {
                let Entry::Line(line) = entry else { continue };
                if let Some(payload) = broadcast::transcript(sub.call.sid(), line.json()) {
                    return Ok(Some(data(&sub.identifier, &payload)));
                }
            }
        }
        self.news_due = false;
        Ok(None)
    }

    /// Calls may be over, back, or no longer remembered.
    fn look_at_calls(&mut self, now: Now) {
        let gone = |sub: &Sub| sub.call.is_forgotten();
        while let Some(at) = self.subs.iter().position(gone) {
            let sub = self.leave_place(now, at, "the call is no longer remembered");
            self.lost(&sub.identifier);
        }
        let mut back: Vec<SubId> = Vec::new();
        for sub in &mut self.subs {
            if sub.over && !sub.coming_back && sub.call.ended().is_none() {
                sub.coming_back = true;
                back.push(sub.id);
            }
        }
        for id in back {
            self.wish_to_unmute(now, id);
        }
    }

    /// The next call that is over, and of which all has been told.
    fn next_end(&mut self, now: Now) -> Option<String> {
        loop {
            let ended = |sub: &Sub| {
                !sub.over && sub.seat.is_muted() && !sub.seat.is_lost() && !self.mailbox.waits(sub.id)
            };
            let at = self.subs.iter().position(ended)?;
            let mut sub = self.subs.remove(at);
            self.end_hearing(now, &mut sub, "the call ended");
            sub.over = true;
            let stop = (sub.channel == Channel::Stream)
                .then(|| sub.call.shown_to(&self.grant)?.ended_at)
                .flatten()
                .map(|ended_at| data(&sub.identifier, &broadcast::stop(sub.call.sid(), ended_at)));
            self.subs.insert(at, sub);
            self.hear(None);
            // It may be back already.
            self.look_at_calls(now);
            if stop.is_some() {
                return stop;
            }
        }
    }

    fn told(&mut self, id: SubId, item: Item) -> Option<Transmit> {
        let of = |sub: &&mut Sub| sub.id == id && !sub.seat.is_lost();
        let sub = self.subs.iter_mut().find(of)?;
        match item {
            Item::Frame(frame) => {
                sub.bytes += frame.mulaw().len() as u64;
                let mut message = Vec::new();
                sub.form.as_ref()?.put(&frame, &mut message);
                self.here.sent_frame();
                self.host.registry.metrics().frames_out.add_one();
                Some(Transmit::Framed(message))
            }
            Item::Stream(_) if sub.channel == Channel::Stream => {
                let start = start(&sub.call, &self.grant)?;
                Some(Transmit::Text(data(&sub.identifier, &start)))
            }
            // The protocol has no word for what is missing; chunks tell it.
            Item::Stream(_) | Item::Gap(_) => None,
        }
    }

    /// Tells that a subscription that stood does so no longer.
    pub(super) fn lost(&mut self, identifier: &str) {
        self.host.registry.metrics().subscriptions_rejected.add_one();
        self.say(Said::Lost(rejection(identifier)));
    }
}

impl Sub {
    fn read_on(&mut self) -> Result<Option<Entry>, Forgotten> {
        if self.seat.is_lost() {
            self.entries = VecDeque::new();
        } else if self.entries.is_empty() {
            self.entries = self.seat.read(&mut self.cursor, ENTRIES)?.into();
        }
        Ok(self.entries.pop_front())
    }
}
