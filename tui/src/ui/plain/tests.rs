//! A day at the monitor, as it is heard.

use partyline_shared::event::EventKind;

use super::*;
use crate::app::state::{Notice, Typing};
use crate::app::text::{Happened, Said, Side};
use crate::ui::tests::fixture::{at, busy, call, empty, ended, happened, key, said, with};

#[test]
fn a_day_as_it_is_heard() {
    let mut plain = Plain::new();
    let mut app = empty();
    assert_eq!(plain.report(&app), ["relay home: online"]);
    app = with(app, vec![call(0), call(1)]);
    app.shown = None;
    assert_eq!(
        plain.report(&app),
        [
            "new call: in progress, customer 12345",
            "new call: in progress, customer 12456",
            "call 1 of 2: in progress, customer 12345, agent alice, 3 minutes",
        ]
    );
    assert_eq!(plain.report(&app), Vec::<String>::new(), "nothing is said twice");
    app.now.utc = at("13:06:00");
    app.playback.delay_ms = Some(80);
    assert_eq!(
        plain.report(&app),
        Vec::<String>::new(),
        "time passes without a word"
    );

    app.list.selected = Some(key(0, 1));
    assert_eq!(
        plain.report(&app),
        ["call 2 of 2: in progress, customer 12456, agent bob, 4 minutes"]
    );
    app.heard = Some(key(0, 1));
    app.playback.state = Playing::Live;
    assert_eq!(plain.report(&app), ["you hear customer 12456", "sound: live"]);
    app.mix.volume_db = 3;
    app.mix.muted = true;
    assert_eq!(plain.report(&app), ["muted", "volume +3 dB"]);
    app.playback.state = Playing::Behind;
    app.playback.behind_ms = 4200;
    assert_eq!(plain.report(&app), ["sound: 4.2 s behind live"]);

    app.list.calls.insert(key(0, 0), ended(0));
    app.relays[0].link = Link::Away {
        since: at("13:06:00"),
        why: "connection refused".to_owned(),
        retry_at: 1,
    };
    app.notice = Some(Notice {
        text: "the relay is gone".to_owned(),
        is_trouble: true,
        until: 1,
    });
    assert_eq!(
        plain.report(&app),
        [
            "relay home: away since 13:06: connection refused",
            "trouble: the relay is gone",
            "customer 12345: ended",
        ]
    );
}

#[test]
fn words_are_read_once_and_only_when_they_are_final() {
    let mut plain = Plain::new();
    let mut app = busy();
    let first = plain.report(&app);
    assert!(
        first.contains(&"agent: It left our warehouse yesterday and should reach you on Tuesday.".to_owned()),
        "{first:?}"
    );
    assert!(!first.iter().any(|line| line.contains("as long as")), "{first:?}");
    let texts = app.texts.get_mut(&key(0, 0)).unwrap();
    texts.lines.pop();
    texts.lines.push(Said {
        hole_ms: 1240,
        ..said(9, "13:05:01", Side::Customer, "Tuesday is fine.")
    });
    texts.events.push(Happened {
        is_trouble: true,
        ..happened(7, "13:05:02", EventKind::StreamLost, &[("reason", "reset")])
    });
    assert_eq!(
        plain.report(&app),
        [
            "1.2 s not heard",
            "customer: Tuesday is fine.",
            "trouble: stream lost: reset"
        ]
    );
    app.focus = Pane::Transcript;
    app.texts.get_mut(&key(0, 0)).unwrap().lines_view.bottom = Some(6);
    assert_eq!(plain.report(&app), ["transcript", "13:02:31 customer: Okay."]);
}

#[test]
fn privacy_masks_what_is_read_out() {
    let mut plain = Plain::new();
    let mut app = busy();
    app.privacy = true;
    let lines = plain.report(&app).join("\n");
    assert!(lines.contains("customer: masked"), "{lines}");
    assert!(!lines.contains("12345") && !lines.contains("Okay"), "{lines}");
}

#[test]
fn many_changes_at_once_are_counted() {
    let mut plain = Plain::new();
    plain.report(&empty());
    let mut app = with(empty(), (0..40).map(call).collect());
    app.list.selected = None;
    assert_eq!(plain.report(&app), ["40 calls have changed"]);
    app.list.filter = "bob".to_owned();
    app.list.order.truncate(10);
    app.typing = Some(Typing::default());
    assert_eq!(
        plain.report(&app),
        ["filter bob: 10 of 40 calls", "type a filter, then Enter"]
    );
}

#[test]
fn nothing_that_only_a_screen_can_show_is_read_out() {
    let mut plain = Plain::new();
    let mut lines = plain.report(&busy());
    lines.extend(Plain::help(&busy()));
    for line in lines {
        assert!(
            !line.chars().any(|c| ('\u{2190}'..='\u{28ff}').contains(&c)),
            "{line}"
        );
        assert!(!line.is_empty());
    }
}
