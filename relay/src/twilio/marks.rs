//! What has acted and may not act again, for who remembers it across a restart: webhooks by their signature, passes
//! by their number, as digests that tell nothing. Kept only where somebody collects them, and a bounded number.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::replays::{REMEMBERED, Seen};
use crate::lock::lock;

/// Marks that wait to be collected, which is every second: more than any relay has webhooks a second. Further ones
/// are forgotten at a restart, and counted.
const MAX_WAITING: usize = 20_000;

/// What other relays are told came of a callback: that it acted.
pub(super) const CALLBACK: &str = "c";

/// What acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A webhook that was answered with TwiML.
    Answer,
    /// One that was answered with nothing.
    Callback,
    /// A stream's pass.
    Pass,
}

/// One that did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// What it is.
    pub kind: Kind,
    /// Which one.
    pub id: Seen,
    /// When it may be forgotten, ms since 1970.
    pub until_ms: i64,
}

impl Mark {
    /// A webhook that came now.
    pub(super) fn webhook(kind: Kind, id: Seen, now_ms: i64) -> Mark {
        let day = i64::try_from(REMEMBERED.as_millis()).unwrap_or(i64::MAX);
        Mark {
            kind,
            id,
            until_ms: now_ms.saturating_add(day),
        }
    }
}

/// Those that wait to be collected.
#[derive(Debug, Default)]
pub struct Marks {
    wanted: AtomicBool,
    waiting: Mutex<Vec<Mark>>,
}

impl Marks {
    /// From now on somebody collects them.
    pub fn want(&self) {
        self.wanted.store(true, Relaxed);
    }

    /// Keeps one; gives whether there was room.
    pub(super) fn note(&self, mark: Mark) -> bool {
        if !self.wanted.load(Relaxed) {
            return true;
        }
        let mut waiting = lock(&self.waiting);
        let room = waiting.len() < MAX_WAITING;
        if room {
            waiting.push(mark);
        }
        room
    }

    /// Those since the last time.
    pub fn take(&self) -> Vec<Mark> {
        std::mem::take(&mut *lock(&self.waiting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_kept_only_for_who_collects_them_and_not_without_end() {
        let marks = Marks::default();
        let mark = Mark::webhook(Kind::Callback, [1; 16], 5);
        assert_eq!(mark.until_ms, 5 + 24 * 3600 * 1000);
        assert!(marks.note(mark) && marks.take().is_empty());
        marks.want();
        for _ in 0..MAX_WAITING {
            assert!(marks.note(mark));
        }
        assert!(!marks.note(mark));
        assert_eq!(marks.take().len(), MAX_WAITING);
        assert!(marks.note(mark));
    }
}
