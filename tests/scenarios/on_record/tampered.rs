//! One line that was altered, removed or swapped with the next is found, and it is named.

use std::path::Path;

use harness::record::verify;
use harness::{Listener, Record, Scratch, api};
use partyline_relay::audit::head;
use partyline_shared::protocol::client::ClientMessage;

/// The record of somebody who came and went.
async fn written() -> (Record, Vec<String>) {
    let record = Record::new();
    let alice = record.add("alice", &["--role", "admin"]).await;
    let relay = record.relay(&[]).await;
    let (call, _stream) = api::live_call(&relay).await;
    let mut listener = Listener::connect_as(relay.addr(), &alice).await;
    for _ in 0..4 {
        listener.subscribe(call.sid()).await;
        let call_sid = call.sid().clone();
        listener.say(&ClientMessage::Unsubscribe { call_sid }).await;
    }
    record.once("listen_end", "alice", 4).await;
    relay.stop().await.expect_code(0);
    let text = std::fs::read_to_string(record.audit()).expect("there is an audit");
    (record, text.lines().map(str::to_owned).collect())
}

/// Fails unless the first bad line of these is `bad`.
async fn expect_bad(folder: &Scratch, head: &Path, lines: &[String], bad: usize, what: &str) {
    let file = folder.write("audit.jsonl", lines.join("\n") + "\n");
    std::fs::copy(head, head::path_of(&file)).expect("the head can be copied");
    let found = verify(&[&file]).await.expect_code(1);
    let told = format!("audit.jsonl: line {bad} is bad: ");
    assert!(found.stderr.contains(&told), "{what}: {}", found.stderr);
    assert_eq!(found.text(), "", "{what}");
}

#[tokio::test]
async fn one_line_that_was_altered_removed_or_swapped_is_named() {
    let (record, lines) = written().await;
    assert_eq!(lines.len(), 9, "a start, and four times begin and end");
    verify(&[&record.audit()]).await.expect_code(0);
    let head = head::path_of(&record.audit());
    let folder = Scratch::new();
    for at in 0..lines.len() {
        let bad = at + 1;
        let mut altered = lines.clone();
        altered[at] = altered[at].replacen("\"node\":\"", "\"node\":\"0", 1);
        expect_bad(&folder, &head, &altered, bad, "altered").await;
        let mut removed = lines.clone();
        removed.remove(at);
        expect_bad(&folder, &head, &removed, bad, "removed").await;
        if bad < lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(at, at + 1);
            expect_bad(&folder, &head, &swapped, bad, "swapped").await;
        }
    }
}
