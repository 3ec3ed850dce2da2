//! Allowances, used up and refilled.

use super::*;
use crate::limits::names::{Names, Of};

/// Allowances of people who have names.
#[derive(Default)]
struct Rates {
    names: Names,
    dials: Dials,
}

impl Rates {
    fn dial(&mut self, now: Instant, account: &str, caller: Option<&str>) -> Result<(), TooOften> {
        let (account, caller) = self.names(account, caller);
        self.dials.dial(now, account, caller)
    }

    fn names(&self, account: &str, caller: Option<&str>) -> (Name, Option<Name>) {
        let of = |caller: &str| {
            self.names
                .of(Of::Caller, &[account.as_bytes(), caller.as_bytes()])
        };
        (self.names.of(Of::Account, &[account.as_bytes()]), caller.map(of))
    }
}

#[test]
fn a_caller_has_an_allowance_that_refills() {
    let (mut rates, now) = (Rates::default(), Instant::now());
    let dial = |rates: &mut Rates, at| rates.dial(at, "AC1", Some("client:alice"));
    for _ in 0..CALLER_AT_ONCE {
        assert_eq!(dial(&mut rates, now), Ok(()));
    }
    assert_eq!(dial(&mut rates, now), Err(TooOften::Caller));
    assert_eq!(dial(&mut rates, now + CALLER_EVERY), Ok(()));
    assert_eq!(dial(&mut rates, now + CALLER_EVERY), Err(TooOften::Caller));
    // Another caller, the same name in another account, and nobody in particular are not held to it.
    assert_eq!(rates.dial(now, "AC1", Some("client:bob")), Ok(()));
    assert_eq!(rates.dial(now, "AC2", Some("client:alice")), Ok(()));
    assert_eq!(rates.dial(now, "AC1", None), Ok(()));
    let later = now + CALLER_EVERY * (CALLER_AT_ONCE + 2);
    for _ in 0..CALLER_AT_ONCE {
        assert_eq!(
            dial(&mut rates, later),
            Ok(()),
            "all of it, and no more than that"
        );
    }
    assert_eq!(dial(&mut rates, later), Err(TooOften::Caller));
}

#[test]
fn an_account_has_one_whoever_calls() {
    let (mut rates, now) = (Rates::default(), Instant::now());
    for n in 0..ACCOUNT_AT_ONCE {
        assert_eq!(rates.dial(now, "AC1", Some(&format!("+1{n}"))), Ok(()));
    }
    assert_eq!(rates.dial(now, "AC1", Some("+2")), Err(TooOften::Account));
    assert_eq!(rates.dial(now, "AC1", None), Err(TooOften::Account));
    assert_eq!(rates.dial(now, "AC2", Some("+2")), Ok(()));
    assert_eq!(rates.dial(now + ACCOUNT_EVERY, "AC1", Some("+2")), Ok(()));
}

#[test]
fn who_is_refused_loses_nothing() {
    let (mut rates, now) = (Rates::default(), Instant::now());
    for _ in 0..CALLER_AT_ONCE {
        assert_eq!(rates.dial(now, "AC1", Some("+1")), Ok(()));
    }
    for _ in 0..10_000 {
        assert_eq!(rates.dial(now, "AC1", Some("+1")), Err(TooOften::Caller));
    }
    assert_eq!(rates.dial(now, "AC1", Some("+2")), Ok(()), "nor does the account");
}

#[test]
fn it_remembers_so_many_and_no_more() {
    let (mut rates, now) = (Rates::default(), Instant::now());
    let accounts = MAX_DIALLERS / 100;
    for n in 0..MAX_DIALLERS * 2 {
        let (account, caller) = (format!("AC{}", n % accounts), format!("+{n}"));
        let later = now + Duration::from_micros(n as u64);
        assert_eq!(rates.dial(later, &account, Some(&caller)), Ok(()));
    }
    let known = rates.dials.full_at.len();
    assert!((MAX_DIALLERS / 2..=MAX_DIALLERS).contains(&known), "{known}");
}

#[test]
fn who_has_all_again_is_forgotten() {
    let (mut rates, now) = (Rates::default(), Instant::now());
    for n in 0..10 * FEW as u32 {
        let at = now + CALLER_EVERY * n;
        assert_eq!(rates.dial(at, "AC1", Some(&format!("+{n}"))), Ok(()));
        let known = rates.dials.full_at.len();
        assert!(known <= FEW, "{known}");
    }
}

#[test]
fn what_is_dialled_at_another_relay_is_of_the_same_allowance() {
    let (mut rates, now) = (Rates::default(), Instant::now());
    let (account, caller) = rates.names("AC1", Some("+1"));
    let caller = caller.unwrap();
    rates.dials.caller_elsewhere(now, caller, CALLER_AT_ONCE - 1);
    assert_eq!(rates.dial(now, "AC1", Some("+1")), Ok(()));
    assert_eq!(rates.dial(now, "AC1", Some("+1")), Err(TooOften::Caller));
    // Both relays granted all at once: it is used up, and refills as ever.
    rates.dials.caller_elsewhere(now, caller, u32::MAX);
    assert_eq!(rates.dial(now + CALLER_EVERY, "AC1", Some("+1")), Ok(()));
    rates.dials.account_elsewhere(now, account, ACCOUNT_AT_ONCE);
    assert_eq!(rates.dial(now, "AC1", Some("+2")), Err(TooOften::Account));
    assert_eq!(rates.dial(now, "AC2", Some("+1")), Ok(()));
}
