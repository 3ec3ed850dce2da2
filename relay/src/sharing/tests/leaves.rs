//! A relay that goes leaves its calls to the others.

use partyline_shared::call::CallStatus;
use partyline_shared::twilio::callback::Parties;
use redis::cmd;

use super::*;
use crate::calls::call::StatusNote;
use crate::calls::mirror::Deed;
use crate::sharing::peers::Peer;

fn is_over(n: u32) -> StatusNote {
    StatusNote {
        leg: sid(n),
        parties: Parties::default(),
        status: Some(CallStatus::Completed),
        at: None,
        duration_s: None,
        sip_response_code: None,
    }
}

#[tokio::test]
async fn a_relay_that_leaves_hands_its_calls_on_at_once() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    let call = a.open(1);
    call.accept_stream(Now::take(), 7, stream("MZ1"));
    a.says(1, "hello");
    until("there are two", || a.sharing.has_heirs()).await;
    a.stop.drain();
    call.stream_lost(Now::take(), 7, "the relay leaves");
    let numbering = a.journal(1).0;
    let began = Instant::now();
    a.sharing.release().await;
    assert!(began.elapsed() < Duration::from_secs(2));
    until("it is there", || b.owner(1) == Owner::Ours).await;
    assert_eq!(b.registry.losses().await.len(), 1);
    b.says(1, "and on");
    assert_eq!(b.lines(1), ["1 hello", "2 and on"]);
    assert_eq!(b.journal(1).0, numbering);
    until("it is heard", || a.lines(1).len() == 2).await;
    a.sharing.end().await;
    until("it is known to be gone", || b.sharing.hub().peers().is_empty()).await;
}

#[tokio::test]
async fn what_is_said_of_a_call_that_nobody_has_yet_is_numbered_by_whoever_takes_it() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    a.open(1);
    a.says(1, "hello");
    until("there are two", || a.sharing.has_heirs()).await;
    // It is on the list still, and takes nothing.
    b.kill();
    a.says(1, "at the last moment");
    a.stop.drain();
    a.sharing.release().await;
    // That took long, and no beat of A, which has said goodbye, tells of B any more.
    let b_is_there = Peer {
        node: "bbbbbbbb".into(),
        seen: Instant::now(),
        version: String::new(),
        draining: false,
    };
    lock(&a.sharing.hub.books.peers).on_beat(Instant::now(), vec![b_is_there]);
    assert_eq!(a.owner(1), Owner::Gone("aaaaaaaa".into()));
    let said = Deed::Line {
        line: line(Track::Inbound, "to nobody", true),
    };
    a.registry.act(Now::take(), &sid(1), said).unwrap();
    assert_eq!(a.sharing.hub().claim(&sid(1)).await.unwrap(), Claimed::Leaving);
    let c = Node::new(&redis, "cccccccc");
    until("it is there", || c.owner(1) == Owner::Ours).await;
    let all = ["1 hello", "2 at the last moment", "3 and on"];
    c.says(1, "and on");
    assert_eq!(c.lines(1), all);
    until("it is heard", || a.lines(1) == all).await;
    assert_eq!(a.journal(1), c.journal(1));
    assert_eq!(a.registry.feed().deeds().await.len(), 1, "it is handed over");
}

#[tokio::test]
async fn a_last_word_that_redis_does_not_answer_is_told_again() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    a.open(1);
    a.says(1, "hello");
    until("there are two", || a.sharing.has_heirs() && b.lines(1).len() == 1).await;
    let mut admin = redis.admin().await;
    // Longer than an answer is waited for.
    let pause = cmd("CLIENT").arg("PAUSE").arg(2_500).arg("ALL").to_owned();
    pause.query_async::<()>(&mut admin).await.unwrap();
    a.says(1, "while it stands still");
    a.stop.drain();
    a.sharing.release().await;
    until_or(
        "it is there",
        || b.owner(1) == Owner::Ours,
        || format!("{}{}", a.all(), b.all()),
    )
    .await;
    b.says(1, "and on");
    assert_eq!(b.lines(1), ["1 hello", "2 while it stands still", "3 and on"]);
}

#[tokio::test]
async fn what_is_over_is_left_to_nobody_and_what_begins_meanwhile_is_left_at_once() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    for n in [1, 2] {
        a.open(n);
        a.says(n, "hello");
    }
    a.registry.known(&sid(2)).unwrap().status(Now::take(), is_over(2));
    until("there are two", || a.sharing.has_heirs() && b.lines(2).len() == 1).await;
    a.stop.drain();
    a.sharing.release().await;
    until("it is there", || b.owner(1) == Owner::Ours).await;
    a.open(3);
    a.says(3, "to whom it may concern");
    until("it is there too", || b.owner(3) == Owner::Ours).await;
    assert_eq!(b.lines(3), ["1 to whom it may concern"]);
    assert_eq!(a.owner(2), Owner::Ours);
    assert!(b.registry.known(&sid(2)).unwrap().ended().is_some());
    // Whoever has something to say of it has it once that one is gone.
    a.sharing.end().await;
    assert_eq!(b.sharing.hub().claim(&sid(2)).await.unwrap(), Claimed::Ours);
}

#[tokio::test]
async fn who_is_alone_keeps_its_calls_until_nobody_says_anything_any_more() {
    let redis = Redis::start();
    let a = Node::new(&redis, "aaaaaaaa");
    a.synced().await;
    a.open(1);
    a.says(1, "hello");
    a.stop.drain();
    a.sharing.release().await;
    a.says(1, "and on");
    assert_eq!(a.owner(1), Owner::Ours);
    a.sharing.end().await;
    assert_eq!(a.owner(1), Owner::Gone("aaaaaaaa".into()));
    let b = Node::new(&redis, "bbbbbbbb");
    until("it is there", || b.owner(1) == Owner::Ours).await;
    b.says(1, "somewhere else");
    assert_eq!(b.lines(1), ["1 hello", "2 and on", "3 somewhere else"]);
}
