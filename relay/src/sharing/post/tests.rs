//! Callbacks at one relay for calls of another, over a real Redis.

use super::*;
use crate::broker::tests_support::Redis;
use crate::calls::mirror::Deed;
use crate::sharing::tests_support::{Node, node, until};

fn sid(name: &str) -> CallSid {
    CallSid::parse(name).unwrap()
}

fn running(node: Node, stop: &Stop, tasks: &mut JoinSet<()>) -> Arc<Node> {
    let (post, round) = open(node.sharing.hub().clone());
    node.hears(vec![post], stop, tasks);
    tasks.spawn(round.run(stop.clone()));
    Arc::new(node)
}

fn say(node: &Node, call: &str, n: usize) {
    let message = format!("{call} {n}");
    node.registry
        .act(Now::take(), &sid(call), Deed::Error { message })
        .unwrap();
}

fn said(call: &str, upto: usize) -> Vec<String> {
    (0..upto).map(|n| format!("{call} {n}")).collect()
}

#[tokio::test]
async fn what_comes_to_another_relay_is_done_once_in_order_and_also_after_redis_was_away() {
    let (mut redis, stop, mut tasks) = (Redis::start(), Stop::default(), JoinSet::new());
    let owner = running(node(&redis, "aaaa"), &stop, &mut tasks);
    let other = running(node(&redis, "bbbb"), &stop, &mut tasks);
    for call in ["CA1", "CA2"] {
        owner.registry.open(Now::take(), &sid(call)).unwrap();
        owner.tell(&other.registry, &sid(call));
    }
    owner.tell_all(&other, &mut tasks);
    owner.up().await;
    other.up().await;
    for n in 0..300 {
        say(&other, "CA1", n);
        say(&other, "CA2", n);
    }
    until(|| owner.errors(&sid("CA2")).len() == 300).await;
    redis.kill();
    other.down().await;
    for n in 300..600 {
        say(&other, "CA1", n);
    }
    assert_eq!(owner.errors(&sid("CA1")), said("CA1", 300));
    redis.start_again();
    until(|| owner.errors(&sid("CA1")).len() == 600).await;
    assert_eq!(owner.errors(&sid("CA1")), said("CA1", 600));
    assert_eq!(owner.errors(&sid("CA2")), said("CA2", 300));
    until(|| other.errors(&sid("CA1")).len() == 600).await;
    assert_eq!(
        other.errors(&sid("CA1")),
        said("CA1", 600),
        "and is told everywhere"
    );
    let feed = other.registry.feed();
    until(|| !feed.is_under_way(&sid("CA1")) && !feed.is_under_way(&sid("CA2"))).await;
    // What is answered late is sent again, and counted again.
    assert!(owner.metrics.deeds_done.get() >= 900);
    assert_eq!(other.metrics.deeds_lost.get(), 0);
    stop.cancel();
}

#[tokio::test]
async fn what_an_owner_did_and_told_nobody_of_is_done_again_by_the_next_and_what_it_told_is_not() {
    let (redis, stop, mut tasks) = (Redis::start(), Stop::default(), JoinSet::new());
    let owner = running(node(&redis, "aaaa"), &stop, &mut tasks);
    let other = running(node(&redis, "bbbb"), &stop, &mut tasks);
    let call = sid("CA1");
    owner.registry.open(Now::take(), &call).unwrap();
    owner.tell(&other.registry, &call);
    owner.up().await;
    other.up().await;
    for n in 0..10 {
        say(&other, "CA1", n);
    }
    until(|| owner.errors(&call).len() == 10).await;
    owner.tell(&other.registry, &call);
    for n in 10..20 {
        say(&other, "CA1", n);
    }
    until(|| owner.errors(&call).len() == 20).await;
    assert_eq!(other.errors(&call), said("CA1", 10), "the rest nobody knows");
    other.registry.known(&call).unwrap().take_over(Now::take(), true);
    say(&other, "CA1", 20);
    until(|| other.errors(&call).len() == 21).await;
    assert_eq!(other.errors(&call), said("CA1", 21));
    assert!(!other.registry.feed().is_under_way(&call));
    stop.cancel();
}

#[tokio::test]
async fn what_is_of_a_third_relay_by_then_comes_back_and_goes_there() {
    let (redis, stop, mut tasks) = (Redis::start(), Stop::default(), JoinSet::new());
    let first = running(node(&redis, "aaaa"), &stop, &mut tasks);
    let second = running(node(&redis, "bbbb"), &stop, &mut tasks);
    let other = running(node(&redis, "cccc"), &stop, &mut tasks);
    let call = sid("CA1");
    first.registry.open(Now::take(), &call).unwrap();
    first.tell(&second.registry, &call);
    first.tell(&other.registry, &call);
    for node in [&first, &second, &other] {
        node.up().await;
    }
    say(&other, "CA1", 0);
    until(|| first.errors(&call).len() == 1).await;
    // It goes to the second, and the third has yet to hear of that.
    first.tell(&second.registry, &call);
    second.registry.known(&call).unwrap().take_over(Now::take(), true);
    second.tell(&first.registry, &call);
    say(&other, "CA1", 1);
    until(|| first.metrics.deeds_back.get() > 0).await;
    second.tell(&other.registry, &call);
    until(|| second.errors(&call).len() == 2).await;
    assert_eq!(second.errors(&call), said("CA1", 2));
    stop.cancel();
}
