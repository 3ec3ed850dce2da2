//! What the voice webhook answers, whatever else is wrong.

use super::super::tests_support::*;
use super::*;
use crate::limits::dials::CALLER_AT_ONCE;

const TO: Whereto<'_> = Whereto {
    base: "https://calls.example.com",
    host: "calls.example.com",
    draining: false,
};

fn form(call: &str, from: &str) -> Form {
    Form::from_pairs([
        ("AccountSid", OURS),
        ("CallSid", call),
        ("From", from),
        ("To", "+15550100002"),
        ("Direction", "inbound"),
    ])
}

fn ask(door: &Door, config: &Config, form: &Form) -> String {
    voice(
        Now::take(),
        config,
        door,
        TO,
        (&Form::default(), form),
        rand::random(),
    )
    .0
}

/// The pass of a TwiML.
fn pass_of(twiml: &str) -> Option<&str> {
    let rest = twiml.split_once("name=\"partyline_pass\" value=\"")?.1;
    Some(rest.split_once('"')?.0)
}

#[test]
fn a_streams_twiml_has_a_pass_of_its_call() {
    let (door, config) = (door(), two_accounts());
    let answer = ask(&door, &config, &form(CALL, "client:alice"));
    let pass = pass_of(&answer).unwrap_or_else(|| panic!("{answer}")).to_owned();
    let whose = Whose {
        accounts: &config.accounts,
        insecure: false,
        account: OURS,
        call: CALL,
    };
    assert!(door.passes().take(Now::take().wall, whose, &pass).is_ok());
    let other = ask(&door, &config, &form(CALL, "client:alice"));
    assert_ne!(pass_of(&other), Some(pass.as_str()), "each TwiML has its own");
}

#[test]
fn where_there_is_no_stream_there_is_no_pass() {
    let (door, config) = (door(), two_accounts());
    let draining = Whereto { draining: true, ..TO };
    let answer = voice(
        Now::take(),
        &config,
        &door,
        draining,
        (&Form::default(), &form(CALL, "client:alice")),
        [1; 16],
    )
    .0;
    assert!(answer.contains("<Dial") && pass_of(&answer).is_none(), "{answer}");
    let nobody = ask(&door, &config, &form(CALL, "+15550100009"));
    assert!(
        nobody.contains("<Hangup") && pass_of(&nobody).is_none(),
        "{nobody}"
    );
}

#[test]
fn who_dials_too_often_gets_the_apology() {
    let (door, config) = (door(), two_accounts());
    for n in 0..CALLER_AT_ONCE {
        let answer = ask(&door, &config, &form(&format!("CA{n}"), "client:alice"));
        assert!(answer.contains("<Dial"), "{n}: {answer}");
    }
    let answer = ask(&door, &config, &form("CAlast", "client:alice"));
    assert!(
        answer.contains("<Hangup") && !answer.contains("<Start"),
        "{answer}"
    );
    assert_eq!(door.metrics().dials_refused_caller.get(), 1);
    assert!(ask(&door, &config, &form("CAbob", "client:bob")).contains("<Dial"));
    // A relay for development is asked by one simulator for all its calls.
    let insecure = super::super::tests_support::config("", true);
    for n in 0..=CALLER_AT_ONCE {
        let answer = ask(&door, &insecure, &form(&format!("CB{n}"), "client:alice"));
        assert!(answer.contains("<Dial"), "{n}");
    }
}

#[test]
fn it_is_answered_whatever_is_wrong() {
    let (door, config) = (door(), two_accounts());
    let long = "x".repeat(60_000);
    let many = Form::from_pairs((0..1000).map(|n| (format!("a{n}"), long[..60].to_owned())));
    for form in [
        Form::default(),
        form("not a sid!", "client:alice"),
        form(CALL, &long),
        form(&long, "client:alice"),
        many,
    ] {
        let answer = ask(&door, &config, &form);
        assert!(roxmltree::Document::parse(&answer).is_ok(), "{answer}");
    }
}

#[test]
fn what_was_answered_is_answered_again_and_nothing_done() {
    let (door, config) = (door(), two_accounts());
    let (query, asked) = (Form::default(), form(CALL, "client:alice"));
    let (first, told) = voice(Now::take(), &config, &door, TO, (&query, &asked), [7; 16]);
    let calls = door.metrics().calls_started.get();
    // Also while it drains: what was said then was said.
    let draining = Whereto { draining: true, ..TO };
    for to in [TO, draining] {
        assert_eq!(again(&config, &door, to, (&query, &asked), told, [7; 16]), first);
    }
    assert_eq!(door.metrics().calls_started.get(), calls);
    let (plain, told) = voice(Now::take(), &config, &door, draining, (&query, &asked), [8; 16]);
    assert_eq!(told, Told::Plain);
    assert_eq!(again(&config, &door, TO, (&query, &asked), told, [8; 16]), plain);
    // Who got the apology gets it, whatever the rules say by now.
    let sorry = again(&config, &door, TO, (&query, &asked), Told::Apology, [9; 16]);
    assert_eq!(sorry, twiml::apology());
    assert_eq!(
        again(&config, &door, TO, (&query, &asked), Told::Notice, [9; 16]),
        notice(&config)
    );
}

#[test]
fn another_relay_reads_what_was_told() {
    for told in [
        Told::Notice,
        Told::Apology,
        Told::Plain,
        Told::Followed { written_s: 0 },
        Told::Followed { written_s: u32::MAX },
    ] {
        assert_eq!(Told::from_word(&told.to_word()), told);
    }
    for odd in ["", "?", "f", "f-1", "f99999999999", "x1"] {
        assert_eq!(Told::from_word(odd), Told::Plain, "{odd}");
    }
}
