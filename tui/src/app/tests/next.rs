//! The next call of an agent or a customer is heard by itself.

use super::*;
use crate::app::text::Side;

/// A call of customer 7 to that agent.
fn of(name: &str, began: i64, agent: &str) -> Call {
    Call {
        customer_id: Some("7".to_owned()),
        agent: Some(PhoneNumber::new(agent)),
        dialed: Some(PhoneNumber::new(agent)),
        ..call(name, began)
    }
}

const ANNA: &str = "client:anna";
const BOB: &str = "client:bob";

/// `CA1` of anna's is heard, and `F` was pressed so often.
fn follows_on(times: usize) -> Story {
    let mut story = Story::new();
    story.change(of("CA1", 0, ANNA));
    story.press(Intent::Listen);
    story.plays(Playing::Live);
    for _ in 0..times {
        assert_eq!(story.press(Intent::FollowOn), []);
    }
    story
}

/// `CA1` ends, and all of it was played.
fn ends(story: &mut Story) -> Vec<Effect> {
    story.change(ended(of("CA1", 0, ANNA), 100));
    story.relay(FromRelay::Ended(sid("CA1")));
    story.ms += 1_000;
    story.plays(Playing::Over)
}

fn heard(story: &Story) -> Option<&str> {
    story.app.heard.as_ref().map(|key| key.call.as_str())
}

fn waits(story: &Story) -> bool {
    story.app.follow_on.as_ref().is_some_and(|next| next.waits)
}

#[test]
fn f_goes_from_the_agent_to_the_customer_to_nobody() {
    let mut story = follows_on(1);
    let whom = |story: &Story| {
        story
            .app
            .follow_on
            .as_ref()
            .map(|next| (next.whom, next.name.clone()))
    };
    assert_eq!(whom(&story), Some((Side::Agent, ANNA.to_owned())));
    assert_eq!(story.notice(), "after this call: the agent's next one");
    story.press(Intent::FollowOn);
    assert_eq!(whom(&story), Some((Side::Customer, "7".to_owned())));
    assert_eq!(story.notice(), "after this call: the customer's next one");
    story.press(Intent::FollowOn);
    assert_eq!((whom(&story), story.notice()), (None, "after this call: none"));
    story.press(Intent::Stop);
    story.press(Intent::FollowOn);
    assert!(story.notice().contains("nothing is heard"));
}

#[test]
fn of_whom_nothing_is_known_nothing_can_follow() {
    let mut story = Story::new();
    let nobody = Call {
        agent: None,
        dialed: None,
        ..call("CA1", 0)
    };
    story.change(nobody);
    story.press(Intent::Listen);
    story.press(Intent::FollowOn);
    assert_eq!(story.app.follow_on, None);
    assert!(story.notice().contains("neither"));
}

#[test]
fn the_next_call_of_the_agent_is_heard_when_it_begins() {
    let mut story = follows_on(1);
    assert_eq!(ends(&mut story), [Effect::StopListening(key("CA1"))]);
    assert!(waits(&story));
    story.change(of("CA2", 2_000, BOB));
    assert_eq!(heard(&story), None, "it is another agent's");
    let effects = story.change(of("CA3", 3_000, ANNA));
    assert!(matches!(effects.last(), Some(Effect::Listen { call, .. }) if *call == key("CA3")));
    assert_eq!(story.notice(), "the agent's next call is heard now");
    assert_eq!(
        story.app.shown,
        Some(key("CA3")),
        "who looked at the one looks at the other"
    );
    assert_eq!(story.selected(), Some("CA3"));
    assert!(!waits(&story) && story.app.follow_on.is_some(), "and so on");
}

#[test]
fn one_that_has_begun_already_is_heard_at_once_the_newest_of_them() {
    let mut story = follows_on(2);
    story.change(of("CA2", 500, BOB));
    story.change(of("CA3", 900, BOB));
    story.change(ended(of("CA4", 950, BOB), 990));
    story.change(of("CA5", 100, BOB));
    let effects = ends(&mut story);
    assert!(matches!(effects.last(), Some(Effect::Listen { call, .. }) if *call == key("CA3")));
}

#[test]
fn who_looks_at_something_else_goes_on_looking_at_it() {
    let mut story = follows_on(1);
    story.change(of("CA2", 500, BOB));
    story.press(Intent::Down);
    story.wait(500);
    ends(&mut story);
    story.change(of("CA3", 3_000, ANNA));
    assert_eq!((heard(&story), story.selected()), (Some("CA3"), Some("CA2")));
    assert_eq!(story.app.shown, Some(key("CA2")));
}

#[test]
fn what_is_heard_by_choice_is_not_replaced() {
    let mut story = follows_on(1);
    ends(&mut story);
    story.change(of("CA2", 2_000, BOB));
    story.press(Intent::Down);
    story.press(Intent::Listen);
    story.plays(Playing::Live);
    assert!(waits(&story));
    story.change(of("CA3", 3_000, ANNA));
    assert_eq!(heard(&story), Some("CA2"));
    story.change(ended(of("CA2", 2_000, BOB), 4_000));
    story.ms += 1_000;
    story.plays(Playing::Over);
    assert_eq!(heard(&story), Some("CA3"), "nothing else is heard now");
}

#[test]
fn it_ends_with_f_with_s_and_with_leaving_the_call() {
    let mut story = follows_on(1);
    ends(&mut story);
    story.press(Intent::FollowOn);
    assert_eq!(
        (story.app.follow_on.clone(), story.notice()),
        (None, "no next call is waited for")
    );

    let mut story = follows_on(1);
    ends(&mut story);
    story.press(Intent::Stop);
    assert_eq!(
        (story.app.follow_on.clone(), story.notice()),
        (None, "no next call is waited for")
    );

    let mut story = follows_on(1);
    story.press(Intent::Stop);
    assert_eq!(story.app.follow_on, None, "the call itself was left");
    story.change(of("CA3", 3_000, ANNA));
    assert_eq!(heard(&story), None);

    let mut story = follows_on(1);
    story.change(of("CA2", 2_000, BOB));
    story.press(Intent::Down);
    story.press(Intent::Listen);
    assert_eq!(story.app.follow_on, None, "for another one");
}

#[test]
fn a_call_behind_is_gone_on_from_too() {
    let mut story = follows_on(1);
    story.change(of("CA2", 2_000, BOB));
    story.press(Intent::Down);
    story.press(Intent::Also);
    story.plays(Playing::Live);
    story.change(ended(of("CA1", 0, ANNA), 3_000));
    assert!(waits(&story));
    story.change(of("CA3", 4_000, ANNA));
    assert_eq!(heard(&story), Some("CA2"), "that was a choice");
    story.press(Intent::Stop);
    assert_eq!(
        (heard(&story), waits(&story)),
        (None, false),
        "who wants silence gets it"
    );
}
