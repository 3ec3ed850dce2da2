//! Keys that are about the program, panes and the clipboard.

use super::*;
use crate::app::state::Pane;
use crate::app::update::TYPED_MAX;

#[test]
fn tab_goes_round_the_panes() {
    let mut story = Story::new();
    let mut seen = Vec::new();
    for _ in 0..4 {
        story.press(Intent::NextPane);
        seen.push(story.app.focus);
    }
    assert_eq!(seen, [Pane::Call, Pane::Transcript, Pane::Events, Pane::Calls]);
    story.press(Intent::PrevPane);
    assert_eq!(story.app.focus, Pane::Events);
}

#[test]
fn y_copies_what_the_pane_is_about() {
    let mut story = Story::shows("CA1");
    story.says("CA1", said(1, "one"));
    story.says("CA1", said(2, "two"));
    story.relay(happened("CA1", 1, EventKind::Mark, json!({"digit": "5"})));
    assert_eq!(story.press(Intent::Copy), [Effect::Copy("CA1".to_owned())]);
    assert_eq!(story.notice(), "copied CA1");
    story.app.focus = Pane::Transcript;
    assert_eq!(
        story.press(Intent::Copy),
        [Effect::Copy("09:00:00 customer: two".to_owned())]
    );
    story.press(Intent::Up);
    assert_eq!(
        story.press(Intent::Copy),
        [Effect::Copy("09:00:00 customer: one".to_owned())]
    );
    story.press(Intent::Privacy);
    assert_eq!(
        story.press(Intent::Copy),
        [Effect::Copy("09:00:00 customer: one".to_owned())]
    );
    assert!(!story.notice().contains("one"), "{}", story.notice());
    story.app.focus = Pane::Events;
    assert_eq!(
        story.press(Intent::Copy),
        [Effect::Copy("09:00:00 mark digit=5".to_owned())]
    );
}

#[test]
fn the_help_takes_the_keys_that_move() {
    let mut story = Story::new();
    story.change(call("a", 0));
    story.change(call("b", 1));
    story.press(Intent::Help);
    story.app.sizes.help = 7;
    story.press(Intent::Down);
    assert_eq!((story.app.help_scroll, story.selected()), (1, Some("a")));
    story.press(Intent::End);
    story.press(Intent::PageDown);
    assert_eq!(story.app.help_scroll, 7);
    story.press(Intent::Up);
    assert_eq!(story.app.help_scroll, 6, "the first step back is seen");
    story.press(Intent::Cancel);
    assert!(!story.app.help);
    assert_eq!(story.press(Intent::Quit), [Effect::Quit]);
    assert_eq!(story.press(Intent::Suspend), [Effect::Suspend]);
    assert_eq!(story.press(Intent::Redraw), [Effect::Redraw]);
}

#[test]
fn what_is_typed_is_clean_and_bounded() {
    let mut story = Story::new();
    story.press(Intent::Find);
    story.type_text("a\u{1b}\u{202e}\nb");
    assert_eq!(story.app.typing.as_ref().unwrap().text, "ab");
    story.type_text(&"x".repeat(200));
    assert_eq!(story.app.typing.as_ref().unwrap().text.chars().count(), TYPED_MAX);
    story.press(Intent::EraseAll);
    assert_eq!(story.app.typing.as_ref().unwrap().text, "");
    story.press(Intent::Erase);
    assert!(story.app.typing.is_none(), "out of an empty text, out of typing");
}

#[test]
fn a_notice_goes_by_itself_and_trouble_stays_longer() {
    let mut story = Story::new();
    story.press(Intent::Privacy);
    assert_eq!(story.app.deadline(), Some(4_000));
    story.wait(3_999);
    assert_ne!(story.notice(), "");
    story.wait(1);
    assert_eq!((story.notice(), story.app.deadline()), ("", None));
    story.relay(FromRelay::Complaint("bad\u{1b}]0;x".to_owned()));
    assert_eq!(story.notice(), "bad]0;x");
    assert_eq!(story.app.deadline(), Some(14_000));
    story.press(Intent::Cancel);
    assert_eq!(story.notice(), "", "or with Esc");
}

#[test]
fn every_key_is_answered_at_once() {
    let mut story = Story::shows("CA1");
    for intent in [
        Intent::Down,
        Intent::Louder,
        Intent::Help,
        Intent::Cancel,
        Intent::NextPane,
        Intent::Find,
    ] {
        assert_eq!(story.dirt(Event::Intent(intent)), Dirty::Now, "{intent:?}");
    }
    let line = FromRelay::Line {
        call: sid("CA1"),
        line: said(1, "x"),
    };
    assert_eq!(story.dirt(Event::Relay(HERE, line.clone())), Dirty::Now);
    assert_eq!(story.dirt(Event::Relay(HERE, line)), Dirty::Clean, "it is known");
}
