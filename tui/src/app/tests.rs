//! Stories of the monitor's brain: events go in at times that are said, effects and the app's data are looked at.

mod any;
mod devices;
mod hearing;
mod holding;
mod keeping;
mod keys;
mod list;
mod next;
mod past;
mod relays;
mod seats;
mod texts;
mod twins;

use partyline_shared::call::{Call, CallStatus, StreamState};
use partyline_shared::event::{Event as CallEvent, EventKind};
use partyline_shared::id::CallSid;
use partyline_shared::line::Line;
use partyline_shared::phone::PhoneNumber;
use partyline_shared::protocol::server::Level;
use partyline_shared::time::UtcTime;
use partyline_shared::track::{PerTrack, Role, Track, roles};
use serde_json::{Value, json};

use super::effect::Effect;
use super::state::{App, Dirty};
use super::update::update;
use crate::event::{CallKey, Event, FromRelay, FromSound, Intent, Now, Playback, Playing, RelayId, Sizes};

/// Where the wall clock stands when the other one is at 0: on a full second.
const START: i64 = 1_795_338_000_000;

const HERE: RelayId = RelayId(0);

fn at(ms: u64) -> Now {
    Now {
        utc: UtcTime::from_unix_ms(START + ms as i64),
        ms,
    }
}

fn sid(name: &str) -> CallSid {
    CallSid::parse(name).unwrap()
}

fn key(name: &str) -> CallKey {
    CallKey {
        relay: HERE,
        call: sid(name),
    }
}

/// A live call that began so many ms after the start, of a customer to an agent.
fn call(name: &str, began: i64) -> Call {
    Call {
        call_sid: sid(name),
        account_sid: None,
        customer_id: None,
        from: Some(PhoneNumber::new("+12125550100")),
        to: Some(PhoneNumber::new("+12125550111")),
        direction: Some("inbound".to_owned()),
        agent: Some(PhoneNumber::new("client:anna")),
        dialed: Some(PhoneNumber::new("client:anna")),
        roles: roles(Track::Outbound),
        status: CallStatus::InProgress,
        started_at: Some(UtcTime::from_unix_ms(START + began)),
        answered_at: None,
        ended_at: None,
        stream: StreamState::Live,
        tracks: Track::BOTH.to_vec(),
        paused: false,
        listeners: 0,
        node: "n".to_owned(),
        lost_chunks: 0,
        talk: Default::default(),
        transcription: PerTrack::default(),
    }
}

fn ended(mut call: Call, ms: i64) -> Call {
    call.status = CallStatus::Completed;
    call.stream = StreamState::Stopped;
    call.ended_at = Some(UtcTime::from_unix_ms(START + ms));
    call
}

/// A monitor, and the time.
struct Story {
    app: App,
    ms: u64,
}

impl Story {
    /// One relay that is there, and a pane of five calls.
    fn new() -> Story {
        let mut story = Story::of(&["home"]);
        story.relay(connected());
        story.happens(Event::Resized(Sizes {
            columns: 100,
            rows: 30,
            list: 5,
            transcript: 10,
            events: 4,
            help: 0,
        }));
        story
    }

    fn of(names: &[&str]) -> Story {
        let relays = names
            .iter()
            .map(|name| (name.to_string(), format!("wss://{name}")))
            .collect();
        Story {
            app: App::new(relays, at(0)),
            ms: 0,
        }
    }

    fn happens(&mut self, event: Event) -> Vec<Effect> {
        update(&mut self.app, at(self.ms), event)
    }

    fn relay(&mut self, said: FromRelay) -> Vec<Effect> {
        self.happens(Event::Relay(HERE, said))
    }

    fn sound(&mut self, said: FromSound) -> Vec<Effect> {
        self.happens(Event::Sound(said))
    }

    fn plays(&mut self, state: Playing) -> Vec<Effect> {
        let playback = Playback {
            state,
            ..Playback::default()
        };
        self.sound(FromSound::Playback(playback))
    }

    fn press(&mut self, intent: Intent) -> Vec<Effect> {
        self.happens(Event::Intent(intent))
    }

    fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            self.press(Intent::Type(c));
        }
    }

    fn change(&mut self, call: Call) -> Vec<Effect> {
        self.relay(FromRelay::Changed(Box::new(call)))
    }

    /// Lets time pass as `run` does: it wakes up when it is asked to.
    fn wait(&mut self, ms: u64) -> Vec<Effect> {
        let end = self.ms + ms;
        let mut effects = Vec::new();
        while let Some(deadline) = self.app.deadline().filter(|deadline| *deadline < end) {
            assert!(
                deadline > self.ms,
                "a deadline that does not move would wake us for ever"
            );
            self.ms = deadline;
            effects.extend(self.happens(Event::Tick));
        }
        self.ms = end;
        effects.extend(self.happens(Event::Tick));
        effects
    }

    /// Whether something changes on the screen by that.
    fn dirt(&mut self, event: Event) -> Dirty {
        self.app.dirty = Dirty::Clean;
        self.happens(event);
        self.app.dirty
    }

    fn order(&self) -> Vec<&str> {
        self.app.list.order.iter().map(|key| key.call.as_str()).collect()
    }

    fn selected(&self) -> Option<&str> {
        Some(self.app.list.selected.as_ref()?.call.as_str())
    }

    fn notice(&self) -> &str {
        self.app.notice.as_ref().map_or("", |notice| &notice.text)
    }

    fn lines(&self) -> Vec<String> {
        let texts = self.app.shown_texts().unwrap();
        let mark = |line: &crate::app::text::Said| match (line.is_old, line.is_final) {
            (true, _) => "old ",
            (false, false) => "~",
            (false, true) => "",
        };
        texts
            .lines
            .iter()
            .map(|line| format!("{}{}", mark(line), line.text))
            .collect()
    }

    /// The call is shown and its lines come.
    fn shows(name: &str) -> Story {
        let mut story = Story::new();
        story.change(call(name, 0));
        story.wait(200);
        assert_eq!(story.app.shown, Some(key(name)));
        story.follows(name, false);
        story
    }

    fn follows(&mut self, name: &str, resumed: bool) {
        self.relay(FromRelay::Following {
            call: sid(name),
            zero_at: None,
            resumed,
        });
    }

    fn says(&mut self, name: &str, line: Line) {
        self.relay(FromRelay::Line {
            call: sid(name),
            line,
        });
    }
}

fn connected() -> FromRelay {
    FromRelay::Connected {
        user: "alice".to_owned(),
        role: "admin".to_owned(),
        allow: Vec::new(),
        node: "n1".to_owned(),
    }
}

fn cut() -> FromRelay {
    FromRelay::Cut {
        why: "reset".to_owned(),
        retry_ms: 1_000,
    }
}

fn line(seq: u64, track: Track, text: &str, is_final: bool) -> Line {
    Line {
        seq,
        at: UtcTime::from_unix_ms(START + seq as i64 * 100),
        start_ms: None,
        end_ms: None,
        track,
        text: text.to_owned(),
        is_final,
        confidence: None,
        engine: None,
        hole_ms: None,
    }
}

fn said(seq: u64, text: &str) -> Line {
    line(seq, Track::Inbound, text, true)
}

fn happened(name: &str, seq: u64, kind: EventKind, detail: Value) -> FromRelay {
    FromRelay::Happened {
        call: sid(name),
        event: CallEvent {
            seq,
            at: UtcTime::from_unix_ms(START + seq as i64 * 100),
            kind,
            detail: detail.as_object().unwrap().clone(),
        },
    }
}

fn level(name: &str, inbound: f64, outbound: f64) -> Level {
    Level {
        call_sid: sid(name),
        inbound: Some(inbound),
        outbound: Some(outbound),
    }
}

#[test]
fn a_new_monitor_asks_for_nothing_and_waits_for_nothing() {
    let story = Story::of(&["one\u{1b}[2J", "two"]);
    assert_eq!(story.app.relays[0].name, "one[2J");
    assert_eq!(story.app.deadline(), None);
}
