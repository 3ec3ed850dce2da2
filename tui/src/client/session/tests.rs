//! The session against a model relay that is cut at random points, and against noise.

mod cuts;
mod ends;
mod keeps;
mod model;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::protocol::client::{After, ClientMessage};
use partyline_shared::protocol::server::RelaysState;
use partyline_shared::track::Track;
use proptest::prelude::*;

use super::*;
use model::{call_json, sid, told};

const HELLO: &str = r#"{"type":"hello","protocol":"partyline.v1","relay":"0.1.0","node":"n","user":{"name":"a","role":"admin"},"time":"2026-11-22T09:00:00.000Z"}"#;

fn sent(session: &mut Session) -> Vec<ClientMessage> {
    std::iter::from_fn(|| session.poll_send())
        .map(|text| codec::from_client(&text).unwrap().unwrap())
        .collect()
}

fn updates(session: &mut Session) -> Vec<Update> {
    std::iter::from_fn(|| session.poll_update()).collect()
}

fn listening() -> Session {
    let mut session = Session::new();
    session.subscribe(
        0,
        sid(),
        Want {
            audio: true,
            save: true,
            replay_ms: 500,
            wait: false,
        },
    );
    session.on_open(0);
    assert_eq!(sent(&mut session), []);
    session.on_text(0, HELLO);
    session
}

fn subscribed(id: u32, journal: &str, resumed: bool) -> String {
    format!(
        r#"{{"type":"subscribed","call_sid":"CA1","audio_id":{id},"journal":"{journal}","resumed":{resumed},"zero_at":null}}"#
    )
}

fn frame(id: u32, chunk: u32) -> Bytes {
    AudioFrame::new(Track::Inbound, id, chunk, chunk * 20, &[1; 160])
        .bytes()
        .clone()
}

fn heard(session: &mut Session) -> Vec<String> {
    updates(session).iter().filter_map(told).collect()
}

#[test]
fn after_a_cut_it_asks_for_what_follows_and_for_the_time_away() {
    let mut session = listening();
    let [ClientMessage::Subscribe(first)] = &sent(&mut session)[..] else {
        panic!("one subscribe")
    };
    assert_eq!(
        (first.after.clone(), first.replay_ms, first.save, first.audio),
        (None, 500, true, true)
    );
    session.on_text(10, &subscribed(7, "j", false));
    session.on_text(20, &model::line_json(3, true));
    session.on_text(20, &model::event_json(9));
    session.on_binary(1000, frame(7, 1));
    assert_eq!(session.on_closed(None), Next::ComeBack { after_ms: None });
    session.on_open(4000);
    session.on_text(4000, HELLO);
    let [ClientMessage::Subscribe(again)] = &sent(&mut session)[..] else {
        panic!("one subscribe")
    };
    assert_eq!(
        again.after,
        Some(After {
            journal: Some("j".into()),
            transcript: 3,
            event: 9
        })
    );
    assert_eq!(again.replay_ms, 5000, "three seconds away, and two more");
}

#[test]
fn a_gap_is_told_once_with_its_reason_wherever_it_is_announced() {
    let mut session = listening();
    session.on_text(0, &subscribed(7, "j", false));
    let gap = |from, to, reason| {
        format!(
            r#"{{"type":"gap","call_sid":"CA1","track":"inbound","from_chunk":{from},"to_chunk":{to},"reason":"{reason}"}}"#
        )
    };
    session.on_text(0, &gap(1, 3, "upstream"));
    session.on_binary(0, frame(7, 4));
    session.on_text(0, &gap(5, 6, "slow_listener"));
    session.on_binary(0, frame(7, 7));
    session.on_text(0, &gap(10, 11, "paused"));
    session.on_binary(0, frame(7, 8));
    session.on_binary(0, frame(7, 13));
    session.on_text(0, &gap(2, 12, "upstream"));
    session.on_binary(0, frame(7, 13));
    session.on_binary(0, frame(8, 14));
    assert_eq!(
        heard(&mut session),
        [
            "frame 4",
            "missed 5-6 slow_listener",
            "frame 7",
            "frame 8",
            "missed 9-9 untold",
            "missed 10-11 paused",
            "missed 12-12 untold",
            "frame 13"
        ]
    );
    assert_eq!(session.foreign_frames(), 1);
    session.on_closed(None);
    session.on_open(0);
    session.on_text(0, HELLO);
    session.on_text(0, &subscribed(7, "j", true));
    session.on_binary(0, frame(7, 13));
    session.on_binary(0, frame(7, 20));
    assert_eq!(heard(&mut session), ["missed 14-19 away", "frame 20"]);
}

#[test]
fn a_stream_that_takes_over_counts_from_one() {
    let mut session = listening();
    session.on_text(0, &subscribed(7, "j", false));
    session.on_binary(0, frame(7, 50));
    session.on_text(0, &subscribed(9, "j", true));
    session.on_binary(0, frame(7, 51));
    session.on_binary(0, frame(9, 3));
    assert_eq!(heard(&mut session), ["frame 50", "missed 1-2 untold", "frame 3"]);
}

#[test]
fn a_call_is_over_when_it_has_ended_and_the_relay_has_nothing_more() {
    let mut session = listening();
    session.on_text(0, &subscribed(7, "j", false));
    session.on_text(
        0,
        &format!(
            r#"{{"type":"calls","calls":[{}],"more":false}}"#,
            call_json(false)
        ),
    );
    sent(&mut session);
    assert_eq!(session.deadline(), PING_MS);
    session.on_text(100, &format!(r#"{{"type":"call","call":{}}}"#, call_json(true)));
    session.on_deadline(100);
    let [ClientMessage::Ping { id }] = sent(&mut session)[..] else {
        panic!("one ping")
    };
    session.on_text(900, &model::line_json(1, true));
    session.on_deadline(60_000);
    assert!(
        !updates(&mut session).contains(&Update::Ended(sid())),
        "the relay has not answered"
    );
    session.on_text(61_000, &format!(r#"{{"type":"pong","id":{id},"time":null}}"#));
    assert_eq!(session.deadline(), 62_500);
    session.on_deadline(62_500);
    assert!(updates(&mut session).contains(&Update::Ended(sid())));
    assert!(matches!(
        sent(&mut session).last(),
        Some(ClientMessage::Unsubscribe { .. })
    ));
    assert_eq!(
        session.deadline(),
        60_000 + PING_MS,
        "nothing of the call is left to wait for"
    );
}

#[test]
fn a_call_that_can_be_read_but_is_not_listed_ended_long_ago() {
    let mut session = listening();
    session.on_text(0, &subscribed(7, "j", false));
    session.on_text(0, r#"{"type":"calls","calls":[],"more":false}"#);
    sent(&mut session);
    session.on_deadline(0);
    assert!(matches!(sent(&mut session)[..], [ClientMessage::Ping { .. }]));
}

#[test]
fn waiting_asks_only_for_a_call_that_is_there() {
    let mut session = Session::new();
    session.subscribe(
        0,
        sid(),
        Want {
            audio: true,
            save: true,
            replay_ms: 60_000,
            wait: true,
        },
    );
    session.on_open(0);
    session.on_text(0, HELLO);
    session.on_text(0, r#"{"type":"calls","calls":[],"more":false}"#);
    assert_eq!(sent(&mut session), []);
    let call = format!(r#"{{"type":"call","call":{}}}"#, call_json(false));
    session.on_text(0, &call);
    assert!(matches!(sent(&mut session)[..], [ClientMessage::Subscribe(_)]));
    session.on_text(
        0,
        r#"{"type":"error","code":"no_such_call","message":"no","re":"CA1"}"#,
    );
    session.on_text(0, &call);
    assert!(matches!(sent(&mut session)[..], [ClientMessage::Subscribe(_)]));
    assert!(
        !updates(&mut session)
            .iter()
            .any(|update| matches!(update, Update::Refused { .. }))
    );
}

#[test]
fn an_unknown_call_is_refused_and_one_that_was_there_is_waited_for() {
    let no = r#"{"type":"error","code":"no_such_call","message":"no","re":"CA1"}"#;
    let mut session = listening();
    session.on_text(0, no);
    assert!(matches!(
        updates(&mut session)[..],
        [
            Update::Online { .. },
            Update::Refused {
                code: ErrorCode::NoSuchCall,
                ..
            }
        ]
    ));
    let mut session = listening();
    session.on_text(0, &subscribed(7, "j", false));
    session.on_closed(None);
    session.on_open(0);
    session.on_text(1000, HELLO);
    session.on_text(1000, no);
    session.on_deadline(30_999);
    assert!(!updates(&mut session).contains(&Update::Missing(sid())));
    session.on_text(30_999, r#"{"type":"pong","id":99}"#);
    session.on_deadline(31_000);
    assert!(updates(&mut session).contains(&Update::Missing(sid())));
}

#[test]
fn a_late_answer_to_unsubscribe_ends_no_new_subscription() {
    let gone = r#"{"type":"unsubscribed","call_sid":"CA1"}"#;
    let mut session = listening();
    session.on_text(0, &subscribed(7, "j", false));
    session.unsubscribe(&sid());
    session.subscribe(0, sid(), Want::default());
    session.on_text(0, gone);
    session.on_text(0, &subscribed(7, "j", false));
    assert!(!updates(&mut session).contains(&Update::Unsubscribed(sid())));
    session.on_text(0, gone);
    assert_eq!(
        updates(&mut session),
        [Update::Unsubscribed(sid())],
        "this one is a grant that was lost"
    );
}

#[test]
fn what_a_new_stream_said_while_we_were_away_is_missed_for_that() {
    let mut session = listening();
    session.on_text(0, &subscribed(7, "j", false));
    session.on_binary(0, frame(7, 50));
    session.on_closed(None);
    session.on_open(0);
    session.on_text(0, HELLO);
    session.on_text(0, &subscribed(9, "j", true));
    session.on_binary(0, frame(9, 3));
    assert_eq!(heard(&mut session), ["frame 50", "missed 1-2 away", "frame 3"]);
}

#[test]
fn pings_go_out_and_silence_is_noticed() {
    let mut session = listening();
    sent(&mut session);
    assert_eq!(session.deadline(), 15_000);
    session.on_deadline(15_000);
    let [ClientMessage::Ping { id }] = sent(&mut session)[..] else {
        panic!("one ping")
    };
    session.on_text(15_040, &format!(r#"{{"type":"pong","id":{id}}}"#));
    assert!(updates(&mut session).contains(&Update::RoundTrip { ms: 40 }));
    session.on_text(15_050, r#"{"type":"ping","id":5}"#);
    assert_eq!(sent(&mut session), [ClientMessage::Pong { id: 5 }]);
    assert!(!session.is_dead(55_049) && session.is_dead(55_050));
}

#[test]
fn how_the_relay_stands_with_others_is_told_on() {
    let mut session = listening();
    updates(&mut session);
    let text = r#"{"type":"relays","state":"shared","since":"2026-11-22T09:00:00.000Z","relays":2}"#;
    session.on_text(0, text);
    let told = updates(&mut session);
    let [Update::Relays(relays)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!((relays.state, relays.relays), (RelaysState::Shared, 2));
}

#[test]
fn close_codes_say_whether_to_come_back() {
    for (code, back) in [
        (None, true),
        (Some(1001), true),
        (Some(1011), true),
        (Some(4008), true),
        (Some(1000), true),
    ] {
        assert_eq!(
            matches!(listening().on_closed(code), Next::ComeBack { .. }),
            back,
            "{code:?}"
        );
    }
    for code in [1002, 1007, 1008, 1009, 4001, 4009] {
        assert_eq!(listening().on_closed(Some(code)), Next::GiveUp { code });
    }
    let mut session = listening();
    session.on_text(
        0,
        r#"{"type":"goodbye","reason":"draining","retry_after_ms":2300}"#,
    );
    assert_eq!(
        session.on_closed(Some(1001)),
        Next::ComeBack { after_ms: Some(2300) }
    );
    assert_eq!(
        session.on_closed(None),
        Next::ComeBack { after_ms: None },
        "said of one socket only"
    );
}

proptest! {

    #[test]
    fn no_relay_can_crash_it(steps in prop::collection::vec((0u8..24, any::<u32>(), any::<u32>(), "\\PC{0,20}"), 0..80)) {
        let mut session = listening();
        let mut now = 0u64;
        for (what, a, b, text) in steps {
            now += u64::from(a % 20_000);
            match what {
                0 => session.on_text(now, &text),
                1 => { session.on_closed(Some((a % 5000) as u16)); session.on_open(now); }
                2 => session.on_text(now, HELLO),
                3 | 4 => session.on_text(now, &subscribed(a % 3, ["j", "k", "l"][(b % 3) as usize], a % 2 == 0)),
                5 => session.on_text(now, &format!(r#"{{"type":"call","call":{}}}"#, call_json(a % 2 == 0))),
                6 => session.on_text(now, &format!(r#"{{"type":"calls","calls":[{}],"more":{}}}"#, call_json(false), a % 2 == 0)),
                7..=10 => session.on_text(now, &format!(
                    r#"{{"type":"gap","call_sid":"CA1","track":"inbound","from_chunk":{},"to_chunk":{},"reason":"{text}x"}}"#, edge(a), edge(b)).replace('\\', "")),
                11..=14 => session.on_binary(now, frame_at(a % 3, edge(b))),
                15 => session.on_binary(now, Bytes::from(text.into_bytes())),
                16 => session.on_text(now, &model::line_json(u64::from(edge(a)), b % 2 == 0)),
                17 => session.on_text(now, &model::event_json(u64::MAX - u64::from(b))),
                18 => session.on_text(now, r#"{"type":"call_removed","call_sid":"CA1"}"#),
                19 => session.on_text(now, r#"{"type":"error","code":"no_such_call","message":"","re":"CA1"}"#),
                20 => session.on_text(now, r#"{"type":"unsubscribed","call_sid":"CA1"}"#),
                21 => session.subscribe(now, sid(), Want { audio: a % 2 == 0, replay_ms: u64::MAX, save: false, wait: b % 2 == 0 }),
                22 => session.on_text(now, &format!(r#"{{"type":"pong","id":{}}}"#, a % 20)),
                _ => session.on_deadline(now),
            }
            let _ = (session.deadline(), session.is_dead(now), sent(&mut session), updates(&mut session));
        }
    }
}

fn edge(n: u32) -> u32 {
    match n % 8 {
        0 => u32::MAX,
        1 => u32::MAX - 1,
        2 => 0,
        _ => n % 50,
    }
}

fn frame_at(id: u32, chunk: u32) -> Bytes {
    AudioFrame::new(Track::Inbound, id, chunk, chunk, &[1])
        .bytes()
        .clone()
}
