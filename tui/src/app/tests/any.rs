//! Whatever happens, in whatever order: what the screen relies on holds.

use std::collections::{BTreeSet, HashSet};

use partyline_shared::text::is_unsafe;
use proptest::prelude::*;

use super::*;
use crate::app::text::View;
use crate::app::text::intake::{EVENTS_KEPT, LINES_KEPT};
use crate::app::text::view::Entry;
use crate::app::update::TEXTS_KEPT;
use crate::event::{Column, Device, intents};

/// What a hostile relay would put into any text.
const HOSTILE: &str = "x\u{1b}[2J\u{202e}\u{200b}\u{7}\u{9b}Ω";

fn name() -> impl Strategy<Value = CallSid> {
    (0..12u8).prop_map(|n| sid(&format!("CA{n}")))
}

fn track() -> impl Strategy<Value = Track> {
    prop_oneof![Just(Track::Inbound), Just(Track::Outbound)]
}

fn any_call() -> impl Strategy<Value = Call> {
    (name(), 0..5i64, any::<[bool; 4]>(), 0..3u32).prop_map(|(sid, began, flags, listeners)| {
        let [ends, hostile, agent_calls, streams] = flags;
        let mut call = call(sid.as_str(), began);
        call.listeners = listeners;
        if ends {
            call = ended(call, began + 7);
        }
        if hostile {
            call.customer_id = Some(HOSTILE.to_owned());
            call.direction = Some(HOSTILE.to_owned());
            call.agent = serde_json::from_value(json!(HOSTILE)).unwrap();
            call.from = call.agent.clone();
            call.transcription.inbound.state = HOSTILE.to_owned();
        }
        if agent_calls {
            call.roles = roles(Track::Inbound);
        }
        if !streams {
            call.stream = StreamState::None;
        }
        call
    })
}

fn from_relay() -> impl Strategy<Value = FromRelay> {
    let text = || HOSTILE.to_owned();
    prop_oneof![
        Just(FromRelay::Connected {
            user: text(),
            role: text(),
            allow: vec!["pause".to_owned()],
            node: text()
        }),
        Just(FromRelay::Cut {
            why: text(),
            retry_ms: 700
        }),
        Just(FromRelay::Refused {
            why: text(),
            retry_ms: Some(300)
        }),
        Just(FromRelay::Goodbye { reason: text() }),
        Just(FromRelay::Complaint(text())),
        (0..90u64).prop_map(|ms| FromRelay::RoundTrip { ms }),
        prop::collection::vec(any_call(), 0..14).prop_map(FromRelay::Snapshot),
        any_call().prop_map(|call| FromRelay::Changed(Box::new(call))),
        any_call().prop_map(|call| FromRelay::Changed(Box::new(call))),
        name().prop_map(FromRelay::Removed),
        (name(), -90.0..0.0, -90.0..0.0).prop_map(|(call, a, b)| FromRelay::Levels(vec![level(
            call.as_str(),
            a,
            b
        )])),
        (name(), any::<bool>()).prop_map(|(call, resumed)| FromRelay::Following {
            call,
            zero_at: None,
            resumed
        }),
        name().prop_map(move |call| FromRelay::Journal {
            call,
            journal: text()
        }),
        (name(), 0..40u64, track(), any::<bool>()).prop_map(move |(call, seq, track, is_final)| {
            FromRelay::Line {
                call,
                line: line(seq, track, HOSTILE, is_final),
            }
        }),
        (name(), 0..40u64).prop_map(|(call, seq)| {
            happened(
                call.as_str(),
                seq,
                EventKind::Gap,
                json!({HOSTILE: HOSTILE, "n": [HOSTILE]}),
            )
        }),
        (name(), track(), 0..900u32).prop_map(|(call, track, frames)| {
            FromRelay::Missed {
                call,
                track,
                frames,
                reason: "away",
            }
        }),
        name().prop_map(FromRelay::Ended),
        name().prop_map(move |call| FromRelay::NotFollowed { call, why: text() }),
    ]
}

fn intent() -> impl Strategy<Value = Intent> {
    prop_oneof![
        3 => prop::sample::select(intents::all()),
        1 => prop::sample::select(vec!['x', 'Ω', '\u{1b}', ' ', '1', 'a']).prop_map(Intent::Type),
    ]
}

fn playing() -> impl Strategy<Value = Playing> {
    prop::sample::select(vec![
        Playing::Idle,
        Playing::Waiting,
        Playing::Live,
        Playing::Paused,
        Playing::Behind,
        Playing::Over,
    ])
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..2u16, from_relay()).prop_map(|(relay, said)| Event::Relay(RelayId(relay), said)),
        6 => intent().prop_map(Event::Intent),
        1 => (0..9u16, 0..9u16).prop_map(|(list, transcript)| {
            Event::Resized(Sizes { columns: 80, rows: 24, list, transcript, events: 3, help: 5 })
        }),
        1 => playing().prop_map(|state| {
            Event::Sound(FromSound::Playback(Playback { state, ..Playback::default() }))
        }),
        1 => Just(Event::Sound(FromSound::Device(Device::Missing { why: HOSTILE.to_owned() }))),
        1 => (0..1200usize).prop_map(|n| Event::Sound(FromSound::Columns {
            customer: vec![Column { low: -1, high: 1 }; n],
            agent: vec![Column::default(); n],
        })),
        2 => Just(Event::Tick),
    ]
}

fn holds_on<T: Entry>(view: &View, entries: &[T]) {
    let ids: Vec<u64> = entries.iter().map(Entry::id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    for held in [view.bottom, view.found].into_iter().flatten() {
        assert!(ids.contains(&held), "{held} of {ids:?}");
    }
}

fn check(app: &App) {
    let list = &app.list;
    match &list.selected {
        Some(selected) => assert!(list.order.contains(selected), "the selected call is seen"),
        None => assert!(list.order.is_empty()),
    }
    assert!(list.cursor_row < app.sizes.list.max(1));
    let at = list.selected_index().unwrap_or(0);
    assert_eq!(
        at - list.offset(app.sizes.list),
        usize::from(list.cursor_row),
        "drawn where it stands"
    );
    let seen: BTreeSet<_> = list.order.iter().collect();
    assert_eq!(seen.len(), list.order.len(), "nothing twice");
    let mut anew = list.clone();
    anew.set_sort(list.sort);
    assert_eq!(anew.order, list.order, "what the filter leaves, in order");
    for key in [&app.shown, &app.heard].into_iter().flatten() {
        assert!(
            list.calls.contains_key(key) && app.texts.contains_key(key),
            "{key:?}"
        );
    }
    assert!(app.texts.len() <= TEXTS_KEPT);
    for texts in app.texts.values() {
        assert!(texts.lines.len() <= LINES_KEPT && texts.events.len() <= EVENTS_KEPT);
        holds_on(&texts.lines_view, &texts.lines);
        holds_on(&texts.events_view, &texts.events);
        let open = texts.lines.iter().filter(|line| !line.is_final && !line.is_old);
        assert!(open.count() <= 2, "a partial a side");
    }
    assert!(app.history.columns.customer.len() <= crate::app::history::KEPT);
    assert!(
        app.deadline().is_none_or(|deadline| deadline > app.now.ms),
        "else it would never sleep"
    );
    // `{:?}` shows what is unsafe as `\u{..}`, and so does that of a text with a backslash in it: there is none.
    let all = format!("{app:?}");
    assert!(
        !all.chars().any(is_unsafe) && !all.contains("\\u{") && !all.contains("\\n"),
        "{all}"
    );
}

/// What `run` keeps: a call is followed from its `Follow` to its `Unfollow`, and heard between the two.
#[derive(Default)]
struct Run {
    followed: HashSet<CallKey>,
    heard: Option<CallKey>,
}

impl Run {
    fn carry_out(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Follow(call) => {
                    self.followed.insert(call.clone());
                }
                Effect::Unfollow(call) => {
                    assert_ne!(self.heard.as_ref(), Some(call));
                    assert!(self.followed.remove(call), "{call:?} was not followed");
                }
                Effect::Listen { call, .. } => {
                    assert!(self.followed.contains(call));
                    assert!(self.heard.is_none() || self.heard.as_ref() == Some(call));
                    self.heard = Some(call.clone());
                }
                Effect::StopListening(call) => assert_eq!(self.heard.take().as_ref(), Some(call)),
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn whatever_happens_what_the_screen_relies_on_holds(
        events in prop::collection::vec((any_event(), 0..400u64), 1..80)
    ) {
        let mut story = Story::of(&["one", HOSTILE]);
        let mut run = Run::default();
        for (event, ms) in events {
            story.ms += ms;
            let effects = story.happens(event);
            run.carry_out(&effects);
            check(&story.app);
            let wanted: HashSet<CallKey> =
                [&story.app.shown, &story.app.heard].into_iter().flatten().cloned().collect();
            prop_assert_eq!(&run.followed, &wanted);
            prop_assert_eq!(&run.heard, &story.app.heard);
        }
    }
}
