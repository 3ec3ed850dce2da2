//! The small change of a WebSocket, seen on the wire: pings, pongs and closes. A library answers them when it
//! is asked for the next message, so what asks seldom has to see to it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use harness::api::live_call;
use harness::wait::{SOON, within};
use harness::{MediaSocket, Relay, speech};
use partyline_shared::protocol::PING_SECONDS;
use partyline_shared::track::Track;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Raw = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(relay: SocketAddr, path: &str) -> Raw {
    let url = format!("ws://{relay}{path}");
    within(SOON, "the upgrade", connect_async(url))
        .await
        .expect("101")
        .0
}

/// Reads up to the first message that is `wanted`.
async fn until(socket: &mut Raw, what: &str, limit: Duration, wanted: impl Fn(&Message) -> bool) -> Message {
    let read = async {
        loop {
            let message = socket
                .next()
                .await
                .expect("the socket goes on")
                .expect("a message");
            if wanted(&message) {
                return message;
            }
        }
    };
    within(limit, what, read).await
}

#[tokio::test]
async fn an_idle_listener_is_pinged_and_stays() {
    let relay = Relay::start(&[]).await;
    let mut listener = open(relay.addr(), "/listen").await;
    let limit = Duration::from_secs(PING_SECONDS) + SOON;
    until(&mut listener, "the relay's ping", limit, Message::is_ping).await;
    listener
        .send(Message::text(r#"{"type":"ping","id":7}"#))
        .await
        .unwrap();
    let pong = until(
        &mut listener,
        "the answer to our ping",
        SOON,
        Message::is_text_of_pong,
    )
    .await;
    assert!(pong.to_text().unwrap().contains(r#""id":7"#));
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn a_ping_is_answered_at_every_door_without_other_traffic() {
    let relay = Relay::start(&[]).await;
    for path in ["/listen", "/cable"] {
        let mut socket = open(relay.addr(), path).await;
        if path == "/listen" {
            until(&mut socket, "the list of calls", SOON, Message::is_text).await;
        }
        // Twice: the first finds a socket that has just been read, the second one that waits.
        for word in ["one", "two"] {
            socket.send(Message::Ping(Bytes::from(word))).await.unwrap();
            let pong = until(&mut socket, "a pong", Duration::from_secs(3), Message::is_pong).await;
            assert_eq!(pong.into_data(), word);
        }
    }
}

#[tokio::test]
async fn a_close_is_answered_by_a_close() {
    let relay = Relay::start(&[]).await;
    for path in ["/listen", "/cable"] {
        let mut socket = open(relay.addr(), path).await;
        let bye = CloseFrame {
            code: CloseCode::Normal,
            reason: "enough".into(),
        };
        socket.send(Message::Close(Some(bye))).await.unwrap();
        let answer = until(&mut socket, "the answer to a close", SOON, Message::is_close).await;
        let Message::Close(Some(frame)) = answer else {
            panic!("{path}: a close without a code")
        };
        assert_eq!(frame.code, CloseCode::Normal);
    }
}

/// A reader that is slower than its audio is still listened to.
#[tokio::test]
async fn a_slow_reader_can_still_ask() {
    let relay = Relay::start(&[]).await;
    let (call, mut stream) = live_call(&relay).await;
    let mut listener = open(relay.addr(), "/listen").await;
    let subscribe = format!(r#"{{"type":"subscribe","call_sid":"{}"}}"#, call.sid());
    listener.send(Message::text(subscribe)).await.unwrap();
    let subscribed = |m: &Message| m.to_text().is_ok_and(|text| text.contains(r#""subscribed""#));
    until(&mut listener, "subscribed", SOON, subscribed).await;
    // Far more than real time, and without a pause: the relay never has nothing to write.
    let audio = speech::piece(speech::LONG[0], 0, 1000);
    let flood = tokio::spawn(async move { flood(&mut stream, &audio).await });
    listener
        .send(Message::text(r#"{"type":"ping","id":9}"#))
        .await
        .unwrap();
    let read = async {
        loop {
            let message = listener
                .next()
                .await
                .expect("the socket goes on")
                .expect("a message");
            if message.is_text_of_pong() {
                return;
            }
            // A third of what is sent, and no more.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within(SOON, "an answer amid audio", read).await;
    flood.abort();
}

async fn flood(stream: &mut MediaSocket, audio: &[u8]) {
    for at in 0.. {
        let frame = &audio[(at as usize * 160) % (audio.len() - 160)..][..160];
        stream.media(Track::Inbound, at * 20, frame).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

trait Pong {
    fn is_text_of_pong(&self) -> bool;
}

impl Pong for Message {
    fn is_text_of_pong(&self) -> bool {
        self.is_text()
            && self
                .to_text()
                .is_ok_and(|text| text.starts_with(r#"{"type":"pong""#))
    }
}
