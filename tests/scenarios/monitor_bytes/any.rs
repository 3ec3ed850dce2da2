//! Whatever is said, in whatever order and at whatever size: what is drawn stays within the grammar.

use harness::emitted;
use partyline::app::state::App;
use partyline::app::update::update;
use partyline::event::{Device, Event, FromRelay, FromSound, Intent, Now, RelayId};
use partyline::run::canvas::Canvas;
use partyline::ui::glyphs::Glyphs;
use partyline::ui::plain::Plain;
use partyline::ui::theme::Theme;
use partyline::ui::{Look, screen};
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::texts;

/// Times at which a relay says something, Unix ms.
const BEGIN: i64 = 1_795_000_000_000;

fn made<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the contract's shape")
}

/// Text that is drawn at random, or made to do harm.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "(\\PC|[\\x00-\\x1f\\x7f-\\x9f\u{200b}-\u{206f}\u{fe00}-\u{fe0f}\u{1f1e6}-\u{1f1ff}a-z 你👍ﾞ\u{301}\u{e47}]){0,60}",
        prop::sample::select(texts::short("sh")),
        prop::sample::select(texts::long("lo")),
        "\u{1b}[\\[\\]P_^X(#]?[0-9;?]{0,8}[ -~]{0,3}[\u{7}\u{9c}]?",
    ]
}

fn from_relay() -> impl Strategy<Value = FromRelay> {
    let call = || (0..6u8).prop_map(|at| CallSid::parse(&format!("CA{at}")).expect("an id"));
    let whole = || (call(), text()).prop_map(|(sid, text)| made(texts::call(sid.as_str(), &text)));
    let kinds = [
        "error",
        "mark",
        "gap",
        "call_status",
        "keyword",
        "listener_joined",
        "paused",
    ];
    prop_oneof![
        (text(), text(), text()).prop_map(|(user, role, node)| FromRelay::Connected {
            user,
            role,
            allow: vec!["pause".to_owned()],
            node,
        }),
        text().prop_map(|why| FromRelay::Cut { why, retry_ms: 700 }),
        text().prop_map(|why| FromRelay::Refused { why, retry_ms: None }),
        text().prop_map(|reason| FromRelay::Goodbye { reason }),
        text().prop_map(FromRelay::Complaint),
        prop::collection::vec(whole(), 0..6).prop_map(FromRelay::Snapshot),
        whole().prop_map(|call| FromRelay::Changed(Box::new(call))),
        call().prop_map(FromRelay::Removed),
        (call(), text()).prop_map(|(call, journal)| FromRelay::Journal { call, journal }),
        (call(), 0..40u64, text(), any::<bool>()).prop_map(|(call, seq, text, is_final)| FromRelay::Line {
            call,
            line: made(texts::line(seq, &text, is_final)),
        }),
        (call(), 0..40u64, prop::sample::select(kinds.to_vec()), text()).prop_map(
            |(call, seq, kind, text)| {
                FromRelay::Happened {
                    call,
                    event: made(texts::event(seq, kind, &text)),
                }
            }
        ),
        call().prop_map(|call| FromRelay::Missed {
            call,
            track: Track::Inbound,
            frames: 40,
            reason: "away",
        }),
        (call(), text()).prop_map(|(call, why)| FromRelay::NotFollowed { call, why }),
    ]
}

fn intent() -> impl Strategy<Value = Intent> {
    use Intent as I;
    let keys = vec![
        I::Up,
        I::Down,
        I::PageUp,
        I::End,
        I::NextPane,
        I::NextPane,
        I::Listen,
        I::Stop,
        I::Find,
        I::NextMatch,
        I::Copy,
        I::Privacy,
        I::Ended,
        I::NextSort,
        I::Help,
        I::Cancel,
        I::Accept,
    ];
    prop_oneof![
        prop::sample::select(keys),
        text().prop_map(|text| I::Type(text.chars().last().unwrap_or('x'))),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => from_relay().prop_map(|said| Event::Relay(RelayId(0), said)),
        2 => intent().prop_map(Event::Intent),
        1 => text().prop_map(|why| Event::Sound(FromSound::Device(Device::Missing { why }))),
        1 => text().prop_map(|name| Event::Sound(FromSound::Device(Device::Open { name, rate: 48_000 }))),
        1 => Just(Event::Tick),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_said_what_is_written_is_a_picture(
        events in prop::collection::vec(event(), 1..60),
        size in prop::sample::select(vec![(0u16, 0u16), (1, 1), (40, 10), (59, 20), (80, 24), (200, 60)]),
        name in text(),
        glyphs in prop::sample::select(vec![Glyphs::BRAILLE, Glyphs::BLOCK, Glyphs::ASCII]),
    ) {
        let at = |ms| Now { utc: UtcTime::from_unix_ms(BEGIN + ms), ms: ms as u64 };
        let look = Look { theme: Theme::DARK, glyphs };
        let mut app = App::new(vec![(name.clone(), name)], at(0));
        let (mut canvas, mut plain) = (Canvas::new(size), Plain::new());
        let (mut written, mut lines) = (Vec::new(), String::new());
        for (ms, event) in (0..).step_by(40).zip(events) {
            update(&mut app, at(ms), event);
            let sizes = screen::sizes(&app, &look, size.0, size.1);
            update(&mut app, at(ms), Event::Resized(sizes));
            written.extend(canvas.draw(|buf| screen::draw(&app, &look, buf.area, buf)));
            for line in plain.report(&app) {
                lines.push_str(&line);
                lines.push('\n');
            }
        }
        let emitted = emitted::read(&written).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
        prop_assert!(emitted.pictures > 0 && emitted.copied.is_empty());
        emitted::read_lines(lines.as_bytes()).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
    }
}
