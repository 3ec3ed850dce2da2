//! Lost in the middle of a call.

use std::time::{Duration, Instant};

use harness::rest::{Rest, RestCall};
use harness::{Listener, TwilioCall};
use partyline_shared::event::EventKind;
use partyline_shared::protocol::server::ServerMessage;
use partyline_shared::track::Track;

use super::{AT_ONCE, count, heard_call, relay};

/// From the loss on: the relay asks after a second.
const BEFORE_IT_ASKS: Duration = Duration::from_millis(900);

#[tokio::test]
async fn a_lost_stream_is_asked_for_and_heard_on() {
    let mut rest = Rest::start().await;
    let (relay, token) = relay(&rest, &[]).await;
    let (call, mut stream, mut listener) = heard_call(&relay, &rest, &token).await;
    let sid = call.sid();
    stream.play(&[1; 480], &[2; 480], AT_ONCE).await;
    let first = |l: &Listener| l.heard(sid).audio(Track::Outbound).len() == 480;
    listener.until_so("the first stream", first).await;
    let old = listener.heard(sid).subscribed[0].audio_id.expect("it is live");
    stream.drop_abruptly();

    let mut again = rest.stream().await;
    let names: Vec<&str> = again.parameters.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["customer_id", "partyline_pass"]);
    assert_eq!(again.parameters[0].1, "7");
    let anew =
        |m: &ServerMessage| matches!(m, ServerMessage::Subscribed { audio_id, .. } if *audio_id != Some(old));
    listener.until("subscribed again", anew).await;
    again.stream.play(&[3; 320], &[4; 320], AT_ONCE).await;
    let second = |l: &Listener| l.heard(sid).audio(Track::Outbound).len() == 800;
    listener.until_so("the second stream", second).await;
    let heard = listener.heard(sid);
    assert_eq!(heard.audio(Track::Inbound), [vec![1; 480], vec![3; 320]].concat());
    assert!(listener.strays.is_empty());
    assert_eq!(count(&listener, sid, EventKind::StreamLost), 1);
    assert_eq!(count(&listener, sid, EventKind::StreamStarted), 2);
    assert_eq!(count(&listener, sid, EventKind::StreamReplaced), 0);

    let asked = rest.asked_for(sid.as_str());
    assert_eq!(asked.len(), 1);
    let field = |name| asked[0].form.get(name).unwrap_or_default();
    assert_eq!(field("Url"), "wss://calls.example.com/cable");
    assert_eq!(field("StatusCallback"), "https://calls.example.com/twilio/stream");
    again.stream.hang_up().await;
    let stopped = |l: &Listener| count(l, sid, EventKind::StreamStopped) == 1;
    listener.until_so("the end", stopped).await;
    let stderr = relay.program().stderr();
    assert!(!stderr.contains("partyline_pass") && !stderr.contains(&again.parameters[1].1));
}

#[tokio::test]
async fn a_stream_that_twilio_brings_by_itself_is_not_asked_for() {
    // A machine that is too busy to bring it in time shows nothing.
    for _ in 0..5 {
        if is_brought_before_it_is_asked_for().await {
            return;
        }
    }
    panic!("no stream was back within {BEFORE_IT_ASKS:?}");
}

/// Whether it was, of calls at a relay of their own; the story fails where it is asked for all the same.
async fn is_brought_before_it_is_asked_for() -> bool {
    let mut rest = Rest::start().await;
    let (relay, token) = relay(&rest, &[]).await;
    let (call, stream, mut listener) = heard_call(&relay, &rest, &token).await;
    let (other, lost_too, mut hears) = heard_call(&relay, &rest, &token).await;
    let begun = Instant::now();
    stream.drop_abruptly();
    let lost = |l: &Listener| count(l, call.sid(), EventKind::StreamLost) == 1;
    listener.until_so("the loss", lost).await;
    let answer = call
        .webhook(&[("customer_id", "7"), ("Digits", "1")])
        .await
        .expect(200);
    let mut back = call.open_stream().await;
    back.connected().await;
    back.start(&[("partyline_pass", &harness::twilio::pass(&answer))])
        .await;
    relay.is_live(call.sid(), &token).await;
    if begun.elapsed() > BEFORE_IT_ASKS {
        return false;
    }
    // Lost later, so that the first one's time has come before this one's.
    lost_too.drop_abruptly();
    let again = rest.stream().await;
    hears
        .until_so("the second call", |l| {
            count(l, other.sid(), EventKind::StreamStarted) == 2
        })
        .await;
    assert_eq!(rest.asked_for(call.sid().as_str()).len(), 0);
    assert_eq!(rest.asked_for(other.sid().as_str()).len(), 1);
    drop((again, back));
    true
}

#[tokio::test]
async fn who_wants_none_asks_for_none() {
    let (silent, mut rest) = (Rest::start().await, Rest::start().await);
    let (never, its_token) = relay(&silent, &["--attach", "never"]).await;
    let (owned, token) = relay(&rest, &[]).await;
    let (call, stream, mut listener) = heard_call(&never, &silent, &its_token).await;
    stream.drop_abruptly();
    let lost = |l: &Listener| count(l, call.sid(), EventKind::StreamLost) == 1;
    listener.until_so("the loss", lost).await;
    let (_call, stream, _listener) = heard_call(&owned, &rest, &token).await;
    stream.drop_abruptly();
    let _again = rest.stream().await;
    assert!(silent.asked().is_empty());
}

#[tokio::test]
async fn a_relay_that_leaves_asks_for_nothing() {
    let rest = Rest::start().await;
    let (relay, token) = relay(&rest, &["--drain-timeout", "1m"]).await;
    let (call, stream, _listener) = heard_call(&relay, &rest, &token).await;
    relay.program().signal("TERM");
    relay
        .program()
        .complains(harness::wait::SOON, "once more ends at once")
        .await;
    stream.drop_abruptly();
    relay.ended().await.expect_code(0);
    assert!(rest.asked().is_empty(), "{:?}", call.sid());
}

#[tokio::test]
async fn a_call_of_an_account_without_a_token_is_left_alone() {
    let rest = Rest::start().await;
    let url = rest.url();
    // Nothing is known of the account, and nothing is asked under --insecure without tokens.
    let insecure =
        harness::Relay::start(&["--twilio-api", &url, "--public-url", "https://calls.example.com"]).await;
    let call = TwilioCall::new(&insecure);
    let stream = harness::api::live_stream(&insecure, &call).await;
    rest.has(call.sid().as_str(), RestCall::default());
    stream.drop_abruptly();
    let ended =
        |call: &partyline_shared::call::Call| call.stream == partyline_shared::call::StreamState::Lost;
    harness::api::call_once(insecure.addr(), call.sid(), "the loss", ended).await;
    let mut other = Rest::start().await;
    let (relay, token) = relay(&other, &[]).await;
    let (_call, stream, _listener) = heard_call(&relay, &other, &token).await;
    stream.drop_abruptly();
    let _again = other.stream().await;
    assert!(rest.asked().is_empty());
}
