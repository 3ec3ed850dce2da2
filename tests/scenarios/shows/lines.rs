//! Lines of the log: all that is said of one connection can be picked out of it.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::{Finished, Guarded};
use serde_json::Value;

/// Lines in the order in which they were said.
fn lines(done: &Finished) -> Vec<Value> {
    let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON ({e}): {line}"));
    done.stderr.lines().map(read).collect()
}

/// One of a line's spans.
fn span<'a>(line: &'a Value, name: &str) -> Option<&'a Value> {
    let spans = line["spans"].as_array()?;
    spans.iter().find(|span| span["name"] == name)
}

#[tokio::test]
async fn all_that_is_said_of_one_connection_can_be_picked() {
    let relay = Guarded::new();
    let alice = relay
        .token("alice", &["--role", "user", "--customer", "777"])
        .await;
    let bob = relay.token("bob", &["--role", "admin"]).await;
    let relay = relay.start(&["--log-format", "json"]).await;
    let (call, mut stream) = relay.live_call("777").await;
    relay.is_live(call.sid(), &bob).await;
    let mut by_header = relay.listen(&alice).await;
    by_header.subscribe(call.sid()).await;
    let mut by_message = relay.stranger().await;
    by_message.say(&harness::guarded::auth(&bob)).await;
    by_message.greeted().await;
    by_message.subscribe(call.sid()).await;
    stream.play(&[0x55; 1600], &[0x66; 1600], Duration::ZERO).await;
    by_header.next_frame("a frame").await;
    by_header.close().await;
    stream.stop().await;
    let path = format!("/api/v1/calls/{}", call.sid());
    harness::wait::until(harness::wait::SOON, "the end", async || {
        let answer = relay.ask(::http::Method::GET, &path, &bob).await;
        (answer.json()["stream"] == "stopped").then_some(())
    })
    .await;
    let done = relay.stop().await;
    let lines = lines(&done);
    let said = |line: &Value| line["fields"]["message"].as_str().unwrap_or_default().to_owned();
    let of = |who: &str| -> Vec<&Value> {
        let mine = |line: &&Value| span(line, "listener").is_some_and(|span| span["who"] == who);
        lines.iter().filter(mine).collect()
    };
    for who in ["alice", "bob"] {
        let mine = of(who);
        let texts: Vec<String> = mine.iter().map(|line| said(line)).collect();
        assert_eq!(
            texts.first().map(String::as_str),
            Some("a listener has come in"),
            "{texts:?}"
        );
        assert_eq!(
            texts.last().map(String::as_str),
            Some("a listener is gone"),
            "{texts:?}"
        );
        let numbers: BTreeSet<u64> = mine
            .iter()
            .filter_map(|line| span(line, "connection")?["n"].as_u64())
            .collect();
        assert_eq!(numbers.len(), 1, "{numbers:?}");
        // By its number alone the same lines are found, and nobody else's.
        let n = numbers.first().copied();
        let picked = lines
            .iter()
            .filter(|line| span(line, "connection").is_some_and(|c| c["n"].as_u64() == n));
        for line in picked {
            assert!(
                span(line, "listener").is_none_or(|span| span["who"] == who),
                "{line}"
            );
        }
        assert!(
            mine.iter()
                .all(|line| span(line, "listener").is_some_and(|span| span["token_id"] != ""))
        );
    }
    let stream: Vec<&Value> = lines
        .iter()
        .filter(|line| span(line, "stream").is_some_and(|span| span["call"] == call.sid().as_str()))
        .collect();
    let texts: Vec<String> = stream.iter().map(|line| said(line)).collect();
    assert_eq!(texts, ["stream started", "stream stopped"]);
    let numbers: BTreeSet<Option<u64>> = stream
        .iter()
        .map(|line| span(line, "connection")?["n"].as_u64())
        .collect();
    assert!(numbers.len() == 1 && !numbers.contains(&None), "{numbers:?}");
    assert!(!done.stderr.contains(&alice) && !done.stderr.contains(&bob));
}
