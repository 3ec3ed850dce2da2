//! Who marks what, when, and how much of it.

use std::time::Duration;

use super::*;
use crate::access::{Right, Role};
use crate::calls::call::Kind;
use crate::calls::call::tests_support::call;
use crate::calls::parties::FromWebhook;

fn of(name: &str, role: Role, customer: &str) -> Grant {
    Grant::new(name, role, vec![customer.to_owned()], Vec::new())
}

fn call_of(now: Now, customer: &str) -> Call {
    let call = call(now);
    let from = FromWebhook {
        customer_id: Some(customer.into()),
        ..FromWebhook::default()
    };
    call.webhook(now, from, None);
    call
}

fn at(at: UtcTime) -> Mark {
    Mark {
        at: Some(at),
        text: None,
    }
}

#[test]
fn who_may_hear_a_call_may_mark_it_and_nobody_else() {
    let now = Now::take();
    let call = call_of(now, "7");
    let marks = |grant: &Grant| call.mark_by(now, grant, Mark::default()).map(|event| event.seq);
    let before = call.read_to().event;
    assert_eq!(marks(&of("alice", Role::User, "7")), Ok(before + 1));
    assert_eq!(marks(&of("writer", Role::Transcriber, "7")), Ok(before + 2));
    assert_eq!(marks(&Grant::insecure()), Ok(before + 3));
    let all = Grant::new("src", Role::Source, Vec::new(), vec![Right::Save, Right::Pause]);
    for other in [of("bob", Role::User, "8"), all] {
        assert_eq!(marks(&other), Err(NotMarked::NotTheirs));
        assert!(!call.may_be_marked_by(&other));
    }
    assert_eq!(call.read_to().event, before + 3);
    call.forget();
    assert_eq!(marks(&Grant::insecure()), Err(NotMarked::NotTheirs));
}

#[test]
fn a_mark_is_shown_as_it_is_kept_also_of_a_call_that_is_over_or_held_back() {
    let now = Now::take();
    let call = call_of(now, "7");
    let grant = Grant::new("alice", Role::User, vec!["7".into()], vec![Right::Pause]);
    assert!(call.pause(now, &grant).is_some());
    call.stream_stopped(now, 1);
    let told = |mark| call.mark_by(now, &grant, mark).expect("it is marked");
    let event = told(Mark {
        at: None,
        text: Some("a promise".into()),
    });
    assert_eq!(
        event.detail,
        *json!({"by": "alice", "at": now.wall, "text": "a promise"})
            .as_object()
            .unwrap()
    );
    let (_, kept) = call
        .remembered(&grant, Kind::Events, Some((event.seq - 1, None)))
        .unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].json(), serde_json::to_string(&event).unwrap());
}

#[test]
fn a_moment_lies_within_the_call_as_far_as_clocks_agree() {
    let start = Now::take();
    let call = call_of(start, "7");
    let now = start.plus(Duration::from_secs(60));
    let meant = |moment: UtcTime| {
        let event = call.mark_by(now, &Grant::insecure(), at(moment));
        event.map(|event| UtcTime::parse(event.detail["at"].as_str().unwrap()).unwrap())
    };
    let (first, last) = (start.wall, now.wall);
    assert_eq!(meant(first.plus_ms(30_000)), Ok(first.plus_ms(30_000)));
    assert_eq!(meant(first.plus_ms(-TOLERANCE_MS)), Ok(first));
    assert_eq!(meant(last.plus_ms(TOLERANCE_MS)), Ok(last));
    assert_eq!(meant(first.plus_ms(-TOLERANCE_MS - 1)), Err(NotMarked::Before));
    assert_eq!(meant(last.plus_ms(TOLERANCE_MS + 1)), Err(NotMarked::ToCome));
}

#[test]
fn nobody_s_marks_push_out_what_happened() {
    let now = Now::take();
    let call = call_of(now, "7");
    let first = call.remembered(&Grant::insecure(), Kind::Events, None).unwrap().1;
    let mark = |name: &str| {
        call.mark_by(now, &of(name, Role::User, "7"), Mark::default())
            .map(drop)
    };
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        for _ in 0..MARKS_BY_ONE {
            assert_eq!(mark(name), Ok(()));
        }
        assert_eq!(mark(name), Err(NotMarked::TooMany));
    }
    assert_eq!(mark("f"), Err(NotMarked::TooManyOfAll));
    let all = call.remembered(&Grant::insecure(), Kind::Events, None).unwrap().1;
    assert_eq!(all.len(), first.len() + names.len() * MARKS_BY_ONE);
    assert_eq!(all[..first.len()], first[..]);
    // What is forgotten makes room.
    for _ in 0..partyline_shared::protocol::REMEMBERED {
        let mut state = lock(&call.state);
        state.event(now.wall, EventKind::Error, json!({}));
    }
    assert_eq!(mark("a"), Ok(()));
}
