//! What a session tells of what happens now, once it has told what is remembered: audio, then news.

use partyline_shared::id::CallSid;
use partyline_shared::protocol::codec::to_text;
use partyline_shared::protocol::server::{Level, ServerMessage};
use partyline_shared::track::PerTrack;

use super::asks::Wish;
use super::list::News;
use super::{BATCH, Session, Sub, Told, Transmit};
use crate::calls::fanout::{BACKLOG, SubId};
use crate::calls::lobby::Listed;
use crate::clock::Now;

impl Session {
    /// Live audio and news: news is told after the audio that was already there when it came, so the last words
    /// of a call are heard before its end is read. Only a listener that loses audio anyway may get news early;
    /// audio that comes after the news may leave before it.
    pub(super) fn next_live(&mut self, now: Now) -> Option<Transmit> {
        for id in std::mem::take(&mut self.ending) {
            self.call_ended(now, id);
        }
        loop {
            if self.audio.is_empty() {
                let signals = self.mailbox.take(&mut self.audio, BATCH);
                self.lost_frames(signals.lost);
                self.host
                    .registry
                    .metrics()
                    .marks
                    .mailbox
                    .note(signals.most as u64);
                if self.audio.is_empty() {
                    // What it counted may have gone with its subscription.
                    self.before_news = 0;
                }
                if (signals.journal || signals.lobby) && self.postponed < BACKLOG {
                    self.before_news = self.audio.len() + signals.left;
                }
                self.journal_due |= signals.journal;
                self.lobby_due |= signals.lobby;
                if signals.lobby_in_time {
                    self.list.look_in_time();
                }
            }
            if self.before_news == 0 && (self.journal_due || self.lobby_due) {
                if let Some(news) = self.next_news(now) {
                    return Some(news);
                }
                self.postponed = 0;
                continue;
            }
            if let Some(remembered) = self.before_live(now) {
                return Some(remembered);
            }
            let (id, item) = self.audio.pop_front()?;
            self.before_news = self.before_news.saturating_sub(1);
            self.postponed += usize::from(self.journal_due || self.lobby_due);
            let Some(sub) = self
                .subs
                .iter_mut()
                .find(|sub| sub.id == id && !sub.seat.is_lost())
            else {
                continue;
            };
            return Some(match sub.told(item) {
                Told::Audio(bytes) => {
                    self.here.sent_frame();
                    self.host.registry.metrics().frames_out.add_one();
                    Transmit::Binary(bytes)
                }
                Told::Text(text) => Transmit::Text(text),
                Told::Shared(text) => Transmit::Shared(text),
            });
        }
    }

    /// The call of a subscription is over: that nobody hears it goes on record when the last of it has been told.
    pub(super) fn call_ended(&mut self, now: Now, id: SubId) {
        if self.audio.iter().any(|(of, _)| *of == id) || self.mailbox.waits(id) {
            return self.ending.push(id);
        }
        // One that has come back and is heard again has its end before that.
        let over = |sub: &Sub| sub.id == id && sub.seat.is_muted();
        let Some(at) = self.subs.iter().position(over) else {
            return;
        };
        let mut sub = self.subs.remove(at);
        self.end_hearing(now, &mut sub, "the call ended");
        self.subs.insert(at, sub);
    }

    /// The next line, event or change of the list; clears what is due when there is none.
    fn next_news(&mut self, now: Now) -> Option<Transmit> {
        if self.journal_due {
            let told = self
                .subs
                .iter_mut()
                .filter(|sub| sub.is_live())
                .find_map(|sub| sub.read_on().transpose());
            match told {
                Some(Ok(text)) => return Some(Transmit::Shared(text)),
                Some(Err(_)) => return self.reads_anew(now),
                None => self.journal_due = false,
            }
        }
        while self.lobby_due {
            match self
                .list
                .next_change(now.mono, &self.host.registry, &self.grant, &self.mailbox)
            {
                Ok(Some(News::Upsert(listed))) => return Some(self.upsert(now, listed)),
                Ok(Some(News::Removed(call_sid))) => {
                    self.drop_sub(now, &call_sid, "the call is no longer remembered");
                    return Some(Transmit::Text(to_text(&ServerMessage::CallRemoved { call_sid })));
                }
                Ok(Some(News::Lost(call_sid))) => return Some(self.lost(now, call_sid)),
                Ok(None) => self.lobby_due = false,
                Err(_) => return self.fell_behind(now),
            }
        }
        None
    }

    fn upsert(&mut self, now: Now, listed: Listed) -> Transmit {
        let told = listed.told.message().clone();
        let Some(sub) = self.subs.iter().find(|sub| sub.call.sid() == &listed.call_sid) else {
            return Transmit::Shared(told);
        };
        let (id, is_live, is_muted) = (sub.id, sub.is_live(), sub.audio && sub.seat.is_muted());
        if sub.seat.is_lost() {
            // It was another customer's for a moment: what was kept back cannot be told any more.
            let first = self.lost(now, listed.call_sid.clone());
            self.list.again(listed);
            return first;
        }
        if listed.ended {
            // What is remembered is told before the end is on record.
            if is_live {
                self.call_ended(now, id);
            }
        } else if is_muted {
            let wish = Wish::Unmute(listed.call_sid);
            if self.asks.is_waiting() {
                self.asks.wait(wish);
            } else {
                self.grant_wish(now, wish);
            }
        }
        Transmit::Shared(told)
    }

    /// A call that is no longer granted: `unsubscribed` where it was subscribed, then `call_removed`.
    fn lost(&mut self, now: Now, call_sid: CallSid) -> Transmit {
        let subscribed = self.drop_sub(now, &call_sid, "no longer granted");
        let removed = to_text(&ServerMessage::CallRemoved {
            call_sid: call_sid.clone(),
        });
        if !subscribed {
            return Transmit::Text(removed);
        }
        self.say_text(removed);
        Transmit::Text(to_text(&ServerMessage::Unsubscribed { call_sid }))
    }

    /// A call is read on no further: its numbers are others now, which is told, or what was to be read is forgotten.
    pub(super) fn reads_anew(&mut self, now: Now) -> Option<Transmit> {
        match self.subs.iter_mut().find_map(Sub::anew) {
            Some(subscribed) => Some(Transmit::Text(to_text(&subscribed))),
            None => self.fell_behind(now),
        }
    }

    /// Lines, events and removals are never skipped: who is too far behind comes back with `after`.
    fn fell_behind(&mut self, now: Now) -> Option<Transmit> {
        self.too_slow();
        self.poll_transmit(now)
    }

    pub(super) fn levels(&mut self, now: Now) -> Option<String> {
        let (watch, _) = self.watch.as_mut()?;
        let calls = self.host.registry.live(&self.grant, |sid| watch.wants(sid));
        let sums = calls
            .iter()
            .map(|call| (call.sid().clone(), call.energy(), call.is_paused()))
            .collect::<Vec<(_, PerTrack<_>, _)>>();
        let levels: Vec<Level> = watch.measure(now.mono, sums);
        (!levels.is_empty()).then(|| to_text(&ServerMessage::Levels { levels }))
    }
}
