//! What reaches a relay that has not the call is handed to the one that has it: callbacks, also while there is no Redis,
//! and what a source publishes, also when the relay that had its call is gone. All of it is there once and in order.

use std::time::Duration;

use ::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use harness::wait::within;
use harness::{Listener, Relays};
use partyline_shared::audio::{FRAME_BYTES, SILENCE};
use partyline_shared::call::{CallStatus, StreamState};
use partyline_shared::event::EventKind;
use partyline_shared::id::CallSid;
use partyline_shared::track::Track;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{finals, in_order, posts, said, says};

/// The relay that has the call, one where people listen, and one that has nothing to do with it.
const OWNER: usize = 0;
const LISTENS: usize = 1;
const STRANGER: usize = 2;

/// Redis is gone for so long: longer than a command may take, shorter than a lease.
const AWAY: Duration = Duration::from_secs(2);

/// A list that changes keeps who waits for something else awake: the story as a whole has its time.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn callbacks_come_to_the_call_whichever_relay_they_reach() {
    within(LIMIT, "callbacks to be handed over", callbacks()).await;
}

async fn callbacks() {
    let mut relays = Relays::start(3, &["--attach", "never"]).await;
    let mut call = relays.call(OWNER);
    let sid = call.sid().clone();
    call.webhook(&[("customer_id", "7")]).await.expect(200);
    relays.everywhere(&sid, "the call", |_| true).await;
    let mut listener = relays.listen(LISTENS).await;
    listener
        .until_so("the call in the list", |l| l.calls.contains_key(&sid))
        .await;
    listener.subscribe(&sid).await;

    call.aim(relays.addr(STRANGER));
    call.status("in-progress", &[]).await.expect(204);
    call.transcription("transcription-started", &[]).await.expect(204);
    let mut expected = Vec::new();
    for n in 0..10 {
        expected.push(format!("with Redis {n}"));
        says(&mut call, &format!("with Redis {n}")).await;
    }
    finals(&mut listener, &sid, 10).await;
    for stopped in [true, false] {
        if stopped {
            relays.redis.stop();
        } else {
            relays.redis.kill().await;
        }
        for n in 0..10 {
            let text = format!("without Redis, stopped {stopped}, {n}");
            says(&mut call, &text).await;
            expected.push(text);
        }
        sleep(AWAY).await;
        if stopped {
            relays.redis.go_on();
        } else {
            relays.redis.restart_empty().await;
        }
        finals(&mut listener, &sid, expected.len()).await;
    }
    call.status("completed", &[("CallDuration", "9")])
        .await
        .expect(204);
    relays
        .everywhere(&sid, "the end", |call| call.status == CallStatus::Completed)
        .await;
    listener
        .until_so("the end", |l| {
            let statuses = l.heard(&sid).events.iter();
            statuses
                .filter(|event| event.kind == EventKind::CallStatus)
                .count()
                == 2
        })
        .await;
    assert_eq!(listener.heard(&sid).finals(), expected);
    in_order(&listener, &sid);
    let [_, lines, events] = relays.agree(&sid).await;
    let lines = lines["transcript"].as_array().expect("lines");
    assert_eq!(lines.len(), expected.len());
    let of = |kind: &str| {
        let events = events["events"].as_array().expect("events").iter();
        events.filter(|event| event["kind"] == kind).count()
    };
    assert_eq!(
        (of("transcription_started"), of("call_status"), of("error")),
        (1, 2, 0)
    );
}

/// Publishes frames at one of them.
async fn publishes(relays: &Relays, nth: usize, sid: &str, audio: &[u8]) {
    let body = json!({ "call_sid": sid, "track": "inbound", "payload": STANDARD.encode(audio) });
    let answer = relays.post(nth, "/api/v1/call_streams/stream", &body).await;
    answer.expect(202);
}

async fn makes(relays: &Relays, nth: usize) -> String {
    let new = json!({ "customer_id": "7", "external_id": "pbx-1" });
    let made = relays.post(nth, "/api/v1/call_streams", &new).await;
    let made: Value = made.expect(201).json();
    made["call_sid"].as_str().expect("its name").to_owned()
}

#[tokio::test]
async fn a_source_publishes_at_whichever_relay_and_goes_on_when_one_is_gone() {
    within(LIMIT, "a source to be heard", source()).await;
}

async fn source() {
    let mut relays = Relays::start(3, &["--attach", "never"]).await;
    let sid = makes(&relays, OWNER).await;
    let call = CallSid::parse(&sid).expect("a name");
    relays
        .everywhere(&call, "the live stream", |call| call.stream == StreamState::Live)
        .await;
    assert_eq!(makes(&relays, STRANGER).await, sid, "the same at whichever relay");
    let mut listener = relays.listen(LISTENS).await;
    listener
        .until_so("the call in the list", |l| l.calls.contains_key(&call))
        .await;
    listener.subscribe(&call).await;
    let mut near = relays.listen(OWNER).await;
    near.until_so("the call in the list", |l| l.calls.contains_key(&call))
        .await;
    near.subscribe(&call).await;
    let audio = said(7, 40);
    for (n, piece) in audio.chunks(10 * 160).enumerate() {
        publishes(&relays, n % 3, &sid, piece).await;
    }
    let heard = |l: &Listener| {
        let heard = l.heard(&call).audio(Track::Inbound);
        // Where a piece comes late silence goes on in its place.
        let frames = heard.chunks(FRAME_BYTES);
        let said = frames.filter(|frame| frame.iter().any(|byte| *byte != SILENCE));
        said.flatten().eq(&audio)
    };
    near.until_so("all that was published", heard).await;
    let line = posts(&relays, STRANGER, &call, "said of it").await;
    finals(&mut listener, &call, 1).await;
    assert_eq!(listener.heard(&call).lines[0].seq, line["seq"]);

    relays.kill(OWNER).await;
    relays
        .everywhere(&call, "the lost stream", |call| call.stream == StreamState::Lost)
        .await;
    // Whichever of them has it now, and whichever is asked.
    publishes(&relays, LISTENS, &sid, &said(8, 20)).await;
    publishes(&relays, STRANGER, &sid, &said(9, 20)).await;
    relays
        .everywhere(&call, "the stream again", |call| call.stream == StreamState::Live)
        .await;
    assert_eq!(makes(&relays, STRANGER).await, sid);
    let complete = json!({ "call_sid": sid });
    let path = "/api/v1/call_streams/complete";
    relays.post(STRANGER, path, &complete).await.expect(200);
    relays
        .everywhere(&call, "the end", |call| call.status == CallStatus::Completed)
        .await;
    let gone = format!("/api/v1/calls/{sid}");
    relays.ask(STRANGER, Method::DELETE, &gone).await.expect(204);
    relays.ask(STRANGER, Method::GET, &gone).await.expect(404);
}
