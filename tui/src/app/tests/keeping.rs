//! Clips and marks: what the keys ask for, and what is said of the answers.

use super::*;

/// A monitor that hears `CA1`.
fn hears() -> Story {
    let mut story = Story::shows("CA1");
    story.press(Intent::Listen);
    story
}

fn mark(at: Option<UtcTime>) -> Effect {
    Effect::Mark { call: key("CA1"), at }
}

fn marked(why_not: Option<&str>) -> FromRelay {
    FromRelay::Marked {
        call: sid("CA1"),
        why_not: why_not.map(str::to_owned),
    }
}

#[test]
fn c_keeps_what_is_heard_and_says_where_it_lies() {
    let mut story = Story::shows("CA1");
    assert_eq!(story.press(Intent::Clip), []);
    assert!(story.notice().contains("nothing is heard"));
    let mut story = hears();
    assert_eq!(story.press(Intent::Clip), [Effect::Clip(key("CA1"))]);
    assert_eq!(story.press(Intent::Clip), [], "one at a time");
    assert!(story.notice().contains("not answered"));
    story.happens(Event::Kept(key("CA1"), Ok("~/clips/a.wav".to_owned())));
    assert_eq!(story.notice(), "kept: ~/clips/a.wav");
    assert_eq!(story.press(Intent::Clip), [Effect::Clip(key("CA1"))]);
    let why = "keeping audio needs the right save\u{1b}[31m";
    story.happens(Event::Kept(key("CA1"), Err(why.to_owned())));
    assert!(story.app.notice.as_ref().unwrap().is_trouble);
    assert!(
        story
            .notice()
            .starts_with("not kept: keeping audio needs the right save")
    );
    assert!(!story.notice().contains('\u{1b}'));
    assert_eq!(story.press(Intent::Clip), [Effect::Clip(key("CA1"))], "and again");
}

#[test]
fn m_marks_what_is_heard_now_or_the_shown_call_now() {
    let mut story = Story::shows("CA1");
    assert_eq!(story.press(Intent::Mark), [mark(None)]);
    story.relay(marked(None));
    assert!(story.notice().contains("marked"));
    let mut story = hears();
    assert_eq!(story.press(Intent::Mark), [mark(None)]);
    let behind = Playback {
        state: Playing::Behind,
        behind_ms: 7_500,
        ..Playback::default()
    };
    story.happens(Event::Sound(FromSound::Playback(behind)));
    let meant = story.app.now.utc.plus_ms(-7_500);
    assert_eq!(story.press(Intent::Mark), [mark(Some(meant))]);
    assert_eq!(
        [story.press(Intent::Mark), story.press(Intent::Mark)]
            .concat()
            .len(),
        2
    );
    assert_eq!(story.press(Intent::Mark), [], "four wait");
    assert!(story.notice().contains("not answered"));
    story.relay(marked(Some("at has to be no later than now\u{202e}")));
    assert!(story.app.notice.as_ref().unwrap().is_trouble && !story.notice().contains('\u{202e}'));
    assert_eq!(story.press(Intent::Mark).len(), 1);
    // Another call that is looked at meanwhile is not the one that is heard.
    story.change(call("CA2", 1_000));
    story.press(Intent::Down);
    story.relay(marked(None));
    assert!(matches!(&story.press(Intent::Mark)[..], [Effect::Mark { call, .. }] if *call == key("CA1")));
}

#[test]
fn a_monitor_that_only_reads_or_a_relay_that_is_away_is_asked_for_nothing() {
    let mut story = hears();
    story.app.read_only = true;
    for (intent, word) in [(Intent::Clip, "read-only"), (Intent::Mark, "read-only")] {
        assert_eq!(story.press(intent), []);
        assert!(story.notice().contains(word));
    }
    story.app.read_only = false;
    story.relay(cut());
    for intent in [Intent::Clip, Intent::Mark] {
        assert_eq!(story.press(intent), []);
        assert!(story.notice().contains("away"), "{}", story.notice());
    }
    story.relay(connected());
    assert_eq!(story.press(Intent::Clip), [Effect::Clip(key("CA1"))]);
    let mut story = Story::new();
    assert_eq!(story.press(Intent::Mark), []);
    assert!(story.notice().contains("no call"));
}
