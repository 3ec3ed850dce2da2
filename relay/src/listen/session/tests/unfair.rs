//! Listeners that ask for too much, or leave at a bad moment.

use super::*;

#[test]
fn who_asks_faster_than_it_reads_is_not_listened_to_meanwhile() {
    let story = Story::begin();
    let mut session = story.session();
    story.told(&mut session);
    for _ in 0..OWED {
        assert!(!session.owes_much());
        session.on_text(story.now, "{}");
    }
    assert!(session.owes_much());
    assert_eq!(story.told(&mut session).len(), OWED);
    assert!(!session.owes_much(), "told, and heard again");
}

/// What was to be told before the news went with its subscription: the news comes all the same.
#[test]
fn news_comes_though_the_audio_before_it_is_gone() {
    let story = Story::begin();
    let (heard, other) = (story.live_call("CA1", 1), story.call("CA2"));
    let mut session = story.session();
    subscribe(&mut session, &story, json!({}));
    session.on_text(
        story.now,
        r#"{"type":"subscribe","call_sid":"CA2","audio":false}"#,
    );
    story.told(&mut session);
    story.frames(&heard, 1, 1..=200);
    story.line(&other, "still here", true);
    // A part of the audio is written, and then it is unsubscribed.
    for _ in 0..10 {
        assert!(matches!(
            session.poll_transmit(story.now),
            Some(Transmit::Binary(_))
        ));
    }
    session.on_text(story.now, r#"{"type":"unsubscribe","call_sid":"CA1"}"#);
    let told = story.told(&mut session);
    assert!(types(&told).contains(&"transcript"), "{:?}", types(&told));
    assert!(
        session.deadline() > story.now.mono,
        "and no deadline stays behind"
    );
}
