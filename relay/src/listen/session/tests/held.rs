//! What a listener is told of a call that is held back, and of one that is erased.

use super::*;

#[test]
fn a_listener_is_told_that_a_call_is_held_back_and_afterwards_what_was_missing() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    let mut session = story.session();
    subscribe(&mut session, &story, json!({}));
    story.told(&mut session);
    story.frames(&call, 1, 1..=1);
    call.pause(story.now, &Grant::insecure()).unwrap();
    story.frames(&call, 1, 2..=9);
    story.line(&call, "my card", true);
    let told = story.told(&mut session);
    assert_eq!(types(&told), ["frame", "event", "call"]);
    assert_eq!(told[1]["event"]["kind"], "paused");
    assert_eq!(told[1]["event"]["detail"], json!({ "name": "insecure" }));
    assert_eq!(told[2]["call"]["paused"], true);
    call.resume(story.now, &Grant::insecure()).unwrap();
    story.frames(&call, 1, 10..=10);
    let told = story.told(&mut session);
    assert_eq!(types(&told), ["gap", "frame", "event", "call"]);
    assert_eq!(
        told[0],
        json!({ "type": "gap", "call_sid": "CA1", "track": "inbound", "from_chunk": 2, "to_chunk": 9, "reason": "paused" })
    );
    assert_eq!(
        (&told[2]["event"]["kind"], &told[3]["call"]["paused"]),
        (&json!("resumed"), &json!(false))
    );
}

#[test]
fn a_slow_listener_is_told_apart_what_was_held_back_and_what_it_lost() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    let mut session = story.session();
    subscribe(&mut session, &story, json!({}));
    story.told(&mut session);
    story.frames(&call, 1, 1..=10);
    call.pause(story.now, &Grant::insecure()).unwrap();
    story.frames(&call, 1, 11..=20);
    call.resume(story.now, &Grant::insecure()).unwrap();
    story.frames(&call, 1, 21..=320);
    let gaps: Vec<Value> = story
        .told(&mut session)
        .into_iter()
        .filter(|m| m["type"] == "gap")
        .collect();
    let told = |gap: &Value| {
        (
            gap["from_chunk"].clone(),
            gap["to_chunk"].clone(),
            gap["reason"].clone(),
        )
    };
    let gap = |from: u32, to: u32, why: &str| (json!(from), json!(to), json!(why));
    assert_eq!(
        gaps.iter().map(told).collect::<Vec<_>>(),
        [
            gap(1, 10, "slow_listener"),
            gap(11, 20, "paused"),
            gap(21, 64, "slow_listener")
        ]
    );
}

#[test]
fn an_erased_call_is_removed_and_nothing_of_it_is_told_any_more() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    story.frames(&call, 1, 1..=5);
    story.line(&call, "before", true);
    let (mut early, mut late) = (story.session(), story.session());
    subscribe(&mut early, &story, json!({}));
    story.told(&mut early);
    story.frames(&call, 1, 6..=9);
    story.line(&call, "waits", true);
    story.told(&mut late);
    // What is remembered has not been told yet.
    subscribe(&mut late, &story, json!({ "replay_ms": 1000 }));
    assert!(story.registry.erase(story.now, call.sid()));
    story.frames(&call, 1, 10..=12);
    let removed = json!({ "type": "call_removed", "call_sid": "CA1" });
    assert_eq!(story.told(&mut early), std::slice::from_ref(&removed));
    let told = story.told(&mut late);
    assert_eq!((told.len(), &told[1]), (2, &removed), "{told:?}");
    assert_eq!(told[0]["code"], "no_such_call");
    subscribe(&mut early, &story, json!({}));
    assert_eq!(story.told(&mut early)[0]["code"], "no_such_call");
}
