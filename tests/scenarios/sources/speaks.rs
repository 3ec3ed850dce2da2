//! People who speak by HTTP alone: who may hear them hears them, reads them, is on record, and is told of the end.

use harness::wait::{SOON, until};
use harness::{Guarded, Scratch, speech, supervisor};
use partyline_shared::call::Call;
use serde_json::{Value, json};

use super::{CALLS, COMPLETE, STREAM, audio, post, send};
use crate::hears_the_call::{assert_is_after_silence, channels, whole_file};

/// A way of the API below a call, as this token is answered.
async fn get(relay: &Guarded, token: &str, path: &str) -> Value {
    let path = format!("/api/v1/calls{path}");
    relay
        .ask(http::Method::GET, &path, token)
        .await
        .expect(200)
        .json()
}

#[tokio::test]
async fn speech_sent_by_http_alone_is_a_call_like_any_other() {
    let (relay, scratch) = (Guarded::new(), Scratch::new());
    let pbx = relay.token("pbx", &["--role", "source", "--customer", "7"]).await;
    let worker = relay.token("worker", &["--role", "transcriber"]).await;
    let of_alice = ["--role", "user", "--customer", "7", "--allow", "save"];
    let alice = relay.token("alice", &of_alice).await;
    let bob = relay.token("bob", &["--role", "user", "--customer", "8"]).await;
    let relay = relay.start(&[]).await;
    let at = relay.addr();

    let new =
        json!({ "customer_id": 7, "from": "client:emily", "to": "+12125550123", "direction": "inbound" });
    let made = post(at, CALLS, &pbx, &new).await.expect(201).json();
    let sid = made["call_sid"].as_str().expect("a name").to_owned();
    assert!(sid.len() == 34 && sid.starts_with("CA"), "{sid}");
    let listed = get(&relay, &alice, "").await;
    let call: Call = serde_json::from_value(listed["calls"][0].clone()).expect("a call");
    assert_eq!(
        json!([
            call.call_sid,
            call.status,
            call.stream,
            call.customer_id,
            call.account_sid
        ]),
        json!([sid, "in-progress", "live", "7", null])
    );
    assert_eq!(
        json!([call.from, call.to, call.direction, call.agent, call.roles]),
        json!(["client:emily", "+12125550123", "inbound", "client:emily",
            { "inbound": "agent", "outbound": "customer" }])
    );
    assert_eq!(get(&relay, &bob, "").await["calls"], json!([]));

    let wav = scratch.file("heard.wav");
    let (token, output) = (relay.token_file(&alice), wav.display().to_string());
    let listen = ["--token-file", &token, "listen", &sid, "--output", &output];
    let listening = supervisor::start(&relay.url(), &listen);
    let one = format!("/{sid}");
    until(SOON, "a listener", async || {
        (get(&relay, &alice, &one).await["listeners"] == 1).then_some(())
    })
    .await;

    // Not in whole frames, nor in whole pieces; one of them as a form whose pluses nobody escaped.
    let mut inbound = speech::piece("demo-instruct", 700, 3200);
    inbound.truncate(inbound.len() - 23);
    let outbound = speech::piece("demo-congrats", 900, 2700);
    for (inbound, outbound) in inbound.chunks(15_001).zip(outbound.chunks(15_001)) {
        let first = post(at, STREAM, &pbx, &audio(&sid, "inbound", inbound)).await;
        assert!(first.expect(202).json()["ahead_ms"].as_u64() > Some(0));
        let fields = audio(&sid, "outbound", outbound);
        let payload = fields["payload"].as_str().expect("base64");
        let form = format!("call_sid={sid}&track=outbound&payload={payload}&more=1");
        let kind = "application/x-www-form-urlencoded";
        send(at, STREAM, &pbx, kind, form).await.expect(202);
    }

    let lines = format!("/api/v1/calls/{sid}/transcript");
    let line = json!({ "track": "outbound", "text": "Hello?\u{7}", "final": true, "start_ms": 100, "end_ms": 900,
        "confidence": 0.75 });
    let told = post(at, &lines, &worker, &line).await.expect(201).json();
    assert_eq!(
        (&told["seq"], &told["text"], &told["engine"]),
        (&1.into(), &"Hello?".into(), &"worker".into())
    );
    assert_eq!(
        (&told["start_ms"], &told["end_ms"], &told["confidence"]),
        (&100.into(), &900.into(), &0.75.into())
    );
    let kept = get(&relay, &alice, &format!("{one}/transcript")).await;
    assert_eq!(kept["transcript"], json!([told]));

    for _ in 0..2 {
        let over = post(at, COMPLETE, &pbx, &json!({ "call_sid": sid }))
            .await
            .expect(200);
        assert_eq!(over.json(), json!({ "call_sid": sid }));
    }
    let late = post(at, STREAM, &pbx, &audio(&sid, "inbound", &[1]))
        .await
        .expect(400);
    assert_eq!(late.json()["error"]["code"], "call_ended");
    listening.finish(SOON).await.expect_code(0);
    let [left, right] = channels(&whole_file(&wav));
    assert_is_after_silence(&left, &speech::decoded(&inbound));
    assert_is_after_silence(&right, &speech::decoded(&outbound));

    let after = get(&relay, &alice, &one).await;
    assert_eq!(
        (&after["status"], &after["stream"], &after["lost_chunks"]),
        (&"completed".into(), &"stopped".into(), &0.into())
    );
    let form = "track=inbound&text=Bye.&final=true";
    let said = send(at, &lines, &worker, "application/x-www-form-urlencoded", form).await;
    assert_eq!(said.expect(201).json()["seq"], 2, "the last words come late");
    let events = get(&relay, &alice, &format!("{one}/events")).await;
    let kinds = events["events"]
        .as_array()
        .expect("events")
        .iter()
        .map(|event| &event["kind"]);
    let kinds: Vec<&str> = kinds.filter_map(Value::as_str).collect();
    assert_eq!(
        (
            kinds[0],
            kinds.contains(&"stream_stopped"),
            kinds.contains(&"gap")
        ),
        ("stream_started", true, false),
        "{kinds:?}"
    );
    let heard = until(SOON, "the end of the hearing on record", async || {
        let audit = relay.audit();
        let of_alice = audit.iter().filter(|entry| entry["who"] == "alice");
        let of_alice: Vec<Value> = of_alice.cloned().collect();
        of_alice
            .iter()
            .any(|entry| entry["event"] == "listen_end")
            .then_some(of_alice)
    })
    .await;
    assert!(
        heard
            .iter()
            .all(|entry| entry["call_sid"].is_null() || entry["call_sid"] == sid.as_str())
    );
    relay.stop().await.expect_code(0);
}
