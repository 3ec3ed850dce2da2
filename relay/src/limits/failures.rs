//! Wrong tokens, throttled by address and the token's beginning: who tries one token's rest is slowed down, and the
//! others of the same address, with other tokens, are not. Pure: time is handed in. Keeps what they are counted under,
//! no token and no address.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::names::{Name, Names, Of};

/// How much of a token is its beginning, bytes: what tells the tokens of one office apart, and of no use to who
/// reads it.
const PREFIX: usize = 12;
/// Wrong ones that cost nothing: a token that was pasted badly, and once more.
const FREE: u32 = 5;
/// What the first one after them costs; each further one costs twice as much.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// What one costs at most: whoever puts it right does not wait for longer.
const MAX_DELAY: Duration = Duration::from_secs(60);
/// After so long without a wrong one all is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(600);
/// Beginnings remembered; the oldest go. 2 MB.
const REMEMBERED: usize = 20_000;

/// Too many wrong tokens: answer 429 with `Retry-After`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this token was wrong too often; try again later with the right one")]
pub struct Throttled {
    /// When to come back.
    pub retry_after: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Wrong {
    times: u32,
    last: Instant,
}

/// Who has shown wrong tokens.
#[derive(Debug, Default)]
pub struct Failures {
    wrong: HashMap<Name, Wrong>,
    by_age: BTreeSet<(Instant, Name)>,
}

impl Failures {
    /// Whether a token may be tried at all; to be asked before it is looked up.
    ///
    /// # Errors
    /// [`Throttled`] with when it may be.
    pub fn check(&self, now: Instant, name: Name) -> Result<(), Throttled> {
        let Some(wrong) = self.wrong.get(&name) else {
            return Ok(());
        };
        let since = now.saturating_duration_since(wrong.last);
        match delay(wrong.times).checked_sub(since) {
            Some(retry_after) if !retry_after.is_zero() => Err(Throttled { retry_after }),
            _ => Ok(()),
        }
    }

    /// A token was wrong so many times. What was refused by [`Failures::check`] was not tried, and is not told here.
    pub fn wrong(&mut self, now: Instant, key: Name, more: u32) {
        let before = self.wrong.get(&key).copied();
        let times = match before {
            Some(wrong) if now.saturating_duration_since(wrong.last) < FORGOTTEN => {
                wrong.times.saturating_add(more)
            }
            _ => more,
        };
        if let Some(wrong) = before {
            self.by_age.remove(&(wrong.last, key));
        }
        self.wrong.insert(key, Wrong { times, last: now });
        self.by_age.insert((now, key));
        while self.wrong.len() > REMEMBERED {
            let Some((_, oldest)) = self.by_age.pop_first() else {
                break;
            };
            self.wrong.remove(&oldest);
        }
    }

    /// Whether nothing was wrong lately.
    pub fn is_empty(&self) -> bool {
        self.wrong.is_empty()
    }

    /// A token was right: what was wrong with its beginning is forgotten. Whether anything was.
    pub fn right(&mut self, key: Name) -> bool {
        let Some(wrong) = self.wrong.remove(&key) else {
            return false;
        };
        self.by_age.remove(&(wrong.last, key))
    }
}

/// Under what a token from an address is counted.
pub fn name(names: &Names, address: IpAddr, token: &str) -> Name {
    let bytes = token.as_bytes();
    // All that a login elsewhere makes begin alike: these are told apart as a whole.
    let whole = bytes.contains(&b'.');
    let prefix = bytes.get(..PREFIX).filter(|_| !whole).unwrap_or(bytes);
    let address = match super::counted_as(address) {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    };
    names.of(Of::Wrong, &[&address.octets(), prefix])
}

/// What so many wrong ones cost.
fn delay(times: u32) -> Duration {
    match times.checked_sub(FREE) {
        None | Some(0) => Duration::ZERO,
        Some(over) => FIRST_DELAY
            .saturating_mul(1u32.checked_shl(over - 1).unwrap_or(u32::MAX))
            .min(MAX_DELAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    /// Who stands there, by name.
    #[derive(Debug, Default)]
    struct Desk {
        names: Names,
        failures: Failures,
    }

    impl Desk {
        fn check(&self, now: Instant, address: IpAddr, token: &str) -> Result<(), Throttled> {
            self.failures.check(now, name(&self.names, address, token))
        }

        fn wrong(&mut self, now: Instant, token: &str) {
            self.failures.wrong(now, name(&self.names, OFFICE, token), 1);
        }

        fn right(&mut self, token: &str) -> bool {
            self.failures.right(name(&self.names, OFFICE, token))
        }
    }

    fn fail(failures: &mut Desk, now: Instant, token: &str, times: u32) {
        for _ in 0..times {
            failures.wrong(now, token);
        }
    }

    #[test]
    fn who_is_wrong_again_and_again_waits_longer_and_longer() {
        let (mut now, mut failures) = (Instant::now(), Desk::default());
        let token = "pl_alice0123_wrong";
        fail(&mut failures, now, token, FREE);
        assert_eq!(failures.check(now, OFFICE, token), Ok(()));
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            failures.wrong(now, token);
            let wait = Duration::from_secs(seconds);
            let told = failures.check(now, OFFICE, token).unwrap_err();
            assert_eq!(told.retry_after, wait);
            now += wait - Duration::from_millis(1);
            assert!(failures.check(now, OFFICE, token).is_err());
            now += Duration::from_millis(1);
            assert_eq!(failures.check(now, OFFICE, token), Ok(()));
        }
        now += FORGOTTEN;
        failures.wrong(now, token);
        assert_eq!(failures.check(now, OFFICE, token), Ok(()), "it was forgotten");
        fail(&mut failures, now, token, 40);
        let told = failures.check(now, OFFICE, token).unwrap_err();
        assert_eq!(told.retry_after, MAX_DELAY);
    }

    #[test]
    fn an_office_is_not_locked_out_by_one_of_its_own() {
        let (now, mut failures) = (Instant::now(), Desk::default());
        fail(&mut failures, now, "pl_alice0123_wrong", 50);
        assert!(failures.check(now, OFFICE, "pl_alice0123_another").is_err());
        assert_eq!(failures.check(now, OFFICE, "pl_bob000123_right"), Ok(()));
        assert_eq!(failures.check(now, HOME, "pl_alice0123_right"), Ok(()));
        assert!(failures.right("pl_alice0123_right") && !failures.right("pl_alice0123_right"));
        assert_eq!(failures.check(now, OFFICE, "pl_alice0123_wrong"), Ok(()));
        assert!(failures.failures.by_age.is_empty());
    }

    #[test]
    fn the_tokens_of_a_login_elsewhere_are_each_one_of_their_own() {
        let (now, mut failures) = (Instant::now(), Desk::default());
        fail(
            &mut failures,
            now,
            "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.AAAA",
            9,
        );
        let check = |token| failures.check(now, OFFICE, token);
        assert!(check("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.AAAA").is_err());
        assert_eq!(check("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJib2IifQ.AAAA"), Ok(()));
    }

    #[test]
    fn short_and_odd_tokens_are_tokens_too() {
        let (now, mut failures) = (Instant::now(), Desk::default());
        for token in ["", "a", "\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}"] {
            fail(&mut failures, now, token, 9);
            assert!(failures.check(now, OFFICE, token).is_err(), "{token}");
        }
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        assert!(
            failures.check(now, mapped, "a").is_err(),
            "it is the same address"
        );
    }

    #[test]
    fn a_flood_of_guesses_is_bounded_and_the_oldest_go() {
        let (mut now, mut failures) = (Instant::now(), Desk::default());
        fail(&mut failures, now, "first", 9);
        for n in 0..REMEMBERED {
            now += Duration::from_micros(1);
            failures.wrong(now, &format!("{n:012}"));
        }
        assert_eq!(
            (failures.failures.wrong.len(), failures.failures.by_age.len()),
            (REMEMBERED, REMEMBERED)
        );
        assert_eq!(failures.check(now, OFFICE, "first"), Ok(()));
        assert!(!format!("{failures:?}").contains("first"));
    }

    #[test]
    fn what_was_wrong_at_another_relay_counts_too() {
        let (now, mut failures) = (Instant::now(), Desk::default());
        let guess = name(&failures.names, OFFICE, "pl_alice0123_guess");
        failures.failures.wrong(now, guess, FREE);
        assert_eq!(failures.check(now, OFFICE, "pl_alice0123_guess"), Ok(()));
        failures.wrong(now, "pl_alice0123_guess");
        assert!(failures.check(now, OFFICE, "pl_alice0123_guess").is_err());
    }
}
