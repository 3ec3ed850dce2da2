//! Line breaks, escapes and marks of direction in everything that a stranger can say: an event stays one line.

use ::http::Method;
use harness::twilio::{ACCOUNT, new_sid};
use harness::{Listener, MediaSocket, Record, Relay, TwilioCall, api, http};
use partyline_shared::track::Track;
use partyline_shared::twilio::form::Form;
use partyline_shared::twilio::media::write;

use super::{JWT_SECRET, expect_events, jwt};

/// A line of its own, a screen that is cleared, a line turned around, and all that some reader takes for an end.
const HOSTILE: &str = "x\n2026-01-01T00:00:00.000000Z ERROR partyline_relay: forged\r\u{1b}[2J\u{202e}y\u{2028}z\u{85}\u{b}\u{200f}\u{e0041}\"\\";

async fn hostile_run(format: &str) -> String {
    let record = Record::new();
    record.add("alice", &["--role", "admin"]).await;
    let secret = record.folder().write("jwt-secret", JWT_SECRET);
    let secret = secret.to_str().expect("a path in UTF-8");
    let flags = [
        "--jwt-secret-file",
        secret,
        "--log-level",
        "trace",
        "--log-format",
        format,
    ];
    let relay = record.relay(&flags).await;
    webhooks(&relay).await;
    streams(&relay).await;
    listeners(&relay).await;
    let tokens = format!("[[token]]\nname = {HOSTILE:?}\n\n[[token]]\n{HOSTILE:?} = 1\n");
    std::fs::write(record.tokens(), tokens).expect("it can be written");
    relay.program().signal("HUP");
    relay
        .program()
        .complains(harness::wait::SOON, "the tokens stay as they were")
        .await;
    relay.stop().await.expect_code(0).stderr
}

async fn webhooks(relay: &Relay) {
    let mut call = TwilioCall::new(relay);
    let all = [
        "From",
        "To",
        "CallStatus",
        "Direction",
        "CallerName",
        "AccountSid",
        "customer_id",
        "ErrorMessage",
    ];
    for field in all {
        call.webhook(&[(field, HOSTILE)]).await.expect(200);
        call.status("in-progress", &[(field, HOSTILE)]).await.expect(204);
        call.stream_callback(
            "MZ1",
            "stream-error",
            &[(field, HOSTILE), ("StreamError", HOSTILE)],
        )
        .await
        .expect(204);
        call.transcription(
            "transcription-error",
            &[(field, HOSTILE), ("TranscriptionError", HOSTILE)],
        )
        .await
        .expect(204);
    }
    let engine = [("TranscriptionEngine", HOSTILE), ("TranscriptionSid", HOSTILE)];
    call.transcription("transcription-started", &engine)
        .await
        .expect(204);
    call.says(Track::Inbound, HOSTILE, true).await.expect(204);
    for path in [
        "/twilio/voice",
        "/twilio/status",
        "/twilio/stream",
        "/twilio/transcription",
    ] {
        let form = Form::from_pairs([("CallSid", HOSTILE), ("AccountSid", ACCOUNT)]);
        call.post(path, &form).await;
    }
}

async fn streams(relay: &Relay) {
    let sid = new_sid("CA");
    // As JSON has it, so that it arrives whole.
    let hostile = serde_json::Value::from(HOSTILE).to_string();
    let hostile = hostile.trim_matches('"');
    let start = write::start(
        ACCOUNT,
        "MZ1",
        &sid,
        &Track::BOTH,
        &[(HOSTILE.into(), HOSTILE.into())],
    );
    for text in [
        start.replace("audio/x-mulaw", hostile),
        start.replace("audio/x-mulaw", "audio/\\nforged\\u001b[2J\\u202e"),
        start.replace("MZ1", hostile),
        start.replace(&sid, hostile),
        start.replace(ACCOUNT, hostile),
        start.replace("\"inbound\"", &format!("\"{hostile}\"")),
        format!(r#"{{"event":"{hostile}"}}"#),
        HOSTILE.to_owned(),
        write::media("MZ1", 1, Track::Inbound, 1, 57, &[0x11; 160]),
    ] {
        let mut stream = MediaSocket::open(relay.addr(), &sid).await;
        stream.connected().await;
        // The relay may have closed by now, as it should.
        let _ = stream.raw_text(text).await;
        let _ = stream
            .raw_text(format!(r#"{{"event":"mark","mark":{{"name":"{hostile}"}}}}"#))
            .await;
        stream.close().await;
    }
}

async fn listeners(relay: &Relay) {
    let at = relay.addr();
    // A name that is a line break would be on record with each call.
    assert!(Listener::open_as(at, &jwt(JWT_SECRET, HOSTILE)).await.is_err());
    let mut login = Listener::connect_as(at, &jwt(JWT_SECRET, "\"} forged\\n")).await;
    let call = TwilioCall::new(relay);
    let _stream = api::live_stream(relay, &call).await;
    login.subscribe(call.sid()).await;
    login.say_text(HOSTILE).await;
    login
        .say_text(format!(r#"{{"type":"subscribe","call_sid":{HOSTILE:?}}}"#))
        .await;
    login.close().await;
    for path in ["/%0aforged", "/api/v1/calls/x%0a%1b%5b2J", "/twilio/%0d%0aforged"] {
        for header in [
            "user-agent",
            "authorization",
            "origin",
            "x-forwarded-for",
            "x-twilio-signature",
        ] {
            let value = "forged\u{e2}\u{80}\u{ae}";
            http::send(at, Method::POST, path, &[(header, value)], "").await;
        }
    }
}

#[tokio::test]
async fn whatever_is_said_an_event_is_one_line_of_text() {
    let log = hostile_run("text").await;
    assert!(expect_events(&log, false) > 30, "{log}");
    assert!(log.contains("forged"), "it was told what was said:\n{log}");
}

#[tokio::test]
async fn whatever_is_said_an_event_is_one_line_of_json() {
    let log = hostile_run("json").await;
    assert!(expect_events(&log, true) > 30, "{log}");
}
