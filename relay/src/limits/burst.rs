//! How much a listener may say. What it says is short and rare but for the moment when it comes back and asks for all
//! that it had; who says more keeps the relay busy for nothing. Pure: time is handed in.

use std::time::{Duration, Instant};

/// Messages at once: every call that may be subscribed, left and subscribed again, twice over …
pub const MESSAGES_AT_ONCE: u32 = 4096;
/// … and one more this often: 200 a second.
pub const MESSAGES_EVERY: Duration = Duration::from_millis(5);

/// Pings and pongs at once: a minute of a client that asks every second, and of proxies that do …
pub const CONTROLS_AT_ONCE: u32 = 200;
/// … and one more this often: 50 a second.
pub const CONTROLS_EVERY: Duration = Duration::from_millis(20);

/// A listener says too much: close it with 1008.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many messages")]
pub struct TooMuch;

/// What one listener has said of late.
#[derive(Debug, Default)]
pub struct Burst {
    messages: Allowance,
    controls: Allowance,
}

/// When all could be said again.
#[derive(Debug, Default)]
struct Allowance(Option<Instant>);

impl Allowance {
    fn take(&mut self, now: Instant, at_once: u32, every: Duration) -> Result<(), TooMuch> {
        let full_at = self.0.map_or(now, |at| at.max(now)) + every;
        self.0 = Some(full_at);
        if full_at.saturating_duration_since(now) > every * at_once {
            return Err(TooMuch);
        }
        Ok(())
    }
}

impl Burst {
    /// It said a message.
    ///
    /// # Errors
    /// [`TooMuch`].
    pub fn message(&mut self, now: Instant) -> Result<(), TooMuch> {
        self.messages.take(now, MESSAGES_AT_ONCE, MESSAGES_EVERY)
    }

    /// It sent a ping or a pong.
    ///
    /// # Errors
    /// [`TooMuch`].
    pub fn control(&mut self, now: Instant) -> Result<(), TooMuch> {
        self.controls.take(now, CONTROLS_AT_ONCE, CONTROLS_EVERY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listen::session::MAX_SUBSCRIPTIONS;

    #[test]
    fn all_subscriptions_at_once_are_no_flood_and_one_past_the_bound_is() {
        let (now, mut burst) = (Instant::now(), Burst::default());
        assert!(MAX_SUBSCRIPTIONS * 3 <= MESSAGES_AT_ONCE as usize);
        for _ in 0..MESSAGES_AT_ONCE {
            assert_eq!(burst.message(now), Ok(()));
        }
        assert_eq!(burst.message(now), Err(TooMuch));
        for _ in 0..CONTROLS_AT_ONCE {
            assert_eq!(burst.control(now), Ok(()), "each has its own");
        }
        assert_eq!(burst.control(now), Err(TooMuch));
    }

    #[test]
    fn a_steady_rate_goes_on_for_ever() {
        let (mut now, mut burst) = (Instant::now(), Burst::default());
        for _ in 0..10_000 {
            now += MESSAGES_EVERY;
            assert_eq!(burst.message(now), Ok(()));
        }
        let mut refused = 0;
        for _ in 0..10_000 {
            now += MESSAGES_EVERY / 2;
            refused += u32::from(burst.message(now).is_err());
        }
        assert!(refused > 0, "twice as much does not");
        let mut pings = |every| {
            (0..1000).all(|_| {
                now += every;
                burst.control(now).is_ok()
            })
        };
        assert!(pings(CONTROLS_EVERY) && !pings(CONTROLS_EVERY / 2));
    }
}
