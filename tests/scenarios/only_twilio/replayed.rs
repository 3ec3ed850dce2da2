//! A webhook that somebody caught and sends again does nothing.

use ::http::Method;
use harness::signed::{ORIGIN, SignedRelay, TOKEN};
use harness::twilio::pass;
use harness::{TwilioCall, http};
use partyline_relay::twilio::signature;
use partyline_shared::twilio::form::Form;

/// How often a caught webhook is sent again.
const AGAIN: usize = 1000;

/// One request as it was caught.
struct Caught {
    path: &'static str,
    form: Form,
    signature: String,
}

impl Caught {
    fn new(path: &'static str, form: Form) -> Caught {
        let signature = signature::sign(TOKEN, &format!("{ORIGIN}{path}"), &form);
        Caught {
            path,
            form,
            signature,
        }
    }

    async fn send(&self, relay: &SignedRelay, body: String) -> http::Answer {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            (signature::HEADER, self.signature.as_str()),
            // Not signed, so whoever sends it again may change it.
            ("i-twilio-idempotency-token", "another"),
        ];
        http::send(relay.addr(), Method::POST, self.path, &headers, body).await
    }
}

#[tokio::test]
async fn a_caught_voice_webhook_sent_a_thousand_times_acts_once() {
    let relay = SignedRelay::start().await;
    let mut call = TwilioCall::signed(&relay);
    let caught = Caught::new("/twilio/voice", call.voice_form("ringing", &[]));
    let first = caught.send(&relay, caught.form.encode()).await.expect(200);
    let opened = pass(&first);
    let mut stream = call.open_stream().await;
    stream.connected().await;
    stream.start(&[("partyline_pass", &opened)]).await;
    stream.hang_up().await;
    call.status("completed", &[]).await.expect(204);
    let before = (relay.call(call.sid()), relay.journal(call.sid()));

    for n in 0..AGAIN {
        // The same to who signs: other order, other escapes.
        let mut pairs: Vec<_> = caught.form.pairs().collect();
        let places = pairs.len();
        pairs.rotate_left(n % places);
        let mut body = Form::from_pairs(pairs).encode();
        if n % 2 == 0 {
            body = body.replace("Direction", "Dir%65ction").replace("%3A", "%3a");
        }
        let again = caught.send(&relay, body).await.expect(200);
        assert_eq!(again.body, first.body, "the same answer, so the same pass");
    }
    assert_eq!((relay.call(call.sid()), relay.journal(call.sid())), before);
    assert_eq!(relay.counted("webhooks_replayed"), AGAIN as u64);
    // The pass of all those answers was shown.
    let mut late = call.open_stream().await;
    late.connected().await;
    late.start(&[("partyline_pass", &opened)]).await;
    assert_eq!(late.closed().await, Some(1008));
    assert_eq!(
        (relay.counted("passes_used"), relay.counted("streams_started")),
        (1, 1)
    );
}

#[tokio::test]
async fn so_does_each_of_the_callbacks_even_where_all_come_at_once() {
    let relay = SignedRelay::start().await;
    let call = TwilioCall::signed(&relay);
    call.webhook(&[]).await.expect(200);
    let sid = call.sid().as_str();
    let common = [("AccountSid", harness::twilio::ACCOUNT), ("CallSid", sid)];
    let with = |more: &[(&str, &str)]| Form::from_pairs(common.iter().chain(more).copied());
    let callbacks = [
        Caught::new(
            "/twilio/status",
            with(&[("CallStatus", "in-progress"), ("SequenceNumber", "1")]),
        ),
        Caught::new(
            "/twilio/stream",
            with(&[
                ("StreamEvent", "stream-error"),
                ("StreamSid", "MZ1"),
                ("StreamError", "31920"),
            ]),
        ),
        Caught::new(
            "/twilio/transcription",
            with(&[
                ("TranscriptionSid", "GT1"),
                ("TranscriptionEvent", "transcription-content"),
                ("Track", "inbound_track"),
                ("Final", "true"),
                ("TranscriptionData", r#"{"transcript":"hello"}"#),
            ]),
        ),
        Caught::new("/twilio/notice", with(&[])),
    ];
    for caught in &callbacks {
        let taken = relay.counted("callbacks");
        let mut journal = None;
        for _ in 0..10 {
            let body = || caught.form.encode();
            let (a, b, c, d) = tokio::join!(
                caught.send(&relay, body()),
                caught.send(&relay, body()),
                caught.send(&relay, body()),
                caught.send(&relay, body()),
            );
            for answer in [a, b, c, d] {
                answer.expect(if caught.path == "/twilio/notice" { 200 } else { 204 });
            }
            let now = relay.journal(call.sid());
            assert_eq!(
                journal.get_or_insert_with(|| now.clone()),
                &now,
                "{}",
                caught.path
            );
        }
        let once = u64::from(caught.path != "/twilio/notice");
        assert_eq!(relay.counted("callbacks") - taken, once, "{}", caught.path);
    }
    assert_eq!(relay.counted("webhooks_replayed"), 4 * 39);
    let lines = relay.journal(call.sid());
    assert_eq!(lines.iter().filter(|line| line.contains("hello")).count(), 1);
}
