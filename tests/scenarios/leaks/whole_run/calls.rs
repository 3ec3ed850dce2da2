//! Twilio's part, and what others make of it: webhooks, callbacks and streams.

use ::http::Method;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use harness::signed::ORIGIN;
use harness::twilio::{ACCOUNT, pass};
use harness::{MediaSocket, TwilioCall, http};
use partyline_relay::twilio::signature;
use partyline_shared::track::Track;
use partyline_shared::twilio::form::Form;
use partyline_shared::twilio::media::write;

use super::{Run, TWILIO};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// Calls that are Twilio's, and then some that are not.
pub(super) async fn play(run: &Run) {
    let mut call = run.call();
    let query = run.canaries.plant("a query", "canary-query-of-twilio");
    let form = call.voice_form(
        "ringing",
        &[
            ("CallerName", &run.canaries.plant("a name", "Canary Finchley")),
            ("FromCity", &run.canaries.plant("a city", "CANARYVILLE")),
            (
                "customer_id",
                &run.canaries.plant("another customer", "18005551234567"),
            ),
        ],
    );
    let path = format!("/twilio/voice?x={query}");
    run.canaries.plant(
        "a signature",
        signature::sign(TWILIO, &format!("{ORIGIN}{path}"), &form),
    );
    let twiml = call.post(&path, &form).await.expect(200);
    assert!(twiml.text().contains(&run.agent), "the route takes it");
    let pass = run.canaries.plant("a pass", pass(&twiml));
    call.status("in-progress", &[]).await.expect(204);
    callbacks(run, &mut call).await;
    stream(run, &call, &pass).await;
    spoofs(run, &call, &pass).await;
    refused(run, &call).await;
    nobody_is_rung(run).await;
    call.status("completed", &[]).await.expect(204);
}

async fn callbacks(run: &Run, call: &mut TwilioCall) {
    let plant = |what, text: &str| run.canaries.plant(what, text);
    call.transcription("transcription-started", &[]).await.expect(204);
    let words = plant("words", "the canary sings at noon");
    call.says(Track::Inbound, &words[..12], false).await.expect(204);
    call.says(Track::Inbound, &words, true).await.expect(204);
    let unreadable = plant("words that cannot be read", "{canary unreadable");
    let fields = [
        ("Track", "inbound_track"),
        ("TranscriptionData", &unreadable),
        ("Final", "true"),
    ];
    call.transcription("transcription-content", &fields)
        .await
        .expect(204);
    let error = [(
        "TranscriptionError",
        &*plant("an engine's error", "canary engine error"),
    )];
    call.transcription("transcription-error", &error)
        .await
        .expect(204);
    let error = [("StreamError", &*plant("a stream's error", "canary stream error"))];
    call.stream_callback("MZ1", "stream-error", &error)
        .await
        .expect(204);
    let leg = plant("a leg that is no id", "canary leg\n1");
    call.leg_status(&leg, "in-progress", &[]).await.expect(204);
    let form = Form::from_pairs([
        ("CallSid", &*plant("a call that is no id", "canary sid !")),
        ("AccountSid", ACCOUNT),
    ]);
    for path in [
        "/twilio/status",
        "/twilio/stream",
        "/twilio/transcription",
        "/twilio/voice",
    ] {
        let status = call.post(path, &form).await.status;
        assert!(status.is_success(), "{path}: {status}");
    }
}

/// Frames whose base64 is not that of silence.
fn voice(seed: u8) -> Vec<u8> {
    (0..160)
        .map(|n: u8| n.wrapping_mul(31).wrapping_add(seed))
        .collect()
}

async fn stream(run: &Run, call: &TwilioCall, pass: &str) {
    let mut stream = call.open_stream().await;
    stream.connected().await;
    let parameter = run.canaries.plant("a parameter", "canary-parameter");
    stream.start(&[("partyline_pass", pass), ("x", &parameter)]).await;
    for n in 0..5 {
        let voice = voice(n);
        run.canaries.plant("a payload", BASE64_STANDARD.encode(&voice));
        stream.play(&voice, &voice, std::time::Duration::ZERO).await;
    }
    for text in [
        format!(
            r#"{{"event":"mark","mark":{{"name":"{}"}}}}"#,
            run.canaries.plant("a mark", "canary-mark")
        ),
        r#"{"event":"dtmf","dtmf":{"digit":"7"}}"#.to_owned(),
        format!(
            r#"{{"event":"{}"}}"#,
            run.canaries.plant("an event", "canary-event")
        ),
        format!(
            r#"{{"event":"media","{}"#,
            run.canaries.plant("broken JSON", "canary-broken")
        ),
        format!(
            r#"{{"event":"media","media":{{"track":"inbound","timestamp":"900","payload":"{}"}}}}"#,
            run.canaries.plant("a payload that is none", "canary!!!payload")
        ),
        format!(
            r#"{{"event":"media","media":{{"track":"{}","timestamp":"900","payload":"AAAA"}}}}"#,
            run.canaries.plant("a track", "canary-track")
        ),
    ] {
        stream.raw_text(text).await.expect("the socket takes it");
    }
    stream
        .raw_binary(run.canaries.plant("bytes", "canary-bytes").into_bytes())
        .await
        .expect("the socket takes it");
    stream.hang_up().await;
}

async fn spoofs(run: &Run, call: &TwilioCall, pass: &str) {
    let wrong = run.canaries.plant("a wrong signature", "Y2FuYXJ5IHNpZ25hdHVyZQ=");
    for headers in [&[][..], &[(signature::HEADER, wrong.as_str())]] {
        let refused = MediaSocket::try_open(run.relay.addr(), call.sid().as_str(), headers).await;
        run.canaries
            .told(refused.err().expect("it is refused").to_string());
    }
    let forged = run.canaries.plant("a forged pass", "C".repeat(75));
    let start = |pass: &str, format: &str| {
        let parameters = [("partyline_pass".to_owned(), pass.to_owned())];
        let start = write::start(ACCOUNT, "MZ2", call.sid().as_str(), &Track::BOTH, &parameters);
        start.replace("audio/x-mulaw", format)
    };
    for text in [
        start(&forged, "audio/x-mulaw"),
        start(pass, "audio/x-mulaw"),
        start(pass, "audio/opus"),
        write::media("MZ2", 1, Track::Inbound, 1, 57, &voice(9)),
        format!(
            "{}{}",
            run.canaries.plant("a long text", "canary-long"),
            "x".repeat(70_000)
        ),
    ] {
        let mut stream = call.open_stream().await;
        stream.connected().await;
        // A relay that has closed by now takes no more of it.
        let _ = stream.raw_text(text).await;
        stream.closed().await;
    }
    run.canaries
        .plant("a payload before start", BASE64_STANDARD.encode(voice(9)));
}

/// Webhooks that nobody signed, or not so.
async fn refused(run: &Run, call: &TwilioCall) {
    let form = call.voice_form("ringing", &[]).encode();
    let wrong = run
        .canaries
        .plant("another wrong signature", "Y2FuYXJ5IG90aGVyIHNpZw==");
    let json = ("content-type", "application/json");
    let odd = run.canaries.plant("a content type", "canary/type");
    let large = format!("a={}", "canary-large".repeat(6000));
    run.canaries.plant("a large body", "canary-large");
    let signed = (signature::HEADER, wrong.as_str());
    let path = format!(
        "/twilio/voice?{}=1",
        run.canaries.plant("a wrong query", "canary-wrong-query")
    );
    for (method, headers, body) in [
        (Method::POST, &[FORM][..], form.clone()),
        (Method::POST, &[FORM, signed], form.clone()),
        (Method::POST, &[json, signed], "{\"canary-json\":1}".to_owned()),
        (Method::POST, &[("content-type", &odd), signed], form.clone()),
        (Method::POST, &[FORM, signed], large),
        (Method::GET, &[signed], String::new()),
        (Method::PUT, &[FORM, signed], form),
    ] {
        let answer = http::send(run.relay.addr(), method, &path, headers, body).await;
        let status = run.canaries.refused(answer);
        assert!((400..500).contains(&status), "{status}");
    }
}

async fn nobody_is_rung(run: &Run) {
    for (from, to) in [
        ("+13105557704", "+442055577055"),
        ("client:agent", "+442055577055"),
        ("sip:x@y", "no number 77055"),
    ] {
        let mut call = run.call();
        call.from = run.canaries.plant("from", from);
        call.to = run.canaries.plant("to", to);
        // Not everything of these is secret, but all of it is somebody's address.
        let answer = call.webhook(&[]).await.expect(200);
        assert!(!answer.text().contains("<Dial"), "{}", answer.text());
    }
}
