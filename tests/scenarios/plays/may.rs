//! Who may have it, what is answered to all others, and what is on record.

use ::http::Method;
use harness::guarded::{Guarded, Talk};
use harness::http;
use harness::wait::{SOON, until};
use serde_json::{Value, json};

use super::*;

const KEEPS: [&str; 6] = ["--role", "user", "--customer", "777", "--allow", "save"];
const HEARS: [&str; 4] = ["--role", "user", "--customer", "777"];

async fn lines(relay: &Guarded, event: &str, count: usize) -> Vec<Value> {
    until(SOON, &format!("{count} lines {event}"), async || {
        let mut lines = relay.audit();
        lines.retain(|line| line["event"] == event);
        (lines.len() >= count).then_some(lines)
    })
    .await
}

#[tokio::test]
async fn who_may_not_keep_it_is_told_so_and_nobody_else_that_it_is_there() {
    let relay = Guarded::new();
    let keeps = relay.token("keeps", &KEEPS).await;
    let hears = relay.token("hears", &HEARS).await;
    let other = relay
        .token("other", &["--role", "user", "--customer", "1", "--allow", "save"])
        .await;
    let relay = relay.start(&[]).await;
    let (call, _stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &hears).await;
    let (here, nowhere) = (path(call.sid()), path("CA00000000000000000000000000000000"));
    http::get(relay.addr(), &here).await.expect(401);
    http::get(relay.addr(), &format!("{here}?ticket=pt_nonsense"))
        .await
        .expect(401);
    let refused = relay.ask(Method::GET, &here, &hears).await.expect(403);
    assert_eq!(refused.json()["error"]["code"], "not_allowed");
    let missing = [
        relay.ask(Method::GET, &here, &other).await.expect(404),
        relay.ask(Method::GET, &nowhere, &keeps).await.expect(404),
        relay.ask(Method::HEAD, &here, &other).await.expect(404),
    ];
    assert_eq!(missing[0].body, missing[1].body);
    let wrong = format!("{here}?track=middle");
    relay.ask(Method::GET, &wrong, &keeps).await.expect(400);
    relay.ask(Method::POST, &here, &keeps).await.expect(405);
    // Who asks what it is listens to nothing.
    let head = relay.ask(Method::HEAD, &here, &keeps).await.expect(200);
    for (name, value) in [
        ("content-type", "audio/wav"),
        ("cache-control", "no-store"),
        ("accept-ranges", "none"),
        ("content-length", ""),
    ] {
        assert_eq!(head.header(name), value, "{name}");
    }
    assert!(head.body.is_empty());
    let refused = until(SOON, "who was refused on record", async || {
        let lines = relay.audit();
        lines
            .into_iter()
            .find(|line| line["event"] == "refused" && line["who"] == "hears")
    })
    .await;
    assert_eq!(
        (&refused["door"], &refused["call_sid"]),
        (&json!("api"), &json!(call.sid()))
    );
    assert!(relay.audit().iter().all(|line| line["event"] != "listen_begin"));
}

#[tokio::test]
async fn a_ticket_opens_it_once_and_what_is_heard_is_on_record() {
    let relay = Guarded::new();
    let alice = relay.token("alice", &KEEPS).await;
    let admin = relay.token("root", &["--role", "admin"]).await;
    let relay = relay.start(&[]).await;
    let (call, stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &alice).await;
    let ticket = relay
        .ask(Method::POST, "/api/v1/tickets", &alice)
        .await
        .expect(200);
    let ticket = ticket.json()["ticket"].as_str().expect("a ticket").to_owned();
    let address = format!("{}?ticket={ticket}", path(call.sid()));
    // A part of what has no end cannot be asked for: it is all from now on.
    let player = curl(relay.addr(), &address, &["--include", "--range", "100-200"]);
    player.wrote(SOON, SECOND / 2).await;
    http::get(relay.addr(), &address).await.expect(401);
    let begun = relay.audit();
    for event in ["listen_begin", "save"] {
        let line = begun.iter().find(|line| line["event"] == event);
        let line = line.unwrap_or_else(|| panic!("no {event} before the first sample"));
        let what = (
            &line["who"],
            &line["door"],
            &line["call_sid"],
            &line["customer_id"],
        );
        assert_eq!(
            what,
            (&json!("alice"), &json!("api"), &json!(call.sid()), &json!("777"))
        );
    }
    let talk = Talk::begin(stream);
    let seen = until(SOON, "a frame to be counted", async || {
        let all = relay
            .ask(Method::GET, "/api/v1/listeners", &admin)
            .await
            .expect(200);
        let seen = all.json()["listeners"][0].clone();
        (seen["frames_sent"].as_u64() > Some(0)).then_some(seen)
    })
    .await;
    let what = (&seen["name"], &seen["door"], &seen["frames_lost"]);
    assert_eq!(what, (&json!("alice"), &json!("api"), &json!(0)));
    let heard = (&seen["calls"][0]["audio"], &seen["calls"][0]["save"]);
    assert_eq!(heard, (&json!(true), &json!(true)));
    talk.end().await.hang_up().await;
    let heard = player.finish(SOON).await.expect_code(0).stdout;
    assert!(heard.starts_with(b"HTTP/1.1 200 OK\r\n"));
    let begins = heard.windows(4).position(|four| four == b"RIFF").expect("a WAV");
    let samples = heard.len() - begins - 44;
    let end = lines(&relay, "listen_end", 1).await.remove(0);
    let what = (&end["who"], &end["reason"], &end["bytes"]);
    assert_eq!(what, (&json!("alice"), &json!("the call ended"), &json!(samples)));
    assert!(end["seconds"].as_f64() > Some(0.4), "{end}");
    // Of a call that is over there is only the header, and nobody has heard anything.
    let over = relay
        .ask(Method::GET, &path(call.sid()), &alice)
        .await
        .expect(200);
    assert_eq!(over.body, header(2));
    assert_eq!(lines(&relay, "listen_begin", 1).await.len(), 1);
}
