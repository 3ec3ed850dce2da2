//! What ends the waiting for live streams: their own ends of every kind, the time that they may take, a second signal;
//! and what is not waited for at all.

use harness::listener::Item;
use harness::record::verify;
use harness::wait::{SOON, within};
use harness::{Listener, Record, Relay, TwilioCall, api};
use partyline_shared::event::EventKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{AT_ONCE, NEVER, expect_told, heard_call, to_the_end};

/// A kernel's buffer that is soon full, bytes.
const NARROW: u32 = 4 << 10;

#[tokio::test]
async fn where_nobody_talks_it_leaves_at_once() {
    for signal in ["TERM", "INT"] {
        let relay = Relay::start(&NEVER).await;
        // Connected, and no more than that.
        let call = TwilioCall::new(&relay);
        call.webhook(&[]).await.expect(200);
        let mut listener = Listener::connect(relay.addr()).await;
        relay.program().signal(signal);
        expect_told(to_the_end(&mut listener).await);
        let log = relay.ended(SOON).await.expect_code(0).stderr;
        assert!(log.contains("drained: there is no live stream"), "{log}");
    }
}

/// The kernel let them in before the relay knew that it leaves: who sends nothing twice has no other way to be heard.
#[tokio::test]
async fn who_has_connected_by_then_is_answered() {
    const POSTS: usize = 20;
    let relay = Relay::start(&[]).await;
    let call = TwilioCall::new(&relay);
    call.webhook(&[]).await.expect(200);
    let addr = relay.addr();
    relay.program().signal("STOP");
    let mut asking = JoinSet::new();
    for _ in 0..POSTS {
        let mut stream = TcpStream::connect(addr).await.expect("the kernel takes it");
        let post = "POST /twilio/status HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
        stream
            .write_all(post.as_bytes())
            .await
            .expect("the kernel keeps it");
        asking.spawn(async move {
            let mut answer = [0; 12];
            let read = stream.read_exact(&mut answer).await;
            read.map(|_| String::from_utf8_lossy(&answer).into_owned())
        });
    }
    relay.program().signal("TERM");
    relay.program().signal("CONT");
    relay.ended(SOON).await.expect_code(0);
    for answer in within(SOON, "all answers", asking.join_all()).await {
        assert!(
            answer.as_ref().is_ok_and(|head| head.starts_with("HTTP/1.1 ")),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_stream_that_would_go_on_is_ended_when_its_time_is_over() {
    let record = Record::new();
    let (relay, call, mut stream, mut alice) = heard_call(&record, &["--drain-timeout", "1s"]).await;
    let told = Instant::now();
    relay.program().signal("TERM");
    expect_told(to_the_end(&mut alice).await);
    assert!(told.elapsed().as_millis() >= 1000, "it had that second");
    assert_eq!(stream.closed().await, Some(1001));
    let lost = alice.heard(call.sid()).event(EventKind::StreamLost);
    assert!(lost.is_some(), "{:?}", alice.heard(call.sid()).events);
    let log = relay.ended(SOON).await.expect_code(0).stderr;
    assert!(log.contains("--drain-timeout is over"), "{log}");
    verify(&[&record.audit()]).await.expect_code(0);
    assert_eq!(record.of("listen_end", "alice").len(), 1);
}

#[tokio::test]
async fn told_twice_it_waits_for_no_stream() {
    let relay = Relay::start(&NEVER).await;
    let (_call, mut stream) = api::live_call(&relay).await;
    relay.program().signal("TERM");
    relay
        .program()
        .complains(SOON, "draining: live streams go on")
        .await;
    relay.program().signal("INT");
    relay.ended(SOON).await.expect_code(0);
    assert_eq!(stream.closed().await, None);
}

#[tokio::test]
async fn who_is_left_is_told_now_and_then() {
    let record = Record::new();
    let (relay, _call, stream, mut alice) = heard_call(&record, &NEVER).await;
    relay.program().signal("TERM");
    let told = "drain: draining streams=1 listeners=1";
    relay.program().complains(SOON, told).await;
    stream.hang_up().await;
    expect_told(to_the_end(&mut alice).await);
    relay.ended(SOON).await.expect_code(0);
}

/// The call may go on, and nothing of it will ever come here again.
#[tokio::test]
async fn a_stream_that_is_lost_is_not_waited_for() {
    let record = Record::new();
    let (relay, call, stream, mut alice) = heard_call(&record, &NEVER).await;
    relay.program().signal("TERM");
    relay
        .program()
        .complains(SOON, "draining: live streams go on")
        .await;
    stream.drop_abruptly();
    expect_told(to_the_end(&mut alice).await);
    assert!(alice.heard(call.sid()).event(EventKind::StreamLost).is_some());
    relay.ended(SOON).await.expect_code(0);
}

/// Its last callbacks come a moment after a stream's end, and whoever listens reads them.
#[tokio::test]
async fn the_last_stream_has_its_last_words() {
    let record = Record::new();
    let (relay, _call, mut stream, mut alice) = heard_call(&record, &NEVER).await;
    relay.program().signal("TERM");
    relay
        .program()
        .complains(SOON, "draining: live streams go on")
        .await;
    let stopped = Instant::now();
    stream.stop().await;
    expect_told(to_the_end(&mut alice).await);
    assert!(
        stopped.elapsed().as_millis() >= 1000,
        "there was a second for them"
    );
    relay.ended(SOON).await.expect_code(0);
}

#[tokio::test]
async fn a_socket_without_a_start_is_closed_and_a_live_stream_is_not() {
    let relay = Relay::start(&NEVER).await;
    let mut waits = TwilioCall::new(&relay).open_stream().await;
    waits.connected().await;
    let (call, mut stream) = api::live_call(&relay).await;
    let mut listener = Listener::connect(relay.addr()).await;
    listener.subscribe(call.sid()).await;
    relay.program().signal("TERM");
    assert_eq!(waits.closed().await, Some(1001));
    stream.play(&[1; 320], &[], AT_ONCE).await;
    for _ in 0..2 {
        listener.next_frame("a frame of the live stream").await;
    }
    stream.hang_up().await;
    expect_told(to_the_end(&mut listener).await);
    relay.ended(SOON).await.expect_code(0);
}

#[tokio::test]
async fn a_listener_that_reads_nothing_holds_up_nobody() {
    let record = Record::new();
    let bob = record.add("bob", &["--role", "admin"]).await;
    let (relay, call, mut stream, mut alice) = heard_call(&record, &NEVER).await;
    let bearer = format!("Bearer {bob}");
    let headers = [("authorization", bearer.as_str())];
    let opened = Listener::open_at(relay.addr(), "/listen", &headers, Some(NARROW)).await;
    let mut deaf = opened.expect("/listen");
    deaf.subscribe(call.sid()).await;
    // More than lies between the relay and a listener that does not read.
    let said = [0x55; 160 * 1000];
    let hears = async {
        let all = |l: &Listener| {
            let heard = l.heard(call.sid());
            heard
                .frames
                .inbound
                .last()
                .is_some_and(|last| last.chunk() == 1000)
        };
        alice.until_so("the last frame", all).await;
    };
    let says = stream.play(&said, &[], AT_ONCE);
    within(SOON, "who reads hears it all", async {
        tokio::join!(says, hears)
    })
    .await;
    relay.program().signal("TERM");
    stream.hang_up().await;
    expect_told(to_the_end(&mut alice).await);
    let log = relay.ended(SOON).await.expect_code(0).stderr;
    assert!(log.contains("some connections did not end in time"), "{log}");
    verify(&[&record.audit()]).await.expect_code(0);
    assert_eq!(
        record.of("listen_end", "bob").len(),
        1,
        "its end is on record too"
    );
    let rest = async { while !matches!(deaf.next("the rest").await, Item::Closed(_)) {} };
    within(SOON, "the connection to end", rest).await;
}
