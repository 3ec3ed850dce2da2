//! Several calls are heard: one in front, the others behind it.

use super::*;
use crate::app::seats::HEARD_MOST;

/// Calls `CA1` to `CAn` are there, and each was heard too, the last one in front.
fn hears(count: usize) -> Story {
    let mut story = Story::new();
    for n in 1..=count {
        story.change(call(&format!("CA{n}"), n as i64));
    }
    story.press(Intent::Home);
    story.press(Intent::Listen);
    story.plays(Playing::Live);
    for _ in 1..count {
        story.press(Intent::Down);
        story.press(Intent::Also);
        story.plays(Playing::Live);
    }
    story
}

/// Those that are heard, the one in front first.
fn heard(story: &Story) -> Vec<&str> {
    story.app.heard_calls().map(|key| key.call.as_str()).collect()
}

fn stop(name: &str) -> [Effect; 2] {
    [Effect::StopListening(key(name)), Effect::Unfollow(key(name))]
}

#[test]
fn a_hears_the_selected_call_too_and_in_front() {
    let mut story = hears(1);
    story.change(call("CA2", 2));
    story.press(Intent::Down);
    let also = Effect::Also {
        call: key("CA2"),
        roles: roles(Track::Outbound),
    };
    assert_eq!(story.press(Intent::Also), [Effect::Follow(key("CA2")), also]);
    assert_eq!(heard(&story), ["CA2", "CA1"]);
    assert!(story.app.hears_shown() && story.app.playback.state == Playing::Waiting);
    assert_eq!(story.notice(), "in front; the others are quieter behind it");
    assert_eq!(story.press(Intent::Also), []);
    assert!(story.notice().contains("already"));
    story.press(Intent::Up);
    assert_eq!(
        story.press(Intent::Also),
        [Effect::Front(key("CA1"))],
        "it goes on where it was"
    );
    assert_eq!(heard(&story), ["CA1", "CA2"]);
    assert_eq!(story.app.playback.state, Playing::Live);
}

#[test]
fn a_where_nothing_is_heard_is_as_enter() {
    let mut story = Story::new();
    assert_eq!(story.press(Intent::Also), []);
    assert!(story.notice().contains("no call"));
    story.change(call("CA1", 0));
    assert!(matches!(
        &story.press(Intent::Also)[..],
        [_, Effect::Listen { .. }]
    ));
    story.change(ended(call("CA2", 1), 2));
    story.press(Intent::End);
    assert_eq!(story.press(Intent::Also), []);
    assert!(story.notice().contains("over"));
}

#[test]
fn of_more_than_four_the_one_at_the_back_is_left() {
    let mut story = hears(HEARD_MOST);
    assert_eq!(heard(&story), ["CA4", "CA3", "CA2", "CA1"]);
    story.change(call("CA5", 5));
    story.press(Intent::Down);
    let effects = story.press(Intent::Also);
    assert_eq!(effects[1..3], stop("CA1"));
    assert!(matches!(&effects[3..], [Effect::Also { call, .. }] if *call == key("CA5")));
    assert_eq!(heard(&story), ["CA5", "CA4", "CA3", "CA2"]);
    assert_eq!(
        story.notice(),
        "4 calls are heard at once: the one at the back is left"
    );
}

#[test]
fn w_gives_each_heard_call_its_turn_and_shows_it() {
    let mut story = hears(3);
    for name in ["CA1", "CA2", "CA3", "CA1"] {
        let effects = story.press(Intent::Switch);
        assert_eq!(effects, [Effect::Front(key(name))], "all of them are followed");
        assert_eq!((heard(&story)[0], story.selected()), (name, Some(name)));
        assert!(story.app.hears_shown());
    }
    let mut story = hears(1);
    assert_eq!(story.press(Intent::Switch), []);
    assert!(story.notice().contains("only one"));
    story.press(Intent::Stop);
    story.press(Intent::Switch);
    assert!(story.notice().contains("nothing is heard"));
}

#[test]
fn s_stops_one_after_the_other_from_the_front() {
    let mut story = hears(3);
    let effects = story.press(Intent::Stop);
    assert_eq!(
        effects,
        [Effect::StopListening(key("CA3")), Effect::Front(key("CA2"))],
        "CA3 is shown"
    );
    assert_eq!(story.notice(), "stopped; the call behind it is in front");
    let effects = story.press(Intent::Stop);
    assert_eq!(effects[..2], stop("CA2"));
    assert_eq!(story.press(Intent::Stop), stop("CA1"));
    assert_eq!(story.notice(), "stopped listening");
    assert_eq!(story.press(Intent::Stop), []);
    assert_eq!(story.notice(), "nothing is heard");
}

#[test]
fn enter_hears_a_call_alone_and_one_that_is_heard_goes_on() {
    let mut story = hears(3);
    story.press(Intent::Home);
    let effects = story.press(Intent::Listen);
    assert_eq!(effects[0], Effect::Front(key("CA1")));
    assert_eq!(
        effects
            .iter()
            .filter(|e| matches!(e, Effect::StopListening(_)))
            .count(),
        2
    );
    assert!(!effects.iter().any(|e| matches!(e, Effect::Listen { .. })));
    assert_eq!(
        (heard(&story), story.app.playback.state),
        (vec!["CA1"], Playing::Live)
    );

    let mut story = hears(2);
    story.change(call("CA3", 3));
    story.press(Intent::End);
    let effects = story.press(Intent::Listen);
    assert_eq!(effects[0], Effect::Follow(key("CA3")));
    assert!(effects.contains(&stop("CA1")[0]) && effects.contains(&stop("CA2")[0]));
    assert_eq!(heard(&story), ["CA3"]);
}

#[test]
fn a_call_behind_that_ends_leaves_and_the_one_in_front_gives_way_after_its_last_sound() {
    let mut story = hears(3);
    assert_eq!(story.change(ended(call("CA2", 2), 9)), stop("CA2"));
    assert_eq!(heard(&story), ["CA3", "CA1"]);
    assert_eq!(story.change(ended(call("CA3", 3), 9)), []);
    assert_eq!(story.relay(FromRelay::Ended(sid("CA3"))), []);
    assert_eq!(
        story.plays(Playing::Over),
        [Effect::StopListening(key("CA3")), Effect::Front(key("CA1"))]
    );
    assert_eq!(story.notice(), "the call is over; the one behind it is in front");
    story.ms += 50;
    assert_eq!(
        story.plays(Playing::Over),
        [],
        "the player speaks of the one before"
    );
    assert_eq!(
        (heard(&story), story.app.playback.state),
        (vec!["CA1"], Playing::Live)
    );
}

#[test]
fn a_call_that_has_ended_does_not_wait_behind() {
    let mut story = hears(2);
    story.change(ended(call("CA2", 2), 9));
    let effects = story.press(Intent::Switch);
    assert_eq!(effects[0], Effect::StopListening(key("CA2")));
    assert!(effects.contains(&Effect::Front(key("CA1"))));
    assert_eq!(heard(&story), ["CA1"]);
}

#[test]
fn each_call_keeps_how_its_past_is_played() {
    let mut story = hears(2);
    story.wait(60_000);
    story.press(Intent::Back);
    story.press(Intent::Fast);
    let (replay, playback) = (story.app.replay, story.app.playback);
    story.press(Intent::Switch);
    assert_eq!((story.app.replay.fast, story.app.playback.behind_ms), (false, 0));
    story.press(Intent::Switch);
    assert_eq!((story.app.replay, story.app.playback), (replay, playback));
}

#[test]
fn what_is_no_longer_granted_is_left_wherever_it_is_heard() {
    for (name, left) in [("CA1", ["CA3", "CA2"]), ("CA3", ["CA2", "CA1"])] {
        let mut story = hears(3);
        story.relay(FromRelay::Removed(sid(name)));
        assert_eq!(heard(&story), left);
        assert!(story.app.notice.as_ref().unwrap().is_trouble);
        let mut story = hears(3);
        story.relay(FromRelay::NotFollowed {
            call: sid(name),
            why: "not allowed".to_owned(),
        });
        assert_eq!(
            (heard(&story), story.notice()),
            (left.to_vec(), "stopped listening: not allowed")
        );
    }
}

#[test]
fn roles_of_a_call_behind_reach_the_player_too() {
    let mut story = hears(2);
    let mut other = call("CA1", 1);
    other.roles = roles(Track::Inbound);
    let told = Effect::Roles {
        call: key("CA1"),
        roles: other.roles,
    };
    assert_eq!(story.change(other), [told]);
}

#[test]
fn nothing_of_it_needs_a_right() {
    let mut story = hears(1);
    story.app.read_only = true;
    story.change(call("CA2", 2));
    story.press(Intent::Down);
    assert_eq!(story.press(Intent::Also).len(), 2);
    assert_eq!(story.press(Intent::Switch), [Effect::Front(key("CA1"))]);
    assert_eq!(story.press(Intent::Back), [Effect::Seek(-10_000)]);
    story.press(Intent::FollowOn);
    assert!(story.app.follow_on.is_some());
}

#[test]
fn one_that_has_ended_takes_no_seat_from_one_that_goes_on() {
    let mut story = hears(HEARD_MOST);
    story.change(call("CA5", 5));
    story.relay(FromRelay::Changed(Box::new(ended(call("CA4", 4), 9))));
    story.relay(FromRelay::Ended(sid("CA4")));
    assert!(story.app.pending.heard_is_over, "its rest is played");
    story.press(Intent::End);
    story.press(Intent::Also);
    assert_eq!(heard(&story), ["CA5", "CA3", "CA2", "CA1"]);
}
