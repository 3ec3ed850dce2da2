//! Two relays' registries in one process, told of one another by hand.

mod given_up;

use std::time::Duration;

use partyline_shared::call::{CallStatus, StreamState};
use partyline_shared::id::CallSid;
use partyline_shared::track::Track;
use partyline_shared::twilio::callback::Parties;

use super::*;
use crate::access::Grant;
use crate::calls::call::{Kind, StatusNote};
use crate::calls::fanout::StreamInfo;
use crate::calls::journal::SKIP;
use crate::calls::mirror::Told;
use crate::calls::registry::{Registry, Settings};

fn registry(node: &str) -> Registry {
    let settings = Settings {
        retention: Duration::from_secs(3600),
        history: Duration::from_secs(10),
        max_calls: 9,
    };
    let registry = Registry::new(node.to_owned(), settings, Arc::default());
    registry.feed().turn_on();
    registry
}

fn pair() -> (Registry, Registry) {
    (registry("a"), registry("b"))
}

fn sid() -> CallSid {
    CallSid::parse("CA1").unwrap()
}

fn of(registry: &Registry) -> Arc<Call> {
    registry.known(&sid()).expect("it is known")
}

fn says(call: &Call, text: &str, is_final: bool) {
    let line = NewLine {
        at: Now::take().wall,
        start_ms: None,
        end_ms: None,
        track: Track::Inbound,
        text: text.into(),
        is_final,
        confidence: None,
        engine: "test".into(),
        sequence: None,
    };
    let heard = Deed::Line { line };
    call.apply(Now::take(), heard);
}

/// As a snapshot is after it has crossed.
fn crossed(snapshot: &Snapshot) -> Snapshot {
    serde_json::from_str(&serde_json::to_string(snapshot).unwrap()).unwrap()
}

/// One tells the other what it has after `after`; up to where that is.
fn tell(from: &Registry, to: &Registry, after: Cursor) -> Result<Cursor, Behind> {
    let told = of(from).told(|_| after).expect("it is its own");
    let snapshot = crossed(&told.snapshot);
    to.follow(Now::take(), from.node(), &sid(), &snapshot, after, &told.entries)?;
    Ok(told.upto)
}

fn read(registry: &Registry, kind: Kind) -> Vec<String> {
    let (_, told) = of(registry).remembered(&Grant::insecure(), kind, None).unwrap();
    told.iter().map(|told| told.json().to_owned()).collect()
}

fn texts(registry: &Registry) -> Vec<(u64, String)> {
    let lines = read(registry, Kind::Lines).into_iter();
    let lines = lines.map(|json| serde_json::from_str::<partyline_shared::line::Line>(&json).unwrap());
    lines.map(|line| (line.seq, line.text)).collect()
}

fn same(one: &Registry, other: &Registry) {
    assert_eq!(of(one).numbering(), of(other).numbering());
    for kind in [Kind::Lines, Kind::Events] {
        assert_eq!(read(one, kind), read(other, kind));
    }
}

fn stream(name: &str) -> Accepted {
    Accepted {
        stream_sid: name.into(),
        tracks: vec![Track::Inbound],
        ..Accepted::default()
    }
}

#[test]
fn a_call_of_another_relay_is_as_that_one_says_and_who_misses_something_notices() {
    let (a, b) = pair();
    let now = Now::take();
    let call = a.open(now, &sid()).unwrap();
    call.accept_stream(now, 1, stream("MZ1"));
    says(&call, "one", true);
    let upto = tell(&a, &b, Cursor::default()).unwrap();
    same(&a, &b);
    assert_eq!(of(&b).held(), Held::Theirs("a".into()));
    assert_eq!(
        (of(&b).view().node, of(&b).standing().1),
        ("a".into(), StreamState::Live)
    );
    says(&call, "two", false);
    let upto = tell(&a, &b, upto).unwrap();
    same(&a, &b);
    says(&call, "two and", false);
    let missed = of(&a).numbering().1;
    says(&call, "two and three", true);
    assert_eq!(tell(&a, &b, missed), Err(Behind));
    assert_eq!(texts(&b).len(), 2, "nothing was taken of it");
    tell(&a, &b, upto).unwrap();
    same(&a, &b);
    // Told twice it is the same.
    tell(&a, &b, Cursor::default()).unwrap();
    same(&a, &b);
    assert!(
        of(&b).told(|_| Cursor::default()).is_none(),
        "it is not b's to tell"
    );
}

#[test]
fn a_stream_takes_the_call_and_its_numbers_go_on() {
    let (a, b) = pair();
    let now = Now::take();
    let call = a.open(now, &sid()).unwrap();
    says(&call, "one", true);
    let upto = tell(&a, &b, Cursor::default()).unwrap();
    says(&call, "two", true);
    let there = of(&b);
    there.accept_stream(now, 7, stream("MZ1"));
    assert_eq!(there.held(), Held::Taking);
    says(&there, "three", true);
    assert_eq!(texts(&b).len(), 1, "nobody has numbered it yet");
    assert!(there.told(|_| Cursor::default()).unwrap().taking);
    let Told {
        snapshot, entries, ..
    } = call.give_up(now, "b", |_| upto).unwrap();
    assert_eq!((entries.len(), call.held()), (1, Held::Theirs("b".into())));
    assert!(call.give_up(now, "b", |_| upto).is_none(), "once");
    there
        .settle(now, Some((&crossed(&snapshot), upto, &entries)), false)
        .unwrap();
    let all: Vec<String> = texts(&b)
        .into_iter()
        .map(|(seq, text)| format!("{seq} {text}"))
        .collect();
    assert_eq!(all, ["1 one", "2 two", "3 three"]);
    assert_eq!(there.standing(), (CallStatus::InProgress, StreamState::Live));
    tell(&b, &a, upto).unwrap();
    same(&a, &b);
    // What is said at the one that had it is for the one that has it.
    says(&call, "four", true);
    assert_eq!(texts(&a).len(), 3);
}

#[test]
fn who_settles_alone_gives_no_number_that_the_other_may_have_given() {
    let (a, b) = pair();
    let now = Now::take();
    let call = a.open(now, &sid()).unwrap();
    says(&call, "one", true);
    let upto = tell(&a, &b, Cursor::default()).unwrap();
    says(&call, "only a heard this", true);
    let there = of(&b);
    there.accept_stream(now, 7, stream("MZ1"));
    there.stream_lost(now, 7, "it broke");
    there.settle(now, None, true).unwrap();
    says(&there, "two", true);
    assert_eq!(texts(&b), [(1, "one".to_owned()), (SKIP + 2, "two".to_owned())]);
    // Its last word comes late: that gets a number too, and everybody reads anew.
    let (journal, _) = there.numbering();
    let left = call.give_up(now, "b", |_| upto).unwrap();
    there.merge(now, &crossed(&left.snapshot), &left.entries, "j2".into());
    assert_eq!(texts(&b).last().unwrap().1, "only a heard this");
    assert_ne!(there.numbering().0, journal);
    // The same again is nothing new.
    let before = there.numbering();
    there.merge(
        now,
        &crossed(&there.told(|_| Cursor::default()).unwrap().snapshot),
        &[],
        "j3".into(),
    );
    assert_eq!(there.numbering(), before);
    tell(&b, &a, Cursor::default()).unwrap();
    same(&a, &b);
}

#[test]
fn the_call_of_a_relay_that_is_gone_is_lost_and_goes_on() {
    let (a, b) = pair();
    let now = Now::take();
    a.open(now, &sid()).unwrap().accept_stream(now, 1, stream("MZ1"));
    says(&of(&a), "one", true);
    tell(&a, &b, Cursor::default()).unwrap();
    let there = of(&b);
    there.take_over(now, true);
    assert_eq!(
        (there.held(), there.standing().1),
        (Held::Ours, StreamState::Lost)
    );
    says(&there, "two", true);
    assert_eq!(texts(&b)[1].0, SKIP + 2);
    assert!(read(&b, Kind::Events).last().unwrap().contains("stream_lost"));
    there.take_over(now, true);
    assert_eq!(read(&b, Kind::Events).len(), 2, "once");
    there.on_deadline(now.plus(crate::calls::life::LOST), false);
    assert!(there.ended().is_some());
    // One that let go of it has told all.
    let (a, b) = pair();
    a.open(now, &sid()).unwrap();
    says(&of(&a), "one", true);
    tell(&a, &b, Cursor::default()).unwrap();
    of(&b).take_over(now, false);
    says(&of(&b), "two", true);
    assert_eq!(texts(&b)[1].0, 2);
}

#[test]
fn two_halves_are_one_call_with_all_lines_once() {
    let (a, b) = pair();
    let now = Now::take();
    let (here, there) = (a.open(now, &sid()).unwrap(), b.open(now, &sid()).unwrap());
    says(&here, "from a", true);
    says(&there, "from b", true);
    let told = here.told(|_| Cursor::default()).unwrap();
    there.absorb(
        now,
        (&crossed(&told.snapshot), &told.entries),
        Cursor::default(),
        "j3".into(),
    );
    let all: Vec<String> = texts(&b).into_iter().map(|(_, text)| text).collect();
    assert_eq!(all, ["from a", "from b"]);
    assert_eq!(there.numbering().0, "j3");
    here.give_up(now, "b", |_| told.upto).unwrap();
    tell(&b, &a, Cursor::default()).unwrap();
    same(&a, &b);
}

#[test]
fn a_pause_that_was_told_elsewhere_holds() {
    let (a, b) = pair();
    let now = Now::take();
    let (here, there) = (a.open(now, &sid()).unwrap(), b.open(now, &sid()).unwrap());
    here.pause(now, &Grant::insecure()).expect("it may");
    let told = here.give_up(now, "b", |_| Cursor::default()).unwrap();
    there.merge(now, &crossed(&told.snapshot), &told.entries, "j3".into());
    assert!(there.is_paused());
    says(&there, "a card's number", true);
    assert!(texts(&b).is_empty());
    tell(&b, &a, Cursor::default()).unwrap();
    assert!(of(&a).is_paused());
}

#[tokio::test]
async fn what_is_done_to_a_call_of_theirs_goes_to_whoever_has_it_and_is_done_once() {
    let (a, b) = pair();
    let now = Now::take();
    a.open(now, &sid()).unwrap();
    tell(&a, &b, Cursor::default()).unwrap();
    let note = StatusNote {
        leg: sid(),
        parties: Parties::default(),
        status: Some(CallStatus::Ringing),
        at: None,
        duration_s: None,
        sip_response_code: None,
    };
    b.act(now, &sid(), Deed::Status { note }).unwrap();
    assert_eq!(
        of(&b).standing().0,
        CallStatus::Queued,
        "its owner says how it stands"
    );
    let deeds = b.feed().deeds().await;
    let (_, deed) = deeds.into_iter().next().unwrap();
    for _ in 0..2 {
        assert!(of(&a).apply_from(now, "b", 1, 0, deed.clone()));
    }
    assert_eq!(of(&a).standing().0, CallStatus::Ringing);
    assert_eq!(read(&a, Kind::Events).len(), 1);
    assert!(!of(&b).apply_from(now, "c", 1, 0, deed.clone()), "it is not b's");
    assert!(
        !of(&a).apply_from(now, "b", 9, 3, deed),
        "what comes before it is not done"
    );
    assert_eq!(of(&a).applied_of("b"), 1);
    tell(&a, &b, Cursor::default()).unwrap();
    of(&b).take_over(now, true);
    assert!(of(&b).apply_from(now, "b", 1, 0, Deed::Error { message: "x".into() }));
    assert_eq!(read(&b, Kind::Events).len(), 1, "that it was done is known");
}

#[test]
fn an_erased_call_is_followed_no_more() {
    let (a, b) = pair();
    let now = Now::take();
    a.open(now, &sid()).unwrap();
    tell(&a, &b, Cursor::default()).unwrap();
    b.erased_elsewhere(now, &sid());
    tell(&a, &b, Cursor::default()).unwrap();
    assert!(b.known(&sid()).is_none() && b.is_erased(now, &sid()));
    assert_eq!(b.counts(), (0, 0));
}

#[test]
fn a_later_stream_is_heard_though_its_relay_s_clock_is_behind() {
    let (a, b, c) = (registry("a"), registry("b"), registry("c"));
    let now = Now::take();
    let ahead = Now {
        wall: now.wall.plus_ms(60_000),
        ..now
    };
    let at = |registry: &Registry| lock(&of(registry).state).stream_info().map(|info| info.audio_id);
    a.open(ahead, &sid())
        .unwrap()
        .accept_stream(ahead, 1, stream("MZ1"));
    for other in [&b, &c] {
        tell(&a, other, Cursor::default()).unwrap();
    }
    of(&b).take_over(now, true);
    of(&b).accept_stream(now, 2, stream("MZ2"));
    tell(&b, &c, Cursor::default()).unwrap();
    assert_eq!((at(&c), of(&c).view().node.as_str()), (Some(2), "b"));
    // The same relay's clock counts.
    lock(&of(&c).state).hear_stream(StreamInfo {
        audio_id: 3,
        zero_at: now.wall.plus_ms(-1),
    });
    assert_eq!(at(&c), Some(2));
}
