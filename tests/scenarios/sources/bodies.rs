//! What is wrong with a request is said, with the field's name and what would be right, and changes nothing.

use harness::{Relay, http};
use serde_json::json;

use super::{CALLS, COMPLETE, STREAM, audio, made, post, send};

#[tokio::test]
async fn each_wrong_body_is_refused_for_its_reason() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    let sid = made(at, "", "7").await;
    let lines = format!("/api/v1/calls/{sid}/transcript");
    let audio_of = |payload: &str| json!({ "call_sid": sid, "track": "inbound", "payload": payload });
    let line = |name: &str, value: serde_json::Value| {
        let mut line = json!({ "track": "inbound", "text": "a", "final": true });
        line[name] = value;
        line
    };
    for (path, body, status, says) in [
        (CALLS, json!({}), 400, "customer_id is missing"),
        (CALLS, json!({ "customer_id": {} }), 400, "customer_id has to be"),
        (
            CALLS,
            json!({ "customer_id": "7", "from": 1 }),
            400,
            "from has to be",
        ),
        (
            STREAM,
            json!({ "track": "inbound", "payload": "AAAA" }),
            400,
            "call_sid is missing",
        ),
        (
            STREAM,
            json!({ "call_sid": sid, "track": "left", "payload": "AAAA" }),
            400,
            "track has to be",
        ),
        (STREAM, audio_of(""), 400, "payload is missing"),
        (STREAM, audio_of("???"), 400, "payload has to be"),
        (STREAM, audio(&sid, "inbound", &[0; 65_537]), 413, "65536 bytes"),
        (STREAM, audio_of(&"A".repeat(300_000)), 413, "bytes at most"),
        (
            STREAM,
            audio("CA00000000000000000000000000000000", "inbound", &[0]),
            404,
            "nothing here",
        ),
        (COMPLETE, json!({ "call_sid": 7 }), 400, "call_sid has to be"),
        (COMPLETE, json!({ "call_sid": "a/b" }), 404, "nothing here"),
        (&lines, line("track", json!(null)), 400, "track is missing"),
        (&lines, line("text", json!(" ")), 400, "text is missing"),
        (
            &lines,
            line("text", json!("x".repeat(4097))),
            400,
            "4096 characters",
        ),
        (&lines, line("final", json!("true")), 400, "final has to be"),
        (&lines, line("start_ms", json!(-1)), 400, "start_ms has to be"),
        (
            &lines,
            line("confidence", json!(1.5)),
            400,
            "confidence has to be",
        ),
        (
            &lines,
            json!({ "track": "inbound", "text": "a", "final": true, "start_ms": 2, "end_ms": 1 }),
            400,
            "end_ms has to be",
        ),
        (
            "/api/v1/calls/CA0/transcript",
            line("text", json!("a")),
            404,
            "nothing here",
        ),
    ] {
        let answer = post(at, path, "", &body).await.expect(status);
        let message = answer.json()["error"]["message"].to_string();
        assert!(message.contains(says), "{path} {says}: {message}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    for path in [CALLS, STREAM, COMPLETE, &lines] {
        send(at, path, "", "text/plain", "{}").await.expect(415);
        send(at, path, "", "application/json", "[1]").await.expect(400);
        let other = http::send(at, ::http::Method::PUT, path, &[], "")
            .await
            .expect(405);
        assert!(other.header("allow").contains("POST"), "{path}");
    }
    http::get(at, STREAM).await.expect(405);
    http::get(at, "/api/v1/call_streams/other").await.expect(404);
    let call = http::get(at, &format!("/api/v1/calls/{sid}"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&call["stream"], &call["lost_chunks"]),
        (&"live".into(), &0.into())
    );
    let kept = http::get(at, &lines).await.expect(200).json();
    assert_eq!(kept["transcript"], json!([]));
    relay.stop().await.expect_code(0);
}

/// 8 s at once are taken, and then none of that track until they have been heard.
#[tokio::test]
async fn who_is_two_seconds_ahead_is_told_when_to_come_back() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    let sid = made(at, "", "7").await;
    post(at, STREAM, "", &audio(&sid, "inbound", &[0x55; 65_536]))
        .await
        .expect(202);
    let far = post(at, STREAM, "", &audio(&sid, "inbound", &[0x55; 160]))
        .await
        .expect(429);
    assert_eq!(far.json()["error"]["code"], "too_far_ahead");
    let seconds: u64 = far.header("retry-after").parse().expect("seconds");
    assert!((1..=7).contains(&seconds), "{seconds}");
    post(at, STREAM, "", &audio(&sid, "outbound", &[0x55; 160]))
        .await
        .expect(202);
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn a_line_that_a_pause_holds_back_is_refused_for_its_reason() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    let sid = made(at, "", "7").await;
    let lines = format!("/api/v1/calls/{sid}/transcript");
    let line = json!({ "track": "inbound", "text": "Hello?", "final": true });
    for (does, says) in [
        ("pause", "the call is paused"),
        ("resume", "was paused a moment ago"),
    ] {
        let path = format!("/api/v1/calls/{sid}/{does}");
        post(at, &path, "", &json!({})).await.expect(200);
        let refused = post(at, &lines, "", &line).await.expect(400).json();
        assert_eq!(refused["error"]["code"], "paused");
        let message = refused["error"]["message"].as_str().expect("a message");
        assert!(message.contains(says), "{message}");
    }
}
