//! A day at the monitor, as it is heard.

use partyline_shared::event::EventKind;

use super::*;
use crate::app::state::{Notice, Typing};
use crate::app::text::{Happened, Said, Side};
use crate::event::{Mix, Playing};
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
    assert_eq!(plain.report(&app), ["sound: 4 seconds behind live"]);

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
fn heard_calls_and_their_past_are_read_out() {
    let mut plain = Plain::new();
    let mut app = with(empty(), vec![call(0), call(1), call(2)]);
    app.heard = Some(key(0, 0));
    app.playback.state = Playing::Live;
    plain.report(&app);
    let seat = |app: &App, number: usize| crate::app::seats::Seat {
        call: key(0, number),
        replay: Default::default(),
        playback: app.playback,
    };
    app.behind = vec![seat(&app, 0)];
    app.heard = Some(key(0, 1));
    assert_eq!(
        plain.report(&app),
        [
            "you hear customer 12456",
            "behind it, more quietly: customer 12345",
            "sound: live"
        ]
    );
    app.playback.state = Playing::Behind;
    app.playback.behind_ms = 61_000;
    assert_eq!(plain.report(&app), ["sound: 1 minute behind live"]);
    app.playback.behind_ms = 70_000;
    assert_eq!(
        plain.report(&app),
        Vec::<String>::new(),
        "time passes without a word"
    );
    app.replay.fast = true;
    app.replay.skip_silence = true;
    assert_eq!(plain.report(&app), ["1.5 times as fast", "without silence"]);
    app.replay.fast = false;
    assert_eq!(plain.report(&app), ["as fast as it was said"]);
    app.behind.clear();
    app.list.selected = Some(key(0, 1));
    assert_eq!(
        plain.report(&app),
        [
            "no other call is heard",
            "call 2 of 3: in progress, customer 12456, agent bob, 3 minutes, you hear it"
        ]
    );
    app.follow_on = Some(crate::app::seats::FollowOn {
        whom: Side::Agent,
        name: "client:bob".to_owned(),
        call: key(0, 1),
        waits: true,
    });
    app.heard = None;
    assert_eq!(
        plain.report(&app),
        ["you hear nothing", "waits for the next call of agent bob"]
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

#[test]
fn a_call_that_another_relay_shows_now_is_no_new_one() {
    let mut plain = Plain::new();
    let mut app = with(empty(), vec![call(0)]);
    app.relays.push(app.relays[0].clone());
    plain.report(&app);
    let twin = key(1, 0);
    app.list.twins.insert(
        twin.clone(),
        Row {
            key: twin.clone(),
            ..call(0)
        },
    );
    app.list.trade(&key(0, 0), &twin);
    let said = plain.report(&app);
    assert!(!said.iter().any(|line| line.starts_with("new call")), "{said:?}");
}

#[test]
fn how_each_side_is_set_is_told_where_no_notice_has_told_it() {
    let mut app = busy();
    let mut plain = Plain::new();
    plain.report(&app);
    app.mix.customer.gain_db = -4;
    app.mix.agent.muted = true;
    app.mix.auto_level = true;
    assert_eq!(
        plain.report(&app),
        ["customer -4 dB", "agent muted", "auto-level on"]
    );
    app.mix = Mix::default();
    assert_eq!(
        plain.report(&app),
        ["customer 0 dB", "agent 0 dB", "auto-level off"]
    );
}
