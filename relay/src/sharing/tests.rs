//! Several relays and a real Redis.

mod amiss;
mod full;
mod hostile;
mod leaves;
mod owners;
mod returns;
mod told;

use std::sync::Arc;
use std::time::Duration;

use partyline_shared::id::CallSid;
use partyline_shared::track::Track;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::access::Grant;
use crate::broker::tests_support::{Redis, SOON};
use crate::calls::call::{Accepted, Call, Kind};
use crate::calls::journal::NewLine;
use crate::calls::registry::Settings as Calls;

/// One relay.
struct Node {
    registry: Arc<Registry>,
    sharing: Arc<Sharing>,
    metrics: Arc<Metrics>,
    stop: Stop,
    task: JoinHandle<()>,
}

fn sid(n: u32) -> CallSid {
    CallSid::parse(&format!("CA{n}")).unwrap()
}

fn line(track: Track, text: &str, is_final: bool) -> NewLine {
    NewLine {
        at: Now::take().wall,
        start_ms: None,
        end_ms: None,
        track,
        text: text.into(),
        is_final,
        confidence: None,
        engine: "test".into(),
        sequence: None,
    }
}

fn stream(name: &str) -> Accepted {
    Accepted {
        stream_sid: name.into(),
        account_sid: Some("AC1".into()),
        customer_id: Some("7".into()),
        tracks: vec![Track::Inbound, Track::Outbound],
    }
}

impl Node {
    fn new(redis: &Redis, name: &str) -> Node {
        Node::at(redis.settings(), name)
    }

    fn at(settings: Settings, name: &str) -> Node {
        let metrics = Arc::<Metrics>::default();
        let calls = Calls {
            retention: Duration::from_secs(3600),
            history: Duration::from_secs(10),
            max_calls: 1000,
        };
        let registry = Arc::new(Registry::new(name.to_owned(), calls, metrics.clone()));
        let settings = Settings {
            node: name.to_owned(),
            ..settings
        };
        let sharing = Arc::new(Sharing::new(settings, registry.clone(), metrics.clone()).unwrap());
        let stop = Stop::default();
        let task = tokio::spawn(sharing.clone().run(stop.clone()));
        Node {
            registry,
            sharing,
            metrics,
            stop,
            task,
        }
    }

    /// It is gone as if killed.
    fn kill(&self) {
        self.task.abort();
    }

    fn open(&self, n: u32) -> Arc<Call> {
        self.registry.open(Now::take(), &sid(n)).unwrap()
    }

    /// A line of the call, at the relay that has it.
    fn says(&self, n: u32, text: &str) {
        let call = self.registry.known(&sid(n)).unwrap();
        let line = line(Track::Inbound, text, true);
        call.line(Now::take(), &Grant::insecure(), line).unwrap();
    }

    /// The call's journal as a listener reads it: the numbering, its lines, and the kinds of its events.
    fn journal(&self, n: u32) -> (String, Vec<String>, Vec<String>) {
        let Some(call) = self.registry.known(&sid(n)) else {
            return Default::default();
        };
        let read = |kind| call.remembered(&Grant::insecure(), kind, None).unwrap();
        let (journal, lines) = read(Kind::Lines);
        let of = |json: &str, name: &str| {
            let json: serde_json::Value = serde_json::from_str(json).unwrap();
            format!("{} {}", json["seq"], json[name].as_str().unwrap())
        };
        let lines = lines.iter().map(|told| of(told.json(), "text")).collect();
        let events = read(Kind::Events).1;
        let events = events.iter().map(|told| of(told.json(), "kind")).collect();
        (journal, lines, events)
    }

    fn lines(&self, n: u32) -> Vec<String> {
        self.journal(n).1
    }

    /// How all of it stands, for who finds that it is wrong.
    fn all(&self) -> String {
        let calls: Vec<String> = (self.registry.all_held().into_iter())
            .map(|(call, held)| {
                let of = lock(&self.sharing.hub.books.ledger).get(call.sid());
                let (_, lines, events) = self.journal(call.sid().as_str()[2..].parse().unwrap());
                format!(
                    "{} {held:?} {:?} {lines:?} {events:?} {of:?}",
                    call.sid(),
                    call.numbering()
                )
            })
            .collect();
        let told: Vec<_> = (self.metrics.totals().into_iter())
            .filter(|(name, n)| {
                *n > 0 && (name.contains("shared") || name.contains("letters") || name.contains("redis"))
            })
            .collect();
        format!("{calls:#?}\n{told:?} {:?}", self.sharing.hub.status())
    }

    fn owner(&self, n: u32) -> Owner {
        self.sharing.hub().owner_of(&sid(n))
    }

    async fn synced(&self) {
        timeout(SOON, self.sharing.synced()).await.unwrap();
        assert!(*self.sharing.hub.books.synced.borrow());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits until that is so.
async fn until(what: &str, is: impl Fn() -> bool) {
    until_or(what, is, String::new).await;
}

/// The same, and says how it stands where it never is.
async fn until_or(what: &str, is: impl Fn() -> bool, stands: impl Fn() -> String) {
    let so = async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, so)
        .await
        .unwrap_or_else(|_| panic!("never: {what}: {}", stands()));
}

async fn pair(redis: &Redis) -> (Node, Node) {
    let (a, b) = (Node::new(redis, "aaaaaaaa"), Node::new(redis, "bbbbbbbb"));
    a.synced().await;
    b.synced().await;
    (a, b)
}
