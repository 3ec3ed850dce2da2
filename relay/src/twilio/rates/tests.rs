//! Allowances, used up and refilled.

use super::*;

#[test]
fn a_caller_has_an_allowance_that_refills() {
    let (rates, now) = (Rates::default(), Instant::now());
    let dial = |at| rates.dial(at, "AC1", Some("client:alice"));
    for _ in 0..CALLER_AT_ONCE {
        assert_eq!(dial(now), Ok(()));
    }
    assert_eq!(dial(now), Err(TooOften::Caller));
    assert_eq!(dial(now + CALLER_EVERY), Ok(()));
    assert_eq!(dial(now + CALLER_EVERY), Err(TooOften::Caller));
    // Another caller, the same name in another account, and nobody in particular are not held to it.
    assert_eq!(rates.dial(now, "AC1", Some("client:bob")), Ok(()));
    assert_eq!(rates.dial(now, "AC2", Some("client:alice")), Ok(()));
    assert_eq!(rates.dial(now, "AC1", None), Ok(()));
    let later = now + CALLER_EVERY * (CALLER_AT_ONCE + 2);
    for _ in 0..CALLER_AT_ONCE {
        assert_eq!(dial(later), Ok(()), "all of it, and no more than that");
    }
    assert_eq!(dial(later), Err(TooOften::Caller));
}

#[test]
fn an_account_has_one_whoever_calls() {
    let (rates, now) = (Rates::default(), Instant::now());
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
    let (rates, now) = (Rates::default(), Instant::now());
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
    let (rates, now) = (Rates::default(), Instant::now());
    let accounts = MAX_DIALLERS / 100;
    for n in 0..MAX_DIALLERS * 2 {
        let (account, caller) = (format!("AC{}", n % accounts), format!("+{n}"));
        let later = now + Duration::from_micros(n as u64);
        assert_eq!(rates.dial(later, &account, Some(&caller)), Ok(()));
    }
    let known = lock(&rates.known).full_at.len();
    assert!((MAX_DIALLERS / 2..=MAX_DIALLERS).contains(&known), "{known}");
}

#[test]
fn who_has_all_again_is_forgotten() {
    let (rates, now) = (Rates::default(), Instant::now());
    for n in 0..10 * FEW as u32 {
        let at = now + CALLER_EVERY * n;
        assert_eq!(rates.dial(at, "AC1", Some(&format!("+{n}"))), Ok(()));
        let known = lock(&rates.known).full_at.len();
        assert!(known <= FEW, "{known}");
    }
}
