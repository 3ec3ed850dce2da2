//! The list: order, filter, and a selection that stays where it is.

use super::*;
use crate::app::calls::order::ENDED_LINGER_MS;
use crate::app::calls::row::side_of;
use crate::app::text::Side;

fn many(names: &[&str]) -> Story {
    let mut story = Story::new();
    let calls = names
        .iter()
        .enumerate()
        .map(|(n, name)| call(name, n as i64 * 1000));
    story.relay(FromRelay::Snapshot(calls.collect()));
    story
}

#[test]
fn the_first_call_is_selected_and_shown_once_it_has_rested() {
    let mut story = Story::new();
    assert_eq!(story.change(call("CA1", 0)), []);
    assert_eq!(story.selected(), Some("CA1"));
    assert_eq!(story.wait(149), []);
    assert_eq!(story.app.deadline(), Some(150));
    assert_eq!(story.wait(1), [Effect::Follow(key("CA1"))]);
    assert_eq!(story.app.shown, Some(key("CA1")));
}

#[test]
fn running_through_the_list_asks_for_the_last_call_only() {
    let mut story = many(&["a", "b", "c"]);
    story.wait(200);
    for _ in 0..2 {
        story.wait(100);
        assert_eq!(story.press(Intent::Down), []);
    }
    assert_eq!(
        story.wait(200),
        [Effect::Follow(key("c")), Effect::Unfollow(key("a"))]
    );
}

#[test]
fn what_comes_and_goes_above_leaves_the_selected_call_on_its_row() {
    let mut story = many(&["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"]);
    for _ in 0..5 {
        story.press(Intent::Down);
    }
    story.press(Intent::Up);
    assert_eq!((story.selected(), story.app.list.cursor_row), (Some("c5"), 3));
    assert_eq!(story.app.list.window(5)[0], key("c2"));
    story.change(call("b0", -5_000));
    assert_eq!((story.selected(), story.app.list.cursor_row), (Some("c5"), 3));
    assert_eq!(
        story.app.list.window(5)[0],
        key("c2"),
        "nothing on the screen has moved"
    );
    story.relay(FromRelay::Removed(sid("b0")));
    story.relay(FromRelay::Removed(sid("c1")));
    assert_eq!(story.app.list.window(5)[0], key("c2"));
    story.press(Intent::NextSort);
    assert_eq!((story.selected(), story.app.list.cursor_row), (Some("c5"), 3));
}

#[test]
fn pages_and_edges_keep_the_cursor_within_the_pane() {
    let names: Vec<String> = (10..32).map(|n| format!("c{n}")).collect();
    let mut story = many(&names.iter().map(String::as_str).collect::<Vec<_>>());
    story.press(Intent::PageDown);
    assert_eq!((story.selected(), story.app.list.cursor_row), (Some("c15"), 0));
    story.press(Intent::End);
    assert_eq!((story.selected(), story.app.list.cursor_row), (Some("c31"), 4));
    story.press(Intent::PageUp);
    assert_eq!((story.selected(), story.app.list.cursor_row), (Some("c26"), 4));
    story.press(Intent::Home);
    assert_eq!((story.selected(), story.app.list.cursor_row), (Some("c10"), 0));
    story.press(Intent::Up);
    assert_eq!(story.selected(), Some("c10"));
}

#[test]
fn a_selected_call_that_vanishes_gives_way_to_its_neighbour_with_a_notice() {
    let mut story = many(&["a", "b", "c"]);
    story.press(Intent::Down);
    story.relay(FromRelay::Removed(sid("b")));
    assert_eq!(story.selected(), Some("c"));
    assert!(story.notice().contains("no longer known"));
    story.relay(FromRelay::Removed(sid("c")));
    assert_eq!(story.selected(), Some("a"));
    story.relay(FromRelay::Removed(sid("a")));
    assert_eq!(story.selected(), None);
}

#[test]
fn a_call_that_has_ended_keeps_its_place_for_a_while_and_as_long_as_it_is_selected() {
    let mut story = many(&["a", "b", "c"]);
    story.change(ended(call("a", 0), 5_000));
    story.change(ended(call("b", 1_000), 6_000));
    assert_eq!(story.order(), ["a", "b", "c"]);
    story.wait(ENDED_LINGER_MS - 1);
    assert_eq!(story.order(), ["a", "b", "c"]);
    story.wait(1);
    assert_eq!(story.order(), ["a", "c", "b"], "`a` is selected");
    story.press(Intent::Down);
    assert_eq!(story.order(), ["c", "b", "a"], "the latest ended first");
    assert_eq!(story.selected(), Some("c"));
}

#[test]
fn ended_calls_are_hidden_and_shown() {
    let mut story = Story::new();
    story.relay(FromRelay::Snapshot(vec![
        ended(call("old", 0), 10),
        call("new", 5),
    ]));
    assert_eq!(story.order(), ["new", "old"]);
    story.press(Intent::Ended);
    assert_eq!(story.order(), ["new"]);
    story.change(ended(call("new", 5), 20));
    assert_eq!(story.order(), ["new"], "one that has just ended is still seen");
    story.press(Intent::Ended);
    assert_eq!(story.order(), ["new", "old"]);
}

#[test]
fn it_is_sorted_by_what_is_asked_for() {
    let mut story = Story::new();
    let customers = [("a", Some("9"), 1), ("b", Some("3"), 3), ("c", None, 2)];
    for (n, (name, customer, listeners)) in customers.into_iter().enumerate() {
        let mut call = call(name, n as i64 * 1000);
        call.customer_id = customer.map(str::to_owned);
        if customer.is_none() {
            call.from = None;
            call.to = None;
        }
        call.listeners = listeners;
        story.change(call);
    }
    let mut orders = vec![story.order().concat()];
    for _ in 0..5 {
        story.press(Intent::NextSort);
        orders.push(story.order().concat());
    }
    assert_eq!(orders, ["abc", "cba", "bac", "abc", "bca", "abc"]);
    story.press(Intent::PrevSort);
    assert!(story.notice().contains("listeners"));
    let mut popular = call("a", 0);
    popular.customer_id = Some("9".to_owned());
    popular.listeners = 7;
    story.change(popular);
    assert_eq!(story.order(), ["a", "b", "c"], "a change finds its place");
}

#[test]
fn a_filter_is_typed_and_kept_or_undone() {
    let mut story = Story::new();
    let mut other = call("CAother", 1_000);
    other.customer_id = Some("Acme 777".to_owned());
    other.agent = Some(PhoneNumber::new("client:Bob"));
    story.relay(FromRelay::Snapshot(vec![
        call("CAone", 0),
        other,
        call("CAlast", 2_000),
    ]));
    story.press(Intent::Down);
    story.press(Intent::Down);
    story.press(Intent::Find);
    story.type_text("BOB");
    assert_eq!(
        (story.order(), story.selected()),
        (vec!["CAother"], Some("CAother"))
    );
    story.type_text(" 777 home in-pro");
    assert_eq!(story.order(), ["CAother"], "all words, wherever they stand");
    story.type_text("x");
    assert!(story.order().is_empty() && story.selected().is_none());
    story.press(Intent::Erase);
    assert_eq!(story.order(), ["CAother"]);
    story.press(Intent::Cancel);
    assert_eq!(story.order().len(), 3);
    assert_eq!(story.selected(), Some("CAlast"), "as it was before");
    story.press(Intent::Find);
    story.type_text("CAone");
    story.press(Intent::Accept);
    assert_eq!(
        (story.order(), story.app.typing.is_some()),
        (vec!["CAone"], false)
    );
    story.change(call("CAtwo", 3_000));
    assert_eq!(story.order(), ["CAone"]);
    story.press(Intent::Cancel);
    assert_eq!(story.order().len(), 4);
}

#[test]
fn a_snapshot_replaces_the_calls_of_its_relay_and_no_others() {
    let mut story = Story::of(&["one", "two"]);
    story.happens(Event::Relay(
        RelayId(0),
        FromRelay::Snapshot(vec![call("a", 0), call("b", 1)]),
    ));
    story.happens(Event::Relay(RelayId(1), FromRelay::Snapshot(vec![call("a", 2)])));
    assert_eq!(
        story.order(),
        ["a", "b", "a"],
        "the same name at two relays that share nothing is two calls"
    );
    story.happens(Event::Relay(RelayId(0), FromRelay::Snapshot(vec![call("c", 3)])));
    assert_eq!(story.order(), ["a", "c"]);
}

#[test]
fn a_call_that_is_looked_at_outlives_a_relay_that_has_not_heard_of_it_yet() {
    let mut story = Story::shows("CA1");
    story.relay(FromRelay::Snapshot(vec![]));
    assert_eq!(story.order(), ["CA1"]);
    story.change(call("CA1", 0));
    story.relay(FromRelay::NotFollowed {
        call: sid("CA1"),
        why: "no".to_owned(),
    });
    assert_eq!(story.order(), ["CA1"], "it was named since");
    story.relay(FromRelay::Snapshot(vec![]));
    let effects = story.relay(FromRelay::NotFollowed {
        call: sid("CA1"),
        why: "no such call".to_owned(),
    });
    assert_eq!(effects, [Effect::Unfollow(key("CA1"))]);
    assert!(story.order().is_empty() && story.app.texts.is_empty());
}

#[test]
fn roles_say_whose_address_and_whose_talk_it_is() {
    let mut agent_called = call("CA1", 0);
    agent_called.roles = roles(Track::Inbound);
    agent_called.from = Some(PhoneNumber::new("client:anna"));
    agent_called.dialed = Some(PhoneNumber::new("+12125550199"));
    agent_called.talk.inbound_ms = 5;
    agent_called.talk.both_ms = 2;
    let mut story = Story::new();
    story.change(agent_called);
    let row = story.app.row(&key("CA1")).unwrap();
    assert_eq!(row.agent.as_deref(), Some("client:anna"));
    assert_eq!(row.customer.as_deref(), Some("+12125550199"));
    assert_eq!((row.talk_ms.agent, row.talk_ms.customer), (7, 2));
    story.change(call("CA2", 0));
    let row = story.app.row(&key("CA2")).unwrap();
    assert_eq!(row.customer.as_deref(), Some("+12125550100"));
    let mut placed = call("CA3", 0);
    placed.direction = Some("outbound-api".to_owned());
    story.change(placed);
    let row = story.app.row(&key("CA3")).unwrap();
    assert_eq!(
        row.customer.as_deref(),
        Some("+12125550111"),
        "the leg that was rung"
    );
    let unknown = PerTrack {
        inbound: Role::Unknown,
        outbound: Role::Customer,
    };
    assert_eq!(side_of(Track::Inbound, &unknown), Side::Agent);
}

#[test]
fn what_cannot_be_seen_is_not_drawn() {
    let mut story = many(&["a", "b", "c", "d", "e", "f", "g"]);
    story.wait(200);
    let change = |name: &str, listeners: u32| {
        let at = ["a", "b", "c", "d", "e", "f", "g"]
            .iter()
            .position(|n| *n == name)
            .unwrap();
        let mut call = call(name, at as i64 * 1000);
        call.listeners = listeners;
        Event::Relay(HERE, FromRelay::Changed(Box::new(call)))
    };
    assert_eq!(story.dirt(change("b", 0)), Dirty::Clean, "nothing has changed");
    assert_eq!(story.dirt(change("b", 1)), Dirty::List);
    assert_eq!(story.dirt(change("g", 1)), Dirty::Clean, "below the pane");
    let levels = |name, db| Event::Relay(HERE, FromRelay::Levels(vec![level(name, db, -90.0)]));
    assert_eq!(story.dirt(levels("b", -20.0)), Dirty::List);
    assert_eq!(
        story.dirt(levels("b", -21.0)),
        Dirty::Clean,
        "the same step of the meter"
    );
    assert_eq!(story.dirt(levels("g", -3.0)), Dirty::Clean);
    assert_eq!(
        story.app.row(&key("g")).unwrap().level.customer,
        Some(-3.0),
        "but known"
    );
}

#[test]
fn without_a_live_call_nothing_wakes_the_program() {
    let mut story = Story::new();
    story.relay(FromRelay::Snapshot(vec![ended(call("a", 0), 10)]));
    story.wait(60_000);
    assert_eq!(story.app.deadline(), None);
    story.change(call("b", 0));
    story.wait(10_300);
    let next = story.app.deadline().unwrap();
    assert_eq!((next % 1000, next - story.ms), (0, 700), "the next full second");
    let tick = story.dirt(Event::Tick);
    assert_eq!(tick, Dirty::Clean);
    story.ms = next;
    assert_eq!(story.dirt(Event::Tick), Dirty::Second);
}

/// The order is kept up with binary searches: what the list would be if it were sorted anew is what it is.
#[test]
fn a_thousand_calls_in_motion_stay_in_order() {
    let mut story = Story::new();
    let calls: Vec<Call> = (0..1000)
        .map(|n| call(&format!("CA{n}"), n * 7919 % 1000))
        .collect();
    story.relay(FromRelay::Snapshot(calls.clone()));
    for sort in 0..5 {
        for (n, call) in calls.iter().enumerate().filter(|(n, _)| n % 3 == sort % 3) {
            let mut call = call.clone();
            call.listeners = (n * 31 % 5) as u32;
            call.customer_id = Some(format!("{}", n * 17 % 100));
            if n % 10 == 0 {
                call = ended(call, n as i64);
            }
            story.ms += 20;
            story.change(call);
        }
        let kept = story.app.list.order.clone();
        let sort = story.app.list.sort;
        story.app.list.set_sort(sort);
        assert_eq!(kept, story.app.list.order);
        story.press(Intent::NextSort);
    }
}
