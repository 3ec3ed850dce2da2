//! Somebody marks a moment: who may, which moments, and who sees it, by HTTP and by a key.

use ::http::Method;
use harness::guarded::Guarded;
use harness::http::{self, Answer};
use harness::wait::SOON;
use harness::{Listener, Relays, Terminal, supervisor};
use partyline_shared::event::{Event, EventKind};
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::{ClientMessage, Subscribe};
use serde_json::{Value, json};

use crate::monitor::sized;

const NONE: &str = "CA00000000000000000000000000000000";

fn path(sid: &str) -> String {
    format!("/api/v1/calls/{sid}/marks")
}

async fn post(relay: &Guarded, sid: &str, token: &str, fields: Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
    ];
    http::send(
        relay.addr(),
        Method::POST,
        &path(sid),
        &headers,
        fields.to_string(),
    )
    .await
}

/// Reads a call, without its audio.
async fn reads(mut listener: Listener, sid: &CallSid) -> Listener {
    let reading = Subscribe {
        call_sid: sid.clone(),
        audio: false,
        after: None,
        replay_ms: 0,
        save: false,
        saved: None,
    };
    listener.subscribe_with(reading).await;
    listener
}

/// The marks of a call, once there are so many.
async fn marks(listener: &mut Listener, sid: &CallSid, count: usize) -> Vec<Event> {
    let known = |listener: &Listener| -> Vec<Event> {
        let events = listener.heard(sid).events.iter();
        events
            .filter(|event| event.kind == EventKind::Mark)
            .cloned()
            .collect()
    };
    listener
        .until_so("the marks", |listener| known(listener).len() >= count)
        .await;
    known(listener)
}

#[tokio::test]
async fn who_may_hear_a_call_marks_it_for_all_who_see_it() {
    let relay = Guarded::new();
    let add = async |name: &str, args: &[&str]| relay.token(name, args).await;
    let alice = add("alice", &["--role", "user", "--customer", "7"]).await;
    let bob = add("bob", &["--role", "user", "--customer", "8"]).await;
    let source = add("source", &["--role", "source", "--customer", "7"]).await;
    let writer = add("writer", &["--role", "transcriber"]).await;
    let relay = relay.start(&[]).await;
    let (call, stream) = relay.live_call("7").await;
    let sid = call.sid().to_string();
    relay.is_live(call.sid(), &alice).await;
    let mut listener = reads(relay.listen(&alice).await, call.sid()).await;

    let marked = post(&relay, &sid, &alice, json!({ "text": "a promise" }))
        .await
        .expect(201)
        .json();
    assert_eq!(
        (&marked["kind"], &marked["detail"]["by"]),
        (&json!("mark"), &json!("alice"))
    );
    assert_eq!(marked["detail"]["text"], "a promise");
    assert_eq!(marked["detail"]["at"], marked["at"], "now");
    let at = marked["at"].as_str().expect("when").to_owned();
    relay.ask(Method::POST, &path(&sid), &writer).await.expect(201);
    for token in [&bob, &source] {
        let refused = post(&relay, &sid, token, json!({})).await.expect(404);
        let nobody = post(&relay, NONE, token, json!({})).await.expect(404);
        assert_eq!(refused.text(), nobody.text(), "as one that does not exist");
        // Nor does what is wrong with a mark tell the two apart.
        let wrong = json!({ "at": "2001-01-01T00:00:00.000Z" });
        post(&relay, &sid, token, wrong).await.expect(404);
    }
    http::send(relay.addr(), Method::POST, &path(&sid), &[], "")
        .await
        .expect(401);
    relay.ask(Method::GET, &path(&sid), &alice).await.expect(405);
    for wrong in [
        json!({ "at": "2001-01-01T00:00:00.000Z" }),
        json!({ "at": "2999-01-01T00:00:00.000Z" }),
        json!({ "at": "just now" }),
        json!({ "text": "x".repeat(201) }),
    ] {
        let refused = post(&relay, &sid, &alice, wrong).await.expect(400);
        assert_eq!(refused.json()["error"]["code"], "bad_request");
    }
    // Once it is over too, as long as it is remembered; and a moment of before.
    stream.hang_up().await;
    listener
        .until_so("the end", |listener| {
            listener.has_ended() || {
                let call = listener.calls.get(call.sid());
                call.is_some_and(|call| call.is_ended())
            }
        })
        .await;
    post(&relay, &sid, &alice, json!({ "at": at })).await.expect(201);
    let seen = marks(&mut listener, call.sid(), 3).await;
    assert_eq!(
        serde_json::to_value(&seen[0]).expect("JSON"),
        marked,
        "as it was answered"
    );
    let who: Vec<&Value> = seen.iter().map(|event| &event.detail["by"]).collect();
    assert_eq!(who, ["alice", "writer", "alice"]);
    assert_eq!(seen[2].detail["at"], json!(at));
    // In words.
    let file = relay.token_file(&alice);
    let told = supervisor::start(&relay.url(), &["events", &sid, "--token-file", &file]);
    let told = told.finish(SOON).await.expect_code(0).text();
    let words = format!("alice marked {}: a promise", &at[11..19]);
    assert!(told.contains(&words), "{words}: {told}");
}

#[tokio::test]
async fn a_mark_at_another_relay_is_one_mark_at_all() {
    let relays = Relays::start(2, &["--attach", "never"]).await;
    let (call, _stream) = relays.live_call("7", 0, 0).await;
    let sid = call.sid().clone();
    let mut listeners = Vec::new();
    for nth in [0, 1] {
        relays.shows(nth, &sid, "the call", |_| true).await;
        listeners.push(reads(relays.listen(nth).await, &sid).await);
    }
    let there = relays
        .post(1, &path(sid.as_str()), &json!({ "text": "there" }))
        .await;
    let here = relays
        .post(0, &path(sid.as_str()), &json!({ "text": "here" }))
        .await;
    let answers = [there.expect(201).json(), here.expect(201).json()];
    for listener in &mut listeners {
        let seen = marks(listener, &sid, 2).await;
        let seen: Vec<Value> = seen
            .iter()
            .map(|event| serde_json::to_value(event).expect("JSON"))
            .collect();
        assert_eq!(seen, answers);
    }
    relays.agree(&sid).await;
}

#[tokio::test]
async fn a_key_marks_what_is_shown_and_a_monitor_that_only_reads_sends_nothing() {
    let relay = Guarded::new();
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "cust7"])
        .await;
    let relay = relay.start(&[]).await;
    let (call, _stream) = relay.live_call("cust7").await;
    relay.is_live(call.sid(), &alice).await;
    let mut listener = reads(relay.listen(&alice).await, call.sid()).await;
    let (url, file) = (relay.url(), relay.token_file(&alice));
    let args = ["--relay", &url, "--token-file", &file];
    let only_reads = [&args[..], &["--read-only"]].concat();
    let other = Terminal::partyline(&only_reads, sized(120, 30)).await;
    other.wait_for("cust7").await;
    other.keys("M");
    other.wait_for("read-only").await;
    let terminal = Terminal::partyline(&args, sized(120, 30)).await;
    terminal.wait_for("cust7").await;
    terminal.keys("M");
    for seen in [&terminal, &other] {
        seen.wait_for("alice marked ").await;
    }
    assert_eq!(marks(&mut listener, call.sid(), 1).await.len(), 1);
    // One that is sent later comes later: nothing more was under way.
    listener.say(&ClientMessage::Ping { id: 1 }).await;
    listener.next_text("a pong").await;
    assert_eq!(marks(&mut listener, call.sid(), 1).await.len(), 1);
}
