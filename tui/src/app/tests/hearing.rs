//! What is played, and how it sounds.

use super::*;
use crate::event::{Column, Device, Ears, Sides};

/// `CA1` is heard and plays.
fn hears() -> Story {
    let mut story = Story::shows("CA1");
    story.press(Intent::Listen);
    story.plays(Playing::Live);
    story
}

#[test]
fn enter_follows_and_listens_and_the_call_keeps_its_place_on_the_right() {
    let mut story = Story::new();
    story.change(call("CA1", 0));
    let listen = Effect::Listen {
        call: key("CA1"),
        roles: roles(Track::Outbound),
    };
    assert_eq!(story.press(Intent::Listen), [Effect::Follow(key("CA1")), listen]);
    assert_eq!(story.app.playback.state, Playing::Waiting);
    assert!(story.app.hears_shown() && story.app.history.is_played);
    assert_eq!(story.press(Intent::Listen), []);
    assert!(story.notice().contains("already"));
    assert_eq!(
        story.press(Intent::Stop),
        [Effect::StopListening(key("CA1"))],
        "it stays shown"
    );
    assert_eq!(story.press(Intent::Stop), []);
}

#[test]
fn a_heard_call_is_followed_while_another_is_shown() {
    let mut story = hears();
    story.change(call("CA2", 1_000));
    story.press(Intent::Down);
    assert_eq!(
        story.wait(200),
        [Effect::Follow(key("CA2"))],
        "`CA1` is still heard"
    );
    assert_eq!(
        story.press(Intent::Stop),
        [Effect::StopListening(key("CA1")), Effect::Unfollow(key("CA1"))]
    );
    story.press(Intent::Up);
    story.press(Intent::Listen);
    story.press(Intent::Down);
    story.wait(200);
    let effects = story.press(Intent::Listen);
    let [stop, let_go, listen] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(stop, &Effect::StopListening(key("CA1")));
    assert_eq!(let_go, &Effect::Unfollow(key("CA1")));
    assert!(matches!(listen, Effect::Listen { call, .. } if *call == key("CA2")));
}

#[test]
fn what_cannot_be_heard_says_why() {
    let mut story = Story::new();
    story.press(Intent::Listen);
    assert!(story.notice().contains("no call"));
    story.change(ended(call("CA1", 0), 10));
    assert_eq!(story.press(Intent::Listen), []);
    assert!(story.notice().contains("over"));
    let mut ringing = call("CA2", 0);
    ringing.stream = StreamState::None;
    ringing.status = CallStatus::Ringing;
    story.change(ringing);
    story.press(Intent::Home);
    assert_eq!(story.press(Intent::Listen).len(), 2);
    assert!(story.notice().contains("no audio yet"));
    assert_eq!(story.app.playback.state, Playing::Waiting);
}

#[test]
fn space_holds_and_continues_and_l_leaves_out_what_was_held() {
    let mut story = hears();
    assert_eq!(story.press(Intent::Live), [Effect::Live]);
    assert_eq!(story.press(Intent::Pause), [Effect::Pause(true)]);
    assert_eq!(
        story.app.playback.state,
        Playing::Paused,
        "before the player has answered"
    );
    assert_eq!(story.press(Intent::Pause), [Effect::Pause(false)]);
    story.plays(Playing::Behind);
    assert_eq!(story.press(Intent::Live), [Effect::Live]);
    story.plays(Playing::Paused);
    assert_eq!(story.press(Intent::Live), [Effect::Live, Effect::Pause(false)]);
    story.press(Intent::Stop);
    assert_eq!(story.press(Intent::Pause), []);
    assert!(story.notice().contains("nothing is heard"));
}

#[test]
fn volume_sides_and_stereo_are_told_and_have_bounds() {
    let mut story = Story::new();
    let mix = |effects: Vec<Effect>| match effects[..] {
        [Effect::Mix(mix)] => mix,
        _ => panic!("{effects:?}"),
    };
    assert_eq!(mix(story.press(Intent::Quieter)).volume_db, -2);
    assert_eq!(story.notice(), "volume -2 dB");
    assert!(mix(story.press(Intent::Mute)).muted);
    let louder = mix(story.press(Intent::Louder));
    assert_eq!((louder.volume_db, louder.muted), (0, false));
    for _ in 0..50 {
        story.press(Intent::Louder);
    }
    assert_eq!((story.app.mix.volume_db, story.notice()), (12, "volume +12 dB"));
    for _ in 0..50 {
        story.press(Intent::Quieter);
    }
    assert_eq!(story.app.mix.volume_db, -40);
    assert_eq!(mix(story.press(Intent::OnlyCustomer)).sides, Sides::Customer);
    assert_eq!(story.notice(), "only the customer");
    assert_eq!(mix(story.press(Intent::OnlyAgent)).sides, Sides::Agent);
    assert_eq!(mix(story.press(Intent::BothSides)).sides, Sides::Both);
    for ears in [Ears::Wide, Ears::Mono, Ears::Stereo] {
        assert_eq!(mix(story.press(Intent::Stereo)).ears, ears);
    }
}

#[test]
fn each_side_has_keys_of_its_own_and_bounds() {
    let mut story = Story::new();
    let mix = |effects: Vec<Effect>| match effects[..] {
        [Effect::Mix(mix)] => mix,
        _ => panic!("{effects:?}"),
    };
    let start = story.app.mix;
    assert_eq!(mix(story.press(Intent::CustomerQuieter)).customer.gain_db, -2);
    assert_eq!(story.notice(), "customer -2 dB");
    assert!(mix(story.press(Intent::MuteCustomer)).customer.muted);
    assert_eq!(story.notice(), "customer muted");
    // Who turns a side up wants to hear it; who turns it down has it muted still.
    assert!(mix(story.press(Intent::CustomerQuieter)).customer.muted);
    assert_eq!(story.notice(), "customer muted");
    story.press(Intent::CustomerLouder);
    assert_eq!(
        (mix(story.press(Intent::CustomerLouder)), story.notice()),
        (start, "customer 0 dB")
    );
    for _ in 0..20 {
        story.press(Intent::AgentLouder);
    }
    assert_eq!(
        (story.app.mix.agent.gain_db, story.notice()),
        (12, "agent +12 dB")
    );
    for _ in 0..20 {
        story.press(Intent::AgentQuieter);
    }
    assert_eq!(
        (story.app.mix.agent.gain_db, story.notice()),
        (-20, "agent -20 dB")
    );
    assert_eq!(story.app.mix.customer, start.customer);
    assert!(mix(story.press(Intent::MuteAgent)).agent.muted);
    assert!(!mix(story.press(Intent::MuteAgent)).agent.muted);
    assert!(mix(story.press(Intent::AutoLevel)).auto_level);
    assert!(story.notice().starts_with("auto-level"));
    assert!(!mix(story.press(Intent::AutoLevel)).auto_level);
    assert!(story.notice().starts_with("no auto-level"));
}

#[test]
fn a_heard_call_that_ends_is_played_to_its_end() {
    let mut story = hears();
    assert_eq!(story.change(ended(call("CA1", 0), 100)), []);
    assert!(story.notice().contains("over"));
    assert_eq!(story.app.heard, Some(key("CA1")), "what came is still played");
    assert_eq!(story.relay(FromRelay::Ended(sid("CA1"))), []);
    assert_eq!(story.plays(Playing::Over), [Effect::StopListening(key("CA1"))]);
    assert_eq!(story.app.heard, None);
}

#[test]
fn the_end_of_the_call_before_does_not_end_the_next() {
    let mut story = hears();
    story.change(call("CA2", 1_000));
    story.change(ended(call("CA1", 0), 100));
    story.press(Intent::Down);
    story.press(Intent::Listen);
    assert_eq!(
        story.plays(Playing::Over),
        [],
        "the player speaks of the one before"
    );
    assert_eq!(story.plays(Playing::Idle), []);
    assert_eq!(
        (story.app.heard.clone(), story.app.playback.state),
        (Some(key("CA2")), Playing::Waiting)
    );
}

#[test]
fn a_heard_call_that_is_refused_stops_with_the_reason() {
    let mut story = hears();
    let effects = story.relay(FromRelay::NotFollowed {
        call: sid("CA1"),
        why: "not\u{7} allowed".to_owned(),
    });
    assert_eq!(effects, [Effect::StopListening(key("CA1"))]);
    let notice = story.app.notice.clone().unwrap();
    assert!(
        notice.is_trouble && notice.text.contains("not allowed"),
        "{notice:?}"
    );
}

#[test]
fn a_call_that_comes_back_is_asked_for_again() {
    let mut story = Story::shows("CA1");
    story.change(ended(call("CA1", 0), 100));
    story.relay(FromRelay::Ended(sid("CA1")));
    assert_eq!(story.change(call("CA1", 0)), [Effect::Follow(key("CA1"))]);
    story.follows("CA1", true);
    assert_eq!(story.change(call("CA1", 0)), []);
}

#[test]
fn roles_that_turn_out_otherwise_reach_the_player() {
    let mut story = hears();
    let mut other = call("CA1", 0);
    other.roles = roles(Track::Inbound);
    let told = Effect::Roles {
        call: key("CA1"),
        roles: roles(Track::Inbound),
    };
    assert_eq!(story.change(other), [told]);
}

#[test]
fn a_missing_device_is_told_and_its_return_too() {
    let mut story = hears();
    story.sound(FromSound::Device(Device::Missing {
        why: "busy\u{1b}[0m".to_owned(),
    }));
    assert_eq!(story.notice(), "no sound: busy[0m");
    story.sound(FromSound::Device(Device::Open {
        name: "card".to_owned(),
        rate: 48_000,
    }));
    assert_eq!(story.notice(), "sound again: card");
    assert_eq!(story.app.heard, Some(key("CA1")));
}

#[test]
fn the_waveform_is_of_what_is_played_and_silence_draws_nothing() {
    let mut story = hears();
    let columns = |high: i8| {
        let column = Column { low: -high, high };
        Event::Sound(FromSound::Columns {
            customer: vec![column; 2],
            agent: vec![Column::default(); 2],
        })
    };
    assert_eq!(story.dirt(columns(0)), Dirty::Clean);
    assert_eq!(story.dirt(columns(9)), Dirty::Wave);
    assert_eq!(story.dirt(columns(0)), Dirty::Wave, "what was there moves on");
    for _ in 0..500 {
        story.happens(columns(0));
    }
    assert_eq!(story.dirt(columns(0)), Dirty::Clean, "until it is gone");
    assert_eq!(
        story.app.history.columns.customer.len(),
        crate::app::history::KEPT
    );
    story.press(Intent::Stop);
    assert!(story.app.history.columns.customer.is_empty() && !story.app.history.is_played);
}

#[test]
fn the_waveform_of_a_call_that_is_not_heard_comes_from_its_levels() {
    let mut story = Story::shows("CA1");
    let levels = |inbound| FromRelay::Levels(vec![level("CA1", inbound, -90.0)]);
    story.relay(levels(-20.0));
    story.wait(1_000);
    let columns = &story.app.history.columns;
    assert_eq!((columns.customer.len(), columns.agent.len()), (50, 50));
    assert!(columns.customer.iter().all(|c| c.high > 40 && c.low == -c.high));
    story.relay(levels(-70.0));
    story.wait(4_000);
    assert_eq!(
        story.app.history.columns.customer.len(),
        50,
        "nothing is to be seen of silence"
    );
    story.relay(levels(-20.0));
    story.wait(400);
    let columns = &story.app.history.columns.customer;
    assert!(
        (250..=275).contains(&columns.len()),
        "it is made up for: {}",
        columns.len()
    );
    assert!(columns[100].is_flat() && !columns[columns.len() - 1].is_flat());
}

#[test]
fn what_was_refused_is_asked_for_anew() {
    let mut story = hears();
    story.relay(FromRelay::NotFollowed {
        call: sid("CA1"),
        why: "this listening cannot be put on record now".to_owned(),
    });
    assert_eq!(story.app.heard, None);
    let effects = story.press(Intent::Listen);
    assert!(
        matches!(&effects[..], [Effect::Follow(follow), Effect::Listen { call, .. }] if follow == call),
        "{effects:?}"
    );
}
