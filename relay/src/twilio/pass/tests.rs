//! What a pass opens, and everything near it that opens nothing.

use super::spent::{MAX_SPENT, NotSpent, Spent};
use super::*;
use proptest::prelude::*;

const ACCOUNT: &str = "AC11111111111111111111111111111111";
const CALL: &str = "CA22222222222222222222222222222222";

fn key(token: &str) -> Key {
    Key::of_token(&Secret::new(token))
}

fn at(ms: i64) -> UtcTime {
    UtcTime::from_unix_ms(ms)
}

#[test]
fn a_pass_opens_its_call_for_fifteen_minutes() {
    let keys = [key("one")];
    let pass = keys[0].write(at(1000), [7; 16], ACCOUNT, CALL);
    let end = 1000 + LIFE_MS;
    assert!(
        read(&keys, at(1000), ACCOUNT, CALL, &pass)
            == Ok(Valid {
                nonce: [7; 16],
                until_ms: end
            })
    );
    assert!(read(&keys, at(end - 1), ACCOUNT, CALL, &pass).is_ok());
    assert!(read(&keys, at(end), ACCOUNT, CALL, &pass) == Err(Wrong::Late));
    // Written by a relay whose clock is half a day ahead: good for longer than any pass may be.
    let ahead = keys[0].write(at(43_200_000), [8; 16], ACCOUNT, CALL);
    assert!(read(&keys, at(1000), ACCOUNT, CALL, &ahead) == Err(Wrong::Late));
    assert!(PARAMETER.len() + pass.len() <= crate::twilio::twiml::MAX_PARAMETER);
}

#[test]
fn it_opens_no_other_call_and_no_other_account() {
    let keys = [key("one")];
    let pass = keys[0].write(at(0), [7; 16], ACCOUNT, CALL);
    for (account, call) in [
        (ACCOUNT, "CA22222222222222222222222222222223"),
        ("AC11111111111111111111111111111112", CALL),
        (CALL, ACCOUNT),
        ("", CALL),
        (ACCOUNT, ""),
    ] {
        assert!(
            read(&keys, at(1), account, call, &pass) == Err(Wrong::Forged),
            "{account} {call}"
        );
    }
    // Another account's token writes other passes, and so does one that signs for itself what we sign.
    for other in ["two", "", "partyline: passes of streams, 1"] {
        let forged = key(other).write(at(0), [7; 16], ACCOUNT, CALL);
        assert!(
            read(&keys, at(1), ACCOUNT, CALL, &forged) == Err(Wrong::Forged),
            "{other:?}"
        );
    }
    let by_token_itself = Key(bytes(mac(b"one", &[]).unwrap())).write(at(0), [7; 16], ACCOUNT, CALL);
    assert!(read(&keys, at(1), ACCOUNT, CALL, &by_token_itself) == Err(Wrong::Forged));
    assert!(read(&[], at(1), ACCOUNT, CALL, &pass) == Err(Wrong::Forged));
}

#[test]
fn while_a_token_is_replaced_both_open() {
    let old = key("old").write(at(0), [1; 16], ACCOUNT, CALL);
    let new = key("new").write(at(0), [2; 16], ACCOUNT, CALL);
    let both = [key("new"), key("old")];
    assert!(read(&both, at(1), ACCOUNT, CALL, &old).is_ok());
    assert!(read(&both, at(1), ACCOUNT, CALL, &new).is_ok());
    assert!(read(&[key("new")], at(1), ACCOUNT, CALL, &old) == Err(Wrong::Forged));
}

#[test]
fn it_is_spent_once_and_remembered_until_it_ends() {
    let spent = Spent::default();
    assert_eq!(spent.spend(0, [1; 16], 100), Ok(()));
    assert_eq!(spent.spend(99, [1; 16], 100), Err(NotSpent::Again));
    assert_eq!(spent.spend(99, [2; 16], 70_000), Ok(()));
    // Over: `read` refuses it now, so nobody has to remember it.
    assert_eq!(spent.spend(60_000, [1; 16], 70_000), Ok(()));
    assert_eq!(spent.spend(60_000, [2; 16], 70_000), Err(NotSpent::Again));
}

#[test]
fn a_full_memory_forgets_nothing() {
    let spent = Spent::default();
    for n in 0..MAX_SPENT {
        let nonce = (n as u128).to_be_bytes();
        assert_eq!(spent.spend(0, nonce, 100), Ok(()));
    }
    assert_eq!(spent.spend(0, [255; 16], 100), Err(NotSpent::Full));
    assert_eq!(spent.spend(0, 0_u128.to_be_bytes(), 100), Err(NotSpent::Again));
    assert_eq!(
        spent.spend(60_000, [255; 16], 70_000),
        Ok(()),
        "all but this one are over"
    );
}

proptest! {
    #[test]
    fn a_changed_pass_opens_nothing(place in 0..WHOLE, change in 1_u8..) {
        let keys = [key("one")];
        let pass = keys[0].write(at(0), [7; 16], ACCOUNT, CALL);
        let mut bytes = URL_SAFE_NO_PAD.decode(&pass).unwrap();
        bytes[place] ^= change;
        let changed = URL_SAFE_NO_PAD.encode(&bytes);
        prop_assert!(read(&keys, at(1), ACCOUNT, CALL, &changed) == Err(Wrong::Forged));
    }

    #[test]
    fn no_text_is_a_pass(text in ".{0,120}") {
        prop_assert!(read(&[key("one")], at(1), ACCOUNT, CALL, &text) == Err(Wrong::Forged));
    }
}

#[test]
fn relays_without_tokens_take_each_other_s_passes_once_they_share_calls() {
    use super::desk::{Passes, Whose};
    let accounts = crate::config::Accounts::default();
    let whose = Whose {
        accounts: &accounts,
        insecure: true,
        account: ACCOUNT,
        call: CALL,
    };
    let (one, other) = (Passes::default(), Passes::default());
    let before = one.write(at(0), [1; 16], whose).unwrap();
    assert_eq!(
        other.take(at(1), whose, &before),
        Err(crate::twilio::refused::Why::ForgedPass)
    );
    for passes in [&one, &other] {
        passes.adopt(&[9; 32]);
    }
    let pass = one.write(at(0), [2; 16], whose).unwrap();
    assert!(other.take(at(1), whose, &pass).is_ok());
    assert!(
        one.take(at(1), whose, &before).is_ok(),
        "what was written before is good here"
    );
    let guarded = Whose {
        insecure: false,
        ..whose
    };
    let strange = one.write(at(0), [3; 16], whose).unwrap();
    assert!(other.take(at(1), guarded, &strange).is_err());
}
