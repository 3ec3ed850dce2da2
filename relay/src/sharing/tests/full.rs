//! Redis answers and takes nothing.

use partyline_shared::protocol::server::{Relays, RelaysState};
use redis::cmd;
use tokio::sync::watch;

use super::*;

async fn room(node: &Node, bytes: &str) {
    let mut set = cmd("CONFIG");
    set.arg("SET").arg("maxmemory").arg(bytes);
    node.sharing.hub.broker.command(set).await.unwrap();
}

#[tokio::test]
async fn a_redis_that_is_full_is_told_of_and_told_everything_once_it_has_room() {
    let redis = Redis::start();
    let (a, b) = pair(&redis).await;
    let told = watch::Sender::new(Relays {
        state: RelaysState::Shared,
        since: Now::take().wall,
        relays: 2,
    });
    let (hub, stands) = (a.sharing.hub.clone(), told.subscribe());
    let standing = tokio::spawn(async move { standing::keep(&hub, &told).await });
    a.open(1);
    a.says(1, "before");
    until("it is known", || b.lines(1).len() == 1).await;
    room(&a, "1").await;
    a.says(1, "meanwhile");
    let refused = || {
        let status = a.sharing.hub.status();
        status.up && status.refuses.as_deref() == Some("OOM") && status.waiting == 1
    };
    until_or("it says so", refused, || a.all()).await;
    assert!(a.metrics.redis_failed_refused.get() > 0);
    until("who listens is told", || {
        stands.borrow().state == RelaysState::CutOff
    })
    .await;
    assert_eq!(b.lines(1).len(), 1);
    room(&a, "0").await;
    until_or("all is told", || b.lines(1).len() == 2, || a.all()).await;
    until("it is over", || a.sharing.hub.status().refuses.is_none()).await;
    until("who listens is told", || {
        stands.borrow().state == RelaysState::Shared
    })
    .await;
    standing.abort();
}
