//! Relays in one process, on one Redis, without what keeps their calls in step: tests tell one of them what the other
//! has.

use std::sync::Arc;
use std::time::Duration;

use partyline_shared::id::CallSid;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Hears, Sharing, inbox};
use crate::access::Grant;
use crate::broker::tests_support::{Redis, SOON};
use crate::calls::call::Kind;
use crate::calls::journal::Cursor;
use crate::calls::registry::{Registry, Settings};
use crate::clock::Now;
use crate::metrics::Metrics;
use crate::stop::Stop;

pub(crate) struct Node {
    pub(crate) sharing: Arc<Sharing>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) metrics: Arc<Metrics>,
}

pub(crate) fn node(redis: &Redis, name: &str) -> Node {
    let metrics = Arc::<Metrics>::default();
    let settings = Settings {
        retention: Duration::from_secs(60),
        history: Duration::ZERO,
        max_calls: 100,
    };
    let registry = Arc::new(Registry::new(name.to_owned(), settings, metrics.clone()));
    let broker = crate::broker::Settings {
        node: name.to_owned(),
        ..redis.settings()
    };
    let sharing = Sharing::new(broker, registry.clone(), metrics.clone()).unwrap();
    Node {
        sharing: Arc::new(sharing),
        registry,
        metrics,
    }
}

/// Comes to an end once it is so.
pub(crate) async fn until(is: impl Fn() -> bool) {
    let waited = timeout(SOON, async {
        while !is() {
            sleep(Duration::from_millis(5)).await;
        }
    });
    waited.await.expect("it comes to that");
}

/// `other` knows this call as it is at its owner.
pub(crate) fn tell(owner: &Registry, other: &Registry, sid: &CallSid) {
    let from = Cursor::default();
    let told = owner.known(sid).and_then(|call| call.told(|_| from)).unwrap();
    let taken = other.follow(
        Now::take(),
        owner.node(),
        sid,
        &told.snapshot,
        from,
        &told.entries,
    );
    taken.unwrap();
}

impl Node {
    /// Hears what others say, and does nothing else.
    pub(crate) fn hears(&self, rooms: Vec<Arc<dyn Hears>>, stop: &Stop, tasks: &mut JoinSet<()>) {
        let hub = self.sharing.hub().clone();
        let (inbox, _, words) = inbox::open(&hub);
        let subscriptions = inbox.subscriptions(&hub.node);
        tasks.spawn(inbox::dispatch(words, rooms));
        let stop = stop.clone();
        tasks.spawn(async move { hub.broker.run(subscriptions, stop).await });
    }

    pub(crate) async fn up(&self) {
        until(|| self.sharing.hub().broker.is_up()).await;
    }

    pub(crate) async fn down(&self) {
        until(|| !self.sharing.hub().broker.is_up()).await;
    }

    /// The other knows this call as it is here.
    pub(crate) fn tell(&self, other: &Registry, sid: &CallSid) {
        tell(&self.registry, other, sid);
    }

    /// The other is told of every change here, from now on.
    pub(crate) fn tell_all(self: &Arc<Self>, other: &Arc<Node>, tasks: &mut JoinSet<()>) {
        let (this, other) = (self.clone(), other.clone());
        tasks.spawn(async move {
            loop {
                for sid in this.registry.feed().changed().await {
                    if this.registry.known(&sid).is_some_and(|call| call.is_ours()) {
                        this.tell(&other.registry, &sid);
                    }
                }
            }
        });
    }

    /// The messages of a call's error events, in their order.
    pub(crate) fn errors(&self, sid: &CallSid) -> Vec<String> {
        let Some(call) = self.registry.known(sid) else {
            return Vec::new();
        };
        let (_, events) = call.remembered(&Grant::insecure(), Kind::Events, None).unwrap();
        let events = events
            .iter()
            .map(|event| serde_json::from_str::<serde_json::Value>(event.json()).unwrap());
        events
            .filter(|event| event["kind"] == "error")
            .map(|event| event["detail"]["message"].as_str().unwrap().to_owned())
            .collect()
    }
}
