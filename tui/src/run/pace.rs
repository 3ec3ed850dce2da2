//! When to draw: as soon as it matters, and no oftener than it is worth. No clock; time is an argument.

use crate::app::state::Dirty;
use crate::event::Now;

/// Between two pictures that are urgent: a key is seen at once, and of a held one every second or third. Other
/// pictures, drawn a moment ago, are no reason for it to wait.
const NOW_MS: u64 = 33;

/// The waveform: 15 pictures a second. More is no smoother at the width of a cell, and each costs a redraw of
/// the whole strip.
pub(super) const WAVE_MS: u64 = 66;

/// The list and its meters: 5 a second.
const LIST_MS: u64 = 200;

/// Durations, with the wall clock's seconds. What else can wait as long is drawn with them, and has no pictures of
/// its own in between.
const SECOND_MS: u64 = 1_000;

/// When was drawn last.
#[derive(Debug, Default)]
pub(super) struct Pace {
    drawn: Option<u64>,
    /// The last that was urgent.
    urgent: Option<u64>,
    /// The first whole second since.
    second: u64,
}

impl Pace {
    /// When the next picture is due; `None` where it would be the same.
    pub(super) fn due(&self, dirty: Dirty) -> Option<u64> {
        let (before, after) = match dirty {
            Dirty::Clean => return None,
            Dirty::Second => return Some(self.second),
            Dirty::List => (self.drawn, LIST_MS),
            Dirty::Wave => (self.drawn, WAVE_MS),
            Dirty::Now => (self.urgent, NOW_MS),
        };
        Some(before.map_or(0, |drawn| drawn.saturating_add(after)))
    }

    /// It was drawn, for that.
    pub(super) fn drew(&mut self, now: Now, dirty: Dirty) {
        let since_second = now.utc.unix_ms().rem_euclid(SECOND_MS as i64) as u64;
        self.second = now.ms.saturating_add(SECOND_MS - since_second);
        self.drawn = Some(now.ms);
        if dirty == Dirty::Now {
            self.urgent = Some(now.ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use partyline_shared::time::UtcTime;

    /// The wall clock's seconds begin 400 ms after ours.
    fn at(ms: u64) -> Now {
        let utc = UtcTime::from_unix_ms(1_795_000_000_600 + ms as i64);
        Now { utc, ms }
    }

    #[test]
    fn what_is_urgent_is_drawn_at_once_and_the_rest_when_its_time_has_come() {
        let mut pace = Pace::default();
        assert_eq!(
            pace.due(Dirty::Second),
            Some(0),
            "the first picture waits for nothing"
        );
        pace.drew(at(10_000), Dirty::Now);
        assert_eq!(pace.due(Dirty::Clean), None);
        let due = |dirty| pace.due(dirty).unwrap() - 10_000;
        assert_eq!(
            [Dirty::Now, Dirty::Wave, Dirty::List, Dirty::Second].map(due),
            [33, 66, 200, 400]
        );
        pace.drew(at(10_500), Dirty::List);
        assert_eq!(
            (pace.due(Dirty::Now), pace.due(Dirty::List)),
            (Some(10_033), Some(10_700)),
            "a key does not wait for the list"
        );
    }

    #[test]
    fn what_can_wait_is_drawn_once_a_second_however_often_it_changes() {
        let mut pace = Pace::default();
        pace.drew(at(10_000), Dirty::Now);
        let mut drawn = Vec::new();
        for ms in 10_001..15_000 {
            if pace.due(Dirty::Second).unwrap() <= ms {
                // Late, as a busy machine is.
                pace.drew(at(ms + 7), Dirty::Second);
                drawn.push(ms);
            }
        }
        assert_eq!(drawn, [10_400, 11_400, 12_400, 13_400, 14_400]);
    }
}
