//! When to draw: as soon as it matters, and no oftener than it is worth. No clock; time is an argument, in ms.

use crate::app::state::Dirty;

/// Between two pictures that are urgent: a key is seen at once, and of a held one every second or third. Other
/// pictures, drawn a moment ago, are no reason for it to wait.
const NOW_MS: u64 = 33;

/// The waveform: 15 pictures a second. More is no smoother at the width of a cell, and each costs a redraw of
/// the whole strip.
pub(super) const WAVE_MS: u64 = 66;

/// The list and its meters: 5 a second.
const LIST_MS: u64 = 200;

/// Durations.
const SECOND_MS: u64 = 1_000;

/// How much earlier than a second durations may be drawn, ms: the second before was drawn a little late. No more,
/// since what changes between two seconds would else come in pictures of its own.
const SLACK_MS: u64 = 20;

/// When was drawn last.
#[derive(Debug, Default)]
pub(super) struct Pace {
    drawn: Option<u64>,
    /// The last that was urgent.
    urgent: Option<u64>,
}

impl Pace {
    /// When the next picture is due; `None` where it would be the same.
    pub(super) fn due(&self, dirty: Dirty) -> Option<u64> {
        let after = match dirty {
            Dirty::Clean => return None,
            Dirty::Second => SECOND_MS - SLACK_MS,
            Dirty::List => LIST_MS,
            Dirty::Wave => WAVE_MS,
            Dirty::Now => NOW_MS,
        };
        let before = match dirty {
            Dirty::Now => self.urgent,
            _ => self.drawn,
        };
        Some(before.map_or(0, |drawn| drawn.saturating_add(after)))
    }

    /// It was drawn, for that.
    pub(super) fn drew(&mut self, now: u64, dirty: Dirty) {
        self.drawn = Some(now);
        if dirty == Dirty::Now {
            self.urgent = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_urgent_is_drawn_at_once_and_the_rest_when_its_time_has_come() {
        let mut pace = Pace::default();
        assert_eq!(
            pace.due(Dirty::Second),
            Some(0),
            "the first picture waits for nothing"
        );
        pace.drew(10_000, Dirty::Now);
        assert_eq!(pace.due(Dirty::Clean), None);
        let due = |dirty| pace.due(dirty).unwrap() - 10_000;
        assert_eq!(
            [Dirty::Now, Dirty::Wave, Dirty::List, Dirty::Second].map(due),
            [33, 66, 200, 980]
        );
        pace.drew(10_500, Dirty::List);
        assert_eq!(
            (pace.due(Dirty::Now), pace.due(Dirty::List)),
            (Some(10_033), Some(10_700)),
            "a key does not wait for the list"
        );
    }
}
