//! What a socket may say, and how many sockets, subscriptions and calls there may be.

use harness::wait::{SOON, within};
use harness::{Guarded, Listener, MediaSocket, Relay, TwilioCall, api};
use partyline_relay::limits::burst::MESSAGES_AT_ONCE;
use partyline_relay::limits::preauth::SEAT_BYTES;
use partyline_relay::limits::sockets::OF_ONE_TOKEN;
use partyline_relay::listen::session::MAX_SUBSCRIPTIONS;
use partyline_shared::call::StreamState;
use partyline_shared::protocol::client::{ClientMessage, Subscribe};
use partyline_shared::protocol::server::{ErrorCode, ServerMessage};
use partyline_shared::protocol::{MAX_CLIENT_MESSAGE, close};
use partyline_shared::track::Track;
use partyline_shared::twilio::media::write;

/// A message of exactly so many bytes, which asks for a pong.
fn message(bytes: usize) -> String {
    let (before, after) = (r#"{"type":"ping","id":1,"pad":""#, r#""}"#);
    format!(
        "{before}{}{after}",
        "x".repeat(bytes - before.len() - after.len())
    )
}

#[tokio::test]
async fn a_message_is_so_long_and_no_longer() {
    let relay = Relay::start(&[]).await;
    let mut listener = Listener::connect(relay.addr()).await;
    listener.say_text(message(MAX_CLIENT_MESSAGE)).await;
    let pong = |message: &ServerMessage| matches!(message, ServerMessage::Pong { .. });
    listener.until("an answer", pong).await;
    listener.say_text(message(MAX_CLIENT_MESSAGE + 1)).await;
    assert_eq!(listener.closed().await, Some(close::TOO_BIG));
}

/// An event that nobody knows, of exactly so many bytes.
fn event(bytes: usize) -> String {
    let (before, after) = (r#"{"event":"hologram","pad":""#, r#""}"#);
    format!(
        "{before}{}{after}",
        "x".repeat(bytes - before.len() - after.len())
    )
}

#[tokio::test]
async fn a_stream_that_has_not_begun_says_so_much_and_no_more() {
    let relay = Relay::start(&[]).await;
    let call = TwilioCall::new(&relay);
    call.webhook(&[]).await.expect(200);
    // All counts that it says, the start too, and of each message a frame's head.
    const HEAD: usize = 6;
    let start = write::start("AC1", "MZ1", call.sid().as_str(), &Track::BOTH, &[]);
    let before = SEAT_BYTES - HEAD - start.len() - HEAD;
    let mut loud = MediaSocket::open(relay.addr(), call.sid().as_str()).await;
    for text in [event(before + 1), start.clone()] {
        loud.raw_text(text).await.expect("the socket takes it");
    }
    let code = within(SOON, "the socket to be closed", loud.closed()).await;
    assert_eq!(code, Some(close::TOO_BIG));
    let mut fine = MediaSocket::open(relay.addr(), call.sid().as_str()).await;
    for text in [event(before), start] {
        fine.raw_text(text).await.expect("the socket takes it");
    }
    api::call_once(relay.addr(), call.sid(), "a live stream", |view| {
        view.stream == StreamState::Live
    })
    .await;
}

#[tokio::test]
async fn a_listener_says_so_much_at_once_and_no_more() {
    let relay = Relay::start(&[]).await;
    let pongs = ClientMessage::Pong { id: 1 };
    let mut fine = Listener::connect(relay.addr()).await;
    fine.say_at_once(&vec![pongs.clone(); MESSAGES_AT_ONCE as usize])
        .await;
    fine.say_text(message(100)).await;
    let pong = |message: &ServerMessage| matches!(message, ServerMessage::Pong { .. });
    fine.until("an answer after all of them", pong).await;
    // Twice as much at once is past it, however fast it is read.
    let mut loud = Listener::connect(relay.addr()).await;
    loud.say_at_once(&vec![pongs; 2 * MESSAGES_AT_ONCE as usize])
        .await;
    assert_eq!(loud.closed().await, Some(close::POLICY));
}

#[tokio::test]
async fn a_listener_has_so_many_subscriptions() {
    let relay = Relay::start(&[]).await;
    // Calls of which only the webhook has come.
    let mut calls = Vec::new();
    for _ in 0..=MAX_SUBSCRIPTIONS {
        let call = TwilioCall::new(&relay);
        call.webhook(&[]).await.expect(200);
        calls.push(call.sid().clone());
    }
    let mut listener = Listener::connect(relay.addr()).await;
    let read = |call_sid| {
        ClientMessage::Subscribe(Subscribe {
            call_sid,
            audio: false,
            after: None,
            replay_ms: 0,
            save: false,
            saved: None,
        })
    };
    let (last, fit) = calls.split_last().expect("there are calls");
    let all: Vec<ClientMessage> = fit.iter().cloned().map(read).collect();
    listener.say_at_once(&all).await;
    listener
        .until_so("all to be subscribed", |l| l.heard.len() == MAX_SUBSCRIPTIONS)
        .await;
    listener.say(&read(last.clone())).await;
    let error = |message: &ServerMessage| matches!(message, ServerMessage::Error { .. });
    let refused = listener.until("a refusal", error).await;
    assert!(
        matches!(&refused, ServerMessage::Error { code: ErrorCode::TooManySubscriptions, re: Some(re), .. } if *re == last.to_string()),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_token_has_so_many_sockets() {
    let relay = Guarded::new();
    let token = relay.token("office", &["--role", "admin"]).await;
    let other = relay.token("other", &["--role", "admin"]).await;
    let relay = relay.start(&[]).await;
    let mut held = Vec::new();
    for _ in 0..OF_ONE_TOKEN {
        held.push(
            Listener::open_as(relay.addr(), &token)
                .await
                .expect("there is room"),
        );
    }
    let Err(refused) = Listener::open_as(relay.addr(), &token).await else {
        panic!("one too many was let in")
    };
    assert!(refused.to_string().contains("429"), "{refused}");
    assert!(
        Listener::open_as(relay.addr(), &other).await.is_ok(),
        "another has its own"
    );
}

#[tokio::test]
async fn there_are_so_many_listeners_and_calls() {
    let relay = Relay::start(&["--max-listeners", "2", "--max-calls", "2"]).await;
    let first = Listener::connect(relay.addr()).await;
    let _second = Listener::connect(relay.addr()).await;
    let Err(refused) = Listener::open(relay.addr(), None).await else {
        panic!("one too many was let in")
    };
    assert!(refused.to_string().contains("503"), "{refused}");
    first.close().await;
    harness::wait::until(SOON, "a place to be free", async || {
        Listener::open(relay.addr(), None).await.ok()
    })
    .await;

    let (_one, _its_stream) = api::live_call(&relay).await;
    let (_two, _its_stream2) = api::live_call(&relay).await;
    // One too many is connected all the same, and not followed.
    let third = TwilioCall::new(&relay);
    let answer = third.webhook(&[]).await.expect(200);
    assert!(
        answer.text().contains("<Dial") && !answer.text().contains("<Start"),
        "{}",
        answer.text()
    );
    let mut stream = MediaSocket::open(relay.addr(), third.sid().as_str()).await;
    stream.connected().await;
    stream.start(&[]).await;
    let code = within(SOON, "the stream to be refused", stream.closed()).await;
    assert_eq!(code, Some(close::POLICY));
}
