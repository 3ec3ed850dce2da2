//! Holding a call back from everybody, and letting it go.

use super::*;

fn may(role: &str, allow: &[&str]) -> FromRelay {
    FromRelay::Connected {
        user: "alice".to_owned(),
        role: role.to_owned(),
        allow: allow.iter().map(|right| (*right).to_owned()).collect(),
        node: "n1".to_owned(),
    }
}

fn hold(on: bool) -> Effect {
    Effect::Hold { call: key("CA1"), on }
}

fn answered(on: bool, why_not: Option<&str>) -> FromRelay {
    FromRelay::Held {
        call: sid("CA1"),
        on,
        why_not: why_not.map(str::to_owned),
    }
}

fn paused(on: bool) -> Call {
    Call {
        paused: on,
        ..call("CA1", 0)
    }
}

#[test]
fn h_asks_the_relay_and_believes_what_the_relay_says() {
    let mut story = Story::shows("CA1");
    assert_eq!(story.press(Intent::Hold), [hold(true)]);
    assert!(
        !story.app.shown_row().unwrap().paused,
        "not before the relay says so"
    );
    assert_eq!(story.press(Intent::Hold), [], "one request at a time");
    assert!(story.notice().contains("not answered"));
    story.change(paused(true));
    story.relay(answered(true, None));
    assert!(story.notice().contains("held back") && story.app.shown_row().unwrap().paused);
    assert_eq!(story.press(Intent::Hold), [hold(false)]);
    story.relay(answered(false, Some("\u{1b}[31mnot on record")));
    assert!(story.app.notice.as_ref().unwrap().is_trouble);
    assert!(story.notice().contains("still held back") && !story.notice().contains('\u{1b}'));
    assert_eq!(story.press(Intent::Hold), [hold(false)], "and again");
}

#[test]
fn it_is_the_call_under_the_cursor_also_before_that_is_shown() {
    let mut story = Story::shows("CA1");
    story.change(call("CA2", 1_000));
    story.press(Intent::Down);
    let effects = story.press(Intent::Hold);
    assert!(matches!(&effects[..], [Effect::Hold { call, on: true }] if *call == key("CA2")));
}

#[test]
fn who_may_not_is_told_why_and_nothing_is_asked() {
    let mut story = Story::new();
    story.press(Intent::Hold);
    assert!(story.notice().contains("no call"));
    let mut story = Story::shows("CA1");
    for (role, allow) in [("user", &["save"][..]), ("supervisor", &[])] {
        story.relay(may(role, allow));
        assert_eq!(story.press(Intent::Hold), []);
        assert!(story.notice().contains("right"), "{}", story.notice());
    }
    story.relay(may("user", &["pause"]));
    story.app.read_only = true;
    assert_eq!(story.press(Intent::Hold), []);
    assert!(story.notice().contains("read-only"));
    story.app.read_only = false;
    story.relay(cut());
    assert_eq!(story.press(Intent::Hold), []);
    assert!(story.notice().contains("away"));
    story.relay(may("user", &["pause"]));
    story.change(ended(call("CA1", 0), 10));
    assert_eq!(story.press(Intent::Hold), []);
    assert!(story.notice().contains("over"));
    story.change(call("CA1", 0));
    assert_eq!(story.press(Intent::Hold), [hold(true)]);
}
