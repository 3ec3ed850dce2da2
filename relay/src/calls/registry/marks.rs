//! What is known of calls that are not here, or not yet: those that an earlier relay held back, and those that were
//! erased, of which Twilio may still speak. Time is an argument.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Instant;

use partyline_shared::id::CallSid;

use crate::calls::life::FORGOTTEN;

/// Names of erased calls remembered at most, 100 bytes each; the oldest go first. As many as ended calls are kept.
const ERASED: usize = 20_000;

/// Marks on names of calls.
#[derive(Debug, Default)]
pub(super) struct Marks {
    paused: HashSet<CallSid>,
    erased: HashMap<CallSid, Instant>,
    by_time: BTreeSet<(Instant, CallSid)>,
}

impl Marks {
    /// These are to be held back from their first word on.
    pub(super) fn pause(&mut self, sids: impl IntoIterator<Item = CallSid>) {
        self.paused.extend(sids);
    }

    /// Whether a call that begins is to be held back; asked once, then the call itself knows.
    pub(super) fn takes_paused(&mut self, sid: &CallSid) -> bool {
        self.paused.remove(sid)
    }

    /// A call is erased.
    pub(super) fn erase(&mut self, now: Instant, sid: CallSid) {
        self.paused.remove(&sid);
        if let Some(before) = self.erased.insert(sid.clone(), now) {
            self.by_time.remove(&(before, sid.clone()));
        }
        self.by_time.insert((now, sid));
        while self.by_time.len() > ERASED {
            self.forget_oldest();
        }
    }

    /// Whether a call was erased, and something may still be heard of it.
    pub(super) fn is_erased(&self, now: Instant, sid: &CallSid) -> bool {
        let at = self.erased.get(sid);
        at.is_some_and(|at| now.saturating_duration_since(*at) < FORGOTTEN)
    }

    /// The erased calls, the oldest first, and when they were.
    pub(super) fn erased(&self) -> impl Iterator<Item = &(Instant, CallSid)> {
        self.by_time.iter()
    }

    /// Lets go of what is over.
    pub(super) fn on_deadline(&mut self, now: Instant) {
        while self
            .by_time
            .first()
            .is_some_and(|(at, _)| now.saturating_duration_since(*at) >= FORGOTTEN)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, sid)) = self.by_time.pop_first() {
            self.erased.remove(&sid);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sid(n: usize) -> CallSid {
        CallSid::parse(&format!("CA{n}")).unwrap()
    }

    #[test]
    fn an_erased_call_is_known_for_a_day_and_not_too_many_of_them() {
        let (mut marks, now) = (Marks::default(), Instant::now());
        for n in 0..ERASED + 10 {
            marks.erase(now + Duration::from_millis(n as u64), sid(n));
        }
        assert_eq!((marks.erased.len(), marks.by_time.len()), (ERASED, ERASED));
        let later = now + Duration::from_secs(60);
        assert!(!marks.is_erased(later, &sid(9)) && marks.is_erased(later, &sid(10)));
        marks.erase(later, sid(10));
        let next_day = now + FORGOTTEN + Duration::from_secs(59);
        assert!(!marks.is_erased(next_day, &sid(11)) && marks.is_erased(next_day, &sid(10)));
        marks.on_deadline(next_day);
        assert_eq!((marks.erased.len(), marks.by_time.len()), (1, 1));
    }

    #[test]
    fn a_call_that_was_held_back_is_so_once() {
        let mut marks = Marks::default();
        marks.pause([sid(1), sid(2)]);
        assert!(marks.takes_paused(&sid(1)) && !marks.takes_paused(&sid(1)));
        marks.erase(Instant::now(), sid(2));
        assert!(!marks.takes_paused(&sid(2)));
    }
}
