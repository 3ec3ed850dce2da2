//! The list of calls.

use partyline_shared::call::CallStatus;

use super::fixture::{at, busy, call, empty, ended, relay, states, with};
use super::{assert_picture, picture};
use crate::app::calls::{PerSide, Row, Sort};
use crate::app::state::{App, Link, Pane, Typing};
use crate::event::RelayId;

fn away(why: &str) -> Link {
    Link::Away {
        since: at("13:02:00"),
        why: why.to_owned(),
        retry_at: 103_100,
    }
}

#[test]
fn empty_lists_say_what_comes_next() {
    assert_picture("list_empty", picture(&empty(), 80, 24));
    let mut app = empty();
    app.relays[0].link = away("connection refused");
    assert_picture("list_not_connected", picture(&app, 80, 24));
    app.relays[0].link = Link::Connecting {
        since: at("13:04:58"),
    };
    assert_picture("list_connecting", picture(&app, 60, 15));
}

#[test]
fn a_list_of_one() {
    assert_picture("list_one", picture(&with(empty(), vec![call(0)]), 80, 24));
}

#[test]
fn every_state_has_its_word() {
    let app = with(empty(), states());
    let picture = picture(&app, 200, 60);
    for word in [
        "live",
        "PAUSED",
        "lost",
        "no stream",
        "ringing",
        "dialling",
        "ended",
        "no answer",
        "failed",
    ] {
        assert!(picture.contains(word), "{word} is not in\n{picture}");
    }
    assert_picture("list_states", picture);
}

#[test]
fn the_cursor_stays_on_its_row_among_many() {
    let mut app = with(empty(), (0..40).map(call).collect());
    app.list.selected = app.list.order.get(12).cloned();
    app.list.cursor_row = 3;
    let before = picture(&app, 100, 30);
    assert_picture("list_many", &before);
    let row = |picture: &str| picture.lines().position(|line| line.starts_with('>'));
    assert_eq!(row(&before), Some(5));
    app.list.order.drain(..5);
    assert_eq!(row(&picture(&app, 100, 30)), Some(5), "calls above have gone");
    app.list.order.truncate(30);
    assert_eq!(row(&picture(&app, 100, 30)), Some(5), "calls below have gone");
    app.list.cursor_row = 99;
    assert!(
        row(&picture(&app, 100, 30)).is_some(),
        "a row that is no longer there"
    );
}

#[test]
fn a_filter_is_shown_and_what_it_leaves() {
    let mut app = with(empty(), (0..12).map(call).collect());
    app.list.filter = "alice".to_owned();
    app.list.sort = Sort::Newest;
    app.list
        .order
        .retain(|key| app.list.calls[key].agent.as_deref() == Some("client:alice"));
    app.typing = Some(Typing {
        text: "alice".to_owned(),
        before: String::new(),
        pane: Pane::Calls,
    });
    assert_picture("list_filter_typed", picture(&app, 80, 24));
    app.typing = None;
    app.list.order.clear();
    assert_picture("list_filter_leaves_none", picture(&app, 80, 24));
    app.list.filter.clear();
    app.list.with_ended = false;
    assert_picture("list_ended_hidden", picture(&app, 60, 15));
}

#[test]
fn what_a_relay_that_is_away_said_last_is_marked() {
    let mut app = busy();
    app.relays[0].link = away("timed out");
    let picture = picture(&app, 100, 30);
    assert!(picture.contains("! as of 13:02"), "{picture}");
    assert_picture("list_stale", picture);
}

#[test]
fn several_relays_share_a_list() {
    let mut calls = states();
    for row in calls.iter_mut().skip(3) {
        row.key.relay = RelayId(1);
    }
    let mut app = with(empty(), calls);
    app.relays.push(relay("berlin"));
    assert_picture("list_two_relays", picture(&app, 200, 60));
    app.relays[1].link = away("no route to host");
    let picture = picture(&app, 100, 30);
    assert!(picture.contains("1 of 2 online"), "{picture}");
    assert_picture("list_one_relay_away", picture);
}

fn named(number: usize, name: &str) -> Row {
    Row {
        customer_id: Some(name.to_owned()),
        agent: Some(name.to_owned()),
        ..call(number)
    }
}

#[test]
fn names_of_all_scripts_keep_the_columns_straight() {
    let names = [
        "王小明先生和他的朋友",
        "👩‍🚀 crew 🚀🚀🚀",
        "مرحبا بالعالم",
        "שלום עולם",
        "Zoe\u{308} e\u{301}\u{301}\u{301}",
        "ﾊﾟﾋﾟ ｶﾞ",
        "",
    ];
    let mut calls: Vec<Row> = names
        .iter()
        .enumerate()
        .map(|(at, name)| named(at, name))
        .collect();
    calls.push(named(20, &"x".repeat(10_000)));
    calls.push(named(21, &"好".repeat(10_000)));
    assert_picture("list_scripts", picture(&with(empty(), calls), 80, 24));
}

#[test]
fn privacy_leaves_no_number() {
    let mut app = with(
        busy(),
        vec![
            call(0),
            Row {
                customer_id: None,
                ..call(1)
            },
            ended(2),
        ],
    );
    app.heard.clone_from(&app.shown);
    app.privacy = true;
    let picture = picture(&app, 200, 60);
    for number in ["12345", "+4930", "refund", "4711", "anna="] {
        assert!(!picture.contains(number), "{number} is in\n{picture}");
    }
    assert_picture("privacy", picture);
}

#[test]
fn odd_numbers_are_no_trouble() {
    let odd = Row {
        status: CallStatus::Unknown,
        level: PerSide {
            customer: Some(f32::NAN),
            agent: Some(f32::INFINITY),
        },
        talk_ms: PerSide {
            customer: u64::MAX,
            agent: u64::MAX,
        },
        listeners: u32::MAX,
        lost_ms: u64::MAX,
        started_at: None,
        answered_at: None,
        ..call(0)
    };
    let app: App = with(busy(), vec![odd]);
    assert!(picture(&app, 200, 60).contains("50:50"));
}
