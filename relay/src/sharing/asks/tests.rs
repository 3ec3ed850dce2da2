//! Requests about calls of another relay, over a real Redis.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use partyline_shared::track::Track;
use tokio::sync::Notify;

use super::*;
use crate::access::Grant;
use crate::broker::tests_support::Redis;
use crate::calls::call::{Accepted, Kind};
use crate::calls::journal::NewLine;
use crate::calls::registry::{Registry, Settings};
use crate::calls::transcription::Heard;
use crate::clock::Now;
use crate::errand::Later;
use crate::sharing::Peer;
use crate::sharing::tests_support::{Node, node, tell, until};
use crate::stop::Stop;

/// Answers with its name and what it was asked; does not where it is asked for silence.
struct Echo(&'static str, Notify);

impl Hands for Echo {
    fn run(&self, errand: Errand) -> Later<Answered> {
        let (name, silent) = (self.0, errand.path == "silence");
        if silent {
            self.1.notify_one();
        }
        Box::pin(async move {
            if silent {
                std::future::pending::<()>().await;
            }
            Answered {
                status: 201,
                retry_after: None,
                body: format!("{name}: {} {}", errand.method, errand.path),
            }
        })
    }
}

struct Side {
    node: Node,
    asks: Arc<Asks>,
    echo: Arc<Echo>,
}

fn side(redis: &Redis, name: &'static str, stop: &Stop, tasks: &mut JoinSet<()>) -> Side {
    let node = node(redis, name);
    let asks = Asks::new(node.sharing.hub().clone());
    let echo = Arc::new(Echo(name, Notify::new()));
    asks.done_by(echo.clone());
    node.hears(vec![Arc::new(Desk(asks.clone()))], stop, tasks);
    Side { node, asks, echo }
}

fn errand(path: &str) -> Errand {
    Errand {
        method: "POST".to_owned(),
        path: path.to_owned(),
        body: None,
        grant: String::new(),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
    }
}

#[tokio::test]
async fn who_has_the_call_answers_and_where_nobody_does_that_is_said() {
    let (mut redis, stop, mut tasks) = (Redis::start(), Stop::default(), JoinSet::new());
    let owner = side(&redis, "aaaa", &stop, &mut tasks);
    let other = side(&redis, "bbbb", &stop, &mut tasks);
    owner.node.up().await;
    other.node.up().await;
    let call = CallSid::parse("CA1").unwrap();
    let ask = |path: &'static str| {
        let (asks, call) = (other.asks.clone(), call.clone());
        async move { asks.ask(&call, &errand(path)).await }
    };
    assert_eq!(ask("calls/CA1/pause").await, None, "nobody has it: it is ours");
    owner.node.registry.open(Now::take(), &call).unwrap();
    assert_eq!(owner.asks.ask(&call, &errand("x")).await, None);
    owner.node.tell(&other.node.registry, &call);
    let answered = ask("calls/CA1/pause").await.unwrap();
    assert_eq!(
        (answered.status, answered.body.as_str()),
        (201, "aaaa: POST calls/CA1/pause")
    );
    assert_eq!(
        (
            owner.node.metrics.asks_run.get(),
            other.node.metrics.asks_sent.get()
        ),
        (1, 1)
    );

    let began = Instant::now();
    let silence = tokio::spawn(ask("silence"));
    owner.echo.1.notified().await;
    let answered = silence.await.unwrap().unwrap();
    assert_eq!(answered.status, 503);
    assert!(answered.body.contains("\"unavailable\"") && answered.body.contains("not known"));
    assert!(began.elapsed() >= PATIENCE);
    assert_eq!(other.node.metrics.asks_late.get(), 1);
    assert!(lock(&other.asks.waiting).is_empty());

    // The owner does not know that the other takes it for the owner.
    owner.node.registry.known(&call).unwrap().is_of("bbbb");
    let there = owner.node.registry.known(&call).unwrap();
    let waits = tokio::spawn(ask("calls/CA1/resume"));
    until(|| owner.node.metrics.asks_run.get() > 3).await;
    there.take_over(Now::take(), true);
    assert_eq!(waits.await.unwrap().unwrap().status, 201);

    redis.kill();
    other.node.down().await;
    let answered = ask("calls/CA1/pause").await.unwrap();
    assert_eq!(answered.status, 503);
    assert!(answered.body.contains("nothing was done"));
    assert!(!answered.body.contains("paused"));
    stop.cancel();
}

#[tokio::test]
async fn so_many_wait_for_answers_and_so_many_are_run() {
    let (redis, stop, mut tasks) = (Redis::start(), Stop::default(), JoinSet::new());
    let owner = side(&redis, "aaaa", &stop, &mut tasks);
    let other = side(&redis, "bbbb", &stop, &mut tasks);
    let call = CallSid::parse("CA1").unwrap();
    owner.node.up().await;
    other.node.up().await;
    owner.node.registry.open(Now::take(), &call).unwrap();
    owner.node.tell(&other.node.registry, &call);
    let refused = async || {
        let answered = other.asks.ask(&call, &errand("x")).await.unwrap();
        assert!(answered.body.contains("too much"), "{}", answered.body);
        answered.status
    };
    let held = other.asks.asked.acquire_many(ASKED as u32).await.unwrap();
    assert_eq!(refused().await, 503);
    drop(held);
    let held = owner.asks.run.acquire_many(RUN as u32).await.unwrap();
    assert_eq!(refused().await, 503);
    drop(held);
    let refusals = [&owner, &other].map(|side| side.node.metrics.asks_refused.get());
    assert_eq!(refusals, [1, 1]);
    assert_eq!(other.asks.ask(&call, &errand("x")).await.unwrap().status, 201);
    stop.cancel();
}

#[tokio::test]
async fn all_are_asked_and_who_does_not_answer_is_named() {
    let (redis, stop, mut tasks) = (Redis::start(), Stop::default(), JoinSet::new());
    let owner = side(&redis, "aaaa", &stop, &mut tasks);
    let other = side(&redis, "bbbb", &stop, &mut tasks);
    owner.node.up().await;
    other.node.up().await;
    let there = ["aaaa", "bbbb", "cccc"].map(|name| Peer {
        node: name.into(),
        seen: Instant::now(),
        version: String::new(),
        draining: false,
    });
    lock(&other.asks.hub.books.peers).on_beat(Instant::now(), there.to_vec());
    let answers = other.asks.ask_all(&errand("listeners")).await;
    let answers: Vec<(&str, Option<u16>)> = answers
        .iter()
        .map(|(node, answered)| (&**node, answered.as_ref().map(|answered| answered.status)))
        .collect();
    assert_eq!(answers, [("aaaa", Some(201)), ("cccc", None)]);
    assert_eq!(other.node.metrics.asks_late.get(), 1);
    stop.cancel();
}

#[test]
fn a_call_that_is_held_back_stays_so_at_its_next_owner() {
    let settings = || Settings {
        retention: Duration::from_secs(60),
        history: Duration::from_secs(60),
        max_calls: 9,
    };
    let registries = ["aaaa", "bbbb"].map(|name| Registry::new(name.to_owned(), settings(), Arc::default()));
    let (now, call, grant) = (Now::take(), CallSid::parse("CA1").unwrap(), Grant::insecure());
    let owners = registries[0].open(now, &call).unwrap();
    owners.accept_stream(now, 1, Accepted::default());
    tell(&registries[0], &registries[1], &call);
    let theirs = registries[1].known(&call).unwrap();
    assert!(
        theirs.pause(now, &grant).is_none(),
        "only its owner holds it back"
    );
    owners.pause(now, &grant).unwrap();
    tell(&registries[0], &registries[1], &call);
    assert!(theirs.is_paused());
    theirs.take_over(now, true);
    assert!(theirs.is_ours() && theirs.is_paused());
    let heard = Heard::Line(NewLine {
        at: now.wall,
        start_ms: None,
        end_ms: None,
        track: Track::Inbound,
        text: "4111".to_owned(),
        is_final: true,
        confidence: None,
        engine: "google".to_owned(),
        sequence: None,
    });
    theirs.transcribed(now, None, "GT1", None, (now.wall, heard.clone()));
    theirs.accept_stream(now, 2, Accepted::default());
    assert!(theirs.is_paused(), "also with another stream");
    assert!(theirs.view().paused);
    let lines = || theirs.remembered(&grant, Kind::Lines, None).unwrap().1.len();
    assert_eq!(lines(), 0);
    theirs.resume(now, &grant).unwrap();
    assert!(!theirs.is_paused());
}
