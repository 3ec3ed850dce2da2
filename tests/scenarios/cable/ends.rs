//! How a client is ended, and that whoever heard is on record with its end.

use ::http::Method;
use harness::cable::{Cable, media_of, stream_of};
use harness::guarded::Talk;
use harness::wait::{SOON, until};
use harness::{Guarded, Relay, api};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// Reads on to the disconnect, and what comes after it.
async fn last_words(cable: &mut Cable) -> [Value; 2] {
    loop {
        let next = cable.next("a disconnect").await;
        assert!(next.is_object(), "it ended without a word: {next}");
        if next["type"] == "disconnect" {
            return [next, cable.next("the end").await];
        }
    }
}

fn disconnect(reason: &str, reconnect: bool) -> [Value; 2] {
    [
        json!({ "type": "disconnect", "reason": reason, "reconnect": reconnect }),
        json!(1000),
    ]
}

#[tokio::test]
async fn the_revoked_and_the_dismissed_are_told_so_and_are_on_record() {
    let relay = Guarded::new();
    let admin = relay.token("root", &["--role", "admin"]).await;
    let mut tokens = Vec::new();
    for name in ["alice", "bob"] {
        tokens.push(relay.token(name, &["--role", "user", "--customer", "777"]).await);
    }
    let relay = relay.start(&[]).await;
    let (call, stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &admin).await;
    let talk = Talk::begin(stream);
    let mut cables = Vec::new();
    for token in &tokens {
        let bearer = format!("Bearer {token}");
        let mut cable = Cable::welcome(relay.addr(), "", &[("authorization", &bearer)]).await;
        cable.subscribe(&media_of(call.sid())).await;
        assert_eq!(cable.next("audio").await["message"]["event"], "media");
        cables.push(cable);
    }
    let all = relay
        .ask(Method::GET, "/api/v1/listeners", &admin)
        .await
        .expect(200)
        .json();
    let listeners = all["listeners"].as_array().unwrap();
    assert!(listeners.iter().all(|one| one["door"] == "cable"), "{all}");
    let bob = listeners.iter().find(|one| one["name"] == "bob").unwrap();
    let path = format!("/api/v1/listeners/{}", bob["id"].as_str().unwrap());
    relay.ask(Method::DELETE, &path, &admin).await.expect(204);
    assert_eq!(last_words(&mut cables[1]).await, disconnect("remote", false));
    relay.forget("alice").await;
    assert_eq!(
        last_words(&mut cables[0]).await,
        disconnect("unauthorized", false)
    );
    let ends = until(SOON, "both ends to be on record", async || {
        let ends: Vec<Value> = relay
            .audit()
            .into_iter()
            .filter(|line| line["event"] == "listen_end")
            .collect();
        (ends.len() == 2).then_some(ends)
    })
    .await;
    let told = |end: &Value| [&end["who"], &end["door"], &end["reason"], &end["call_sid"]].map(Value::clone);
    let sid = json!(call.sid());
    let mut told: Vec<_> = ends.iter().map(told).collect();
    told.sort_by_key(|end| end[0].to_string());
    assert_eq!(
        told[0],
        [
            json!("alice"),
            json!("cable"),
            json!("the token counts no longer"),
            sid.clone()
        ]
    );
    assert_eq!(
        told[1],
        [json!("bob"), json!("cable"), json!("ended by an admin"), sid]
    );
    assert!(
        ends.iter().all(|end| end["bytes"].as_u64() >= Some(160)),
        "{ends:?}"
    );
    let begins = relay
        .audit()
        .into_iter()
        .filter(|line| line["event"] == "listen_begin" && line["door"] == "cable");
    assert_eq!(begins.count(), 2);
    talk.end().await;
}

#[tokio::test]
async fn a_relay_that_leaves_says_so_to_all() {
    let relay = Relay::start(&[]).await;
    let (call, _stream) = api::live_call(&relay).await;
    let mut cables = Vec::new();
    for id in [stream_of(call.sid()), media_of(call.sid())] {
        let mut cable = Cable::welcome(relay.addr(), "", &[]).await;
        cable.subscribe(&id).await;
        cables.push(cable);
    }
    relay.program().signal("TERM");
    for cable in &mut cables {
        assert_eq!(last_words(cable).await, disconnect("server_restart", true));
    }
    relay.ended(SOON).await.expect_code(0);
}

#[tokio::test]
async fn nothing_that_is_said_in_the_protocol_ends_a_socket_and_what_breaks_it_does() {
    let relay = Relay::start(&[]).await;
    let mut cable = Cable::welcome(relay.addr(), "", &[]).await;
    for text in ["", "{", "[]", "null", r#"{"command":"dance","identifier":"x"}"#] {
        cable.say_text(text).await;
    }
    cable.send(Message::binary(vec![1, 2, 3])).await;
    cable.send(Message::Ping("here?".into())).await;
    for id in ["no JSON", r#"{"channel":"X"}"#] {
        cable.say("message", id).await;
        cable.say("unsubscribe", id).await;
        cable.say("subscribe", id).await;
        let rejected = json!({ "identifier": id, "type": "reject_subscription" });
        assert_eq!(cable.next("a rejection").await, rejected);
    }
    let ping = cable.any("a ping").await;
    assert!(ping["message"].is_u64(), "{ping}");
    cable.say_text(&"x".repeat((64 << 10) + 1)).await;
    let [word, code] = last_words(&mut cable).await;
    assert_eq!(word, disconnect("invalid_request", false)[0]);
    assert_eq!(code, 1009);
}
