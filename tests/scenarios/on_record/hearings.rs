//! Each way in which somebody stops hearing is on record, with what was heard to the byte; so is a call that comes
//! back, what is heard again, what is kept, and who may listen at all.

use std::time::Duration;

use harness::wait::SOON;
use harness::{Listener, MediaSocket, Record, Relay, TwilioCall, api};
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::ClientMessage;
use partyline_shared::protocol::server::{ErrorCode, ServerMessage};
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;
use serde_json::Value;

use super::hear;

/// Frames of each track that are said at a time.
const FRAMES: usize = 25;

/// Says something on both tracks, and waits until this listener has all of it.
async fn say(stream: &mut MediaSocket, listener: &mut Listener, call: &CallSid) {
    let before = heard(listener, call);
    stream
        .play(&[0x11; 160 * FRAMES], &[0x22; 160 * FRAMES], Duration::ZERO)
        .await;
    let all = before + 2 * 160 * FRAMES as u64;
    listener
        .until_so("all that was said", |listener| heard(listener, call) >= all)
        .await;
}

/// Bytes of audio that a listener got of a call.
fn heard(listener: &Listener, call: &CallSid) -> u64 {
    let heard = listener.heard.get(call);
    heard.map_or(0, |heard| {
        Track::BOTH
            .map(|track| heard.audio(track).len() as u64)
            .iter()
            .sum()
    })
}

/// Fails unless the end says why, how much, and just as long as from when to when.
#[track_caller]
fn expect_end(line: &Value, why: &str, bytes: u64, call: &CallSid) {
    assert_eq!(
        (&line["reason"], &line["bytes"]),
        (&why.into(), &bytes.into()),
        "{line}"
    );
    assert_eq!(
        (&line["call_sid"], &line["door"]),
        (&call.as_str().into(), &"listen".into())
    );
    assert_eq!(
        (&line["address"], &line["customer_id"]),
        (&"127.0.0.1".into(), &Value::Null)
    );
    let heard = ms(line, "to") - ms(line, "from");
    assert!(heard >= 0 && line["at"] == line["to"], "{line}");
    assert_eq!(line["seconds"].as_f64(), Some(heard as f64 / 1000.0), "{line}");
}

/// A time of a line, ms.
fn ms(line: &Value, key: &str) -> i64 {
    let time = line[key].as_str().and_then(UtcTime::parse);
    time.unwrap_or_else(|| panic!("{key} is no time: {line}"))
        .unix_ms()
}

async fn begin(record: &Record, name: &str, more: &[&str]) -> (Relay, TwilioCall, MediaSocket, Listener) {
    let token = record.add(name, &["--role", "admin"]).await;
    let relay = record.relay(more).await;
    let (call, stream) = api::live_call(&relay).await;
    let listener = Listener::connect_as(relay.addr(), &token).await;
    (relay, call, stream, listener)
}

#[tokio::test]
async fn whoever_goes_is_on_record_with_what_was_heard_to_the_byte() {
    let record = Record::new();
    let (relay, call, mut stream, mut alice) = begin(&record, "alice", &[]).await;
    let sid = call.sid();
    alice.subscribe(sid).await;
    let begin = record.of("listen_begin", "alice").remove(0);
    assert_eq!(
        (&begin["call_sid"], &begin["role"]),
        (&sid.as_str().into(), &"admin".into())
    );
    assert!(begin["token_id"].is_string(), "{begin}");
    say(&mut stream, &mut alice, sid).await;
    let mut known = heard(&alice, sid);
    let call_sid = sid.clone();
    alice.say(&ClientMessage::Unsubscribe { call_sid }).await;
    expect_end(
        &record.once("listen_end", "alice", 1).await[0],
        "unsubscribed",
        known,
        sid,
    );

    // What is remembered counts as well, and a second `subscribe` is another hearing.
    alice.subscribe_with(hear(sid, u64::MAX, true)).await;
    let again = 2 * 160 * FRAMES as u64;
    alice
        .until_so("what was said before", |alice| heard(alice, sid) >= known + again)
        .await;
    assert_eq!(record.of("save", "alice").len(), 1);
    let replay = record.of("replay", "alice");
    assert_eq!(replay.len(), 1);
    // More was asked for than is ever remembered.
    assert_eq!(
        ms(&replay[0], "to") - ms(&replay[0], "from"),
        10_000,
        "{replay:?}"
    );
    alice.subscribe(sid).await;
    expect_end(
        &record.once("listen_end", "alice", 2).await[1],
        "subscribed anew",
        again,
        sid,
    );

    known = heard(&alice, sid);
    say(&mut stream, &mut alice, sid).await;
    let got = heard(&alice, sid) - known;
    alice.close().await;
    expect_end(
        &record.once("listen_end", "alice", 3).await[2],
        "the connection ended",
        got,
        sid,
    );
    assert_eq!(record.of("listen_begin", "alice").len(), 3);
    drop(relay);
}

#[tokio::test]
async fn a_token_that_is_taken_ends_it_on_record_and_so_is_the_token() {
    let record = Record::new();
    let (relay, call, mut stream, mut alice) = begin(&record, "alice", &[]).await;
    alice.subscribe(call.sid()).await;
    say(&mut stream, &mut alice, call.sid()).await;
    let got = heard(&alice, call.sid());
    record.remove("alice").await;
    assert_eq!(alice.closed().await, Some(4001));
    let end = record.once("listen_end", "alice", 1).await.remove(0);
    expect_end(&end, "the token counts no longer", got, call.sid());
    let gone = record.once("token_removed", "alice", 1).await.remove(0);
    assert_eq!(gone["token_id"], end["token_id"]);

    record
        .add("bob", &["--role", "user", "--customer", "12345"])
        .await;
    let new = record.once("token_added", "bob", 1).await.remove(0);
    assert_eq!(
        (&new["role"], &new["customer_id"]),
        (&"user".into(), &Value::Null)
    );
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn a_call_that_ends_and_lives_again_is_heard_again_on_record() {
    let record = Record::new();
    let (relay, call, mut stream, mut alice) = begin(&record, "alice", &[]).await;
    let sid = call.sid();
    let first = alice.subscribe(sid).await.audio_id;
    say(&mut stream, &mut alice, sid).await;
    let got = heard(&alice, sid);
    stream.hang_up().await;
    expect_end(
        &record.once("listen_end", "alice", 1).await[0],
        "the call ended",
        got,
        sid,
    );

    let mut stream = api::live_stream(&relay, &call).await;
    let again = |message: &ServerMessage| matches!(message, ServerMessage::Subscribed { audio_id, .. } if audio_id.is_some() && *audio_id != first);
    alice.until("subscribed to the new stream", again).await;
    assert_eq!(
        record.of("listen_begin", "alice").len(),
        2,
        "before its first frame"
    );
    say(&mut stream, &mut alice, sid).await;
    assert!(alice.strays.is_empty());
    stream.hang_up().await;
    expect_end(
        &record.once("listen_end", "alice", 2).await[1],
        "the call ended",
        heard(&alice, sid) - got,
        sid,
    );
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn keeping_audio_without_the_right_is_refused_on_record() {
    let record = Record::new();
    let token = record.add("bob", &["--role", "user", "--customer", "777"]).await;
    let relay = record.relay(&[]).await;
    let call = TwilioCall::new(&relay);
    call.webhook(&[("customer_id", "777")]).await.expect(200);
    let _stream = api::live_stream(&relay, &call).await;
    let mut bob = Listener::connect_as(relay.addr(), &token).await;
    bob.say(&ClientMessage::Subscribe(hear(call.sid(), 0, true)))
        .await;
    let refused = |message: &ServerMessage| {
        matches!(
            message,
            ServerMessage::Error {
                code: ErrorCode::NotAllowed,
                ..
            }
        )
    };
    bob.until("the refusal", refused).await;
    let line = record.once("refused", "bob", 1).await.remove(0);
    assert_eq!(
        (&line["reason"], &line["customer_id"]),
        (&"keeping audio needs the right save".into(), &"777".into())
    );
    bob.subscribe(call.sid()).await;
    assert_eq!(record.of("save", "bob").len(), 0);
    assert_eq!(record.of("listen_begin", "bob").len(), 1);
    // Another customer's call is none of bob's.
    call.webhook(&[("customer_id", "778")]).await.expect(200);
    let end = record.once("listen_end", "bob", 1).await.remove(0);
    assert_eq!(end["reason"], "no longer granted");
}

#[tokio::test]
async fn when_the_relay_leaves_every_end_is_on_record() {
    let record = Record::new();
    let (relay, call, mut stream, mut alice) = begin(&record, "alice", &[]).await;
    alice.subscribe(call.sid()).await;
    say(&mut stream, &mut alice, call.sid()).await;
    relay.program().signal("TERM");
    assert_eq!(alice.closed().await, Some(1001));
    relay.ended(SOON).await.expect_code(0);
    let end = record.of("listen_end", "alice").remove(0);
    expect_end(
        &end,
        "the connection ended",
        heard(&alice, call.sid()),
        call.sid(),
    );
}

#[tokio::test]
async fn without_a_file_the_log_says_who_came_and_went() {
    let relay = Relay::start(&[]).await;
    let (call, mut stream) = api::live_call(&relay).await;
    let mut listener = Listener::connect(relay.addr()).await;
    listener.subscribe(call.sid()).await;
    say(&mut stream, &mut listener, call.sid()).await;
    let bytes = heard(&listener, call.sid());
    listener.close().await;
    let log = relay.stop().await.expect_code(0).stderr;
    let of = |event: &str| {
        let mark = format!("event=\"{event}\"");
        let mut lines = log.lines().filter(move |line| line.contains(&mark));
        (lines.next().unwrap_or_default().to_owned(), lines.count())
    };
    for (event, said) in [
        ("listen_begin", "door=\"listen\"".to_owned()),
        ("listen_end", format!("bytes={bytes} ")),
    ] {
        let (line, more) = of(event);
        assert!(
            line.contains(call.sid().as_str()) && line.contains(&said) && more == 0,
            "{event}:\n{log}"
        );
    }
}
