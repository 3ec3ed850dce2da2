//! Requests of one token, so that a script gone wild takes no other's turn. Pure: time is handed in. Keeps hashes of
//! the tokens' public ids.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// Requests a second in the long run: a source that sends 20 ms at a time of both tracks of ten calls.
const RATE: u32 = 1000;
/// Requests at once: what a script asks that reads every call's lines after a pause.
const BURST: u32 = 5000;
/// Tokens remembered; one that is forgotten begins anew, so only those that ask for nothing are.
const REMEMBERED: usize = 10_000;
/// What one request takes.
const COST: Duration = Duration::from_micros(1_000_000 / RATE as u64);
/// How far a token may be ahead of its rate.
const AHEAD: Duration = Duration::from_millis(BURST as u64 * 1000 / RATE as u64);

/// Too many requests of one token: answer 429 with `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this token has asked for more than 1000 requests a second; ask more slowly")]
pub struct TooFast {
    /// When there is room for the next.
    pub retry_after: Duration,
}

/// When each token's requests would be over at its rate; behind now where it has asked for little.
#[derive(Debug, Default)]
pub struct TokenRate {
    hasher: RandomState,
    until: HashMap<u64, Instant>,
}

impl TokenRate {
    /// Takes a request of a token, by its public id.
    ///
    /// # Errors
    /// [`TooFast`], and the request is not counted.
    pub fn take(&mut self, now: Instant, token_id: &str) -> Result<(), TooFast> {
        let key = self.hasher.hash_one(token_id);
        let until = self.until.get(&key).copied().unwrap_or(now).max(now) + COST;
        let ahead = until.saturating_duration_since(now);
        if ahead > AHEAD {
            return Err(TooFast {
                retry_after: ahead - AHEAD,
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

    #[test]
    fn a_burst_is_taken_and_then_the_rate() {
        let (now, mut rate) = (Instant::now(), TokenRate::default());
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
    fn tokens_that_ask_for_nothing_are_forgotten() {
        let (now, mut rate) = (Instant::now(), TokenRate::default());
        for n in 0..REMEMBERED {
            rate.take(now, &n.to_string()).unwrap();
        }
        rate.take(now, "one more").unwrap();
        assert_eq!(rate.until.len(), REMEMBERED);
        rate.take(now + COST, "another").unwrap();
        assert_eq!(rate.until.len(), 1);
    }
}
