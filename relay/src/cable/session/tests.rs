//! What a client may rely on, over the session alone.

use std::collections::HashMap;
use std::sync::Mutex;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::call::CallStatus;
use partyline_shared::id::CallSid;
use partyline_shared::track::Track;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;
use crate::access::login::{Answer as Known, Login};
use crate::access::{Access, Role, Source};
use crate::audit::Audit;
use crate::calls::call::tests_support::media;
use crate::calls::call::{Accepted, Call, StatusNote};
use crate::calls::fanout::BACKLOG;
use crate::calls::journal::NewLine;
use crate::calls::parties::FromWebhook;
use crate::calls::registry::{Registry, Settings};
use crate::calls::transcription::Heard;
use crate::lock::lock;
use crate::presence::Presence;
use crate::pump::{Fault, Session as _};

mod commands;
mod ends;
mod noise;

const STREAM: &str = r#"{"channel":"CallStreamChannel","call_id":"CA1"}"#;
const MEDIA: &str = r#"{"channel":"TwilioMediaChannel","call_sid":"CA1"}"#;

/// A login elsewhere: who is known, by name.
#[derive(Default)]
struct Desk(Mutex<HashMap<String, Grant>>);

impl Login for Desk {
    fn bearer<'a>(&'a self, token: &'a str, _: UtcTime) -> Known<'a> {
        Box::pin(async move { lock(&self.0).get(token).cloned() })
    }

    fn renewed(&self, grant: &Grant, _: UtcTime) -> Option<Grant> {
        lock(&self.0).get(grant.name()).cloned()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
}

struct Story {
    registry: Arc<Registry>,
    presence: Arc<Presence>,
    access: Arc<Access>,
    desk: Arc<Desk>,
    now: Now,
}

impl Story {
    fn begin() -> Story {
        let settings = Settings {
            retention: Duration::from_secs(60),
            history: Duration::from_secs(10),
            max_calls: 1_000,
        };
        let desk = Arc::<Desk>::default();
        Story {
            registry: Arc::new(Registry::new("n".into(), settings, Arc::default())),
            presence: Arc::default(),
            access: Access::new(None, Some(desk.clone())).unwrap(),
            desk,
            now: Now::take(),
        }
    }

    fn call(&self, sid: &str) -> Arc<Call> {
        let sid = CallSid::parse(sid).unwrap();
        self.registry.open(self.now, &sid).unwrap()
    }

    fn accept(&self, call: &Call, key: u32) {
        let accepted = Accepted {
            tracks: Track::BOTH.to_vec(),
            ..Accepted::default()
        };
        call.accept_stream(self.now, key, accepted);
    }

    fn live_call(&self, sid: &str, key: u32) -> Arc<Call> {
        let call = self.call(sid);
        self.accept(&call, key);
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
            track: Track::Inbound,
            text: text.into(),
            is_final,
            confidence: None,
            engine: "twilio".into(),
            sequence: None,
            start_ms: None,
            end_ms: None,
        };
        call.transcribed(self.now, None, "", None, (self.now.wall, Heard::Line(line)));
    }

    fn end(&self, call: &Call) {
        let note = StatusNote {
            leg: call.sid().clone(),
            parties: Default::default(),
            status: Some(CallStatus::Completed),
            at: None,
            duration_s: None,
            sip_response_code: None,
        };
        call.status(self.now, note);
    }

    fn belongs_to(&self, call: &Call, customer: &str) {
        let from = FromWebhook {
            customer_id: Some(customer.to_owned()),
            ..FromWebhook::default()
        };
        call.webhook(self.now, from, None);
    }

    /// A user of these customers, as the login elsewhere knows it from here on.
    fn user(&self, customers: &[&str]) -> Grant {
        let customers = customers.iter().map(|c| (*c).to_owned()).collect();
        let grant = Grant::new("alice", Role::User, customers, Vec::new()).known_by(Source::Jwt, "alice");
        lock(&self.desk.0).insert("alice".into(), grant.clone());
        grant
    }

    fn session(&self) -> Session {
        self.session_of(Grant::insecure())
    }

    fn session_of(&self, grant: Grant) -> Session {
        let host = Host {
            registry: self.registry.clone(),
            access: self.access.clone(),
            audit: Arc::new(Audit::off()),
            presence: self.presence.clone(),
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            door: "cable",
            relays: None,
        };
        let mut session = Session::new(self.now, host, grant, None);
        assert_eq!(self.told(&mut session), [json!({ "type": "welcome" })]);
        session
    }

    fn told(&self, session: &mut Session) -> Vec<Value> {
        std::iter::from_fn(|| session.poll_transmit(self.now))
            .map(as_json)
            .collect()
    }

    fn say(&self, session: &mut Session, command: &str, identifier: &str) {
        let said = json!({ "command": command, "identifier": identifier });
        session.on_text(self.now, &said.to_string());
    }

    /// Subscribes, with the record on disk at once.
    fn subscribe(&self, session: &mut Session, identifier: &str) -> Vec<Value> {
        self.say(session, "subscribe", identifier);
        self.record(session);
        self.told(session)
    }

    fn record(&self, session: &mut Session) {
        while let Some(Asked(entries)) = session.next_asked() {
            assert_eq!(entries.len(), 1);
            session.on_answer(self.now, true);
        }
    }
}

/// Texts as they are, a close as its code.
fn as_json(transmit: Transmit) -> Value {
    match transmit {
        Transmit::Text(text) => serde_json::from_str(&text).unwrap(),
        Transmit::Framed(message) => {
            let start = message.windows(2).position(|pair| pair == b"{\"").unwrap();
            serde_json::from_slice(&message[start..]).unwrap()
        }
        Transmit::Ping => json!("probe"),
        Transmit::Close(code, "") => json!(code),
        other => panic!("no client knows {other:?}"),
    }
}

fn confirmed(identifier: &str) -> Value {
    json!({ "identifier": identifier, "type": "confirm_subscription" })
}

fn rejected(identifier: &str) -> Value {
    json!({ "identifier": identifier, "type": "reject_subscription" })
}

/// The event on each identifier, and of media its chunk, of a transcript its text.
fn events(told: &[Value]) -> Vec<String> {
    let event = |told: &Value| {
        let message = &told["message"];
        let what = message["chunk"].as_str().or(message["text"].as_str());
        let event = message["event"].as_str().unwrap_or_else(|| panic!("{told}"));
        [event, what.unwrap_or_default()].join(" ").trim().to_owned()
    };
    told.iter().map(event).collect()
}
