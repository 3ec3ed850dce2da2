//! Keeping what is heard: on record before it is agreed to, and without anybody coming or going.

use super::*;
use crate::access::{Right, Role};
use crate::audit::{Entry, Event};

const FROM: &str = "2026-11-22T09:00:00.000Z";
const TO: &str = "2026-11-22T09:00:30.000Z";

/// What is to be on disk for this.
fn asked(session: &mut Session, story: &Story, body: Value) -> Vec<Entry> {
    let mut ask = json!({ "type": "subscribe", "call_sid": "CA1" });
    let more = body.as_object().unwrap().clone();
    ask.as_object_mut().unwrap().extend(more);
    session.on_text(story.now, &ask.to_string());
    match session.next_asked() {
        Some(Asked::Record(entries)) => entries,
        None => Vec::new(),
        other => panic!("{other:?}"),
    }
}

fn events(entries: &[Entry]) -> Vec<Event> {
    entries.iter().map(|entry| entry.event).collect()
}

fn chunks(told: &[Value]) -> Vec<u64> {
    let frames = told.iter().filter(|message| message["type"] == "frame");
    frames.map(|frame| frame["chunk"].as_u64().unwrap()).collect()
}

fn without_frames(told: &[Value]) -> Vec<&str> {
    let mut types = types(told);
    types.retain(|one| *one != "frame");
    types
}

/// A session that hears a call and was told its first frames.
fn hears(story: &Story, call: &Call) -> Session {
    let mut session = story.session();
    story.told(&mut session);
    subscribe(&mut session, story, json!({}));
    story.frames(call, 1, 1..=3);
    assert_eq!(chunks(&story.told(&mut session)), [1, 2, 3]);
    session
}

fn after(call: &Call) -> Value {
    let at = call.read_to();
    let (journal, _) = call
        .remembered(&Grant::insecure(), crate::calls::call::Kind::Events, None)
        .unwrap();
    json!({ "journal": journal, "transcript": at.line, "event": at.event })
}

#[test]
fn what_was_heard_is_kept_once_that_is_on_record_and_nobody_comes_or_goes() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    let mut session = hears(&story, &call);
    let (since, seen) = (call.listeners()[0].since, call.read_to());
    let saved = json!({ "save": true, "after": after(&call), "saved": { "from": FROM, "to": TO } });
    let entries = asked(&mut session, &story, saved);
    assert_eq!(events(&entries), [Event::Save]);
    let time = |text| UtcTime::parse(text);
    assert_eq!((entries[0].from, entries[0].to), (time(FROM), time(TO)));
    assert_eq!((entries[0].seconds, entries[0].bytes), (Some(30.0), None));
    // Until that is on disk nothing is agreed to, and what is said is heard.
    story.frames(&call, 1, 4..=5);
    let told = story.told(&mut session);
    assert_eq!((chunks(&told), without_frames(&told)), (vec![4, 5], vec![]));
    session.on_answer(story.now, Answer::Recorded(true));
    story.frames(&call, 1, 6..=7);
    let told = story.told(&mut session);
    assert_eq!(
        (chunks(&told), without_frames(&told)),
        (vec![6, 7], vec!["subscribed"])
    );
    let answer = told
        .iter()
        .find(|message| message["type"] == "subscribed")
        .unwrap();
    assert_eq!(
        (&answer["resumed"], &answer["audio_id"]),
        (&json!(true), &json!(1))
    );
    let follows = |save: bool| {
        let all = story.presence.all();
        assert_eq!(
            all[0].follows.iter().map(|one| one.save).collect::<Vec<_>>(),
            [save]
        );
    };
    follows(true);
    // And no longer, of which there is nothing to be put on record.
    let plain = json!({ "after": after(&call) });
    assert_eq!(events(&asked(&mut session, &story, plain)), []);
    story.frames(&call, 1, 8..=9);
    let told = story.told(&mut session);
    assert_eq!(
        (chunks(&told), without_frames(&told)),
        (vec![8, 9], vec!["subscribed"])
    );
    follows(false);
    assert_eq!(call.listeners().len(), 1);
    assert_eq!(call.listeners()[0].since, since);
    assert_eq!(call.read_to(), seen, "no event tells of anybody");
}

#[test]
fn who_kept_what_was_heard_is_on_record_again_before_what_is_to_come_is_kept() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    let mut session = hears(&story, &call);
    // Said without `save` it is nothing that is kept.
    let words = json!({ "after": after(&call), "saved": { "from": FROM, "to": TO } });
    assert_eq!(events(&asked(&mut session, &story, words)), []);
    story.told(&mut session);
    let from_here = || json!({ "save": true, "after": after(&call) });
    let entries = asked(&mut session, &story, from_here());
    assert_eq!(events(&entries), [Event::Save]);
    assert_eq!((entries[0].from, entries[0].to), (None, None));
    assert!(without_frames(&story.told(&mut session)).is_empty());
    session.on_answer(story.now, Answer::Recorded(true));
    assert_eq!(types(&story.told(&mut session)), ["subscribed"]);
    assert!(story.presence.all()[0].follows[0].save);
    let saved = json!({ "save": true, "after": after(&call), "saved": { "from": FROM, "to": TO } });
    assert_eq!(events(&asked(&mut session, &story, saved)), [Event::Save]);
    session.on_answer(story.now, Answer::Recorded(true));
    story.told(&mut session);
    assert_eq!(events(&asked(&mut session, &story, from_here())), [Event::Save]);
    session.on_answer(story.now, Answer::Recorded(false));
    assert_eq!(types(&story.told(&mut session)), ["error"]);
}

#[test]
fn who_may_not_keep_it_or_cannot_be_put_on_record_hears_on() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    let mut session = hears(&story, &call);
    let saved = || json!({ "save": true, "after": after(&call), "saved": { "from": FROM, "to": TO } });
    assert_eq!(events(&asked(&mut session, &story, saved())), [Event::Save]);
    session.on_answer(story.now, Answer::Recorded(false));
    story.frames(&call, 1, 4..=4);
    let told = story.told(&mut session);
    assert_eq!((chunks(&told), without_frames(&told)), (vec![4], vec!["error"]));
    let backwards = json!({ "save": true, "saved": { "from": TO, "to": FROM } });
    assert!(asked(&mut session, &story, backwards).is_empty());
    assert_eq!(story.told(&mut session)[0]["code"], "bad_message");
    // Somebody without the right, who is an admin for the rest.
    let grant = Grant::new("alice", Role::Transcriber, Vec::new(), vec![Right::Pause]);
    let mut hers = story.session_of(grant);
    story.told(&mut hers);
    subscribe(&mut hers, &story, json!({}));
    story.told(&mut hers);
    assert!(asked(&mut hers, &story, saved()).is_empty());
    story.frames(&call, 1, 5..=5);
    let told = story.told(&mut hers);
    assert_eq!((chunks(&told), without_frames(&told)), (vec![5], vec!["error"]));
    assert_eq!(told[0]["code"], "not_allowed");
}

#[test]
fn of_a_call_that_is_over_what_was_heard_can_still_be_kept() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    let mut session = hears(&story, &call);
    call.stream_stopped(story.now, 1);
    story.told(&mut session);
    let saved = || json!({ "from": FROM, "to": TO });
    let still = json!({ "save": true, "after": after(&call), "saved": saved() });
    assert_eq!(events(&asked(&mut session, &story, still)), [Event::Save]);
    session.on_answer(story.now, Answer::Recorded(true));
    assert_eq!(types(&story.told(&mut session)), ["subscribed"]);
    session.on_text(story.now, r#"{"type":"unsubscribe","call_sid":"CA1"}"#);
    story.told(&mut session);
    let later = json!({ "audio": false, "save": true, "after": after(&call), "saved": saved() });
    assert_eq!(events(&asked(&mut session, &story, later)), [Event::Save]);
    session.on_answer(story.now, Answer::Recorded(true));
    assert_eq!(types(&story.told(&mut session))[0], "subscribed");
}

#[test]
fn who_begins_to_hear_or_asks_for_what_was_said_is_on_record_as_ever() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    let mut session = story.session();
    story.told(&mut session);
    let begins = asked(&mut session, &story, json!({ "save": true }));
    assert_eq!(events(&begins), [Event::ListenBegin, Event::Save]);
    assert_eq!(
        (begins[1].from, begins[1].seconds),
        (None, None),
        "from here on, without an end"
    );
    session.on_answer(story.now, Answer::Recorded(true));
    story.frames(&call, 1, 1..=2);
    story.told(&mut session);
    let again = asked(&mut session, &story, json!({ "replay_ms": 1_000 }));
    assert_eq!(events(&again), [Event::ListenBegin, Event::Replay]);
    session.on_answer(story.now, Answer::Recorded(true));
    assert_eq!(chunks(&story.told(&mut session)), [1, 2]);
}
