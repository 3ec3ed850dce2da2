//! When the list of calls is told.

use super::*;

#[test]
fn what_changes_all_the_time_is_told_in_one_go_at_the_listeners_own_time() {
    let story = Story::begin();
    let call = story.live_call("CA1", 1);
    let mut session = story.session();
    story.told(&mut session);
    // Who spoke for how long changes with every frame; a round tells it to the list.
    let rounds = |from: u32, to: u32| {
        for step in from..to {
            story.frames(&call, 1, step..=step);
            call.on_deadline(story.now.plus(Duration::from_millis(u64::from(step) * 20)), true);
        }
    };
    rounds(1, 20);
    let mailbox = session.mailbox().clone();
    let is_ready = || {
        mailbox
            .poll_ready(&mut std::task::Context::from_waker(std::task::Waker::noop()))
            .is_ready()
    };
    assert!(is_ready(), "woken once, to set its time");
    assert!(story.told(&mut session).is_empty());
    rounds(20, 40);
    assert!(!is_ready(), "and not for each change");
    let due = session.deadline();
    assert!(
        due <= story.now.mono + Duration::from_secs(2),
        "soon, at its own time"
    );
    let later = Now {
        mono: due,
        ..story.now
    };
    session.on_deadline(later);
    let told: Vec<Value> = std::iter::from_fn(|| session.poll_transmit(later))
        .map(as_json)
        .collect();
    assert_eq!(types(&told), ["call"], "its newest state, once");
    // What is more than that does not wait.
    call.stream_stopped(story.now, 1);
    assert!(is_ready());
    let told = story.told(&mut session);
    assert!(types(&told).contains(&"call"), "{told:?}");
}
