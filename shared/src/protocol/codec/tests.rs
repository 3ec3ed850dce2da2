//! The contract's texts, pinned; what a later version may add; every message there and back; and noise,
//! which may only be refused.

mod any;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::call::{CallStatus, StreamState};
use crate::event::EventKind;
use crate::protocol::client::{After, Subscribe};
use crate::protocol::server::{ErrorCode, GapReason};
use crate::track::Role;

/// Contract 4, "To the relay".
const TO_THE_RELAY: [&str; 8] = [
    r#"{"type":"auth","token":"s3cret"}"#,
    r#"{"type":"subscribe","call_sid":"CA1","audio":true,"after":{"journal":"k3f9","transcript":12,"event":40},"replay_ms":0,"save":false}"#,
    r#"{"type":"subscribe","call_sid":"CA1","audio":false,"after":{"transcript":12,"event":40},"replay_ms":10000,"save":true}"#,
    r#"{"type":"unsubscribe","call_sid":"CA1"}"#,
    r#"{"type":"watch","levels_hz":5.0,"call_sids":["CA1"]}"#,
    r#"{"type":"watch","levels_hz":0.0,"call_sids":null}"#,
    r#"{"type":"ping","id":1}"#,
    r#"{"type":"pong","id":1}"#,
];

/// A whole `Call`.
const CALL: &str = r#"{"call_sid":"CA1","account_sid":"AC1","customer_id":"777","from":"client:alice","to":"+12125550123","direction":"inbound","agent":"client:alice","dialed":"+12125550123","roles":{"inbound":"agent","outbound":"customer"},"status":"in-progress","started_at":"2026-11-22T09:00:00.000Z","answered_at":"2026-11-22T09:00:04.120Z","ended_at":null,"stream":"live","tracks":["inbound","outbound"],"paused":false,"listeners":2,"node":"n1","lost_chunks":0,"talk":{"inbound_ms":1200,"outbound_ms":900,"both_ms":20,"silence_ms":4000},"transcription":{"inbound":{"engine":"google","state":"running","since":"2026-11-22T09:00:01.000Z"},"outbound":{"engine":null,"state":"none","since":null}}}"#;

/// Contract 4, "From the relay"; `CALL` stands for the one above.
const FROM_THE_RELAY: [&str; 19] = [
    r#"{"type":"hello","protocol":"partyline.v1","relay":"0.1.0","node":"n1","user":{"name":"alice","role":"admin","allow":["save"]},"features":[],"time":"2026-11-22T09:00:00.000Z"}"#,
    r#"{"type":"calls","calls":[CALL,CALL],"more":false}"#,
    r#"{"type":"calls","calls":[],"more":true}"#,
    r#"{"type":"call","call":CALL}"#,
    r#"{"type":"call_removed","call_sid":"CA1"}"#,
    r#"{"type":"levels","levels":[{"call_sid":"CA1","inbound":-18.0,"outbound":-60.0},{"call_sid":"CA2","inbound":null,"outbound":-90.0}]}"#,
    r#"{"type":"subscribed","call_sid":"CA1","audio_id":7,"journal":"k3f9","resumed":true,"zero_at":"2026-11-22T09:00:04.500Z"}"#,
    r#"{"type":"subscribed","call_sid":"CA1","audio_id":null,"journal":"k3f9","resumed":false,"zero_at":null}"#,
    r#"{"type":"unsubscribed","call_sid":"CA1"}"#,
    r#"{"type":"transcript","call_sid":"CA1","line":{"seq":13,"at":"2026-11-22T09:00:07.250Z","start_ms":2400,"end_ms":3100,"track":"outbound","text":"Good morning.","final":true,"confidence":0.95,"engine":"google","hole_ms":null}}"#,
    r#"{"type":"event","call_sid":"CA1","event":{"seq":41,"at":"2026-11-22T09:00:08.000Z","kind":"stream_started","detail":{"stream_sid":"MZ1","tracks":["inbound","outbound"]}}}"#,
    r#"{"type":"gap","call_sid":"CA1","track":"inbound","from_chunk":100,"to_chunk":120,"reason":"slow_listener"}"#,
    r#"{"type":"gap","call_sid":"CA1","track":"outbound","from_chunk":1,"to_chunk":1,"reason":"relay_link"}"#,
    r#"{"type":"error","code":"no_such_call","message":"no such call","re":"CA1"}"#,
    r#"{"type":"error","code":"bad_message","message":"it is not JSON"}"#,
    r#"{"type":"goodbye","reason":"draining","retry_after_ms":2300}"#,
    r#"{"type":"relays","state":"cut_off","since":"2026-11-22T09:00:00.000Z","relays":2}"#,
    r#"{"type":"pong","id":1,"time":"2026-11-22T09:00:00.000Z"}"#,
    r#"{"type":"ping","id":9}"#,
];

fn golden(text: &str) -> String {
    text.replace("CALL", CALL)
}

fn server(text: &str) -> ServerMessage {
    from_server(text).unwrap().unwrap()
}

#[test]
fn the_contracts_texts_are_written_as_they_are_read() {
    for text in TO_THE_RELAY {
        let message = from_client(text).unwrap().unwrap();
        assert_eq!(to_text(&message), text);
    }
    for text in FROM_THE_RELAY.map(golden) {
        assert_eq!(to_text(&server(&text)), text);
    }
}

/// A type that this version knows is in one of the lists, and each list has nothing else.
#[test]
fn every_known_type_has_its_text() {
    let types = |texts: &[&str]| {
        let kind = |text: &&str| {
            let value: Value = serde_json::from_str(&golden(text)).unwrap();
            value["type"].as_str().unwrap().to_owned()
        };
        let mut all: Vec<String> = texts.iter().map(kind).collect();
        all.sort();
        all.dedup();
        all
    };
    let sorted = |known: &[&str]| {
        let mut all: Vec<String> = known.iter().map(|kind| (*kind).to_owned()).collect();
        all.sort();
        all
    };
    assert_eq!(types(&TO_THE_RELAY), sorted(&FROM_CLIENT));
    // Either side may ping.
    assert_eq!(
        types(&FROM_THE_RELAY),
        sorted(&[&FROM_SERVER[..], &["ping"]].concat())
    );
}

#[test]
fn what_is_left_out_has_a_meaning() {
    let read = |text| from_client(text).unwrap().unwrap();
    let plain = Subscribe {
        call_sid: crate::id::CallSid::parse("CA1").unwrap(),
        audio: true,
        after: None,
        replay_ms: 0,
        save: false,
        saved: None,
    };
    assert_eq!(
        read(r#"{"type":"subscribe","call_sid":"CA1"}"#),
        ClientMessage::Subscribe(plain.clone())
    );
    let after = Some(After::default());
    assert_eq!(
        read(r#"{"type":"subscribe","call_sid":"CA1","after":{}}"#),
        ClientMessage::Subscribe(Subscribe { after, ..plain })
    );
    assert_eq!(read(r#"{"type":"ping"}"#), ClientMessage::Ping { id: 0 });
}

#[test]
fn a_later_version_may_add_types_fields_and_values() {
    for text in [r#"{"type":"hologram","depth":3}"#, r#"{"x":[{}],"type":"Hello"}"#] {
        assert_eq!((from_client(text), from_server(text)), (Ok(None), Ok(None)));
    }
    for text in TO_THE_RELAY {
        let more = text.replacen('{', r#"{"new":{"type":"gap"},"#, 1);
        assert_eq!(from_client(&more), from_client(text));
    }
    for text in FROM_THE_RELAY.map(golden) {
        // In every object of it, but those that may have any key.
        let more = text
            .replace('{', r#"{"new":[1,{}],"#)
            .replace(r#""detail":{"new":[1,{}],"#, r#""detail":{"#);
        assert_eq!(server(&more), server(&text), "{more}");
    }
    let bent = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        server(&golden(text).replace(from, to))
    };
    let gap = bent(FROM_THE_RELAY[11], "slow_listener", "solar_wind");
    assert!(matches!(
        gap,
        ServerMessage::Gap {
            reason: GapReason::Unknown,
            ..
        }
    ));
    let error = bent(FROM_THE_RELAY[13], "no_such_call", "out_of_paper");
    assert!(matches!(
        error,
        ServerMessage::Error {
            code: ErrorCode::Unknown,
            ..
        }
    ));
    let event = bent(FROM_THE_RELAY[10], "stream_started", "stream_dreamt");
    assert!(matches!(event, ServerMessage::Event { event, .. } if event.kind == EventKind::Unknown));
    let call = golden(FROM_THE_RELAY[3])
        .replace("in-progress", "hovering")
        .replace(r#""live""#, r#""dreamt""#)
        .replace(r#""outbound":"customer""#, r#""outbound":"owl""#)
        .replace(r#""tracks":["#, r#""tracks":["sideways","#);
    let ServerMessage::Call { call } = server(&call) else {
        panic!("a call")
    };
    assert_eq!(
        (call.status, call.stream),
        (CallStatus::Unknown, StreamState::Unknown)
    );
    assert_eq!(call.roles.outbound, Role::Unknown);
    assert!(!call.tracks.is_empty(), "the known ones stay");
}

#[test]
fn what_is_no_message_is_refused_without_being_quoted() {
    let secret = "hunter2";
    for text in [
        "",
        "hunter2",
        "[]",
        "{}",
        r#"{"type":7,"token":"hunter2"}"#,
        r#"{"type":"auth","token":["hunter2"]}"#,
        r#"{"type":"subscribe","call_sid":"hunter2 or so"}"#,
        r#"{"type":"subscribe"}"#,
        r#"{"type":"ping","id":"hunter2"}"#,
        r#"{"type":"ping","type":"hunter2"}"#,
        r#"{"type":"auth","token":"hunter2"} hunter2"#,
        r#"{"type":"auth","token":"hunter2"#,
    ] {
        let why = from_client(text).unwrap_err().to_string();
        assert!(why.starts_with("no message of partyline.v1: "), "{why}");
        assert!(!why.contains(secret), "{why}");
    }
    for text in [
        r#"{"type":"transcript","call_sid":"CA1","line":"hunter2"}"#,
        r#"{"type":"gap","call_sid":"CA1","track":"hunter2","from_chunk":1,"to_chunk":2,"reason":"upstream"}"#,
        r#"{"type":"gap","call_sid":"CA1","track":"inbound","from_chunk":-1,"to_chunk":2,"reason":"upstream"}"#,
        r#"{"type":"hello"}"#,
        r#"{"type":"subscribed","call_sid":"CA1","audio_id":4294967296,"journal":"k","resumed":true}"#,
    ] {
        let why = from_server(text).unwrap_err().to_string();
        assert!(!why.contains(secret), "{why}");
    }
    assert!(from_client(&"[".repeat(100_000)).is_err());
    let deep = format!(r#"{{"type":"ping","x":{}}}"#, "[".repeat(100_000));
    assert!(from_server(&deep).is_err());
}

proptest! {
    #[test]
    fn what_a_listener_says_comes_back(message in any::client()) {
        prop_assert_eq!(from_client(&to_text(&message)), Ok(Some(message)));
    }

    #[test]
    fn what_the_relay_says_comes_back(message in any::server()) {
        prop_assert_eq!(from_server(&to_text(&message)), Ok(Some(message)));
    }

    #[test]
    fn no_text_can_crash_either_side(text in ".{0,300}") {
        let _ = (from_client(&text), from_server(&text));
    }

    /// Bent rather than random, so that it gets past the first byte: what is still a message can be
    /// written and read again.
    #[test]
    fn no_bent_text_can_crash_either_side(which in 0..26usize, at: prop::sample::Index, with in "\\PC{0,3}|[\\[\\]{}\",:0-9e-]{0,4}", cut: bool) {
        let golden: Vec<String> = TO_THE_RELAY.iter().chain(&FROM_THE_RELAY).map(|text| golden(text)).collect();
        let text = &golden[which];
        let at = at.index(text.len());
        let rest = if cut { "" } else { &text[at + 1..] };
        let bent = format!("{}{with}{rest}", &text[..at]);
        if let Ok(Some(message)) = from_client(&bent) {
            prop_assert!(matches!(from_client(&to_text(&message)), Ok(Some(_))));
        }
        if let Ok(Some(message)) = from_server(&bent) {
            prop_assert!(matches!(from_server(&to_text(&message)), Ok(Some(_))));
        }
    }
}
