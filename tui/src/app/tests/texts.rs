//! Transcript and events: each once, in its place, and still there when one looks back.

use super::*;
use crate::app::state::Pane;
use crate::app::text::{Said, Side};

fn texts(story: &Story) -> &crate::app::text::Texts {
    story.app.shown_texts().unwrap()
}

#[test]
fn partials_are_replaced_and_closed_side_by_side() {
    let mut story = Story::shows("CA1");
    story.says("CA1", line(1, Track::Inbound, "he", false));
    story.says("CA1", line(2, Track::Outbound, "good", false));
    story.says("CA1", line(3, Track::Inbound, "hello", false));
    assert_eq!(
        story.lines(),
        ["~hello", "~good"],
        "two who speak at once do not change places"
    );
    story.says("CA1", line(4, Track::Outbound, "good day", true));
    assert_eq!(story.lines(), ["good day", "~hello"], "what is open is last");
    story.says("CA1", line(5, Track::Inbound, "hello there", true));
    assert_eq!(story.lines(), ["good day", "hello there"]);
    story.says("CA1", line(5, Track::Inbound, "twice", true));
    assert_eq!(story.lines().len(), 2);
    let sides: Vec<Side> = texts(&story).lines.iter().map(|line| line.side).collect();
    assert_eq!(sides, [Side::Agent, Side::Customer]);
}

#[test]
fn ids_grow_along_the_text_whatever_is_replaced() {
    let mut story = Story::shows("CA1");
    for n in 0..300 {
        let track = if n % 3 == 0 {
            Track::Inbound
        } else {
            Track::Outbound
        };
        story.says("CA1", line(n + 1, track, "x", n % 5 == 0));
    }
    let ids: Vec<u64> = texts(&story).lines.iter().map(|line| line.id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
}

#[test]
fn an_older_journal_is_kept_and_marked() {
    let mut story = Story::shows("CA1");
    story.says("CA1", said(1, "before"));
    story.says("CA1", line(2, Track::Inbound, "open", false));
    story.relay(FromRelay::Journal {
        call: sid("CA1"),
        journal: "k".to_owned(),
    });
    story.says("CA1", said(1, "after"));
    assert_eq!(story.lines(), ["old before", "old open", "after"]);
}

/// The relay begins at the beginning when a call is asked for anew; what is here stays where it is.
#[test]
fn a_call_that_is_looked_at_again_shows_each_line_once() {
    let mut story = Story::shows("a");
    story.change(call("b", 1_000));
    for n in 1..=3 {
        story.says("a", said(n, &format!("line {n}")));
    }
    story.relay(happened("a", 1, EventKind::StreamStarted, json!({"audio_id": 7})));
    let kept = texts(&story).lines[1].id;
    story.press(Intent::Down);
    story.wait(200);
    story.says("a", said(4, "unseen"));
    story.press(Intent::Up);
    assert_eq!(
        story.wait(200),
        [Effect::Follow(key("a")), Effect::Unfollow(key("b"))]
    );
    assert_eq!(story.lines().len(), 3, "at once");
    story.follows("a", false);
    for n in 1..=5 {
        let text = if n == 4 {
            "unseen".to_owned()
        } else {
            format!("line {n}")
        };
        story.says("a", said(n, &text));
    }
    story.relay(happened("a", 1, EventKind::StreamStarted, json!({"audio_id": 7})));
    assert_eq!(story.lines(), ["line 1", "line 2", "line 3", "unseen", "line 5"]);
    assert_eq!(texts(&story).lines[1].id, kept);
    assert_eq!(texts(&story).events.len(), 1);
}

#[test]
fn a_journal_that_changed_while_nobody_looked_is_told_by_what_it_says() {
    let mut story = Story::shows("a");
    story.change(call("b", 1_000));
    story.says("a", said(1, "first"));
    story.says("a", said(2, "second"));
    story.press(Intent::Down);
    story.wait(200);
    story.press(Intent::Up);
    story.wait(200);
    story.follows("a", false);
    story.says("a", said(1, "something else"));
    story.says("a", said(2, "and more"));
    assert_eq!(
        story.lines(),
        ["old first", "old second", "something else", "and more"]
    );
}

#[test]
fn scroll_back_stays_put_and_end_follows_again() {
    let mut story = Story::shows("CA1");
    for n in 1..=20 {
        story.says("CA1", said(n, &format!("line {n}")));
    }
    story.app.focus = Pane::Transcript;
    let bottom = |story: &Story| {
        let texts = texts(story);
        let at = texts.lines_view.bottom_index(&texts.lines).unwrap();
        texts.lines[at].text.clone()
    };
    story.press(Intent::Up);
    story.press(Intent::PageUp);
    assert_eq!(bottom(&story), "line 14");
    story.says("CA1", said(21, "line 21"));
    assert_eq!(bottom(&story), "line 14");
    story.press(Intent::Home);
    assert_eq!(
        bottom(&story),
        "line 10",
        "a pane of ten rows begins with the first"
    );
    story.press(Intent::End);
    story.says("CA1", said(22, "line 22"));
    assert_eq!(bottom(&story), "line 22");
    story.press(Intent::Up);
    story.press(Intent::Down);
    assert_eq!(texts(&story).lines_view.bottom, None, "at the end it follows");
}

#[test]
fn a_view_that_stands_on_a_partial_goes_on_with_what_it_became() {
    let mut story = Story::shows("CA1");
    story.app.focus = Pane::Transcript;
    story.says("CA1", said(1, "one"));
    story.says("CA1", line(2, Track::Inbound, "tw", false));
    story.says("CA1", line(3, Track::Outbound, "three", false));
    story.press(Intent::Up);
    story.says("CA1", line(4, Track::Inbound, "two", true));
    let texts = texts(&story);
    let at = texts.lines_view.bottom_index(&texts.lines).unwrap();
    assert_eq!(texts.lines[at].text, "two");
}

#[test]
fn a_search_finds_as_it_is_typed_goes_on_and_wraps() {
    let mut story = Story::shows("CA1");
    for (n, text) in ["Refund please", "no", "the refund", "yes", "a REFUND"]
        .iter()
        .enumerate()
    {
        story.says("CA1", said(n as u64 + 1, text));
    }
    story.app.focus = Pane::Transcript;
    let found = |story: &Story| {
        let texts = texts(story);
        texts
            .lines_view
            .found_index(&texts.lines)
            .map(|at| texts.lines[at].text.clone())
    };
    story.press(Intent::Find);
    story.type_text("refu");
    assert_eq!(
        found(&story).as_deref(),
        Some("a REFUND"),
        "the nearest above the bottom"
    );
    story.press(Intent::Accept);
    story.press(Intent::PrevMatch);
    assert_eq!(found(&story).as_deref(), Some("the refund"));
    story.press(Intent::PrevMatch);
    story.press(Intent::PrevMatch);
    assert_eq!(found(&story).as_deref(), Some("a REFUND"));
    assert!(story.notice().contains("from the end again"));
    story.press(Intent::NextMatch);
    assert_eq!(found(&story).as_deref(), Some("Refund please"));
    assert!(story.notice().contains("from the beginning again"));
    let before = texts(&story).lines_view.clone();
    story.press(Intent::Find);
    story.type_text("yes");
    assert_eq!(found(&story).as_deref(), Some("yes"));
    story.press(Intent::Cancel);
    assert_eq!(texts(&story).lines_view, before, "as it was");
    story.press(Intent::Find);
    story.type_text("zebra");
    story.press(Intent::Accept);
    assert_eq!(story.notice(), "nothing matches");
    story.press(Intent::Cancel);
    assert_eq!(texts(&story).lines_view.search, "");
}

#[test]
fn events_are_flat_clean_and_say_whether_something_is_wrong() {
    let mut story = Story::shows("CA1");
    let detail = json!({"reason": "bad\u{1b}[2Jthing", "count": 3, "none": null, "tracks": ["inbound"]});
    story.relay(happened("CA1", 1, EventKind::StreamRefused, detail));
    story.relay(happened("CA1", 2, EventKind::ListenerJoined, json!({})));
    let events = &texts(&story).events;
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        events[0].detail,
        [
            pair("count", "3"),
            pair("reason", "bad[2Jthing"),
            pair("tracks", "[\"inbound\"]")
        ]
    );
    assert_eq!((events[0].is_trouble, events[1].is_trouble), (true, false));
    story.app.focus = Pane::Events;
    story.press(Intent::Find);
    story.type_text("reason=bad");
    assert!(texts(&story).events_view.found.is_some());
}

#[test]
fn lines_are_bounded_and_what_goes_is_counted() {
    let mut story = Story::shows("CA1");
    story.app.focus = Pane::Transcript;
    story.says("CA1", said(1, "first"));
    story.says("CA1", said(2, "second"));
    story.press(Intent::Up);
    for n in 3..=2_010 {
        story.says("CA1", said(n, "x"));
    }
    let texts = texts(&story);
    assert_eq!((texts.lines.len(), texts.forgotten_lines), (2_000, 10));
    assert_eq!(
        texts.lines_view.bottom,
        Some(texts.lines[0].id),
        "the view is on what is left"
    );
}

#[test]
fn texts_of_a_few_calls_are_kept_and_those_of_the_oldest_go() {
    let mut story = Story::new();
    let names: Vec<String> = (10..25).map(|n| format!("c{n}")).collect();
    let calls = names.iter().enumerate().map(|(n, name)| call(name, n as i64));
    story.relay(FromRelay::Snapshot(calls.collect()));
    story.press(Intent::Listen);
    for _ in 0..14 {
        story.press(Intent::Down);
        story.wait(200);
    }
    assert_eq!(story.app.texts.len(), crate::app::update::TEXTS_KEPT);
    assert!(story.app.texts.contains_key(&key("c10")), "it is heard");
    assert!(!story.app.texts.contains_key(&key("c11")));
    assert!(story.app.texts.contains_key(&key("c24")));
}

#[test]
fn what_is_erased_at_the_relay_is_gone_here() {
    let mut story = Story::shows("CA1");
    story.says("CA1", said(1, "secret"));
    assert_eq!(
        story.relay(FromRelay::Removed(sid("CA1"))),
        [Effect::Unfollow(key("CA1"))]
    );
    assert!(story.app.texts.is_empty() && story.app.shown.is_none());
}

#[test]
fn roles_that_turn_out_otherwise_turn_the_lines_round() {
    let mut story = Story::shows("CA1");
    story.says("CA1", said(1, "hello"));
    let mut other = call("CA1", 0);
    other.roles = roles(Track::Inbound);
    story.change(other);
    let line: &Said = &texts(&story).lines[0];
    assert_eq!(line.side, Side::Agent);
}
