//! Redis goes, and comes back.

use super::*;

#[tokio::test]
async fn a_redis_that_comes_back_empty_is_told_everything() {
    let mut redis = Redis::start();
    let (a, b) = pair(&redis).await;
    a.open(1);
    a.says(1, "before");
    b.open(2);
    b.says(2, "before");
    until("both are known", || a.lines(2).len() + b.lines(1).len() == 2).await;
    redis.kill();
    a.says(1, "meanwhile");
    a.open(3);
    b.open(4);
    b.says(4, "new");
    assert!(b.registry.erase(Now::take(), &sid(2)));
    redis.start_again();
    let back = Instant::now();
    let is = || {
        b.lines(1).len() == 2
            && b.registry.known(&sid(3)).is_some()
            && a.lines(4).len() == 1
            && a.registry.known(&sid(2)).is_none()
    };
    until_or("all is known", is, || format!("{}{}", a.all(), b.all())).await;
    assert!(back.elapsed() < Duration::from_secs(5));
    for n in [1, 3, 4] {
        assert_eq!(a.journal(n), b.journal(n));
    }
    let c = Node::new(&redis, "cccccccc");
    c.synced().await;
    for n in [1, 3, 4] {
        assert_eq!(a.journal(n), c.journal(n));
    }
}

#[tokio::test]
async fn a_stream_does_not_wait_for_a_redis_that_is_away() {
    let mut redis = Redis::start();
    let (a, b) = pair(&redis).await;
    a.open(1);
    a.says(1, "before");
    until("it is known", || b.lines(1).len() == 1).await;
    redis.kill();
    until("the link is down", || {
        !b.sharing.hub.broker.is_up() && !a.sharing.hub.broker.is_up()
    })
    .await;
    let call = b.registry.known(&sid(1)).unwrap();
    call.accept_stream(Now::take(), 9, stream("MZ1"));
    until("it is ours", || b.owner(1) == Owner::Ours).await;
    a.says(1, "heard at a");
    b.says(1, "heard at b");
    redis.start_again();
    let agreed = || {
        let (one, other) = (a.journal(1), b.journal(1));
        let texts: Vec<_> = one
            .1
            .iter()
            .filter_map(|line| line.split_once(' '))
            .map(|(_, text)| text)
            .collect();
        let mut sorted = texts.clone();
        sorted.sort_unstable();
        one == other && sorted == ["before", "heard at a", "heard at b"]
    };
    let is = || agreed() && b.owner(1) == Owner::Ours;
    until_or("they agree", is, || format!("{}{}", a.all(), b.all())).await;
    assert_eq!(a.owner(1), Owner::Theirs("bbbbbbbb".into()));
}
