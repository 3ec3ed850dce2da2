//! The file is moved away and SIGHUP sent: what follows is in a new one, and the chain goes on from the old.

use harness::record::verify;
use harness::wait::{SOON, until};
use harness::{Listener, Record, api};

#[tokio::test]
async fn after_a_move_and_sighup_the_chain_goes_on_in_a_new_file() {
    let record = Record::new();
    let token = record.add("alice", &["--role", "admin"]).await;
    let relay = record.relay(&[]).await;
    let (call, _stream) = api::live_call(&relay).await;
    let mut alice = Listener::connect_as(relay.addr(), &token).await;
    alice.subscribe(call.sid()).await;
    let old = record.folder().file("audit.jsonl.1");
    std::fs::rename(record.audit(), &old).expect("it can be moved");
    relay.program().signal("HUP");
    until(SOON, "a new file", async || record.audit().exists().then_some(())).await;
    alice.close().await;
    let ends = record.once("listen_end", "alice", 1).await;
    assert_eq!(ends[0]["reason"], "the connection ended");
    let first = record.lines().remove(0);
    assert_eq!(first["event"], "started");
    assert!(
        first["reason"]
            .as_str()
            .is_some_and(|why| why.starts_with("goes on from another file")),
        "{first}"
    );
    relay.stop().await.expect_code(0);
    verify(&[&old, &record.audit()]).await.expect_code(0);
    verify(&[&record.audit()]).await.expect_code(0);
    let wrong = verify(&[&record.audit(), &old]).await.expect_code(1);
    assert!(
        wrong.stderr.contains("audit.jsonl.1: line 1 is bad"),
        "{}",
        wrong.stderr
    );
}
