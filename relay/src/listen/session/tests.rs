//! What a listener may rely on, over the session alone.

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::call::CallStatus;
use partyline_shared::id::CallSid;
use partyline_shared::track::Track;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::access::Access;
use crate::audit::Audit;
use crate::calls::call::tests_support::media;
use crate::calls::call::{Accepted, Call, StatusNote};
use crate::calls::fanout::BACKLOG;
use crate::calls::journal::NewLine;
use crate::calls::registry::{Registry, Settings};
use crate::calls::transcription::Heard;

mod crowd;
mod elsewhere;
mod grants;
mod held;
mod keeps;
mod levels;
mod list;
mod relays;
mod renumbered;
mod rights;
mod unfair;

struct Story {
    registry: Arc<Registry>,
    access: Arc<Access>,
    audit: Arc<Audit>,
    presence: Arc<crate::presence::Presence>,
    now: Now,
}

impl Story {
    fn begin() -> Story {
        let settings = Settings {
            retention: Duration::from_secs(60),
            history: Duration::from_secs(10),
            max_calls: 100_000,
        };
        Story {
            registry: Arc::new(Registry::new("n".into(), settings, Arc::default())),
            access: Access::new(None, None).unwrap(),
            audit: Arc::new(Audit::off()),
            presence: Arc::default(),
            now: Now::take(),
        }
    }

    fn call(&self, sid: &str) -> Arc<Call> {
        self.registry
            .open(self.now, &CallSid::parse(sid).unwrap())
            .unwrap()
    }

    fn live_call(&self, sid: &str, key: u32) -> Arc<Call> {
        let call = self.call(sid);
        call.accept_stream(
            self.now,
            key,
            Accepted {
                tracks: Track::BOTH.to_vec(),
                ..Accepted::default()
            },
        );
        call
    }

    fn frames(&self, call: &Call, key: u32, chunks: std::ops::RangeInclusive<u32>) {
        let frame = |chunk| {
            Item::Frame(AudioFrame::new(
                Track::Inbound,
                key,
                chunk,
                chunk * 20,
                &[0xff; 160],
            ))
        };
        media(call, self.now.mono, key, &chunks.map(frame).collect::<Vec<_>>());
    }

    fn line(&self, call: &Call, text: &str, is_final: bool) {
        let line = NewLine {
            at: self.now.wall,
            start_ms: None,
            end_ms: None,
            track: Track::Inbound,
            text: text.into(),
            is_final,
            confidence: None,
            engine: "twilio".into(),
            sequence: None,
        };
        call.transcribed(self.now, None, "", None, (self.now.wall, Heard::Line(line)));
    }

    fn end(&self, call: &Call) {
        let status = Some(CallStatus::Completed);
        let leg = call.sid().clone();
        let parties = Default::default();
        call.status(
            self.now,
            StatusNote {
                leg,
                parties,
                status,
                at: None,
                duration_s: None,
                sip_response_code: None,
            },
        );
    }

    fn session(&self) -> Session {
        self.session_of(Grant::insecure())
    }

    fn session_of(&self, grant: Grant) -> Session {
        Session::new(self.now, self.host(), grant, None)
    }

    fn host(&self) -> Host {
        Host {
            registry: self.registry.clone(),
            access: self.access.clone(),
            audit: self.audit.clone(),
            presence: self.presence.clone(),
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            door: "listen",
            relays: None,
        }
    }

    fn told(&self, session: &mut Session) -> Vec<Value> {
        std::iter::from_fn(|| session.poll_transmit(self.now))
            .map(as_json)
            .collect()
    }
}

/// Texts as they are, a frame as its chunk, a close as its code.
fn as_json(transmit: Transmit) -> Value {
    match transmit {
        Transmit::Text(text) => serde_json::from_str(&text).unwrap(),
        Transmit::Shared(text) => serde_json::from_str(&text).unwrap(),
        Transmit::Binary(bytes) => {
            let frame = AudioFrame::parse(bytes).unwrap().unwrap();
            json!({ "type": "frame", "chunk": frame.chunk(), "replayed": frame.is_replayed(), "audio_id": frame.audio_id() })
        }
        Transmit::Ping => json!({ "type": "ws_ping" }),
        Transmit::Close(code, _) => json!({ "type": "close", "code": code }),
        other => panic!("this protocol has no {other:?}"),
    }
}

fn types(told: &[Value]) -> Vec<&str> {
    told.iter()
        .map(|message| message["type"].as_str().unwrap())
        .collect()
}

fn subscribe(session: &mut Session, story: &Story, body: Value) {
    let mut ask = json!({ "type": "subscribe", "call_sid": "CA1" });
    ask.as_object_mut()
        .unwrap()
        .extend(body.as_object().unwrap().clone());
    session.on_text(story.now, &ask.to_string());
    while let Some(asked) = session.next_asked() {
        assert!(matches!(asked, Asked::Record(_)), "{asked:?}");
        session.on_answer(story.now, Answer::Recorded(true));
    }
}

#[test]
fn hello_then_the_calls_by_pages_live_ones_first() {
    let story = Story::begin();
    for n in 0..700 {
        story.end(&story.call(&format!("E{n}")));
    }
    for n in 0..150 {
        story.live_call(&format!("L{n}"), 1);
    }
    let told = story.told(&mut story.session());
    assert_eq!(types(&told), ["hello", "calls", "calls", "calls", "calls"]);
    assert_eq!(told[0]["protocol"], "partyline.v1");
    let page = |n: usize| told[n]["calls"].as_array().unwrap();
    assert_eq!(
        [page(1).len(), page(2).len(), page(3).len(), page(4).len()],
        [200, 200, 200, 50]
    );
    assert_eq!(
        (&told[3]["more"], &told[4]["more"]),
        (&json!(true), &json!(false))
    );
    assert!(page(1)[..150].iter().all(|call| call["ended_at"].is_null()));
}

#[test]
fn subscribed_then_what_is_remembered_then_replay_then_live() {
    let story = Story::begin();
    let call = story.live_call("CA1", 7);
    story.frames(&call, 7, 1..=10);
    story.line(&call, "hello", true);
    story.line(&call, "how", false);
    let mut session = story.session();
    story.told(&mut session);
    subscribe(&mut session, &story, json!({ "replay_ms": 60 }));
    story.frames(&call, 7, 11..=11);
    let told = story.told(&mut session);
    assert_eq!(
        types(&told),
        [
            "subscribed",
            "transcript",
            "transcript",
            "event",
            "event",
            "frame",
            "frame",
            "frame",
            "frame",
            "call"
        ]
        .into_iter()
        .filter(|t| *t != "call")
        .collect::<Vec<_>>()
    );
    assert_eq!(
        (&told[0]["audio_id"], &told[0]["resumed"]),
        (&json!(7), &json!(false))
    );
    let chunks: Vec<_> = told[5..]
        .iter()
        .map(|f| (f["chunk"].clone(), f["replayed"].clone()))
        .collect();
    assert_eq!(
        chunks,
        [
            (json!(8), json!(true)),
            (json!(9), json!(true)),
            (json!(10), json!(true)),
            (json!(11), json!(false))
        ]
    );
}

#[test]
fn another_stream_is_announced_before_its_first_frame_and_the_end_after_the_last() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    let mut session = story.session();
    subscribe(&mut session, &story, json!({}));
    story.told(&mut session);
    story.frames(&call, 1, 1..=40);
    story.live_call("CA1", 2);
    story.frames(&call, 2, 1..=40);
    story.line(&call, "bye", true);
    story.end(&call);
    let told = story.told(&mut session);
    let at = |wanted: &dyn Fn(&Value) -> bool| told.iter().position(wanted).unwrap();
    let announced = at(&|m| m["type"] == "subscribed");
    assert_eq!(
        (&told[announced]["audio_id"], &told[announced]["resumed"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(announced, 40);
    let last_frame = told.iter().rposition(|m| m["type"] == "frame").unwrap();
    assert_eq!(last_frame, 80);
    assert!(
        at(&|m| m["type"] == "transcript") > last_frame
            && at(&|m| m["call"]["status"] == "completed") > last_frame
    );
}

#[test]
fn a_slow_listener_loses_audio_and_is_told_and_keeps_its_lines() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    let mut session = story.session();
    subscribe(&mut session, &story, json!({}));
    story.told(&mut session);
    for n in 0..20 {
        story.frames(&call, 1, n * 100 + 1..=n * 100 + 100);
        story.line(&call, &n.to_string(), true);
    }
    let told = story.told(&mut session);
    let gap = told.iter().find(|m| m["type"] == "gap").unwrap();
    assert_eq!(
        (gap["from_chunk"].clone(), gap["to_chunk"].clone()),
        (json!(1), json!(2000 - BACKLOG))
    );
    assert_eq!(gap["reason"], "slow_listener");
    assert_eq!(types(&told).iter().filter(|t| **t == "frame").count(), BACKLOG);
    assert_eq!(types(&told).iter().filter(|t| **t == "transcript").count(), 20);
    assert_eq!(story.registry.metrics().frames_lost.get(), 2000 - BACKLOG as u64);
}

#[test]
fn a_listener_whose_lines_are_no_longer_remembered_is_closed_with_4008() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    let mut session = story.session();
    subscribe(&mut session, &story, json!({ "audio": false }));
    story.told(&mut session);
    for n in 0..=partyline_shared::protocol::REMEMBERED {
        story.line(&call, &n.to_string(), true);
    }
    assert_eq!(
        story.told(&mut session),
        [json!({ "type": "close", "code": 4008 })]
    );
    assert_eq!(story.told(&mut session), Vec::<Value>::new());
}

#[test]
fn what_is_wrong_is_said_and_what_is_unknown_ignored() {
    let story = Story::begin();
    let mut session = story.session();
    story.told(&mut session);
    for text in [
        "{",
        r#"{"type":"subscribe"}"#,
        r#"{"type":"subscribe","call_sid":"CA9"}"#,
        r#"{"type":"hologram"}"#,
        r#"{"type":"ping","id":5}"#,
    ] {
        session.on_text(story.now, text);
    }
    let told = story.told(&mut session);
    assert_eq!(types(&told), ["error", "error", "error", "pong"]);
    assert_eq!(
        (&told[2]["code"], &told[2]["re"], &told[3]["id"]),
        (&json!("no_such_call"), &json!("CA9"), &json!(5))
    );
}

#[test]
fn silence_is_pinged_and_ended() {
    let story = Story::begin();
    let mut session = story.session();
    story.told(&mut session);
    let at = |s| story.now.plus(Duration::from_secs(s));
    session.on_deadline(at(20));
    assert_eq!(story.told(&mut session), [json!({ "type": "ws_ping" })]);
    session.on_deadline(at(39));
    assert!(story.told(&mut session).is_empty());
    session.on_deadline(at(40));
    assert_eq!(types(&story.told(&mut session)), ["close"]);
}

#[test]
fn leaving_tells_what_was_published_then_goodbye_then_closes() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    let mut session = story.session();
    subscribe(&mut session, &story, json!({}));
    story.told(&mut session);
    story.frames(&call, 1, 1..=1);
    story.line(&call, "the last word", true);
    session.goodbye("draining", Duration::from_millis(2300));
    let told = story.told(&mut session);
    assert_eq!(types(&told), ["frame", "transcript", "goodbye", "close"]);
    assert_eq!(
        (&told[2]["retry_after_ms"], &told[3]["code"]),
        (&json!(2300), &json!(1001))
    );
}
proptest! {
    #[test]
    fn no_text_can_crash_a_session(texts in prop::collection::vec(r#"\{"type":"(subscribe|watch|ping|auth|unsubscribe)","(call_sid|levels_hz|id|token|after)":("CA1"|[0-9]{1,3}|null|\{"transcript":[0-9]{1,4}\})\}|.{0,40}"#, 0..20)) {
        let story = Story::begin();
        story.live_call("CA1", 1);
        let mut session = story.session();
        for text in texts {
            session.on_text(story.now, &text);
            story.told(&mut session);
        }
    }
}
