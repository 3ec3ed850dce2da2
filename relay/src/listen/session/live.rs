//! What a session tells of what happens now, once it has told what is remembered: audio, then news.

use partyline_shared::protocol::codec::to_text;
use partyline_shared::protocol::server::{Level, ServerMessage};
use partyline_shared::track::PerTrack;

use super::list::News;
use super::{BATCH, Session, Told, Transmit};
use crate::calls::fanout::BACKLOG;
use crate::calls::lobby::Listed;
use crate::clock::Now;

impl Session {
    /// Live audio and news: news is told after the audio that was already there when it came, so the last words
    /// of a call are heard before its end is read. Only a listener that loses audio anyway may get news early;
    /// audio that comes after the news may leave before it.
    pub(super) fn next_live(&mut self, now: Now) -> Option<Transmit> {
        loop {
            if self.audio.is_empty() {
                let signals = self.mailbox.take(&mut self.audio, BATCH);
                self.registry.metrics().frames_lost.add(signals.lost);
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
            let (id, item) = self.audio.pop_front()?;
            self.before_news = self.before_news.saturating_sub(1);
            self.postponed += usize::from(self.journal_due || self.lobby_due);
            let Some(sub) = self.subs.iter().find(|sub| sub.id == id) else {
                continue;
            };
            return Some(match sub.told(item) {
                Told::Audio(bytes) => {
                    self.registry.metrics().frames_out.add_one();
                    Transmit::Binary(bytes)
                }
                Told::Text(text) => Transmit::Text(text),
                Told::Shared(text) => Transmit::Shared(text),
            });
        }
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
                Some(Err(_)) => return self.fell_behind(now),
                None => self.journal_due = false,
            }
        }
        while self.lobby_due {
            match self
                .list
                .next_change(now.mono, &self.registry, &self.grant, &self.mailbox)
            {
                Ok(Some(News::Upsert(Listed { told, .. }))) => {
                    return Some(Transmit::Shared(told.message().clone()));
                }
                Ok(Some(News::Removed(call_sid))) => {
                    self.drop_sub(|sub| sub.call.sid() == &call_sid);
                    return Some(Transmit::Text(to_text(&ServerMessage::CallRemoved { call_sid })));
                }
                Ok(Some(News::Lost(call_sid))) => {
                    let subscribed = self.subs.iter().any(|sub| sub.call.sid() == &call_sid);
                    self.drop_sub(|sub| sub.call.sid() == &call_sid);
                    let removed = ServerMessage::CallRemoved {
                        call_sid: call_sid.clone(),
                    };
                    if !subscribed {
                        return Some(Transmit::Text(to_text(&removed)));
                    }
                    self.say(&removed);
                    return Some(Transmit::Text(to_text(&ServerMessage::Unsubscribed { call_sid })));
                }
                Ok(None) => self.lobby_due = false,
                Err(_) => return self.fell_behind(now),
            }
        }
        None
    }

    /// Lines, events and removals are never skipped: who is too far behind comes back with `after`.
    pub(super) fn fell_behind(&mut self, now: Now) -> Option<Transmit> {
        self.too_slow();
        self.poll_transmit(now)
    }

    pub(super) fn levels(&mut self, now: Now) -> Option<String> {
        let watch = self.watch.as_mut()?;
        let calls = self.registry.live(&self.grant, |sid| watch.wants(sid));
        let sums = calls
            .iter()
            .map(|call| (call.sid().clone(), call.energy()))
            .collect::<Vec<(_, PerTrack<_>)>>();
        let levels: Vec<Level> = watch.measure(now.mono, sums);
        (!levels.is_empty()).then(|| to_text(&ServerMessage::Levels { levels }))
    }
}
