//! How long to stay away from a relay: full jitter, so that the listeners of a relay that was restarted
//! do not all come back in one moment.

use std::time::Duration;

/// The first limit; the second attempt waits up to twice as long, and so on.
pub const FLOOR: Duration = Duration::from_millis(500);

/// The last limit: long enough to spare a relay that is down, short enough to be waited for.
pub const CEILING: Duration = Duration::from_secs(30);

/// The longest wait that a relay can ask for, so that a wrong `Retry-After` does not end us.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// Counts attempts; see the module.
#[derive(Debug, Clone)]
pub struct Backoff {
    floor: Duration,
    ceiling: Duration,
    attempts: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff::new(FLOOR, CEILING)
    }
}

impl Backoff {
    /// A back-off between two limits; a floor under 1 ms is 1 ms.
    pub fn new(floor: Duration, ceiling: Duration) -> Self {
        let floor = floor.max(Duration::from_millis(1));
        Backoff {
            floor,
            ceiling: ceiling.max(floor),
            attempts: 0,
        }
    }

    /// The next wait; `dice` is drawn evenly from 0 to 1.
    pub fn next(&mut self, dice: f64) -> Duration {
        let limit = self.limit();
        self.attempts = self.attempts.saturating_add(1);
        limit.mul_f64(dice.clamp(0.0, 1.0))
    }

    /// The wait where the relay has said one, and up to the floor more, since it said so to others too.
    pub fn asked(&self, by_relay: Duration, dice: f64) -> Duration {
        by_relay.min(LONGEST_ASKED) + self.floor.mul_f64(dice.clamp(0.0, 1.0))
    }

    /// Something was achieved: the next wait is a first one.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }

    fn limit(&self) -> Duration {
        let factor = 2u32.saturating_pow(self.attempts);
        self.floor.saturating_mul(factor).min(self.ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_double_to_the_ceiling_and_begin_anew() {
        let mut backoff = Backoff::default();
        let limits: Vec<u128> = (0..9).map(|_| backoff.next(1.0).as_millis()).collect();
        assert_eq!(
            limits,
            [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]
        );
        assert_eq!(backoff.next(0.0), Duration::ZERO);
        backoff.reset();
        assert_eq!(backoff.next(0.5), Duration::from_millis(250));
        for _ in 0..100 {
            backoff.next(1.0);
        }
        assert_eq!(backoff.next(1.0), CEILING);
    }

    #[test]
    fn what_the_relay_asks_is_kept_within_reason() {
        let backoff = Backoff::default();
        assert_eq!(backoff.asked(Duration::from_secs(3), 0.0), Duration::from_secs(3));
        assert_eq!(
            backoff.asked(Duration::from_secs(3), 1.0),
            Duration::from_millis(3500)
        );
        assert_eq!(backoff.asked(Duration::MAX, 0.0), LONGEST_ASKED);
    }
}
