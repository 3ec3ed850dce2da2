//! Relays that share their calls: each call is one row, whichever of them goes.

use partyline_shared::protocol::server::{Relays, RelaysState};

use super::*;

const THERE: RelayId = RelayId(1);

fn there(name: &str) -> CallKey {
    CallKey {
        relay: THERE,
        call: sid(name),
    }
}

fn shares(state: RelaysState) -> FromRelay {
    FromRelay::Shares(Relays {
        state,
        since: at(0).utc,
        relays: 2,
    })
}

impl Story {
    /// Two relays that share call CA1, which is at the first: node `n1`.
    fn two() -> Story {
        let mut story = Story::of(&["one", "other"]);
        for (relay, node) in [(HERE, "n1"), (THERE, "n2")] {
            story.of_relay(
                relay,
                FromRelay::Connected {
                    user: "alice".to_owned(),
                    role: "admin".to_owned(),
                    allow: Vec::new(),
                    node: node.to_owned(),
                },
            );
            story.of_relay(relay, shares(RelaysState::Shared));
            story.of_relay(relay, FromRelay::Snapshot(vec![at_n1("CA1")]));
        }
        story
    }

    fn of_relay(&mut self, relay: RelayId, said: FromRelay) -> Vec<Effect> {
        self.happens(Event::Relay(relay, said))
    }
}

fn at_n1(name: &str) -> Call {
    Call {
        node: "n1".to_owned(),
        ..call(name, 0)
    }
}

#[test]
fn a_call_that_two_relays_share_is_one_row() {
    let mut story = Story::two();
    assert_eq!(story.app.list.order, [key("CA1")]);
    for relay in [THERE, HERE] {
        story.of_relay(relay, FromRelay::Changed(Box::new(at_n1("CA2"))));
    }
    assert_eq!(
        story.app.list.order,
        [key("CA1"), there("CA2")],
        "each of who named it first"
    );
    for relay in [HERE, THERE] {
        story.of_relay(relay, FromRelay::Removed(sid("CA2")));
    }
    assert_eq!(story.app.list.order, [key("CA1")]);
    story.of_relay(HERE, FromRelay::Snapshot(vec![]));
    assert_eq!(
        story.app.list.order,
        [there("CA1")],
        "the other one still knows it"
    );
    story.of_relay(THERE, FromRelay::Snapshot(vec![]));
    assert_eq!((story.order().len(), story.app.list.twins.len()), (0, 0));
}

#[test]
fn rows_that_were_two_become_one_when_relays_say_that_they_share() {
    let mut story = Story::of(&["one", "other"]);
    for relay in [HERE, THERE] {
        story.of_relay(relay, connected());
        story.of_relay(relay, FromRelay::Snapshot(vec![call("CA1", 0)]));
    }
    assert_eq!(story.order().len(), 2);
    story.of_relay(HERE, shares(RelaysState::Shared));
    assert_eq!(story.order().len(), 2, "the other one has not said so");
    story.of_relay(THERE, shares(RelaysState::Shared));
    assert_eq!(story.app.list.order, [key("CA1")], "the selected one stays");
}

#[test]
fn what_is_seen_and_heard_goes_on_at_the_other_relay() {
    let mut story = Story::two();
    story.wait(200);
    story.press(Intent::Listen);
    story.follows("CA1", false);
    story.says("CA1", said(1, "hello"));
    let effects = story.relay(cut());
    let roles = story.app.row(&there("CA1")).unwrap().roles;
    assert_eq!(
        effects,
        [
            Effect::StopListening(key("CA1")),
            Effect::Unfollow(key("CA1")),
            Effect::Follow(there("CA1")),
            Effect::Listen {
                call: there("CA1"),
                roles
            },
        ]
    );
    let app = &story.app;
    assert_eq!(app.list.order, [there("CA1")]);
    for place in [&app.list.selected, &app.shown, &app.heard] {
        assert_eq!(*place, Some(there("CA1")));
    }
    assert_eq!(
        app.as_of(app.shown_row().unwrap()),
        None,
        "what is shown is of now"
    );
    assert_eq!(story.notice(), "other: the call is heard through this relay now");
    assert_eq!(story.lines(), ["hello"]);
    story.of_relay(
        THERE,
        FromRelay::Following {
            call: sid("CA1"),
            zero_at: None,
            resumed: false,
        },
    );
    for (seq, text) in [(1, "hello"), (2, "yes?")] {
        story.of_relay(
            THERE,
            FromRelay::Line {
                call: sid("CA1"),
                line: said(seq, text),
            },
        );
    }
    assert_eq!(story.lines(), ["hello", "yes?"], "one journal, whoever has it");

    story.relay(connected());
    story.relay(shares(RelaysState::Shared));
    story.relay(FromRelay::Snapshot(vec![at_n1("CA1")]));
    assert_eq!(story.app.heard, Some(there("CA1")), "it does not hop back");
    assert_eq!(story.order().len(), 1);
}

#[test]
fn while_relays_are_cut_off_the_one_that_has_the_call_shows_it() {
    let mut story = Story::two();
    story.relay(cut());
    story.relay(connected());
    story.relay(shares(RelaysState::Shared));
    story.relay(FromRelay::Snapshot(vec![at_n1("CA1")]));
    assert_eq!(story.app.list.order, [there("CA1")]);
    for relay in [HERE, THERE] {
        story.of_relay(relay, shares(RelaysState::CutOff));
    }
    assert_eq!(
        story.app.list.order,
        [key("CA1")],
        "the other one knows no more than it knew"
    );
    for relay in [HERE, THERE] {
        story.of_relay(relay, shares(RelaysState::Shared));
    }
    assert_eq!(story.app.list.order, [key("CA1")]);
}

#[test]
fn what_is_heard_behind_goes_on_behind_at_the_other_relay() {
    let mut story = Story::two();
    for relay in [HERE, THERE] {
        story.of_relay(relay, FromRelay::Changed(Box::new(at_n1("CA2"))));
    }
    story.press(Intent::Listen);
    story.plays(Playing::Live);
    story.press(Intent::Down);
    story.press(Intent::Also);
    story.press(Intent::FollowOn);
    let heard = |story: &Story| story.app.heard_calls().cloned().collect::<Vec<_>>();
    assert_eq!(heard(&story), [key("CA2"), key("CA1")]);
    let effects = story.relay(cut());
    assert_eq!(heard(&story), [there("CA2"), there("CA1")]);
    let front = effects.iter().rev().find_map(|effect| match effect {
        Effect::Front(call) | Effect::Also { call, .. } => Some(call),
        _ => None,
    });
    assert_eq!(front, Some(&there("CA2")), "{effects:?}");
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Listen { .. })),
        "{effects:?}"
    );
    assert_eq!(
        story.app.follow_on.as_ref().map(|next| next.call.clone()),
        Some(there("CA2"))
    );
    story.of_relay(THERE, FromRelay::Changed(Box::new(ended(at_n1("CA1"), 9))));
    assert_eq!(heard(&story), [there("CA2")]);
}

#[test]
fn a_call_that_was_heard_twice_before_it_was_known_to_be_one_is_heard_once() {
    let mut story = Story::of(&["one", "other"]);
    for relay in [HERE, THERE] {
        story.of_relay(relay, connected());
        story.of_relay(relay, FromRelay::Snapshot(vec![call("CA1", 0)]));
    }
    story.press(Intent::Listen);
    story.press(Intent::Down);
    story.press(Intent::Also);
    assert_eq!(story.app.heard_calls().count(), 2);
    story.of_relay(HERE, shares(RelaysState::Shared));
    story.of_relay(THERE, shares(RelaysState::Shared));
    assert_eq!(story.app.heard_calls().count(), 1);
}

#[test]
fn who_has_it_held_is_not_talked_to_by_the_other_relay() {
    let mut story = Story::two();
    story.press(Intent::Listen);
    story.plays(Playing::Live);
    story.press(Intent::Pause);
    story.press(Intent::Fast);
    let effects = story.relay(cut());
    let listen = effects
        .iter()
        .position(|effect| matches!(effect, Effect::Listen { .. }));
    let listen = listen.expect("it is heard on");
    assert_eq!(effects[listen + 1..], [Effect::Fast(true), Effect::Pause(true)]);
    assert_eq!(story.app.playback.state, Playing::Paused);
    assert!(story.app.replay.fast);
    assert_eq!(story.press(Intent::Pause), [Effect::Pause(false)]);
}

#[test]
fn a_call_that_ended_while_its_relay_was_away_is_heard_no_more() {
    let mut story = Story::two();
    story.press(Intent::Listen);
    story.plays(Playing::Live);
    story.of_relay(THERE, FromRelay::Changed(Box::new(ended(at_n1("CA1"), 9))));
    story.relay(cut());
    assert_eq!(story.app.heard_calls().count(), 0);
    assert_eq!(story.app.playback.state, Playing::Idle);
}
