//! How much of the relay may be taken by those who have shown nothing yet, by those who show the wrong thing, and
//! by one token. A leaf but for how a refusal is said: it counts by address and token and knows neither calls nor
//! doors.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::lock::lock;
use crate::metrics::Metrics;
use crate::respond::Refusal;

pub mod burst;
pub mod failures;
pub mod files;
pub mod guests;
pub mod memory;
pub mod preauth;
pub mod rate;
pub mod sockets;

pub use failures::Failures;
pub use files::Budget;
pub use guests::Guests;
pub use memory::Memory;
pub use preauth::{Preauth, Seat};
pub use rate::TokenRate;

/// Whom an address stands for: an IPv6 client has as many addresses as it likes, all of one /64.
pub(crate) fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

/// The limits of one relay, as its doors ask for them.
#[derive(Debug)]
pub struct Limits {
    /// Connections that are no socket and have shown nothing yet.
    pub guests: Arc<Guests>,
    /// Seats for sockets that have shown nothing yet.
    pub preauth: Arc<Preauth>,
    /// How many connections there may be.
    pub files: Budget,
    /// How full this machine's memory is.
    pub memory: Memory,
    failures: Mutex<Failures>,
    rate: Mutex<TokenRate>,
    audio: Mutex<TokenRate>,
    metrics: Arc<Metrics>,
}

impl Limits {
    /// Nothing is taken. `insecure`: an address has no limit of its own, since all come from this machine. `files`:
    /// how many connections there may be.
    pub fn new(insecure: bool, files: Budget, metrics: Arc<Metrics>) -> Limits {
        Limits {
            guests: Guests::new(metrics.clone()),
            files,
            memory: Memory::default(),
            preauth: Preauth::new(!insecure, metrics.clone()),
            failures: Mutex::default(),
            rate: Mutex::new(TokenRate::requests()),
            audio: Mutex::new(TokenRate::audio()),
            metrics,
        }
    }

    /// Whether a token may be looked up at all; then say whether it [was wrong](Limits::was_wrong) or
    /// [right](Limits::was_right).
    ///
    /// # Errors
    /// A [`Refusal`] with 429 and when to come back.
    pub fn may_try(&self, now: Instant, address: IpAddr, token: &str) -> Result<(), Refusal> {
        let checked = lock(&self.failures).check(now, address, token);
        checked.map_err(|throttled| self.refuse(&throttled, throttled.retry_after))
    }

    /// A token is not known, or not any more.
    pub fn was_wrong(&self, now: Instant, address: IpAddr, token: &str) {
        lock(&self.failures).wrong(now, address, token);
    }

    /// A token is known.
    pub fn was_right(&self, address: IpAddr, token: &str) {
        lock(&self.failures).right(address, token);
    }

    /// Takes one request of a token, by its public id.
    ///
    /// # Errors
    /// A [`Refusal`] with 429 and when to come back.
    pub fn request(&self, now: Instant, token_id: &str) -> Result<(), Refusal> {
        let taken = lock(&self.rate).take(now, token_id);
        taken.map_err(|fast| self.refuse(&fast, fast.retry_after))
    }

    /// The same for a request that brings audio: those are many, and each track's audio has a bound of its own.
    ///
    /// # Errors
    /// A [`Refusal`] with 429 and when to come back.
    pub fn audio(&self, now: Instant, token_id: &str) -> Result<(), Refusal> {
        let taken = lock(&self.audio).take(now, token_id);
        taken.map_err(|fast| self.refuse(&fast, fast.retry_after))
    }

    fn refuse(&self, why: &dyn std::error::Error, retry_after: std::time::Duration) -> Refusal {
        self.metrics.requests_throttled.add_one();
        Refusal::too_many(why.to_string(), retry_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn an_ipv6_client_is_one_whichever_of_its_addresses_it_uses() {
        let of = |text: &str| counted_as(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::7"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::7"), of("2001:db8:1:3::7"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn a_refusal_says_when_to_come_back_and_nothing_of_the_token() {
        let (now, metrics) = (Instant::now(), Arc::<Metrics>::default());
        let limits = Limits::new(false, Budget::of_this_process(10), metrics.clone());
        let office = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        for _ in 0..10 {
            limits.was_wrong(now, office, "pl_topsecret");
        }
        let refusal = limits.may_try(now, office, "pl_topsecret").unwrap_err();
        assert!(!refusal.message.contains("topsecret"), "{}", refusal.message);
        assert_eq!(refusal.answer().status(), 429);
        assert_eq!(refusal.answer().headers()["retry-after"], "16");
        limits.was_right(office, "pl_topsecret");
        assert_eq!(limits.may_try(now, office, "pl_topsecret"), Ok(()));

        let refused = (0..10_000)
            .find_map(|_| limits.request(now, "a1b2").err())
            .unwrap();
        assert_eq!(refused.answer().headers()["retry-after"], "1");
        assert_eq!(metrics.requests_throttled.get(), 2);
    }
}
