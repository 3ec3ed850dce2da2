//! Calls that are gone for good, and calls that are to come back as they were held.

use std::time::{Duration, Instant};

use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;

use super::Registry;
use crate::clock::Now;
use crate::lock::lock;

impl Registry {
    /// These calls of an earlier relay were held back: each is so from its first word here on.
    pub fn keep_paused(&self, sids: impl IntoIterator<Item = CallSid>) {
        lock(&self.inner).marks.pause(sids);
    }

    /// These calls of an earlier relay were erased, each at its time: what is still heard of them is not taken.
    pub fn keep_erased(&self, now: Now, erased: impl IntoIterator<Item = (CallSid, UtcTime)>) {
        let mut inner = lock(&self.inner);
        for (sid, at) in erased {
            let ms = u64::try_from(now.wall.unix_ms().saturating_sub(at.unix_ms())).unwrap_or(0);
            // A machine that has run for less than that counts from its start.
            let at = now
                .mono
                .checked_sub(Duration::from_millis(ms))
                .unwrap_or(now.mono);
            inner.marks.erase(at, sid);
        }
    }

    /// The calls that were erased in the last day, and when.
    pub fn erased(&self, now: Now) -> Vec<(CallSid, UtcTime)> {
        let inner = lock(&self.inner);
        let at = |at: Instant| {
            let ms = now.mono.saturating_duration_since(at).as_millis();
            now.wall
                .plus_ms(i64::try_from(ms).unwrap_or(i64::MAX).saturating_neg())
        };
        inner
            .marks
            .erased()
            .map(|(then, sid)| (sid.clone(), at(*then)))
            .collect()
    }

    /// Forgets a call for good, and follows it no more; whether there was one.
    pub fn erase(&self, now: Now, sid: &CallSid) -> bool {
        let mut inner = lock(&self.inner);
        let Some(call) = inner.calls.remove(sid) else {
            return false;
        };
        inner.awake.remove(sid);
        inner.ended.retain(|(_, of)| of != sid);
        inner.marks.erase(now.mono, sid.clone());
        drop(inner);
        lock(&self.shared.lost).remove(sid);
        call.erase(now);
        self.shared.metrics.calls_erased.add_one();
        true
    }
}
