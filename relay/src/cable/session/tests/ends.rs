//! How subscriptions and sockets end, and what comes back.

use super::*;

fn disconnect(reason: &str, reconnect: bool) -> Value {
    json!({ "type": "disconnect", "reason": reason, "reconnect": reconnect })
}

#[test]
fn a_stream_that_begins_later_or_again_is_told_before_its_first_frame() {
    let story = Story::begin();
    let call = story.call("CA1");
    let mut session = story.session();
    assert_eq!(story.subscribe(&mut session, STREAM), [confirmed(STREAM)]);
    for key in [7, 8] {
        story.accept(&call, key);
        story.frames(&call, key, 1..=1);
        assert_eq!(events(&story.told(&mut session)), ["start", "media 1"]);
    }
}

#[test]
fn an_ended_call_says_that_it_is_over_and_is_heard_again_once_that_is_on_record() {
    let story = Story::begin();
    let call = story.live_call("CA1", 7);
    story.end(&call);
    let mut session = story.session();
    let told = story.subscribe(&mut session, STREAM);
    assert_eq!(told[0], confirmed(STREAM));
    assert_eq!(events(&told[1..]), ["stop"]);
    assert_eq!(told[1]["message"]["ended_at"], json!(call.view().ended_at));
    assert_eq!(story.subscribe(&mut session, MEDIA), [confirmed(MEDIA)]);
    story.accept(&call, 8);
    story.frames(&call, 8, 1..=1);
    assert!(story.told(&mut session).is_empty(), "it is not on record yet");
    story.record(&mut session);
    let told = story.told(&mut session);
    assert_eq!(
        events(&told),
        ["start", "media 1", "media 1"],
        "with what came meanwhile: {told:?}"
    );
    story.end(&call);
    assert_eq!(events(&story.told(&mut session)), ["stop"]);
}

#[test]
fn a_call_that_ends_by_silence_is_told_too() {
    let mut story = Story::begin();
    let call = story.live_call("CA1", 7);
    let mut session = story.session();
    story.subscribe(&mut session, STREAM);
    call.stream_lost(story.now, 7, "gone");
    assert!(story.told(&mut session).is_empty());
    story.now = story.now.plus(Duration::from_secs(31));
    call.on_deadline(story.now, false);
    assert!(call.ended().is_some());
    assert_eq!(events(&story.told(&mut session)), ["stop"]);
}

#[test]
fn a_call_that_is_no_longer_remembered_or_granted_is_rejected() {
    let story = Story::begin();
    let [call, other] = ["CA1", "CA2"].map(|sid| story.live_call(sid, 7));
    for call in [&call, &other] {
        story.belongs_to(call, "777");
    }
    let mut session = story.session_of(story.user(&["777"]));
    let second = r#"{"channel":"CallStreamChannel","call_id":"CA2"}"#;
    for identifier in [STREAM, MEDIA, second] {
        story.subscribe(&mut session, identifier);
    }
    story.frames(&call, 7, 1..=1);
    story.line(&call, "hers", true);
    story.belongs_to(&call, "888");
    assert!(session.mailbox().wants_recheck());
    assert_eq!(story.told(&mut session), [rejected(STREAM), rejected(MEDIA)]);
    assert!(!session.has_lost_rights() && call.listeners().is_empty());
    story.belongs_to(&call, "777");
    story.frames(&call, 7, 2..=2);
    assert!(story.told(&mut session).is_empty(), "its place is gone");
    other.forget();
    assert_eq!(story.told(&mut session), [rejected(second)]);
}

#[test]
fn other_rights_act_at_once_and_what_was_answered_is_as_it_stands_then() {
    let story = Story::begin();
    let call = story.live_call("CA1", 7);
    story.belongs_to(&call, "777");
    let mut session = story.session_of(story.user(&["777"]));
    story.say(&mut session, "subscribe", STREAM);
    story.record(&mut session);
    // Confirmed and begun, and not told yet.
    story.user(&["888"]);
    session.recheck(story.now);
    assert!(session.has_lost_rights());
    assert_eq!(story.told(&mut session), [rejected(STREAM)]);
}

#[test]
fn the_revoked_and_the_dismissed_are_told_nothing_more_and_not_to_come_back() {
    let story = Story::begin();
    let call = story.live_call("CA1", 7);
    story.belongs_to(&call, "777");
    for dismissed in [true, false] {
        let mut session = story.session_of(story.user(&["777"]));
        story.subscribe(&mut session, STREAM);
        story.frames(&call, 7, 1..=3);
        story.say(&mut session, "subscribe", "nothing");
        let reason = if dismissed {
            let id = session.id();
            assert!(story.presence.dismiss(&id).is_some());
            "remote"
        } else {
            lock(&story.desk.0).clear();
            story.presence.recheck();
            "unauthorized"
        };
        assert_eq!(story.told(&mut session), [disconnect(reason, false), json!(1000)]);
        assert!(session.must_go());
        session.on_deadline(story.now);
        assert!(story.told(&mut session).is_empty());
    }
}

#[test]
fn a_grant_that_ends_by_itself_is_looked_at_when_it_does() {
    let mut story = Story::begin();
    let until = Some(story.now.wall.plus_ms(2_000));
    let grant = story.user(&["777"]).until(until);
    let mut session = story.session_of(grant);
    assert_eq!(session.deadline(), story.now.mono + Duration::from_secs(2));
    lock(&story.desk.0).clear();
    story.now = story.now.plus(Duration::from_secs(2));
    session.on_deadline(story.now);
    assert_eq!(story.told(&mut session)[0], disconnect("unauthorized", false));
}

#[test]
fn who_is_behind_loses_its_oldest_audio_counted_and_no_line() {
    let story = Story::begin();
    let call = story.live_call("CA1", 7);
    let mut session = story.session();
    story.subscribe(&mut session, MEDIA);
    story.frames(&call, 7, 1..=BACKLOG as u32 + 40);
    for n in 0..20 {
        story.line(&call, &format!("line {n}"), true);
    }
    let told = events(&story.told(&mut session));
    let lines: Vec<String> = (0..20).map(|n| format!("transcript line {n}")).collect();
    assert_eq!(told[..20], lines);
    assert_eq!((told[20].as_str(), told.len()), ("media 41", 20 + BACKLOG));
    assert_eq!(story.registry.metrics().frames_lost.get(), 40);
}

#[test]
fn lines_that_are_no_longer_remembered_end_it_and_it_may_come_back() {
    let story = Story::begin();
    let call = story.live_call("CA1", 7);
    let mut session = story.session();
    story.subscribe(&mut session, MEDIA);
    for n in 0..=partyline_shared::protocol::REMEMBERED {
        story.line(&call, &n.to_string(), true);
    }
    assert_eq!(
        story.told(&mut session),
        [disconnect("too_slow", true), json!(1000)]
    );
    assert_eq!(story.registry.metrics().listeners_too_slow.get(), 1);
}

#[test]
fn the_relay_that_leaves_tells_what_there_is_and_then_that() {
    let story = Story::begin();
    let [call, other] = ["CA1", "CA2"].map(|sid| story.live_call(sid, 7));
    let mut session = story.session();
    story.subscribe(&mut session, MEDIA);
    let gone = MEDIA.replace("CA1", "CA2");
    story.subscribe(&mut session, &gone);
    story.frames(&call, 7, 1..=1);
    story.line(&call, "last", true);
    other.forget();
    story.say(&mut session, "subscribe", STREAM);
    session.leave(Duration::ZERO);
    let mut told: Vec<Value> = (0..4)
        .map(|_| as_json(session.poll_transmit(story.now).unwrap()))
        .collect();
    // Its client has been told to go: nothing is answered behind that.
    story.record(&mut session);
    told.extend(story.told(&mut session));
    assert_eq!(events(&told[..2]), ["transcript last", "media 1"]);
    let last = [rejected(&gone), disconnect("server_restart", true), json!(1000)];
    assert_eq!(told[2..], last);
}

#[test]
fn silence_is_probed_and_ended() {
    let mut story = Story::begin();
    let mut session = story.session();
    let mut probes = 0;
    let ended = (0..40).find_map(|_| {
        story.now = story.now.plus(Duration::from_secs(1));
        session.on_deadline(story.now);
        let told = story.told(&mut session);
        probes += told.iter().filter(|told| **told == json!("probe")).count();
        told.contains(&json!(1000)).then_some(told)
    });
    assert_eq!(ended.unwrap(), [disconnect("no_pong", true), json!(1000)]);
    assert_eq!(probes, 1, "and it was over with the second");
}

#[test]
fn faults_are_told_in_words_that_clients_know() {
    let story = Story::begin();
    let mut session = story.session();
    for (fault, reason, back, code) in [
        (Fault::TooSlow, "too_slow", true, 1000),
        (Fault::TooLoud, "invalid_request", false, 1008),
        (Fault::Broken(1009, "too big"), "invalid_request", false, 1009),
    ] {
        let (word, told, _) = session.on_fault(fault);
        let word: Value = serde_json::from_str(&word.unwrap()).unwrap();
        assert_eq!((word, told), (disconnect(reason, back), code));
    }
}
