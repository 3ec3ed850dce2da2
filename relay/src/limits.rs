//! How much of the relay may be taken by those who have shown nothing yet, by those who show the wrong thing, and
//! by one token. A leaf but for how a refusal is said: it counts by address and token and knows neither calls nor
//! doors.
//!
//! Where several relays share calls some limits hold among all, since who is refused by one goes to the next; others are
//! a machine's own, since what they guard is:
//!
//! | among all relays | each relay's own |
//! | --- | --- |
//! | requests of a token ([`rate`]), its sockets ([`sockets`]) | connections, open files, memory ([`files`], [`memory`]) |
//! | wrong tokens of an address ([`failures`]) | guests and seats of who has shown nothing ([`guests`], [`preauth`]) |
//! | dials of an account and of a caller ([`dials`]) | `--max-calls`, `--max-listeners`; unused tickets of a token |
//!
//! What is granted is told to the others every second ([`elsewhere`]): a burst may be had once at each relay, the rate
//! once among all. While Redis is away each relay has its own.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use self::dials::{Dials, TooOften};
use self::elsewhere::{Granted, Ledger, Told};
use self::names::{Name, Names, Of};
use self::sockets::Sockets;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::respond::Refusal;

pub mod burst;
pub mod dials;
pub mod elsewhere;
pub mod failures;
pub mod files;
pub mod guests;
pub mod memory;
pub mod names;
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
    /// How many sockets each token has.
    pub sockets: Arc<Sockets>,
    failures: Mutex<Failures>,
    rate: Mutex<TokenRate>,
    audio: Mutex<TokenRate>,
    dials: Mutex<Dials>,
    names: Arc<Names>,
    ledger: Ledger,
    metrics: Arc<Metrics>,
}

impl Limits {
    /// Nothing is taken. `insecure`: an address has no limit of its own, since all come from this machine. `files`:
    /// how many connections there may be.
    pub fn new(insecure: bool, files: Budget, metrics: Arc<Metrics>) -> Limits {
        let names = Arc::<Names>::default();
        Limits {
            guests: Guests::new(metrics.clone()),
            files,
            memory: Memory::default(),
            preauth: Preauth::new(!insecure, metrics.clone()),
            sockets: Arc::new(Sockets::new(names.clone())),
            failures: Mutex::default(),
            rate: Mutex::new(TokenRate::requests()),
            audio: Mutex::new(TokenRate::audio()),
            dials: Mutex::default(),
            names,
            ledger: Ledger::default(),
            metrics,
        }
    }

    /// Whether a token may be looked up at all; then say whether it [was wrong](Limits::was_wrong) or
    /// [right](Limits::was_right).
    ///
    /// # Errors
    /// A [`Refusal`] with 429 and when to come back.
    pub fn may_try(&self, now: Instant, address: IpAddr, token: &str) -> Result<(), Refusal> {
        let checked = lock(&self.failures).check(now, failures::name(&self.names, address, token));
        checked.map_err(|throttled| self.refuse(&throttled, throttled.retry_after))
    }

    /// A token is not known, or not any more.
    pub fn was_wrong(&self, now: Instant, address: IpAddr, token: &str) {
        let name = failures::name(&self.names, address, token);
        lock(&self.failures).wrong(now, name, 1);
        self.note(Granted::Wrong, name);
    }

    /// A token is known.
    pub fn was_right(&self, address: IpAddr, token: &str) {
        if lock(&self.failures).is_empty() {
            return;
        }
        let name = failures::name(&self.names, address, token);
        if lock(&self.failures).right(name) {
            self.note(Granted::Right, name);
        }
    }

    /// Takes one request of a token, by its public id.
    ///
    /// # Errors
    /// A [`Refusal`] with 429 and when to come back.
    pub fn request(&self, now: Instant, token_id: &str) -> Result<(), Refusal> {
        self.take(now, &self.rate, Granted::Request, token_id)
    }

    /// The same for a request that brings audio: those are many, and each track's audio has a bound of its own.
    ///
    /// # Errors
    /// A [`Refusal`] with 429 and when to come back.
    pub fn audio(&self, now: Instant, token_id: &str) -> Result<(), Refusal> {
        self.take(now, &self.audio, Granted::Audio, token_id)
    }

    fn take(
        &self,
        now: Instant,
        rate: &Mutex<TokenRate>,
        granted: Granted,
        token_id: &str,
    ) -> Result<(), Refusal> {
        let name = self.names.of(Of::Token, &[token_id.as_bytes()]);
        let taken = lock(rate).take(now, name);
        taken.map_err(|fast| self.refuse(&fast, fast.retry_after))?;
        self.note(granted, name);
        Ok(())
    }

    /// Takes one dial of an account, and of a caller of that account who has a name.
    ///
    /// # Errors
    /// [`TooOften`], and nothing is taken.
    pub fn dial(&self, now: Instant, account: &str, caller: Option<&str>) -> Result<(), TooOften> {
        let of = |caller: &str| {
            self.names
                .of(Of::Caller, &[account.as_bytes(), caller.as_bytes()])
        };
        let caller = caller.map(of);
        let account = self.names.of(Of::Account, &[account.as_bytes()]);
        lock(&self.dials).dial(now, account, caller)?;
        self.note(Granted::Account, account);
        if let Some(caller) = caller {
            self.note(Granted::Caller, caller);
        }
        Ok(())
    }

    fn note(&self, granted: Granted, name: Name) {
        if !self.ledger.note(granted, name) {
            self.metrics.limits_untold.add_one();
        }
    }

    /// All relays count under names of this key; from now on somebody tells the others [what is granted](Limits::to_tell).
    pub fn adopt(&self, key: [u8; names::KEY]) {
        self.names.adopt(key);
        self.ledger.want();
    }

    /// What was granted here since this was asked last, and the sockets that there are: for the other relays, every
    /// second.
    pub fn to_tell(&self) -> Told {
        Told {
            sockets: self.sockets.counts(elsewhere::MAX_TOLD),
            ..self.ledger.take()
        }
    }

    /// What another relay, of this name, says of the same.
    pub fn told_elsewhere(&self, now: Instant, relay: &str, told: &Told) {
        self.sockets.told_elsewhere(now, relay, &told.sockets);
        for (rate, counts) in [(&self.rate, &told.requests), (&self.audio, &told.audio)] {
            let mut rate = lock(rate);
            counts
                .iter()
                .for_each(|(name, count)| rate.elsewhere(now, *name, *count));
        }
        {
            let mut failures = lock(&self.failures);
            told.wrong
                .iter()
                .for_each(|(name, count)| failures.wrong(now, *name, *count));
            for (name, _) in &told.right {
                failures.right(*name);
            }
        }
        let mut dials = lock(&self.dials);
        for (name, count) in &told.accounts {
            dials.account_elsewhere(now, *name, *count);
        }
        for (name, count) in &told.callers {
            dials.caller_elsewhere(now, *name, *count);
        }
    }

    /// Another relay has left: its sockets are closed.
    pub fn left_elsewhere(&self, relay: &str) {
        self.sockets.forget(relay);
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

    #[test]
    fn who_goes_from_one_relay_to_the_next_has_no_more_than_who_stays() {
        let now = Instant::now();
        let [here, there] = [(), ()].map(|()| {
            let limits = Limits::new(false, Budget::of_this_process(10), Arc::default());
            limits.adopt([7; names::KEY]);
            limits
        });
        let office = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        while here.request(now, "a1b2").is_ok() {}
        while here.dial(now, "AC1", Some("+12125550100")).is_ok() {}
        while here.may_try(now, office, "pl_guess").is_ok() {
            here.was_wrong(now, office, "pl_guess");
        }
        let word = serde_json::to_string(&here.to_tell()).unwrap();
        assert!(!word.contains("a1b2") && !word.contains("2125550100"), "{word}");
        assert!(there.request(now, "a1b2").is_ok() && there.may_try(now, office, "pl_guess").is_ok());
        there.told_elsewhere(now, "here", &serde_json::from_str(&word).unwrap());
        assert!(there.request(now, "a1b2").is_err() && there.request(now, "c3d4").is_ok());
        assert_eq!(
            there.dial(now, "AC1", Some("+12125550100")),
            Err(TooOften::Caller)
        );
        assert_eq!(there.dial(now, "AC1", Some("+12125550101")), Ok(()));
        assert!(there.may_try(now, office, "pl_guess").is_err());
        there.was_right(office, "pl_guess");
        here.told_elsewhere(now, "there", &there.to_tell());
        assert!(
            here.may_try(now, office, "pl_guess").is_ok(),
            "it was right there"
        );
    }
}
