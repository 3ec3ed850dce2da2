//! A source's call is erased while it is heard by every door: all of them end it at once, on record, and the source is
//! told what a stranger would be.

use std::path::Path;

use ::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use harness::cable::{Cable, media_of, stream_of};
use harness::wait::{SOON, until};
use harness::{Guarded, Program, http};
use partyline_shared::id::CallSid;
use serde_json::{Value, json};

const MINE: [&str; 6] = ["--role", "user", "--customer", "7", "--allow", "save"];

/// What is posted as a source.
async fn publish(relay: &Guarded, token: &str, what: &str, body: Value) -> http::Answer {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    let path = format!("/api/v1/call_streams{what}");
    http::send(relay.addr(), Method::POST, &path, &headers, body.to_string()).await
}

#[tokio::test]
async fn whoever_hears_it_by_whatever_door_hears_no_more_and_its_source_knows_it_not() {
    let relay = Guarded::new();
    let admin = relay.token("admin", &["--role", "admin"]).await;
    let alice = relay.token("alice", &MINE).await;
    let pbx = relay.token("pbx", &["--role", "source"]).await;
    let relay = relay.start(&[]).await;
    let call = json!({ "customer_id": "7", "external_id": "x-1" });
    let made = publish(&relay, &pbx, "", call.clone()).await.expect(201);
    let sid = made.json()["call_sid"].as_str().expect("a name").to_owned();
    let second = json!({ "call_sid": sid, "track": "inbound", "payload": STANDARD.encode([0x33; 8000]) });
    let path = format!("/api/v1/calls/{sid}");

    let bearer = format!("Bearer {alice}");
    let mut cable = Cable::welcome(relay.addr(), "", &[("authorization", &bearer)]).await;
    let identifiers = [stream_of(&sid), media_of(&sid)];
    for identifier in &identifiers {
        cable.subscribe(identifier).await;
    }
    let mut listener = relay.listen(&alice).await;
    let name = CallSid::parse(&sid).expect("a name");
    listener.subscribe(&name).await;
    let url = format!("http://{}{path}/audio.wav", relay.addr());
    let header = format!("Authorization: {bearer}");
    let player = Program::start(
        Path::new("curl"),
        ["--silent", "--no-buffer", "--header", &header, &url],
        &[],
    );
    publish(&relay, &pbx, "/stream", second.clone()).await.expect(202);
    player.wrote(SOON, 1000).await;
    while cable.next("a frame").await["message"]["event"] != "media" {}
    listener.next_frame("a frame").await;

    relay.ask(Method::DELETE, &path, &admin).await.expect(204);
    let mut rejected = Vec::new();
    while rejected.len() < identifiers.len() {
        let said = cable.next("a rejection").await;
        match said["type"].as_str() {
            Some("reject_subscription") => rejected.push(said["identifier"].clone()),
            // What was on its way.
            _ => assert_eq!((&said["message"]["event"], rejected.len()), (&json!("media"), 0)),
        }
    }
    assert_eq!(rejected, identifiers.map(Value::from));
    listener
        .until_so("its removal", |l| l.removed.contains(&name))
        .await;
    let played = player.finish(SOON).await;
    assert_ne!(played.code, Some(0), "a file that is broken off is no whole one");

    // As a call that there never was, also for who made it; and it does not come back.
    let nobody = json!({ "call_sid": "CA1", "track": "inbound", "payload": "AAAA" });
    let nobody = publish(&relay, &pbx, "/stream", nobody).await.expect(404);
    for what in ["/stream", "/complete"] {
        let gone = publish(&relay, &pbx, what, second.clone()).await.expect(404);
        assert_eq!(gone.text(), nobody.text(), "{what}");
    }
    let again = publish(&relay, &pbx, "", call).await.expect(400);
    assert_eq!(again.json()["error"]["code"], "call_ended");
    let all = relay.ask(Method::GET, "/api/v1/calls?status=all", &admin).await;
    assert_eq!(all.json()["calls"], json!([]));

    // Four heard it, of whom two by one socket, and each is on record as gone.
    let of = |event: &str| {
        let lines = relay.audit().into_iter().filter(|line| line["event"] == event);
        let mut doors: Vec<String> = lines.map(|line| line["door"].to_string()).collect();
        doors.sort_unstable();
        doors
    };
    until(SOON, "the ends on record", async || {
        (of("listen_end").len() == 4).then_some(())
    })
    .await;
    assert_eq!(of("listen_end"), of("listen_begin"));
    let audit = relay.folder().file("audit.jsonl");
    partyline_relay::audit::verify(&[audit]).unwrap_or_else(|bad| panic!("{bad}"));
    relay.stop().await.expect_code(0);
}
