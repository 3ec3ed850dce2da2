//! Relays come and go.

use super::*;
use crate::app::state::Link;

fn away(story: &Story) -> (UtcTime, u64) {
    match &story.app.relays[0].link {
        Link::Away { since, retry_at, .. } => (*since, *retry_at),
        other => panic!("{other:?}"),
    }
}

fn missed(frames: u32, track: Track) -> FromRelay {
    FromRelay::Missed {
        call: sid("CA1"),
        track,
        frames,
        reason: "away",
    }
}

#[test]
fn levels_are_asked_for_once_a_relay() {
    let mut story = Story::of(&["home"]);
    assert_eq!(story.relay(connected()), [Effect::Watch(HERE, 5)]);
    story.relay(cut());
    assert_eq!(
        story.relay(connected()),
        [],
        "the connection asks again by itself"
    );
    assert_eq!(
        story.app.relays[0].user,
        Some(("alice".to_owned(), "admin".to_owned()))
    );
}

#[test]
fn a_relay_that_is_away_says_since_when_and_when_next_and_its_calls_stay() {
    let mut story = Story::shows("CA1");
    story.wait(5_000);
    let gone = story.ms;
    story.relay(cut());
    assert_eq!(away(&story), (at(gone).utc, gone + 1_000));
    assert_eq!(story.notice(), "", "the status line says it");
    assert_eq!(story.order(), ["CA1"]);
    story.wait(3_000);
    story.relay(cut());
    assert_eq!(
        away(&story),
        (at(gone).utc, story.ms + 1_000),
        "since the first cut"
    );
    assert!(
        story.app.deadline().is_some(),
        "the time until the next attempt runs down"
    );
}

#[test]
fn what_was_missed_is_said_once_after_a_relay_is_back() {
    let mut story = Story::shows("CA1");
    story.press(Intent::Listen);
    story.relay(cut());
    story.wait(12_000);
    story.relay(connected());
    story.follows("CA1", true);
    story.relay(missed(200, Track::Inbound));
    story.relay(missed(10, Track::Inbound));
    story.relay(missed(190, Track::Outbound));
    story.wait(1_999);
    assert!(!story.notice().contains("back"), "{}", story.notice());
    story.wait(1);
    assert_eq!(story.notice(), "back after 12 s: missed 4.2 s of audio, 0 lines");
    assert_eq!(story.app.shown_texts().unwrap().missed_ms.customer, 4_200);
    story.wait(60_000);
    assert_eq!(story.notice(), "");
}

#[test]
fn lines_that_nobody_can_answer_for_are_not_called_none() {
    let mut story = Story::shows("CA1");
    story.relay(cut());
    story.wait(90_000);
    story.relay(connected());
    story.follows("CA1", false);
    story.wait(2_000);
    assert_eq!(story.notice(), "back after 1 min 30 s: missed perhaps some lines");
    story.relay(cut());
    story.relay(connected());
    story.wait(2_000);
    assert_eq!(
        story.notice(),
        "back after 0 s: missed perhaps some lines",
        "not confirmed"
    );
}

/// What a relay did not take while it was down, it cannot count.
#[test]
fn audio_that_a_restarted_relay_cannot_answer_for_is_not_called_none() {
    for (frames, said) in [(0, "perhaps some audio"), (210, "at least 4.2 s of audio")] {
        let mut story = Story::shows("CA1");
        story.press(Intent::Listen);
        story.relay(cut());
        story.wait(4_000);
        story.relay(connected());
        story.follows("CA1", false);
        if frames > 0 {
            story.relay(missed(frames, Track::Inbound));
        }
        story.wait(2_000);
        assert_eq!(
            story.notice(),
            format!("back after 4 s: missed {said}, perhaps some lines")
        );
    }
}

#[test]
fn the_first_connection_is_no_return() {
    let mut story = Story::of(&["home"]);
    story.relay(cut());
    story.wait(30_000);
    story.relay(connected());
    story.wait(3_000);
    assert_eq!(story.notice(), "");
}

#[test]
fn a_refusal_says_what_to_do_and_not_again_at_each_attempt() {
    let mut story = Story::of(&["one", "two"]);
    let refused = FromRelay::Refused {
        why: "401: `partyline login` stores a new token".to_owned(),
        retry_ms: None,
    };
    story.relay(refused.clone());
    assert_eq!(story.notice(), "one: 401: `partyline login` stores a new token");
    story.wait(20_000);
    assert_eq!(
        story.app.deadline(),
        None,
        "nothing runs down where only a token helps"
    );
    story.relay(refused);
    assert_eq!(story.notice(), "");
    assert_eq!(
        story.press(Intent::Retry),
        [Effect::Retry(RelayId(0)), Effect::Retry(RelayId(1))]
    );
    story.relay(connected());
    assert_eq!(story.press(Intent::Retry), [Effect::Retry(RelayId(1))]);
}

#[test]
fn levels_of_a_relay_that_is_away_are_unknown() {
    let mut story = Story::shows("CA1");
    story.relay(FromRelay::Levels(vec![level("CA1", -10.0, -20.0)]));
    story.relay(cut());
    assert_eq!(story.app.row(&key("CA1")).unwrap().level.customer, None);
}

#[test]
fn a_relay_that_does_not_exist_changes_nothing() {
    let mut story = Story::new();
    let before = format!("{:?}", story.app.list);
    assert_eq!(
        story.happens(Event::Relay(RelayId(9), FromRelay::Snapshot(vec![call("x", 0)]))),
        []
    );
    assert_eq!(format!("{:?}", story.app.list), before);
}

#[test]
fn a_ping_is_shown_with_the_next_picture_and_is_none_of_its_own() {
    let mut story = Story::new();
    let ping = |ms| Event::Relay(HERE, FromRelay::RoundTrip { ms });
    for ms in [12, 14, 400] {
        assert_eq!(
            story.dirt(ping(ms)),
            Dirty::Clean,
            "where nothing happens nothing is drawn"
        );
        assert_eq!(story.app.relays[0].round_trip_ms, Some(ms));
    }
}

#[test]
fn a_call_that_a_restarted_relay_has_not_named_is_as_of_the_cut_and_no_longer_counted() {
    let mut story = Story::shows("CA1");
    story.press(Intent::Listen);
    let gone = at(story.ms).utc;
    story.relay(cut());
    story.wait(11_000);
    story.relay(connected());
    story.relay(FromRelay::Snapshot(Vec::new()));
    assert_eq!(story.order(), ["CA1"], "it is looked at");
    let row = story.app.row(&key("CA1")).unwrap();
    assert_eq!(story.app.as_of(row), Some(gone));
    story.wait(2_000);
    assert_eq!(
        story.notice(),
        "back after 11 s: missed perhaps some audio, perhaps some lines"
    );
    story.relay(FromRelay::Changed(Box::new(call("CA1", 0))));
    let row = story.app.row(&key("CA1")).unwrap();
    assert_eq!(story.app.as_of(row), None);
}
