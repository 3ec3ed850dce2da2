//! Admins see who is connected and end whom they want to: that one is gone for good, nobody else notices, and it is on
//! record.

use ::http::Method;
use harness::guarded::{Guarded, Talk};
use harness::http;
use harness::wait::{SOON, until};
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::{ClientMessage, Subscribe};
use partyline_shared::protocol::close;
use serde_json::{Value, json};

const ALL: &str = "/api/v1/listeners";

async fn connected(relay: &Guarded, token: &str) -> Vec<Value> {
    let mut answer = relay.ask(Method::GET, ALL, token).await.expect(200).json();
    let Value::Array(listeners) = answer["listeners"].take() else {
        panic!("no list: {answer}");
    };
    listeners
}

/// The one of this name, once it follows so many calls.
async fn known(relay: &Guarded, token: &str, name: &str, calls: usize) -> Value {
    until(SOON, &format!("{name} with {calls} calls"), async || {
        let all = connected(relay, token).await;
        all.into_iter()
            .find(|one| one["name"] == name && one["calls"].as_array().is_some_and(|c| c.len() == calls))
    })
    .await
}

fn one(listener: &Value) -> String {
    format!("{ALL}/{}", listener["id"].as_str().expect("an id"))
}

fn reads(sid: &CallSid) -> Subscribe {
    Subscribe {
        call_sid: sid.clone(),
        audio: false,
        after: None,
        replay_ms: 0,
        save: false,
        saved: None,
    }
}

#[tokio::test]
async fn an_admin_sees_who_is_connected_and_what_they_follow() {
    let relay = Guarded::new();
    let admin = relay.token("root", &["--role", "admin"]).await;
    let alice = relay
        .token(
            "alice",
            &["--role", "user", "--customer", "777", "--allow", "save"],
        )
        .await;
    let relay = relay.start(&[]).await;
    let (call, stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &admin).await;
    assert!(connected(&relay, &admin).await.is_empty());
    let mut hers = relay.listen(&alice).await;
    let idle = known(&relay, &admin, "alice", 0).await;
    hers.subscribe_with(Subscribe {
        audio: true,
        save: true,
        ..reads(call.sid())
    })
    .await;
    let mut mine = relay.listen(&admin).await;
    mine.subscribe_with(reads(call.sid())).await;
    let talk = Talk::begin(stream);
    hers.next_frame("a frame").await;
    let seen = until(SOON, "a frame to be counted", async || {
        let seen = known(&relay, &admin, "alice", 1).await;
        (seen["frames_sent"].as_u64() > Some(0)).then_some(seen)
    })
    .await;
    assert_eq!(seen["id"], idle["id"]);
    let role = (&seen["role"], &seen["door"], &seen["address"]);
    assert_eq!(role, (&json!("user"), &json!("listen"), &json!("127.0.0.1")));
    assert!(
        seen["token_id"]
            .as_str()
            .is_some_and(|id| !id.is_empty() && !alice.contains(id))
    );
    let (frames, bytes) = (seen["frames_sent"].as_u64(), seen["bytes_sent"].as_u64());
    assert!(bytes > frames.map(|n| n * 160), "{seen}");
    assert_eq!(seen["frames_lost"], 0);
    let heard = &seen["calls"][0];
    let what = (&heard["call_sid"], &heard["audio"], &heard["save"]);
    assert_eq!(what, (&json!(call.sid()), &json!(true), &json!(true)));
    // The call says the same of them.
    let path = format!("/api/v1/calls/{}/listeners", call.sid());
    let of_call = relay.ask(Method::GET, &path, &admin).await.expect(200).json();
    let of_call = of_call["listeners"].as_array().expect("a list");
    let names: Vec<(&Value, &Value)> = of_call.iter().map(|l| (&l["name"], &l["audio"])).collect();
    assert_eq!(
        names,
        [(&json!("alice"), &json!(true)), (&json!("root"), &json!(false))]
    );
    assert_eq!(
        (&of_call[0]["id"], &of_call[0]["since"]),
        (&seen["id"], &heard["since"])
    );
    // Who leaves is seen no more.
    hers.say(&ClientMessage::Unsubscribe {
        call_sid: call.sid().clone(),
    })
    .await;
    known(&relay, &admin, "alice", 0).await;
    hers.close().await;
    until(SOON, "one that is left", async || {
        (connected(&relay, &admin).await.len() == 1).then_some(())
    })
    .await;
    talk.end().await;
}

#[tokio::test]
async fn who_is_no_admin_learns_nothing_and_ends_nobody() {
    let relay = Guarded::new();
    let admin = relay.token("root", &["--role", "admin"]).await;
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "777"])
        .await;
    let relay = relay.start(&[]).await;
    let mut hers = relay.listen(&alice).await;
    let seen = known(&relay, &admin, "alice", 0).await;
    for path in [one(&seen), format!("{ALL}/0123456789abcdef")] {
        // Hers and one that is none look the same to her.
        let answer = relay.ask(Method::DELETE, &path, &alice).await.expect(403);
        assert_eq!(answer.json()["error"]["code"], "not_allowed");
        http::send(relay.addr(), Method::DELETE, &path, &[], "")
            .await
            .expect(401);
    }
    relay.ask(Method::GET, ALL, &alice).await.expect(403);
    http::get(relay.addr(), ALL).await.expect(401);
    for nobody in ["", "0123456789abcdef", "x", "../calls"] {
        let path = format!("{ALL}/{nobody}");
        relay.ask(Method::DELETE, &path, &admin).await.expect(404);
    }
    relay.ask(Method::GET, &one(&seen), &admin).await.expect(405);
    hers.say(&ClientMessage::Ping { id: 1 }).await;
    hers.next_text("a pong: she is still there").await;
}

#[tokio::test]
async fn one_is_ended_for_good_on_record_and_no_other() {
    let relay = Guarded::new();
    let admin = relay.token("root", &["--role", "admin"]).await;
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "777"])
        .await;
    let relay = relay.start(&[]).await;
    let (call, stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &admin).await;
    let mut other = relay.listen(&alice).await;
    other.subscribe(call.sid()).await;
    let spared = known(&relay, &admin, "alice", 1).await;
    // The real client, which comes back by itself after whatever lets it.
    let token = relay.token_file(&alice);
    let client = harness::Program::start(
        &harness::binaries::path(harness::binaries::LISTENER),
        [
            "--relay",
            &relay.url(),
            "--token-file",
            &token,
            "events",
            call.sid().as_str(),
            "--follow",
        ],
        &[],
    );
    let mut ended = relay.listen(&alice).await;
    ended.subscribe(call.sid()).await;
    let talk = Talk::begin(stream);
    ended.next_frame("a frame").await;
    let all = until(SOON, "all three", async || {
        let all = connected(&relay, &admin).await;
        let follow = |one: &Value| one["calls"].as_array().is_some_and(|calls| calls.len() == 1);
        (all.len() == 3 && all.iter().all(follow)).then_some(all)
    })
    .await;
    for listener in all.iter().filter(|one| one["id"] != spared["id"]) {
        relay
            .ask(Method::DELETE, &one(listener), &admin)
            .await
            .expect(204);
    }
    assert_eq!(ended.closed().await, Some(close::POLICY));
    assert!(!close::comes_back(Some(close::POLICY)));
    let gone = client.finish(SOON).await;
    assert!(
        gone.code != Some(0) && gone.stderr.contains("ended by an admin"),
        "{gone:?}"
    );
    let left = connected(&relay, &admin).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["id"], spared["id"]);
    relay.ask(Method::DELETE, &one(&all[1]), &admin).await.expect(404);
    // Nobody else noticed: not a chunk is missing.
    let before = other.heard(call.sid()).frames.inbound.len();
    while other.heard(call.sid()).frames.inbound.len() < before + 25 {
        other.next_frame("frames for who was spared").await;
    }
    other.heard(call.sid()).assert_no_hole();
    let ends = until(SOON, "the end on record", async || {
        let mut lines = relay.audit();
        lines.retain(|line| line["event"] == "listen_end");
        (!lines.is_empty()).then_some(lines)
    })
    .await;
    assert_eq!(ends.len(), 1, "{ends:?}");
    let what = (&ends[0]["who"], &ends[0]["reason"], &ends[0]["call_sid"]);
    assert_eq!(
        what,
        (&json!("alice"), &json!("ended by an admin"), &json!(call.sid()))
    );
    assert!(ends[0]["bytes"].as_u64() >= Some(160));
    // Its token still counts: it may be let in again by whoever wants to.
    relay.listen(&alice).await;
    talk.end().await;
}

#[tokio::test]
async fn one_that_does_not_read_is_ended_too() {
    let relay = Guarded::new();
    let admin = relay.token("root", &["--role", "admin"]).await;
    let relay = relay.start(&[]).await;
    let (call, mut stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &admin).await;
    let mut deaf = relay.deaf(&admin, call.sid(), &mut stream).await;
    let seen = known(&relay, &admin, "root", 1).await;
    relay.ask(Method::DELETE, &one(&seen), &admin).await.expect(204);
    until(SOON, "nobody to be connected", async || {
        connected(&relay, &admin).await.is_empty().then_some(())
    })
    .await;
    let closed = deaf.closed().await;
    assert!(matches!(closed, None | Some(close::POLICY)), "{closed:?}");
}
