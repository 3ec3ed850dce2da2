//! Requests of one token, so that a script gone wild takes no other's turn. Pure: time is handed in. Keeps what the
//! tokens are counted under.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::names::Name;

/// Requests a second in the long run: a source that sends 20 ms at a time of both tracks of ten calls.
const RATE: u32 = 1000;
/// Requests at once: what a script asks that reads every call's lines after a pause.
const BURST: u32 = 5000;
/// Requests a second that bring audio, which is bounded by itself, to two seconds ahead of each track: a source that
/// sends 20 ms at a time of both tracks of a hundred calls.
const AUDIO_RATE: u32 = 10_000;
/// Such requests at once: two seconds of the same.
const AUDIO_BURST: u32 = 20_000;
/// Tokens remembered; one that is forgotten begins anew, so only those that ask for nothing are.
const REMEMBERED: usize = 10_000;

/// Too many requests of one token: answer 429 with `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this token has asked for more than {rate} requests a second; ask more slowly")]
pub struct TooFast {
    /// What it may, a second.
    pub rate: u32,
    /// When there is room for the next.
    pub retry_after: Duration,
}

/// When each token's requests would be over at its rate; behind now where it has asked for little.
#[derive(Debug)]
pub struct TokenRate {
    rate: u32,
    /// What one request takes.
    cost: Duration,
    /// How far a token may be ahead of its rate.
    ahead: Duration,
    until: HashMap<Name, Instant>,
}

impl TokenRate {
    /// For what scripts ask.
    pub fn requests() -> TokenRate {
        TokenRate::new(RATE, BURST)
    }

    /// For what brings audio.
    pub fn audio() -> TokenRate {
        TokenRate::new(AUDIO_RATE, AUDIO_BURST)
    }

    fn new(rate: u32, burst: u32) -> TokenRate {
        let cost = Duration::from_micros(1_000_000 / u64::from(rate));
        TokenRate {
            rate,
            cost,
            ahead: cost * burst,
            until: HashMap::new(),
        }
    }

    /// Takes a request of a token.
    ///
    /// # Errors
    /// [`TooFast`], and the request is not counted.
    pub fn take(&mut self, now: Instant, key: Name) -> Result<(), TooFast> {
        let until = self.until.get(&key).copied().unwrap_or(now).max(now) + self.cost;
        let ahead = until.saturating_duration_since(now);
        if ahead > self.ahead {
            return Err(TooFast {
                rate: self.rate,
                retry_after: ahead - self.ahead,
            });
        }
        self.put(now, key, until);
        Ok(())
    }

    /// A token has made so many at another relay. No more than all is used up: what was had at once at each relay is
    /// not to be paid for twice.
    pub fn elsewhere(&mut self, now: Instant, key: Name, count: u32) {
        let most = now + self.ahead;
        let until = self.until.get(&key).copied().unwrap_or(now).max(now);
        let until = until.checked_add(self.cost.saturating_mul(count)).unwrap_or(most);
        self.put(now, key, until.min(most));
    }

    fn put(&mut self, now: Instant, key: Name, until: Instant) {
        if self.until.len() >= REMEMBERED && !self.until.contains_key(&key) {
            self.until.retain(|_, until| *until > now);
            // All of them busy: the new one is served and not remembered, since there is no room to count it.
            if self.until.len() >= REMEMBERED {
                return;
            }
        }
        self.until.insert(key, until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: Name = 1;
    const BOB: Name = 2;
    const COST: Duration = Duration::from_millis(1);

    #[test]
    fn a_burst_is_taken_and_then_the_rate() {
        let (now, mut rate) = (Instant::now(), TokenRate::requests());
        for n in 0..BURST {
            assert_eq!(rate.take(now, ALICE), Ok(()), "{n}");
        }
        let told = rate.take(now, ALICE).unwrap_err();
        assert_eq!(told.retry_after, COST);
        assert_eq!(rate.take(now, BOB), Ok(()), "another token has its own");
        assert_eq!(rate.take(now + COST, ALICE), Ok(()));
        assert!(rate.take(now + COST, ALICE).is_err());
        let second = now + COST + Duration::from_secs(1);
        let taken = (0..2 * RATE).filter(|_| rate.take(second, ALICE).is_ok()).count();
        assert_eq!(taken, RATE as usize);
    }

    #[test]
    fn audio_is_counted_by_itself_and_ten_times_as_often() {
        let (now, mut audio) = (Instant::now(), TokenRate::audio());
        for n in 0..AUDIO_BURST {
            assert_eq!(audio.take(now, ALICE), Ok(()), "{n}");
        }
        let told = audio.take(now, ALICE).unwrap_err();
        assert!(told.to_string().contains("10000 requests a second"), "{told}");
        let second = now + Duration::from_secs(1);
        let taken = (0..2 * AUDIO_RATE).filter(|_| audio.take(second, ALICE).is_ok());
        assert_eq!(taken.count(), AUDIO_RATE as usize);
    }

    #[test]
    fn tokens_that_ask_for_nothing_are_forgotten() {
        let (now, mut rate) = (Instant::now(), TokenRate::requests());
        for n in 0..REMEMBERED {
            rate.take(now, n as Name).unwrap();
        }
        rate.take(now, Name::MAX).unwrap();
        assert_eq!(rate.until.len(), REMEMBERED);
        rate.take(now + COST, Name::MAX - 1).unwrap();
        assert_eq!(rate.until.len(), 1);
    }

    #[test]
    fn what_is_asked_at_another_relay_counts_too() {
        let (now, mut rate) = (Instant::now(), TokenRate::requests());
        rate.elsewhere(now, ALICE, BURST - 1);
        assert_eq!(rate.take(now, ALICE), Ok(()));
        assert!(rate.take(now, ALICE).is_err());
        rate.elsewhere(now, ALICE, u32::MAX);
        assert_eq!(
            rate.take(now + COST, ALICE),
            Ok(()),
            "no more than all is used up"
        );
    }
}
