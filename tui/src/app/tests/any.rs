//! Whatever happens, in whatever order: what the screen relies on holds.

use std::collections::{BTreeSet, HashSet};

use partyline_shared::text::is_unsafe;
use proptest::prelude::*;

use super::*;
use crate::app::seats::HEARD_MOST;
use crate::app::text::View;
use crate::app::text::intake::{EVENTS_KEPT, LINES_KEPT};
use crate::app::text::view::Entry;
use crate::app::update::TEXTS_KEPT;
use crate::event::{Column, Device, DeviceInfo, intents};

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
            zero_at: resumed.then(|| at(0).utc),
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
        (name(), any::<bool>()).prop_map(move |(call, done)| FromRelay::Marked {
            call,
            why_not: done.then(text),
        }),
        name().prop_map(move |call| FromRelay::NotFollowed { call, why: text() }),
    ]
}

fn intent() -> impl Strategy<Value = Intent> {
    prop_oneof![
        3 => prop::sample::select(intents::all()),
        2 => prop::sample::select(vec![
            Intent::Listen,
            Intent::Also,
            Intent::Switch,
            Intent::Stop,
            Intent::FollowOn,
            Intent::Back,
            Intent::Down,
        ]),
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
        2 => (playing(), 0..400_000u32).prop_map(|(state, behind_ms)| {
            Event::Sound(FromSound::Playback(Playback { state, behind_ms, ..Playback::default() }))
        }),
        1 => Just(Event::Sound(FromSound::Device(Device::Missing { why: HOSTILE.to_owned() }))),
        1 => (0..4usize).prop_map(|n| Event::Sound(FromSound::Devices(vec![
            DeviceInfo {
                id: HOSTILE.to_owned(),
                name: HOSTILE.to_owned(),
                default: n == 1,
                offers: Err(HOSTILE.to_owned()),
            };
            n
        ]))),
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
    for key in app.shown.iter().chain(app.heard_calls()) {
        assert!(
            list.calls.contains_key(key) && app.texts.contains_key(key),
            "{key:?}"
        );
    }
    let heard: BTreeSet<_> = app.heard_calls().collect();
    assert_eq!(heard.len(), app.heard_calls().count(), "no call is heard twice");
    assert!(heard.len() <= HEARD_MOST);
    assert!(app.behind.is_empty() || app.heard.is_some(), "one is in front");
    if let Some(next) = &app.follow_on {
        assert!(
            next.waits || app.hears(&next.call),
            "whose call is not heard is waited for"
        );
    }
    assert!(app.texts.len() <= TEXTS_KEPT);
    assert!(app.picker.as_ref().is_none_or(|picker| picker.choice().is_some()));
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
    heard: HashSet<CallKey>,
    front: Option<CallKey>,
}

impl Run {
    fn carry_out(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Follow(call) => {
                    self.followed.insert(call.clone());
                }
                Effect::Unfollow(call) => {
                    assert!(!self.heard.contains(call));
                    assert!(self.followed.remove(call), "{call:?} was not followed");
                }
                Effect::Listen { call, .. } => {
                    assert!(self.followed.contains(call));
                    assert!(
                        self.heard.iter().all(|heard| heard == call),
                        "it would end the others"
                    );
                    self.heard.insert(call.clone());
                    self.front = Some(call.clone());
                }
                Effect::Also { call, .. } => {
                    assert!(self.followed.contains(call));
                    assert!(self.heard.insert(call.clone()), "{call:?} was heard already");
                    assert!(self.heard.len() <= HEARD_MOST);
                    self.front = Some(call.clone());
                }
                Effect::Front(call) => {
                    assert!(self.heard.contains(call));
                    self.front = Some(call.clone());
                }
                Effect::StopListening(call) => {
                    assert!(self.heard.remove(call));
                    self.front.take_if(|front| front == call);
                }
                Effect::Roles { call, .. } => assert!(self.heard.contains(call)),
                Effect::Pause(_)
                | Effect::Live
                | Effect::Seek(_)
                | Effect::SeekTo(_)
                | Effect::Fast(_)
                | Effect::SkipSilence(_) => assert!(self.front.is_some(), "{effect:?} of nothing"),
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
                story.app.shown.iter().chain(story.app.heard_calls()).cloned().collect();
            prop_assert_eq!(&run.followed, &wanted);
            prop_assert_eq!(&run.heard, &story.app.heard_calls().cloned().collect());
            prop_assert_eq!(&run.front, &story.app.heard);
        }
    }
}
