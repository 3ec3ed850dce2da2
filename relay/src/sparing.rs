//! What anybody can cause as often as they like is told a few times, and how often it was not: a record or a log
//! that strangers can fill is lost to those who need it. Pure: time is handed in.

use std::time::{Duration, Instant};

/// Told at once: more than an office does wrong in a morning …
pub const AT_ONCE: u32 = 100;
/// … and one more this often: 40 MB of the record in a day.
pub const EVERY: Duration = Duration::from_secs(1);

/// How much of one thing was told.
#[derive(Debug, Default)]
pub struct Sparing {
    /// When all of [`AT_ONCE`] could be told again.
    full_at: Option<Instant>,
    untold: u64,
}

impl Sparing {
    /// It happened. How often it did without being told since the last time that it was; `None` where this time is
    /// one of those.
    pub fn tell(&mut self, now: Instant) -> Option<u64> {
        let full_at = self.full_at.map_or(now, |at| at.max(now)) + EVERY;
        if full_at.saturating_duration_since(now) > EVERY * AT_ONCE {
            self.untold += 1;
            return None;
        }
        self.full_at = Some(full_at);
        Some(std::mem::take(&mut self.untold))
    }

    /// Whether all that happened was told, and so much can be told again as if nothing had been.
    pub fn is_fresh(&self, now: Instant) -> bool {
        self.untold == 0 && self.full_at.is_none_or(|at| at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_in_a_few_lines_that_say_how_large_it_was() {
        let (start, mut sparing) = (Instant::now(), Sparing::default());
        let told = (0..10_000).filter(|_| sparing.tell(start) == Some(0)).count();
        assert_eq!(told, AT_ONCE as usize);
        let later = start + EVERY;
        assert_eq!(sparing.tell(later), Some(10_000 - u64::from(AT_ONCE)));
        assert_eq!(sparing.tell(later), None);
        assert!(!sparing.is_fresh(later + EVERY * AT_ONCE), "one is not told");
        assert_eq!(sparing.tell(later + EVERY), Some(1));
        assert!(!sparing.is_fresh(later) && sparing.is_fresh(later + 2 * EVERY * AT_ONCE));
    }
}
