//! A Redis that has what no relay wrote, or has lost what it said.

use ::redis::{Cmd, Value, cmd};

use super::*;
use crate::calls::call::Wants;
use crate::calls::journal::Cursor;
use crate::calls::mirror::{Kind as Told, Numbered};
use crate::sharing::store::{PAGE, REMOVALS};

impl Node {
    async fn redis(&self, mut command: Cmd, key: &str, args: &[&str]) -> Value {
        command.arg(self.sharing.hub.broker.key(key)).arg(args);
        self.sharing.hub.broker.command(command).await.unwrap()
    }
}

#[tokio::test]
async fn what_is_no_call_keeps_no_call_from_being_followed() {
    let redis = Redis::start();
    let a = Node::new(&redis, "aaaaaaaa");
    a.synced().await;
    // A page of names that are none, a call that is no hash, and one whose owner's token is no number.
    a.redis(cmd("INCRBY"), "version", &["1000"]).await;
    for n in 1..=PAGE {
        let (version, name) = (n.to_string(), format!("not a call {n}"));
        a.redis(cmd("ZADD"), "calls", &[&version, &name]).await;
    }
    a.redis(cmd("ZADD"), "calls", &["998", "CA8", "999", "CA9"]).await;
    a.redis(cmd("SET"), "call:CA8", &["garbage"]).await;
    a.redis(
        cmd("HSET"),
        "call:CA9",
        &["owner", "x", "token", "garbage", "version", "1"],
    )
    .await;
    a.open(1);
    a.says(1, "told");
    until("it is told", || a.metrics.shared_told.get() > 0).await;
    let b = Node::new(&redis, "bbbbbbbb");
    b.synced().await;
    assert_eq!(b.lines(1), ["1 told"]);
    a.says(1, "and followed");
    until("it is followed", || b.lines(1).len() == 2).await;
    assert!(b.metrics.letters_bad.get() >= 2);
}

#[tokio::test]
async fn more_removals_than_redis_remembers_leave_nothing_behind() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    for n in [1, 2] {
        a.open(n);
        a.says(n, "secret");
        until("it is there", || b.lines(n).len() == 1).await;
    }
    // As if B had heard nothing of these.
    a.redis(cmd("DEL"), "call:CA1", &[]).await;
    a.redis(cmd("ZREM"), "calls", &["CA1"]).await;
    let gone: Vec<String> = (0..REMOVALS)
        .flat_map(|n| ["5000".to_owned(), format!("CA{}", 10_000 + n)])
        .collect();
    let gone: Vec<&str> = gone.iter().map(String::as_str).collect();
    a.redis(cmd("ZADD"), "gone", &gone).await;
    // Last: B reads what there is once it hears of a newer version.
    a.redis(cmd("INCRBY"), "version", &["5000"]).await;
    until("it is gone", || b.registry.known(&sid(1)).is_none()).await;
    assert_eq!(b.lines(2), ["1 secret"]);
}

#[tokio::test]
async fn no_number_that_is_told_is_too_high_to_go_on_from() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    a.open(1);
    a.says(1, "first");
    until("it is there", || b.lines(1).len() == 1).await;
    let told = a
        .registry
        .known(&sid(1))
        .unwrap()
        .told(|_| Cursor::default())
        .unwrap();
    let mut snapshot = serde_json::to_value(&told.snapshot).unwrap();
    let most = serde_json::json!(u64::MAX);
    snapshot["journal"]["last"] = serde_json::json!({ "line": most, "event": most });
    snapshot["lost_chunks"] = most.clone();
    let json = told.entries[0]
        .json()
        .replacen("\"seq\":1,", &format!("\"seq\":{most},"), 1);
    let entry = Numbered::of(Told::Lines, &json).unwrap();
    let snapshot = serde_json::from_value(snapshot).unwrap();
    let (now, from) = (Now::take(), Cursor::default());
    let followed = b.registry.follow(now, "x", &sid(2), &snapshot, from, &[entry]);
    followed.unwrap();
    let call = b.registry.known(&sid(2)).unwrap();
    call.take_over(Now::take(), true);
    call.line(
        Now::take(),
        &Grant::insecure(),
        line(Track::Inbound, "next", true),
    )
    .unwrap();
    assert!(call.numbering().1.line < u64::MAX / 2);
    // Nor is any number of listeners elsewhere.
    for node in ["x", "y"] {
        let wants = Wants {
            listeners: u32::MAX,
            ..Wants::default()
        };
        call.add_peer(Now::take(), node, wants, None);
    }
    assert_eq!(call.view().listeners, u32::MAX);
}

#[tokio::test]
async fn a_redis_that_went_back_to_what_it_had_saved_is_told_everything() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    a.open(1);
    a.says(1, "saved");
    until("it is there", || b.lines(1).len() == 1).await;
    for n in 2..=5 {
        a.open(n);
        a.says(n, "not saved");
        until("it is there", || b.lines(n).len() == 1).await;
    }
    // What was told since is not there any more, and the count is what it was.
    for n in 2..=5 {
        a.redis(cmd("DEL"), &format!("call:CA{n}"), &[]).await;
        a.redis(cmd("ZREM"), "calls", &[&format!("CA{n}")]).await;
    }
    a.redis(cmd("SET"), "version", &["1"]).await;
    a.open(6);
    a.says(6, "new");
    until("it is followed", || b.lines(6) == ["1 new"]).await;
    let c = Node::new(&redis, "cccccccc");
    c.synced().await;
    until("all of it is told again", || {
        (1..=6).all(|n| c.lines(n).len() == 1)
    })
    .await;
    assert_eq!(b.lines(3), ["1 not saved"]);
}
