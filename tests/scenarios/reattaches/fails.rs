//! Twilio does not give it: not now, not at all, or the call is over.

use harness::Listener;
use harness::rest::{Rest, RestCall};
use harness::wait::SOON;
use partyline_shared::event::EventKind;
use partyline_shared::track::Track;

use super::{AT_ONCE, count, heard_call, relay, told};

#[tokio::test]
async fn a_failure_is_told_and_another_attempt_is_made() {
    let mut rest = Rest::start().await;
    let (relay, token) = relay(&rest, &[]).await;
    let (call, stream, mut listener) = heard_call(&relay, &rest, &token).await;
    let sid = call.sid();
    rest.fails_next(503, 20503);
    stream.drop_abruptly();
    told(&mut listener, sid, "answered 503").await;
    let mut again = rest.stream().await;
    again.stream.play(&[5; 160], &[], AT_ONCE).await;
    let frame = listener.next_frame("a frame of the new stream").await;
    assert_eq!((frame.mulaw(), frame.track()), (&[5; 160][..], Track::Inbound));
    assert_eq!(rest.asked_for(sid.as_str()).len(), 2);
    // Twilio's words have numbers in them.
    let stderr = relay.program().stderr();
    assert!(
        stderr.contains("answered 503") && !stderr.contains("5550100002"),
        "{stderr}"
    );
}

#[tokio::test]
async fn so_many_are_asked_for_at_once_and_the_next_when_one_is_answered() {
    const MOST: usize = 8;
    let rest = Rest::start().await;
    let (relay, token) = relay(&rest, &[]).await;
    let mut lost = Vec::new();
    for _ in 0..=MOST {
        let (call, stream, _) = heard_call(&relay, &rest, &token).await;
        lost.push((call, stream));
    }
    rest.holds(true);
    let sids: Vec<String> = lost.iter().map(|(call, _)| call.sid().to_string()).collect();
    lost.into_iter().for_each(|(_, stream)| stream.drop_abruptly());
    rest.until_waiting(MOST).await;
    assert_eq!(rest.most_waiting(), MOST);
    rest.holds(false);
    let each = |asked: &[harness::rest::Asked]| {
        let has = |sid: &String| asked.iter().any(|a| a.resource.contains(sid.as_str()));
        sids.iter().all(has)
    };
    rest.until_asked("every call", each).await;
}

#[tokio::test]
async fn a_call_that_is_over_is_asked_for_once() {
    let mut rest = Rest::start().await;
    let (relay, token) = relay(&rest, &[]).await;
    let (over, stream, _hears) = heard_call(&relay, &rest, &token).await;
    let (gone, second, _hears_too) = heard_call(&relay, &rest, &token).await;
    let (call, third, mut listener) = heard_call(&relay, &rest, &token).await;
    rest.has(over.sid().as_str(), RestCall::is("completed"));
    rest.has(call.sid().as_str(), RestCall::default());
    stream.drop_abruptly();
    let once =
        |sid: String| move |asked: &[harness::rest::Asked]| asked.iter().any(|a| a.resource.contains(&sid));
    rest.until_asked("the first call", once(over.sid().to_string()))
        .await;
    // One that Twilio never heard of.
    rest.has(gone.sid().as_str(), RestCall::is("canceled"));
    second.drop_abruptly();
    rest.until_asked("the second call", once(gone.sid().to_string()))
        .await;
    // The third one's second attempt comes after what would be theirs.
    rest.fails_next(500, 20500);
    third.drop_abruptly();
    let _again = rest.stream().await;
    listener
        .until_so("the stream", |l| {
            count(l, call.sid(), EventKind::StreamStarted) == 2
        })
        .await;
    assert_eq!(rest.asked_for(over.sid().as_str()).len(), 1);
    assert_eq!(rest.asked_for(gone.sid().as_str()).len(), 1);
}

#[tokio::test]
async fn wrong_credentials_are_told_with_what_to_do_and_not_tried_again() {
    let rest = Rest::start().await;
    let (relay, token) = relay(&rest, &[]).await;
    let (call, stream, mut listener) = heard_call(&relay, &rest, &token).await;
    rest.knows_token("another");
    stream.drop_abruptly();
    told(&mut listener, call.sid(), "auth token").await;
    told(&mut listener, call.sid(), "not asked for any more").await;
    relay
        .program()
        .complains(SOON, "compare both with Twilio's console")
        .await;
    assert_eq!(count(&listener, call.sid(), EventKind::Error), 2);
}

#[tokio::test]
async fn a_stream_that_was_granted_and_does_not_come_is_stopped_before_the_next() {
    let mut rest = Rest::start().await;
    let (relay, token) = relay(&rest, &[]).await;
    let (call, stream, mut listener) = heard_call(&relay, &rest, &token).await;
    rest.withholds_next();
    stream.drop_abruptly();
    let again = rest.stream().await;
    let back = |l: &Listener| count(l, call.sid(), EventKind::StreamStarted) == 2;
    listener.until_so("the stream", back).await;
    let asked = rest.asked();
    let resources: Vec<&str> = asked
        .iter()
        .map(|asked| asked.resource.rsplit_once('/').map_or("", |(before, _)| before))
        .collect();
    let streams = format!("Calls/{}", call.sid());
    let stopped = format!("{streams}/Streams");
    assert_eq!(resources, [&streams, &stopped, &streams]);
    assert_eq!(asked[1].form.get("Status"), Some("stopped"));
    assert!(
        !asked[1].resource.contains(&again.stream.stream),
        "the one before"
    );
}
