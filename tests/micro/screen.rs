//! A picture of the whole screen, out of a monitor that came to be what it is by what it was told.

use divan::{Bencher, black_box};
use partyline::app::state::App;
use partyline::app::update::update;
use partyline::event::{
    Column, Device, Event, FromRelay, FromSound, Intent, Now, Playback, Playing, RelayId,
};
use partyline::ui::Look;
use partyline::ui::glyphs::Glyphs;
use partyline::ui::screen;
use partyline::ui::theme::Theme;
use partyline_shared::call::{Call, CallStatus, StreamState, Talk};
use partyline_shared::event::{Event as CallEvent, EventKind};
use partyline_shared::id::CallSid;
use partyline_shared::line::Line;
use partyline_shared::phone::PhoneNumber;
use partyline_shared::protocol::server::Level;
use partyline_shared::time::UtcTime;
use partyline_shared::track::{PerTrack, Track, roles};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// A large screen.
const AREA: Rect = Rect {
    x: 0,
    y: 0,
    width: 200,
    height: 60,
};

/// Calls in the list.
const CALLS: usize = 100;

/// Lines of the transcript, more than are in sight.
const LINES: u64 = 200;

/// The same of the events log.
const EVENTS: u64 = 20;

/// Columns of the waveform: 20 s.
const COLUMNS: u32 = 1_000;

/// Where the wall clock stands when the other one is at 0.
const START_MS: i64 = 1_795_338_000_000;

/// How long the calls last when the picture is taken, ms.
const NOW_MS: u64 = 300_000;

const LOOK: Look = Look {
    theme: Theme::DARK,
    glyphs: Glyphs::BRAILLE,
};

fn sid(number: usize) -> CallSid {
    CallSid::parse(&format!("CA{number:032x}")).unwrap()
}

fn call(number: usize) -> Call {
    let customer = PhoneNumber::new(&format!("+49301234{:03}", number * 7 % 1000));
    let agent = PhoneNumber::new(["client:alice", "client:bob", "client:carla"][number % 3]);
    let began = UtcTime::from_unix_ms(START_MS + number as i64 * 2_000);
    Call {
        call_sid: sid(number),
        account_sid: Some("AC11111111111111111111111111111111".to_owned()),
        customer_id: Some(format!("{}", 12_345 + number * 111)),
        from: Some(customer),
        to: Some(agent.clone()),
        direction: Some("inbound".to_owned()),
        agent: Some(agent.clone()),
        dialed: Some(agent),
        roles: roles(Track::Outbound),
        status: CallStatus::InProgress,
        started_at: Some(began),
        answered_at: Some(began.plus_ms(9_000)),
        ended_at: None,
        stream: StreamState::Live,
        tracks: Track::BOTH.to_vec(),
        paused: false,
        listeners: (number % 3) as u32,
        node: "node-1".to_owned(),
        lost_chunks: 0,
        talk: Talk {
            inbound_ms: 62_000 + number as u64 * 900,
            outbound_ms: 38_000,
            both_ms: 1_200,
            silence_ms: 20_000,
        },
        transcription: PerTrack::default(),
    }
}

/// Other levels each time; `turn` says which.
fn levels(turn: usize) -> Vec<Level> {
    (0..CALLS)
        .map(|number| Level {
            call_sid: sid(number),
            inbound: Some(-12.0 - ((number * 5 + turn * 3) % 60) as f64),
            outbound: Some(-12.0 - ((number * 11 + turn * 7) % 60) as f64),
        })
        .collect()
}

/// Words that are as long as people's.
fn line(seq: u64) -> Line {
    let words = "I ordered a standing desk two weeks ago and only the legs of it have come so far, could you look where \
                 the table top is and when it should reach me";
    let text: String = words.chars().take(20 + (seq as usize * 37) % 120).collect();
    let track = if seq.is_multiple_of(2) {
        Track::Inbound
    } else {
        Track::Outbound
    };
    Line {
        seq,
        at: UtcTime::from_unix_ms(START_MS + seq as i64 * 1_200),
        start_ms: None,
        end_ms: None,
        track,
        text,
        is_final: true,
        confidence: None,
        engine: None,
        hole_ms: None,
    }
}

fn event(seq: u64) -> CallEvent {
    CallEvent {
        seq,
        at: UtcTime::from_unix_ms(START_MS + seq as i64 * 12_000),
        kind: EventKind::ListenerJoined,
        detail: [("listener".to_owned(), "somebody".into())].into_iter().collect(),
    }
}

/// Syllables of both sides.
fn columns() -> FromSound {
    let side = |pace: f32, loud: f32| {
        (0..COLUMNS)
            .map(|at| {
                let high = ((at as f32 * pace).sin().abs() * loud) as i8;
                Column { low: -high, high }
            })
            .collect()
    };
    FromSound::Columns {
        customer: side(0.31, 90.0),
        agent: side(0.27, 60.0),
    }
}

struct Monitor(App);

impl Monitor {
    /// Many calls and their levels, the first of them shown.
    fn with_calls() -> Monitor {
        let relays = vec![("home".to_owned(), "https://calls.example.com".to_owned())];
        let mut monitor = Monitor(App::new(relays, now(0)));
        let sizes = screen::sizes(&monitor.0, &LOOK, AREA.width, AREA.height);
        monitor.happens(Event::Resized(sizes));
        monitor.relay(FromRelay::Connected {
            user: "anna".to_owned(),
            role: "admin".to_owned(),
            allow: Vec::new(),
            node: "node-1".to_owned(),
        });
        monitor.relay(FromRelay::Snapshot((0..CALLS).map(call).collect()));
        monitor.relay(FromRelay::Levels(levels(0)));
        monitor.happens(Event::Intent(Intent::Home));
        monitor
    }

    /// The first call is heard and read.
    fn listening() -> Monitor {
        let mut monitor = Monitor::with_calls();
        let device = Device::Open {
            name: "Built-in Audio".to_owned(),
            rate: 48_000,
        };
        monitor.happens(Event::Sound(FromSound::Device(device)));
        monitor.happens(Event::Intent(Intent::Listen));
        let call = monitor.0.heard.clone().expect("a call is heard").call;
        monitor.relay(FromRelay::Following {
            call: call.clone(),
            zero_at: None,
            resumed: false,
        });
        for seq in 1..=LINES {
            let (call, line) = (call.clone(), line(seq));
            monitor.relay(FromRelay::Line { call, line });
        }
        for seq in 1..=EVENTS {
            let (call, event) = (call.clone(), event(seq));
            monitor.relay(FromRelay::Happened { call, event });
        }
        let playback = Playback {
            state: Playing::Live,
            delay_ms: Some(84),
            ..Playback::default()
        };
        monitor.happens(Event::Sound(FromSound::Playback(playback)));
        monitor.happens(Event::Sound(columns()));
        monitor
    }

    fn happens(&mut self, event: Event) {
        update(&mut self.0, now(NOW_MS), event);
    }

    fn relay(&mut self, said: FromRelay) {
        self.happens(Event::Relay(RelayId(0), said));
    }

    fn draw(&self, buf: &mut Buffer) {
        screen::draw(black_box(&self.0), &LOOK, AREA, buf);
        black_box(buf);
    }

    /// A picture, once it is known to have these words in it.
    fn picture_with(&self, words: &[&str]) -> Buffer {
        let mut buf = Buffer::empty(AREA);
        self.draw(&mut buf);
        let text: String = buf.content.iter().map(|cell| cell.symbol()).collect();
        for word in words {
            assert!(text.contains(word), "{word:?} is not on the screen: {text}");
        }
        buf
    }
}

fn now(ms: u64) -> Now {
    Now {
        utc: UtcTime::from_unix_ms(START_MS + ms as i64),
        ms,
    }
}

/// A hundred calls with levels, and nothing heard.
#[divan::bench]
fn draw_list(bencher: Bencher<'_, '_>) {
    let monitor = Monitor::with_calls();
    let mut buf = monitor.picture_with(&["alice", "━━━", "Calls 100"]);
    bencher.bench_local(|| monitor.draw(&mut buf));
}

/// The same list, and a heard call with waveform and transcript.
#[divan::bench]
fn draw_heard_call(bencher: Bencher<'_, '_>) {
    let monitor = Monitor::listening();
    let mut buf = monitor.picture_with(&["Calls 100", "standing desk", "⣿", "listener=somebody"]);
    bencher.bench_local(|| monitor.draw(&mut buf));
}

/// The levels of a hundred calls are taken in.
#[divan::bench]
fn take_in_levels(bencher: Bencher<'_, '_>) {
    let mut monitor = Monitor::with_calls();
    let mut turn = 0;
    bencher
        .with_inputs(|| {
            turn += 1;
            levels(turn)
        })
        .bench_local_values(|levels| monitor.relay(FromRelay::Levels(levels)));
}
