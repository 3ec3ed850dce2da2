//! What goes amiss half way: a Redis that knows less than it did, answers that do not come, calls that nobody has by all
//! accounts.

use redis::aio::MultiplexedConnection;
use redis::cmd;

use super::*;

async fn ask(admin: &mut MultiplexedConnection, words: &[&str]) {
    let mut asked = cmd(words[0]);
    asked.arg(&words[1..]);
    asked.exec_async(admin).await.unwrap();
}

#[tokio::test]
async fn a_redis_that_comes_back_with_what_it_knew_earlier_is_told_everything() {
    let dir = std::env::temp_dir().join(format!("partyline-redis-{}", rand::random::<u64>()));
    std::fs::create_dir(&dir).unwrap();
    let mut redis = Redis::with(|_| vec!["--dir".to_owned(), dir.to_str().unwrap().to_owned()]);
    let (a, b) = pair(&redis).await;
    a.open(1);
    a.says(1, "before");
    until("it is known", || b.lines(1).len() == 1).await;
    let mut admin = redis.admin().await;
    ask(&mut admin, &["SAVE"]).await;
    for n in 0..20 {
        a.says(1, &format!("line {n}"));
        b.open(2);
        b.says(2, &format!("line {n}"));
    }
    until("both are known", || {
        b.lines(1).len() == 21 && a.lines(2).len() == 20
    })
    .await;
    redis.kill();
    redis.start_again();
    until("both are back", || {
        let up = |node: &Node| {
            let link = *node.sharing.hub.broker.link().borrow();
            link.up && link.generation >= 2
        };
        up(&a) && up(&b)
    })
    .await;
    let back = Instant::now();
    a.says(1, "after");
    a.open(3);
    let is = || a.lines(1) == b.lines(1) && b.registry.known(&sid(3)).is_some();
    until_or("all is known", is, || format!("{}{}", a.all(), b.all())).await;
    assert!(back.elapsed() < Duration::from_secs(5));
    let c = Node::new(&redis, "cccccccc");
    let is = || [1, 2, 3].iter().all(|n| c.journal(*n) == a.journal(*n));
    until_or("all is told", is, || format!("{}{}", a.all(), c.all())).await;
    assert_eq!((c.lines(1).len(), c.lines(2).len()), (22, 20));
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_call_that_was_claimed_by_an_answer_that_never_came_is_taken_all_the_same() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    a.open(1);
    a.says(1, "hello");
    until("it is known", || b.lines(1).len() == 1).await;
    a.kill();
    let hub = b.sharing.hub();
    // Whoever is there has it by that rank; what came of it b never hears.
    let claimed = hub.claim_all(&[(&sid(1), 1, 0, "aaaaaaaa")]).await.unwrap();
    assert!(claimed[0].is_ok());
    until_or("it is ours", || b.owner(1) == Owner::Ours, || b.all()).await;
    b.says(1, "and on");
    assert_eq!(b.lines(1).len(), 2);
}

#[tokio::test]
async fn what_another_told_meanwhile_is_taken_before_anything_is_told() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    let call = a.open(1);
    call.accept_stream(Now::take(), 7, stream("MZ1"));
    a.says(1, "one");
    until("it is known", || b.lines(1).len() == 1).await;
    let mut admin = redis.admin().await;
    let (key, journal) = ("partyline:v1:call:CA1", "partyline:v1:call:CA1:journal");
    // One that was thought to be gone has it, and what that told cannot be read yet.
    ask(
        &mut admin,
        &[
            "HSET", key, "owner", "cccccccc", "token", "9", "rank", "0", "lines", "4098",
        ],
    )
    .await;
    ask(&mut admin, &["RENAME", journal, "aside"]).await;
    ask(&mut admin, &["SET", journal, "x"]).await;
    a.says(1, "two");
    // It has claimed the call back, and could not read it.
    let refused = async {
        loop {
            let info: String = cmd("INFO")
                .arg("errorstats")
                .query_async(&mut admin)
                .await
                .unwrap();
            if info.contains("WRONGTYPE") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, refused).await.unwrap();
    let theirs = line(Track::Inbound, "of another", true).numbered(4098);
    let theirs = serde_json::to_string(&theirs).unwrap();
    // It is there as soon as the call can be read.
    ask(
        &mut admin,
        &["XADD", "aside", "*", "k", "l", "s", "4098", "j", &theirs],
    )
    .await;
    ask(&mut admin, &["RENAME", "aside", journal]).await;
    let texts = |node: &Node| {
        let lines = node.lines(1).into_iter();
        let mut texts: Vec<_> = lines
            .map(|line| line.split_once(' ').unwrap().1.to_owned())
            .collect();
        texts.sort();
        texts
    };
    let is = || texts(&a) == ["of another", "one", "two"] && a.journal(1) == b.journal(1);
    until_or("both have all", is, || format!("{}{}", a.all(), b.all())).await;
}

#[tokio::test]
async fn a_call_that_was_forgotten_while_redis_lost_it_is_forgotten_everywhere() {
    let mut redis = Redis::start();
    let (a, b) = pair(&redis).await;
    a.open(1).accept_stream(Now::take(), 7, stream("MZ1"));
    until("it is known", || b.registry.known(&sid(1)).is_some()).await;
    redis.kill();
    until("the link is down", || !a.sharing.hub.broker.is_up()).await;
    a.registry.known(&sid(1)).unwrap().stream_stopped(Now::take(), 7);
    let long_after = Now::take().plus(Duration::from_secs(3601));
    a.registry.on_deadline(long_after);
    a.registry.on_deadline(long_after.plus(Duration::from_secs(1)));
    assert!(a.registry.known(&sid(1)).is_none());
    redis.start_again();
    until_or("b forgets it", || b.registry.known(&sid(1)).is_none(), || b.all()).await;
}

/// A relay of its own thread, which runs until that is dropped, and stands still while it is told to.
struct Still {
    node: Node,
    stand: tokio::sync::mpsc::Sender<std::sync::mpsc::Receiver<()>>,
}

impl Still {
    async fn new(settings: Settings, name: &'static str) -> Still {
        let (stand, mut stands) = tokio::sync::mpsc::channel::<std::sync::mpsc::Receiver<()>>(1);
        let (made, node) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                drop(made.send(Node::at(settings, name)));
                while let Some(until) = stands.recv().await {
                    // Nothing else of this relay runs meanwhile.
                    let _ = until.recv();
                }
            });
        });
        let node = node.await.unwrap();
        node.synced().await;
        Still { node, stand }
    }
}

#[tokio::test]
async fn a_relay_that_stood_still_for_longer_than_its_lease_has_what_it_hears_and_loses_no_line() {
    let redis = Redis::start();
    let still = Still::new(redis.settings(), "aaaaaaaa").await;
    let (a, b) = (&still.node, Node::new(&redis, "bbbbbbbb"));
    let c = Node::new(&redis, "cccccccc");
    b.synced().await;
    c.synced().await;
    a.open(1).accept_stream(Now::take(), 7, stream("MZ1"));
    a.open(2);
    for n in [1, 2] {
        a.says(n, "before");
        until("it is known", || b.lines(n).len() + c.lines(n).len() == 2).await;
    }
    let (go_on, until_then) = std::sync::mpsc::sync_channel::<()>(1);
    still.stand.send(until_then).await.unwrap();
    let has = |n| [&b, &c].into_iter().find(|node| node.owner(n) == Owner::Ours);
    until("others have them", || has(1).is_some() && has(2).is_some()).await;
    let second = has(2).unwrap();
    for n in [1, 2] {
        has(n).unwrap().says(n, "elsewhere");
        until("it is known", || b.lines(n).len() + c.lines(n).len() == 4).await;
        // What was in its sockets.
        a.says(n, "here");
    }
    drop(go_on);
    let texts = |node: &Node, n| {
        let lines = node.lines(n).into_iter();
        let mut texts: Vec<_> = lines
            .map(|line| line.split_once(' ').unwrap().1.to_owned())
            .collect();
        texts.sort();
        texts
    };
    let agreed = |n| {
        let same = a.journal(n) == b.journal(n) && b.journal(n) == c.journal(n);
        same && texts(a, n) == ["before", "elsewhere", "here"]
    };
    let owned = || a.owner(1) == Owner::Ours && second.owner(2) == Owner::Ours;
    let is = || agreed(1) && agreed(2) && owned();
    until_or("they agree", is, || format!("{}{}{}", a.all(), b.all(), c.all())).await;
    let view = b.registry.known(&sid(1)).unwrap().view();
    assert_eq!(
        (&*view.node, view.stream),
        ("aaaaaaaa", partyline_shared::call::StreamState::Live)
    );
}

#[tokio::test]
async fn a_redis_that_takes_nothing_for_a_while_is_told_it_afterwards() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    a.open(1);
    a.says(1, "before");
    until("it is known", || b.lines(1).len() == 1).await;
    let mut admin = redis.admin().await;
    ask(&mut admin, &["CLIENT", "PAUSE", "3000", "WRITE"]).await;
    a.says(1, "meanwhile");
    a.open(2);
    // A stream does not wait for it.
    let call = b.registry.known(&sid(1)).unwrap();
    call.accept_stream(Now::take(), 9, stream("MZ1"));
    until("it is ours", || b.owner(1) == Owner::Ours).await;
    b.says(1, "at its stream");
    let is = || {
        let texts = b.lines(1).len() == 3 && a.journal(1) == b.journal(1);
        texts && b.registry.known(&sid(2)).is_some() && a.owner(1) == Owner::Theirs("bbbbbbbb".into())
    };
    until_or("they agree", is, || format!("{}{}", a.all(), b.all())).await;
    assert_eq!(b.owner(1), Owner::Ours);
}

#[tokio::test]
async fn a_call_that_could_not_be_read_is_read_later() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    a.open(1);
    a.says(1, "one");
    until("it is known", || b.lines(1).len() == 1).await;
    let mut admin = redis.admin().await;
    ask(&mut admin, &["RENAME", "partyline:v1:call:CA1:journal", "aside"]).await;
    ask(&mut admin, &["SET", "partyline:v1:call:CA1:journal", "x"]).await;
    // It hears of something that is behind what it has never heard of.
    let (journal, last) = a.registry.known(&sid(1)).unwrap().numbering();
    let told = a.registry.known(&sid(1)).unwrap().told(|_| last).unwrap();
    let (mut snapshot, mut after) = (told.snapshot, last);
    snapshot.journal.last.line += 2;
    after.line += 2;
    let change = serde_json::json!({
        "sid": "CA1", "node": "aaaaaaaa", "token": 1, "rank": 0, "after": after, "snapshot": snapshot, "entries": [],
    });
    let epoch: String = cmd("GET")
        .arg("partyline:v1:epoch")
        .query_async(&mut admin)
        .await
        .unwrap();
    let version: u64 = cmd("INCR")
        .arg("partyline:v1:version")
        .query_async(&mut admin)
        .await
        .unwrap();
    ask(
        &mut admin,
        &[
            "PUBLISH",
            "partyline:v1:changes",
            &format!("{version} {epoch} {change}"),
        ],
    )
    .await;
    let hub = b.sharing.hub();
    until("it could not be read", || {
        lock(&hub.books.unread).contains(&sid(1))
    })
    .await;
    // It is what is told when it can be read.
    let line = serde_json::to_string(&line(Track::Inbound, "three", true).numbered(3)).unwrap();
    ask(
        &mut admin,
        &["XADD", "aside", "*", "k", "l", "s", "3", "j", &line],
    )
    .await;
    ask(&mut admin, &["RENAME", "aside", "partyline:v1:call:CA1:journal"]).await;
    until_or("it is read", || b.lines(1) == ["1 one", "3 three"], || b.all()).await;
    assert_eq!(b.journal(1).0, journal);
}
