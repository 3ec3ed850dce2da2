//! Keeping what was heard: never before the relay has agreed, and the subscription is as it was.

use partyline_shared::protocol::client::Saved;
use partyline_shared::time::UtcTime;

use super::super::keeping::NOT_YET;
use super::*;

fn saved() -> Saved {
    Saved {
        from: UtcTime::from_unix_ms(0),
        to: UtcTime::from_unix_ms(30_000),
    }
}

/// A session that hears the call.
fn hearing() -> Session {
    let mut session = Session::new();
    let want = Want {
        audio: true,
        ..Want::default()
    };
    session.subscribe(0, sid(), want);
    session.on_open(0);
    session.on_text(0, HELLO);
    session.on_text(0, &subscribed(7, "j", true));
    session.on_binary(10, frame(7, 1));
    sent(&mut session);
    updates(&mut session);
    session
}

/// Whether it is agreed to, where that is answered; any frames are passed over.
fn keeps(session: &mut Session) -> Option<Result<(), String>> {
    updates(session).into_iter().find_map(|update| match update {
        Update::Keeps { why_not, .. } => Some(why_not.map_or(Ok(()), Err)),
        _ => None,
    })
}

/// Asks, and gives the ping's number.
fn asks(session: &mut Session) -> u64 {
    session.keep(20, sid(), saved());
    let sent = sent(session);
    let [ClientMessage::Subscribe(ask), ClientMessage::Ping { id }] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert!(ask.save && ask.audio && ask.replay_ms == 0, "{ask:?}");
    assert_eq!(ask.saved, Some(saved()));
    *id
}

fn pong(id: u64) -> String {
    format!(r#"{{"type":"pong","id":{id},"time":"2026-11-22T09:00:00.000Z"}}"#)
}

#[test]
fn nothing_is_agreed_to_before_the_relay_has_answered_that() {
    let mut session = hearing();
    let id = asks(&mut session);
    assert_eq!(keeps(&mut session), None);
    // Another stream takes over just now: that is no answer.
    session.on_text(30, &subscribed(8, "j", true));
    assert_eq!(keeps(&mut session), None);
    session.on_text(40, &subscribed(8, "j", true));
    assert_eq!(keeps(&mut session), None);
    session.on_text(40, &pong(id));
    assert_eq!(keeps(&mut session), Some(Ok(())));
    let after = sent(&mut session);
    let [ClientMessage::Subscribe(ask)] = &after[..] else {
        panic!("{after:?}");
    };
    assert!(!ask.save && ask.saved.is_none() && ask.audio);
    // What is heard goes on.
    session.on_text(50, &subscribed(8, "j", true));
    session.on_binary(60, frame(8, 1));
    assert!(
        updates(&mut session)
            .iter()
            .any(|update| matches!(update, Update::Frame { .. }))
    );
    // And it can be asked again.
    asks(&mut session);
}

#[test]
fn a_pong_alone_is_no_agreement() {
    let mut session = hearing();
    let id = asks(&mut session);
    session.on_text(30, &pong(id));
    assert_eq!(keeps(&mut session), None);
    session.on_text(30, &subscribed(7, "j", true));
    assert_eq!(keeps(&mut session), Some(Ok(())));
}

#[test]
fn who_may_not_keep_it_hears_on() {
    let mut session = hearing();
    let id = asks(&mut session);
    session.keep(20, sid(), saved());
    assert_eq!(
        keeps(&mut session),
        Some(Err(NOT_YET.to_owned())),
        "once at a time"
    );
    let error = r#"{"type":"error","code":"not_allowed","message":"keeping audio needs the right save\u001b[1m","re":"CA1"}"#;
    session.on_text(30, error);
    let told = updates(&mut session);
    let [
        Update::Keeps {
            why_not: Some(why), ..
        },
    ] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert!(why.contains("right save") && !why.contains('\u{1b}'));
    session.on_text(30, &pong(id));
    assert_eq!(keeps(&mut session), None);
    assert_eq!(sent(&mut session), []);
    session.on_binary(40, frame(7, 2));
    assert!(
        updates(&mut session)
            .iter()
            .any(|update| matches!(update, Update::Frame { .. }))
    );
}

#[test]
fn a_relay_that_is_away_or_leaves_agrees_to_nothing() {
    let mut session = hearing();
    let id = asks(&mut session);
    session.on_text(30, &subscribed(7, "j", true));
    session.on_closed(None);
    assert!(matches!(keeps(&mut session), Some(Err(why)) if why.contains("cut")));
    session.keep(40, sid(), saved());
    assert!(matches!(keeps(&mut session), Some(Err(why)) if why.contains("away")));
    session.on_open(50);
    session.on_text(50, HELLO);
    session.keep(50, sid(), saved());
    assert_eq!(
        keeps(&mut session),
        Some(Err(NOT_YET.to_owned())),
        "it does not stand yet"
    );
    session.on_text(50, &subscribed(7, "j", true));
    session.on_text(50, &pong(id));
    assert_eq!(
        keeps(&mut session),
        None,
        "what was asked before the cut is forgotten"
    );
    sent(&mut session);
    asks(&mut session);
    session.on_text(60, r#"{"type":"call_removed","call_sid":"CA1"}"#);
    assert!(matches!(keeps(&mut session), Some(Err(_))));
}

#[test]
fn of_a_call_that_is_over_it_is_asked_without_its_audio_and_left_again() {
    let mut session = hearing();
    session.unsubscribe(&sid());
    sent(&mut session);
    session.keep(20, sid(), saved());
    let asked = sent(&mut session);
    let [ClientMessage::Subscribe(ask), ClientMessage::Ping { id }] = &asked[..] else {
        panic!("{asked:?}");
    };
    assert!(!ask.audio && ask.save && ask.saved.is_some());
    session.on_text(30, &subscribed(7, "j", false));
    session.on_text(30, &pong(*id));
    assert_eq!(keeps(&mut session), Some(Ok(())));
    assert_eq!(
        sent(&mut session),
        [ClientMessage::Unsubscribe { call_sid: sid() }]
    );
    session.on_text(40, r#"{"type":"unsubscribed","call_sid":"CA1"}"#);
    session.on_text(40, r#"{"type":"unsubscribed","call_sid":"CA1"}"#);
    assert_eq!(updates(&mut session), []);
}
