//! What one relay tells is known at the others.

use partyline_shared::call::{CallStatus, StreamState};

use super::*;

#[tokio::test]
async fn a_call_is_the_same_at_every_relay() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    let call = a.open(1);
    call.accept_stream(Now::take(), 7, stream("MZ1"));
    for n in 0..20 {
        a.says(1, &format!("line {n}"));
    }
    until("the lines are there", || b.lines(1).len() == 20).await;
    assert_eq!(a.journal(1), b.journal(1));
    let (mut here, there) = (call.view(), b.registry.known(&sid(1)).unwrap().view());
    here.talk = there.talk;
    assert_eq!(here, there);
    assert_eq!(
        (there.status, there.stream),
        (CallStatus::InProgress, StreamState::Live)
    );
    assert_eq!(
        (a.owner(1), b.owner(1)),
        (Owner::Ours, Owner::Theirs("aaaaaaaa".into()))
    );
    // Who comes later reads it.
    let c = Node::new(&redis, "cccccccc");
    c.synced().await;
    assert_eq!(c.journal(1), a.journal(1));
    call.stream_stopped(Now::take(), 7);
    a.says(1, "the last");
    for other in [&b, &c] {
        until("it is over", || other.lines(1).len() == 21).await;
        assert_eq!(other.journal(1), a.journal(1));
        assert!(other.registry.known(&sid(1)).unwrap().ended().is_some());
    }
    assert_eq!(b.metrics.shared_resyncs.get(), 0, "nothing was missed");
}

#[tokio::test]
async fn what_is_being_said_is_one_line_and_only_its_newest_state_is_kept() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    let call = a.open(1);
    for n in 1..=50 {
        let partial = line(Track::Outbound, &format!("word {n}"), false);
        call.line(Now::take(), &Grant::insecure(), partial).unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    until("the newest is there", || b.lines(1) == ["50 word 50"]).await;
    let key = a.sharing.hub.broker.key("call:CA1:journal");
    let length = ::redis::cmd("XLEN").arg(key).clone();
    let length = a.sharing.hub.broker.command(length).await.unwrap();
    assert_eq!(length, ::redis::Value::Int(1));
    a.says(1, "other side");
    let said = line(Track::Outbound, "all words", true);
    call.line(Now::take(), &Grant::insecure(), said).unwrap();
    let all = ["51 other side", "52 all words"];
    until("it is final", || b.lines(1) == all).await;
    let c = Node::new(&redis, "cccccccc");
    c.synced().await;
    assert_eq!(c.lines(1), all);
}

#[tokio::test]
async fn an_erased_call_is_gone_everywhere_and_does_not_come_back() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    a.open(1);
    a.says(1, "secret");
    until("it is there", || b.lines(1).len() == 1).await;
    assert!(a.registry.erase(Now::take(), &sid(1)));
    until("it is gone", || b.registry.known(&sid(1)).is_none()).await;
    assert!(b.registry.open(Now::take(), &sid(1)).is_err());
    let keys = ::redis::cmd("KEYS")
        .arg(a.sharing.hub.broker.key("call:*"))
        .clone();
    let keys = a.sharing.hub.broker.command(keys).await.unwrap();
    assert_eq!(keys, ::redis::Value::Array(Vec::new()));
    // Who comes later takes nothing of it either.
    let c = Node::new(&redis, "cccccccc");
    c.synced().await;
    assert!(c.registry.open(Now::take(), &sid(1)).is_err());
}

#[tokio::test]
async fn a_call_that_is_forgotten_is_so_everywhere() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    let call = a.open(1);
    call.accept_stream(Now::take(), 7, stream("MZ1"));
    call.stream_stopped(Now::take(), 7);
    until("it is over", || {
        b.registry
            .known(&sid(1))
            .is_some_and(|call| call.ended().is_some())
    })
    .await;
    let later = Now::take().plus(Duration::from_secs(3601));
    a.registry.on_deadline(later);
    a.registry.on_deadline(later.plus(Duration::from_secs(2)));
    assert!(a.registry.known(&sid(1)).is_none());
    until("it is forgotten", || b.registry.known(&sid(1)).is_none()).await;
    until("nothing is known of it", || {
        lock(&a.sharing.hub.books.ledger).len() + lock(&b.sharing.hub.books.ledger).len() == 0
    })
    .await;
}

#[tokio::test]
async fn so_many_calls_of_all_relays_are_known_and_the_next_is_not_shown() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    let most = follow::MIRRORED;
    {
        let mut ledger = lock(&b.sharing.hub.books.ledger);
        for n in 0..most - 1 {
            ledger.entry(&sid(1_000_000 + n as u32)).owner = "cccccccc".into();
        }
    }
    a.open(1);
    until("there is room for one", || b.registry.known(&sid(1)).is_some()).await;
    a.open(2);
    until("it is one too many", || b.metrics.shared_unshown.get() > 0).await;
    assert!(b.registry.known(&sid(2)).is_none());
    lock(&b.sharing.hub.books.ledger).remove(&sid(1_000_000));
    a.says(2, "still here");
    until("there is room again", || b.registry.known(&sid(2)).is_some()).await;
}
