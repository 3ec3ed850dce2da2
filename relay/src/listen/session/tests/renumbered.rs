//! A call that two relays had, each for itself, is one again under another numbering: who listens begins anew where he is.

use super::*;
use crate::calls::journal::Cursor;

#[test]
fn who_listens_is_told_all_under_the_new_numbers_and_hears_on() {
    let (story, other) = (Story::begin(), Story::begin());
    let call = story.live_call("CA1", 7);
    let theirs = other.live_call("CA1", 9);
    story.line(&call, "here", true);
    other.line(&theirs, "there", true);
    let mut session = story.session();
    subscribe(&mut session, &story, json!({}));
    story.frames(&call, 7, 1..=2);
    let first = story.told(&mut session);
    let before = of(&first, "subscribed")[0]["journal"].clone();

    let told = theirs.told(|_| Cursor::default()).unwrap();
    call.merge(story.now, &told.snapshot, &told.entries, "another".to_owned());
    story.frames(&call, 7, 3..=4);
    let again = story.told(&mut session);
    let subscribed: Vec<&Value> = of(&again, "subscribed");
    assert_eq!(subscribed.len(), 1, "{again:?}");
    let what = (
        &subscribed[0]["journal"],
        &subscribed[0]["resumed"],
        &subscribed[0]["audio_id"],
    );
    assert_eq!(what, (&json!("another"), &json!(false), &json!(7)));
    assert_ne!(subscribed[0]["journal"], before);
    let mut texts: Vec<&str> = of(&again, "transcript")
        .iter()
        .filter_map(|message| message["line"]["text"].as_str())
        .collect();
    texts.sort_unstable();
    assert_eq!(texts, ["here", "there"]);
    let chunks = |told: &[Value]| -> Vec<u64> {
        of(told, "frame")
            .iter()
            .filter_map(|frame| frame["chunk"].as_u64())
            .collect()
    };
    assert_eq!((chunks(&first), chunks(&again)), (vec![1, 2], vec![3, 4]));
    assert_eq!(session.closing, None, "nobody is sent away for it");
}

fn of<'a>(told: &'a [Value], kind: &str) -> Vec<&'a Value> {
    told.iter().filter(|message| message["type"] == kind).collect()
}
