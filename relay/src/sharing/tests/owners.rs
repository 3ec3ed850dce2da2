//! Who owns a call, and how it becomes another's.

use partyline_shared::call::StreamState;

use super::*;
use crate::calls::mirror::Deed;

#[tokio::test]
async fn a_stream_takes_the_call_to_where_it_is() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    a.open(1);
    for n in 0..5 {
        a.says(1, &format!("line {n}"));
    }
    until("they are there", || b.lines(1).len() == 5).await;
    // What is said in the same moment is not told yet.
    a.says(1, "at the last moment");
    let here = b.registry.known(&sid(1)).unwrap();
    here.accept_stream(Now::take(), 9, stream("MZ1"));
    until("it is there", || b.owner(1) == Owner::Ours).await;
    until("it is told", || a.owner(1) == Owner::Theirs("bbbbbbbb".into())).await;
    b.says(1, "and on");
    until("it is heard", || a.lines(1).len() == 7).await;
    assert_eq!(a.journal(1), b.journal(1));
    assert_eq!(b.lines(1)[5..], ["6 at the last moment", "7 and on"]);
    let there = a.registry.known(&sid(1)).unwrap().view();
    assert_eq!((there.stream, &*there.node), (StreamState::Live, "bbbbbbbb"));
    // What Twilio tells the other is done where the call is.
    let error = Deed::Error { message: "x".into() };
    a.registry.act(Now::take(), &sid(1), error).unwrap();
    assert_eq!(a.registry.feed().deeds().await.len(), 1);
}

#[tokio::test]
async fn the_calls_of_a_relay_that_is_gone_are_somebody_else_s_soon() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    let c = Node::new(&redis, "cccccccc");
    c.synced().await;
    for n in 0..50 {
        a.open(n).accept_stream(Now::take(), n, stream("MZ1"));
        a.says(n, "hello");
    }
    until("all are known", || {
        (0..50).all(|n| b.lines(n).len() == 1 && c.lines(n).len() == 1)
    })
    .await;
    a.kill();
    let killed = Instant::now();
    let lost = |node: &Node, n| {
        let call = node.registry.known(&sid(n)).unwrap();
        call.standing().1 == StreamState::Lost
    };
    until("all streams are lost", || {
        (0..50).all(|n| lost(&b, n) && lost(&c, n))
    })
    .await;
    assert!(killed.elapsed() < Duration::from_secs(10));
    let ours = |node: &Node| (0..50).filter(|n| node.owner(*n) == Owner::Ours).count();
    assert_eq!(ours(&b) + ours(&c), 50);
    assert!(ours(&b) > 5 && ours(&c) > 5, "they share them");
    assert_eq!(b.registry.losses().await.len(), ours(&b));
    let (has, other) = if b.owner(3) == Owner::Ours {
        (&b, &c)
    } else {
        (&c, &b)
    };
    has.says(3, "still here");
    until("it is heard", || other.lines(3).len() == 2).await;
    assert_eq!(has.lines(3), ["1 hello", "4098 still here"]);
    assert_eq!(has.journal(3), other.journal(3));
}

#[tokio::test]
async fn two_that_hear_of_a_call_at_once_agree() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    for n in 0..20 {
        a.open(n);
        a.says(n, "from a");
        b.open(n);
        b.says(n, "from b");
    }
    let agreed = |n: u32| {
        let (one, other) = (a.journal(n), b.journal(n));
        one == other && one.1.len() == 2 && (a.owner(n) == Owner::Ours) != (b.owner(n) == Owner::Ours)
    };
    let is = || (0..20).all(agreed);
    until_or("they agree", is, || format!("{}{}", a.all(), b.all())).await;
}
