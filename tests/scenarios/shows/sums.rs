//! Before, during and after: each number is what happened.

use std::time::Duration;

use ::http::Method;
use harness::signed::TOKEN;
use harness::{Guarded, Listener, Numbers, TwilioCall, api, http};
use partyline_shared::call::StreamState;
use partyline_shared::track::Track;

use super::{guarded, shown};

/// Frames of each track.
const FRAMES: usize = 100;

/// So many of them are read one by one.
const APART: usize = 10;

#[tokio::test]
async fn before_during_and_after_a_call_the_numbers_add_up() {
    let (relay, admin) = shown().await;
    let before = Numbers::read(admin).await;
    for nothing in [
        "partyline_calls_live{status=\"in-progress\"}",
        "partyline_streams_live",
        "partyline_listeners",
        "partyline_frames_in_total",
        "partyline_frames_out_total",
        "partyline_media_read_gap_seconds_count",
        "partyline_webhook_seconds_count{kind=\"voice\"}",
    ] {
        assert_eq!(before.get(nothing), 0.0, "{nothing}");
    }
    assert_eq!(
        (before.get("partyline_ready"), before.get("partyline_draining")),
        (1.0, 0.0)
    );

    let call = TwilioCall::new(&relay);
    call.webhook(&[]).await.expect(200);
    let mut stream = api::live_stream(&relay, &call).await;
    let mut listeners = Vec::new();
    for _ in 0..2 {
        let mut listener = Listener::connect(relay.addr()).await;
        listener.subscribe(call.sid()).await;
        listeners.push(listener);
    }
    let _idle = Listener::connect(relay.addr()).await;
    let speech = vec![0x55; 160 * FRAMES];
    // Each of the first is heard before the next is said, so that no read has two of them.
    let (apart, rest) = speech.split_at(160 * APART);
    for (before, frame) in apart.chunks(160).enumerate() {
        stream.play(frame, frame, Duration::ZERO).await;
        let one_more = |l: &Listener| l.heard(call.sid()).frames.outbound.len() > before;
        listeners[0].until_so("one more", one_more).await;
    }
    stream.play(rest, rest, Duration::from_millis(5)).await;
    for listener in &mut listeners {
        let all = |l: &Listener| l.heard(call.sid()).frames.outbound.len() == FRAMES;
        listener.until_so("all of it", all).await;
    }
    let during = Numbers::read(admin).await;
    for (number, is) in [
        ("partyline_calls_live{status=\"in-progress\"}", 1.0),
        ("partyline_streams_live", 1.0),
        ("partyline_listeners", 3.0),
        ("partyline_listeners_idle", 1.0),
        ("partyline_subscriptions{kind=\"heard\"}", 2.0),
        ("partyline_webhook_seconds_count{kind=\"voice\"}", 1.0),
        ("partyline_streams_started_total", 1.0),
    ] {
        assert_eq!(during.get(number), is, "{number}");
    }

    // Five frames of a track get lost before the relay.
    stream.sequence += 5;
    *stream.clock.get_mut(Track::Inbound) += 100;
    stream.play(&speech[..160], &[], Duration::ZERO).await;
    stream.stop().await;
    let over = |call: &partyline_shared::call::Call| call.stream == StreamState::Stopped;
    api::call_once(relay.addr(), call.sid(), "the end", over).await;
    for listener in &mut listeners {
        let last = |l: &Listener| l.heard(call.sid()).frames.inbound.len() == FRAMES + 1;
        listener.until_so("the last frame", last).await;
    }
    let gone = |n: &Numbers| n.get("partyline_connections_open") == 3.0;
    let after = Numbers::once(admin, "the stream's connection to be gone", |n| {
        n.get("partyline_media_read_gap_seconds_count") > 0.0 && gone(n)
    })
    .await;
    let sent = 2.0 * FRAMES as f64 + 1.0;
    for (number, is) in [
        ("partyline_calls_live{status=\"in-progress\"}", 0.0),
        ("partyline_calls_started_total", 1.0),
        ("partyline_calls_ended_total", 1.0),
        ("partyline_streams_live", 0.0),
        ("partyline_streams_ended_total", 1.0),
        ("partyline_frames_in_total", sent),
        ("partyline_frames_out_total", 2.0 * sent),
        ("partyline_frames_lost_total{reason=\"upstream\"}", 5.0),
        ("partyline_frames_lost_total{reason=\"slow_listener\"}", 0.0),
    ] {
        assert_eq!(after.get(number), is, "{number}");
    }
    // Media carries 216 characters of base64 each, a frame for a listener a head and 160 bytes.
    let (read, written) = (
        after.get("partyline_stream_read_bytes_total"),
        after.get("partyline_listener_written_bytes_total"),
    );
    assert!(read > sent * 300.0 && read < sent * 600.0, "{read}");
    assert!(written > 2.0 * sent * 176.0, "{written}");
    // As many reads as there were, less one: between those that were apart and all messages.
    let (reads, handed) = (
        after.get("partyline_media_read_gap_seconds_count"),
        after.get("partyline_fan_out_seconds_count"),
    );
    assert_eq!(handed, reads + 1.0);
    assert!(reads >= APART as f64 && reads <= sent + 10.0, "{reads}");
    let everything = after.get("partyline_media_read_gap_seconds_bucket{le=\"+Inf\"}");
    assert_eq!(everything, reads);
    assert!(after.get("partyline_queue_high_water{queue=\"listeners\"}") == 3.0);
}

#[tokio::test]
async fn who_is_refused_is_counted_by_the_reason() {
    let relay = Guarded::new();
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "777"])
        .await;
    let (relay, admin) = guarded(relay).await;
    let mut call = TwilioCall::at(relay.addr());
    call.webhook(&[]).await.expect(403);
    call.signs = Some(("another token of the same length", harness::signed::ORIGIN));
    call.webhook(&[]).await.expect(403);
    call.signs = Some((TOKEN, harness::signed::ORIGIN));
    call.webhook(&[]).await.expect(200);
    let wrong = format!("pl_{}", "A".repeat(43));
    relay.ask(Method::GET, "/api/v1/calls", &wrong).await.expect(401);
    http::get(relay.addr(), "/api/v1/calls").await.expect(401);
    relay.ask(Method::GET, "/api/v1/calls", &alice).await.expect(200);
    let numbers = Numbers::read(admin).await;
    let refused = |door: &str, reason: &str| {
        numbers.get(&format!(
            "partyline_refusals_total{{door=\"{door}\",reason=\"{reason}\"}}"
        ))
    };
    assert_eq!(refused("twilio", "signature_missing"), 1.0);
    assert_eq!(refused("twilio", "signature_wrong"), 1.0);
    assert_eq!(refused("any", "token_wrong"), 1.0);
    assert_eq!(refused("stream", "pass_missing"), 0.0);
    assert_eq!(numbers.get("partyline_requests_refused_total"), 4.0);
    assert_eq!(
        numbers.get("partyline_webhook_seconds_count{kind=\"voice\"}"),
        1.0
    );
    assert_eq!(numbers.get("partyline_tokens_known"), 1.0);
    // On record, and how long that took.
    let written = Numbers::once(admin, "the refusal on record", |n| {
        n.get("partyline_audit_written_total") >= 2.0
    })
    .await;
    assert!(written.get("partyline_audit_write_seconds_count") >= 1.0);
    assert_eq!(written.get("partyline_audit_works"), 1.0);
}
