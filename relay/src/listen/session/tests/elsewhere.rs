//! A call that another relay has: what is remembered of it comes later, and is told first all the same.

use super::*;
use crate::calls::fanout::{Batch, StreamInfo};
use crate::calls::journal::Cursor;

/// The owner's call, and the same here.
fn followed(owner: &Story, here: &Story) -> (Arc<Call>, Arc<Call>) {
    let call = owner.live_call("CA1", 7);
    owner.frames(&call, 7, 1..=10);
    owner.line(&call, "hello", true);
    let told = call.told(|_| Cursor::default()).unwrap();
    let from = Cursor::default();
    let followed = here
        .registry
        .follow(here.now, "other", call.sid(), &told.snapshot, from, &told.entries);
    assert!(followed.is_ok());
    (here.registry.known(call.sid()).unwrap(), call)
}

fn stream(call: &Call) -> StreamInfo {
    let kept = call.told(|_| Cursor::default()).unwrap().snapshot.stream.unwrap();
    StreamInfo {
        audio_id: kept.audio_id,
        zero_at: kept.zero_at,
    }
}

fn came(call: &Call, stream: StreamInfo, chunk: u32) {
    let frame = AudioFrame::new(Track::Inbound, 7, chunk, chunk * 20, &[0xff; 160]);
    call.media_from(stream, &mut Batch::new(&[Item::Frame(frame)], &mut Vec::new()));
}

fn remembered(chunks: std::ops::RangeInclusive<u32>) -> VecDeque<Item> {
    let frame = |chunk| AudioFrame::new(Track::Inbound, 7, chunk, chunk * 20, &[0xff; 160]).replayed();
    chunks.map(|chunk| Item::Frame(frame(chunk))).collect()
}

fn frames(told: &[Value]) -> Vec<(u64, bool)> {
    let frames = told.iter().filter(|message| message["type"] == "frame");
    frames
        .map(|frame| {
            (
                frame["chunk"].as_u64().unwrap(),
                frame["replayed"].as_bool().unwrap(),
            )
        })
        .collect()
}

#[test]
fn what_another_relay_remembers_is_told_after_the_lines_and_before_what_is_live() {
    let (owner, story) = (Story::begin(), Story::begin());
    let (call, theirs) = followed(&owner, &story);
    story.live_call("CA2", 2);
    let mut session = story.session();
    story.told(&mut session);
    subscribe(&mut session, &story, json!({ "replay_ms": 60 }));
    subscribe(&mut session, &story, json!({ "call_sid": "CA2" }));
    let told = story.told(&mut session);
    assert_eq!(
        (types(&told)[0], told[0]["audio_id"].clone()),
        ("subscribed", json!(7))
    );
    assert!(
        types(&told).contains(&"transcript") && frames(&told).is_empty(),
        "{told:?}"
    );
    story.frames(&story.call("CA2"), 2, 1..=1);
    assert_eq!(
        frames(&story.told(&mut session)),
        [(1, false)],
        "nobody else waits for it"
    );
    assert_eq!(call.wants().unwrap().replay_ms, 60);
    let mut greedy = story.session();
    subscribe(&mut greedy, &story, json!({ "replay_ms": 3_600_000 }));
    assert_eq!(
        call.wants().unwrap().replay_ms,
        10_000,
        "nobody waits for more than is remembered of any call"
    );
    drop(greedy);
    call.replayed_from(Some(stream(&theirs)), 60, &remembered(8..=10));
    came(&call, stream(&theirs), 11);
    let told = story.told(&mut session);
    assert_eq!(frames(&told), [(8, true), (9, true), (10, true), (11, false)]);
    assert_eq!(call.wants().unwrap().replay_ms, 0);
}

#[test]
fn who_waits_for_it_in_vain_hears_what_is_live() {
    let (owner, story) = (Story::begin(), Story::begin());
    let (call, theirs) = followed(&owner, &story);
    let mut session = story.session();
    subscribe(&mut session, &story, json!({ "replay_ms": 60 }));
    story.told(&mut session);
    came(&call, stream(&theirs), 11);
    assert_eq!(frames(&story.told(&mut session)), []);
    call.on_deadline(story.now.plus(Duration::from_millis(999)), false);
    assert_eq!(frames(&story.told(&mut session)), []);
    call.on_deadline(story.now.plus(Duration::from_millis(1001)), false);
    came(&call, stream(&theirs), 12);
    assert_eq!(frames(&story.told(&mut session)), [(11, true), (12, false)]);
    call.replayed_from(Some(stream(&theirs)), 60, &remembered(8..=10));
    came(&call, stream(&theirs), 13);
    assert_eq!(
        frames(&story.told(&mut session)),
        [(13, false)],
        "it comes too late"
    );
}

#[test]
fn a_call_that_comes_to_be_ours_is_waited_for_no_more() {
    let (owner, story) = (Story::begin(), Story::begin());
    let (call, _theirs) = followed(&owner, &story);
    let mut session = story.session();
    subscribe(&mut session, &story, json!({ "replay_ms": 60 }));
    story.told(&mut session);
    story.live_call("CA1", 8);
    story.frames(&call, 8, 1..=1);
    assert_eq!(frames(&story.told(&mut session)), [(1, false)]);
}

#[test]
fn a_call_that_came_back_elsewhere_is_heard_from_its_first_frames_once_that_is_on_record() {
    let (owner, story) = (Story::begin(), Story::begin());
    let (call, theirs) = followed(&owner, &story);
    let follow = || {
        let told = theirs.told(|_| Cursor::default()).unwrap();
        let (sid, from) = (theirs.sid(), Cursor::default());
        let followed = story
            .registry
            .follow(story.now, "other", sid, &told.snapshot, from, &told.entries);
        assert!(followed.is_ok());
    };
    let mut session = story.session();
    subscribe(&mut session, &story, json!({}));
    story.told(&mut session);
    owner.end(&theirs);
    follow();
    story.told(&mut session);
    assert_eq!(call.wants().unwrap().hearing, 0, "it is over");
    let later = owner.now.plus(Duration::from_secs(1));
    theirs.accept_stream(later, 8, Accepted::default());
    follow();
    story.told(&mut session);
    assert!(matches!(session.next_asked(), Some(Asked::Record(_))));
    session.on_answer(story.now, Answer::Recorded(true));
    let wants = call.wants().unwrap();
    assert_eq!(
        (wants.hearing, wants.replay_ms),
        (1, 2_000),
        "it may have missed some"
    );
    let frame = |chunk| AudioFrame::new(Track::Inbound, 8, chunk, chunk * 20, &[0xff; 160]);
    let items = (1..=3)
        .map(|chunk| Item::Frame(frame(chunk).replayed()))
        .collect();
    call.replayed_from(Some(stream(&theirs)), 2_000, &items);
    let live = [Item::Frame(frame(4))];
    call.media_from(stream(&theirs), &mut Batch::new(&live, &mut Vec::new()));
    let told = story.told(&mut session);
    assert_eq!(
        (&told[0]["type"], &told[0]["audio_id"]),
        (&json!("subscribed"), &json!(8))
    );
    assert_eq!(frames(&told), [(1, true), (2, true), (3, true), (4, false)]);
}
