//! What comes after the end of a call.

use super::*;

fn call(session: &mut Session, now: u64, ended: bool) {
    session.on_text(now, &format!(r#"{{"type":"call","call":{}}}"#, call_json(ended)));
}

fn event(seq: u64, kind: &str) -> String {
    format!(
        r#"{{"type":"event","call_sid":"CA1","event":{{"seq":{seq},"at":"2026-11-22T09:00:00.000Z","kind":"{kind}","detail":{{}}}}}}"#
    )
}

/// Answers the ping that a session sends when its call has ended.
fn answer(session: &mut Session, now: u64) {
    session.on_deadline(now);
    let ping = sent(session).into_iter().find_map(|message| match message {
        ClientMessage::Ping { id } => Some(id),
        _ => None,
    });
    let id = ping.expect("a ping");
    session.on_text(now, &format!(r#"{{"type":"pong","id":{id},"time":null}}"#));
}

fn ended() -> Session {
    let mut session = listening();
    session.on_text(0, &subscribed(7, "j", false));
    session.on_text(0, r#"{"type":"calls","calls":[],"more":false}"#);
    call(&mut session, 0, false);
    session.on_text(0, &event(1, "stream_started"));
    call(&mut session, 100, true);
    answer(&mut session, 100);
    session
}

#[test]
fn a_call_that_comes_back_goes_on_where_it_was_left() {
    let mut session = ended();
    session.on_deadline(1_600);
    assert!(updates(&mut session).contains(&Update::Ended(sid())));
    sent(&mut session);
    session.subscribe(9_000, sid(), Want::default());
    let asked = sent(&mut session);
    let [ClientMessage::Subscribe(ask)] = &asked[..] else {
        panic!("{asked:?}")
    };
    let known = After {
        journal: Some("j".to_owned()),
        transcript: 0,
        event: 1,
    };
    assert_eq!(ask.after, Some(known));
    session.on_text(9_000, &subscribed(8, "j", true));
    session.on_text(9_000, &event(1, "stream_started"));
    session.on_text(9_000, &event(2, "stream_started"));
    let events = updates(&mut session)
        .into_iter()
        .filter(|u| matches!(u, Update::Event { .. }));
    assert_eq!(events.count(), 1, "the first was given before");
}

/// Who wants no more of an ended call may have let go of its lines.
#[test]
fn a_call_that_was_let_go_of_begins_at_the_beginning() {
    let mut session = ended();
    session.on_deadline(1_600);
    assert!(updates(&mut session).contains(&Update::Ended(sid())));
    session.unsubscribe(&sid());
    sent(&mut session);
    session.subscribe(9_000, sid(), Want::default());
    let asked = sent(&mut session);
    let [ClientMessage::Subscribe(ask)] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!(ask.after, None);
    session.on_text(9_000, &subscribed(8, "j", false));
    session.on_text(9_000, &event(1, "stream_started"));
    let told = updates(&mut session);
    assert!(told.iter().any(|u| matches!(u, Update::Event { .. })), "{told:?}");
}

/// On a slow line answers to what was asked before come when the call is wanted for the third time.
#[test]
fn who_leaves_and_comes_back_faster_than_the_relay_answers_has_lost_nothing() {
    let mut session = listening();
    for _ in 0..2 {
        session.unsubscribe(&sid());
        session.subscribe(100, sid(), Want::default());
    }
    for _ in 0..2 {
        session.on_text(900, &subscribed(7, "j", false));
        session.on_text(900, r#"{"type":"unsubscribed","call_sid":"CA1"}"#);
    }
    session.on_text(900, &subscribed(7, "j", false));
    session.on_text(900, &event(1, "mark"));
    let told = updates(&mut session);
    assert!(!told.contains(&Update::Unsubscribed(sid())), "{told:?}");
    assert!(told.iter().any(|u| matches!(u, Update::Event { .. })), "{told:?}");
    session.on_text(1_000, r#"{"type":"unsubscribed","call_sid":"CA1"}"#);
    assert_eq!(
        updates(&mut session),
        [Update::Unsubscribed(sid())],
        "this one answers nothing: the grant is lost"
    );
}

#[test]
fn those_who_leave_do_not_keep_those_who_stay() {
    let mut session = ended();
    session.on_text(1_500, &event(2, "listener_left"));
    session.on_deadline(1_600);
    assert!(updates(&mut session).contains(&Update::Ended(sid())));
    let mut session = ended();
    session.on_text(1_500, &event(2, "transcription_stopped"));
    session.on_deadline(1_600);
    assert!(
        !updates(&mut session).contains(&Update::Ended(sid())),
        "there may be more of it"
    );
}

/// 30 s without any relay are not 30 s in which a relay did not know the call.
#[test]
fn an_outage_does_not_count_as_a_call_that_is_unknown() {
    const NO: &str = r#"{"type":"error","code":"no_such_call","message":"no","re":"CA1"}"#;
    let mut session = listening();
    session.on_text(0, &subscribed(7, "j", false));
    session.on_closed(None);
    session.on_open(1_000);
    session.on_text(1_000, HELLO);
    session.on_text(1_000, NO);
    session.on_closed(None);
    session.on_deadline(40_000);
    session.on_open(41_000);
    session.on_deadline(41_000);
    assert!(
        !updates(&mut session).contains(&Update::Missing(sid())),
        "nobody was asked"
    );
    session.on_text(41_100, HELLO);
    session.on_text(41_100, &subscribed(8, "k", false));
    session.on_deadline(41_200);
    assert!(
        !updates(&mut session).contains(&Update::Missing(sid())),
        "the relay knows it"
    );
}

/// Who looks through a list wants calls of which it was told long ago. One that is quiet has not ended.
#[test]
fn a_call_of_the_list_goes_on_until_its_end_is_told() {
    let list = |ended| {
        format!(
            r#"{{"type":"calls","calls":[{}],"more":false}}"#,
            call_json(ended)
        )
    };
    for ended in [false, true] {
        let mut session = Session::new();
        session.on_open(0);
        session.on_text(0, HELLO);
        session.on_text(0, &list(ended));
        session.subscribe(10_000, sid(), Want::default());
        session.on_text(10_000, &subscribed(7, "j", false));
        session.on_deadline(10_000);
        for message in sent(&mut session) {
            if let ClientMessage::Ping { id } = message {
                session.on_text(10_000, &format!(r#"{{"type":"pong","id":{id},"time":null}}"#));
            }
        }
        session.on_deadline(14_000);
        let told = updates(&mut session);
        assert_eq!(told.contains(&Update::Ended(sid())), ended, "{told:?}");
    }
}
