//! What a session tells of what was, before what happens now: lines, events, audio. Of a call of another relay that audio
//! may come later; nobody else waits for it.

use super::{Session, Told, Transmit};
use crate::clock::Now;

impl Session {
    /// What is remembered of new subscriptions.
    pub(super) fn catch_up(&mut self, now: Now) -> Option<Transmit> {
        let mut at = 0;
        loop {
            let sub = self.subs.get_mut(at)?;
            if sub.is_live() {
                at += 1;
                continue;
            }
            match sub.catch_up() {
                Ok(Some(Told::Text(text))) => return Some(Transmit::Text(text)),
                Ok(Some(Told::Shared(text))) => return Some(Transmit::Shared(text)),
                Ok(Some(Told::Audio(bytes))) => {
                    self.here.sent_frame();
                    self.host.registry.metrics().frames_replayed.add_one();
                    return Some(Transmit::Binary(bytes));
                }
                // Others are not kept waiting, and it is looked at again once that has come.
                Ok(None) if sub.waits() => at += 1,
                Ok(None) if sub.call.ended().is_some() => {
                    let id = sub.id;
                    self.call_ended(now, id);
                }
                Ok(None) => {}
                Err(_) => return self.reads_anew(now),
            }
        }
    }

    /// What is remembered of the call whose audio is next, where that came from another relay a moment ago: it is told
    /// first.
    pub(super) fn before_live(&mut self, now: Now) -> Option<Transmit> {
        let (id, _) = self.audio.front()?;
        let sub = self.subs.iter().find(|sub| sub.id == *id)?;
        if sub.is_live() { None } else { self.catch_up(now) }
    }
}
