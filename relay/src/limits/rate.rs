//! Requests of one token, so that a script gone wild takes no other's turn. Pure: time is handed in. Keeps hashes of
//! the tokens' public ids.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

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
    hasher: RandomState,
    until: HashMap<u64, Instant>,
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
            hasher: RandomState::default(),
            until: HashMap::new(),
        }
    }

    /// Takes a request of a token, by its public id.
    ///
    /// # Errors
    /// [`TooFast`], and the request is not counted.
    pub fn take(&mut self, now: Instant, token_id: &str) -> Result<(), TooFast> {
        let key = self.hasher.hash_one(token_id);
        let until = self.until.get(&key).copied().unwrap_or(now).max(now) + self.cost;
        let ahead = until.saturating_duration_since(now);
        if ahead > self.ahead {
            return Err(TooFast {
                rate: self.rate,
                retry_after: ahead - self.ahead,
            });
        }
        if self.until.len() >= REMEMBERED && !self.until.contains_key(&key) {
            self.until.retain(|_, until| *until > now);
            // All of them busy: the new one is served and not remembered, since there is no room to count it.
            if self.until.len() >= REMEMBERED {
                return Ok(());
            }
        }
        self.until.insert(key, until);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: Duration = Duration::from_millis(1);

    #[test]
    fn a_burst_is_taken_and_then_the_rate() {
        let (now, mut rate) = (Instant::now(), TokenRate::requests());
        for n in 0..BURST {
            assert_eq!(rate.take(now, "alice"), Ok(()), "{n}");
        }
        let told = rate.take(now, "alice").unwrap_err();
        assert_eq!(told.retry_after, COST);
        assert_eq!(rate.take(now, "bob"), Ok(()), "another token has its own");
        assert_eq!(rate.take(now + COST, "alice"), Ok(()));
        assert!(rate.take(now + COST, "alice").is_err());
        let second = now + COST + Duration::from_secs(1);
        let taken = (0..2 * RATE)
            .filter(|_| rate.take(second, "alice").is_ok())
            .count();
        assert_eq!(taken, RATE as usize);
    }

    #[test]
    fn audio_is_counted_by_itself_and_ten_times_as_often() {
        let (now, mut audio) = (Instant::now(), TokenRate::audio());
        for n in 0..AUDIO_BURST {
            assert_eq!(audio.take(now, "pbx"), Ok(()), "{n}");
        }
        let told = audio.take(now, "pbx").unwrap_err();
        assert!(told.to_string().contains("10000 requests a second"), "{told}");
        let second = now + Duration::from_secs(1);
        let taken = (0..2 * AUDIO_RATE).filter(|_| audio.take(second, "pbx").is_ok());
        assert_eq!(taken.count(), AUDIO_RATE as usize);
    }

    #[test]
    fn tokens_that_ask_for_nothing_are_forgotten() {
        let (now, mut rate) = (Instant::now(), TokenRate::requests());
        for n in 0..REMEMBERED {
            rate.take(now, &n.to_string()).unwrap();
        }
        rate.take(now, "one more").unwrap();
        assert_eq!(rate.until.len(), REMEMBERED);
        rate.take(now + COST, "another").unwrap();
        assert_eq!(rate.until.len(), 1);
    }
}
