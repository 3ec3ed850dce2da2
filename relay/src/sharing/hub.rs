//! What all that is shared has around it: Redis, every call, who else there is, who owns what. Decides nothing.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use partyline_shared::id::CallSid;
use tokio::sync::{Notify, watch};

use super::leave::Leaving;
use super::ledger::Ledger;
use super::lefts::Lefts;
use super::letter::{Letter, Word};
use super::peers::{Peer, Peers};
use super::refusals::Refusals;
use super::status::Waiting;
use crate::broker::{Broker, Failed};
use crate::calls::call::Held;
use crate::calls::registry::Registry;
use crate::lock::lock;
use crate::metrics::Metrics;

/// What all that is shared has around it; cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    /// This relay's name.
    pub node: Arc<str>,
    /// Redis.
    pub broker: Broker,
    /// Every call.
    pub registry: Arc<Registry>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    pub(super) books: Arc<Books>,
}

/// What the rooms of sharing keep together.
#[derive(Debug)]
pub(super) struct Books {
    pub(super) peers: Mutex<Peers>,
    pub(super) ledger: Mutex<Ledger>,
    pub(super) lefts: Lefts,
    /// Calls that were to be read, and Redis did not answer: each of those that are known, once.
    pub(super) unread: Mutex<HashSet<CallSid>>,
    /// As the last beat told.
    pub(super) position: watch::Sender<Position>,
    /// The epoch, and the newest change of it that was followed: a Redis that has less has lost some.
    pub(super) heard: Mutex<(Arc<str>, u64)>,
    /// Whether all that Redis knows was read once.
    pub(super) synced: watch::Sender<bool>,
    pub(super) leaving: Leaving,
    /// Told when there is an owner of a call that somebody here has a word for.
    pub(super) led: Notify,
    /// Calls that wait to be told.
    pub(super) waiting: watch::Sender<Waiting>,
    /// Who wants all that has changed to be told.
    pub(super) flush: watch::Sender<Flush>,
    /// Told when there is a call that nobody has.
    pub(super) free: Notify,
    /// What Redis does not take, though it answers.
    pub(super) refusals: Refusals,
    goodbye: AtomicBool,
    releasing: AtomicBool,
}

/// How far Redis is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    /// Another one is another Redis, or one that was emptied. Empty before the first beat.
    pub(super) epoch: Arc<str>,
    pub(super) version: u64,
    /// Which link that was.
    pub(super) generation: u64,
}

/// How often it was wanted that all is told, and up to which of these it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flush {
    pub(super) wanted: u64,
    pub(super) done: u64,
}

/// Who has a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// This relay.
    Ours,
    /// This relay, as soon as its owner has let go: a stream of it is here.
    Taking,
    /// The relay of this name.
    Theirs(Arc<str>),
    /// The relay of this name had it, and is gone, or has let go of it.
    Gone(Arc<str>),
    /// No call of this name is known.
    Unknown,
}

impl Hub {
    pub(super) fn new(broker: Broker, registry: Arc<Registry>, metrics: Arc<Metrics>) -> Hub {
        let node: Arc<str> = registry.node().into();
        let position = Position {
            epoch: "".into(),
            version: 0,
            generation: 0,
        };
        let books = Books {
            peers: Mutex::new(Peers::new(node.clone())),
            ledger: Mutex::default(),
            lefts: Lefts::default(),
            unread: Mutex::default(),
            position: watch::Sender::new(position),
            heard: Mutex::new(("".into(), 0)),
            synced: watch::Sender::new(false),
            leaving: Leaving::default(),
            led: Notify::new(),
            waiting: watch::Sender::new(Waiting::default()),
            flush: watch::Sender::new(Flush::default()),
            free: Notify::new(),
            refusals: Refusals::default(),
            goodbye: AtomicBool::new(false),
            releasing: AtomicBool::new(false),
        };
        Hub {
            node,
            broker,
            registry,
            metrics,
            books: Arc::new(books),
        }
    }

    /// Says something to one relay; whether anybody there heard it. It may be lost all the same: who needs to know has
    /// it answered.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn say_to(&self, node: &str, word: Word) -> Result<bool, Failed> {
        let heard = self
            .broker
            .publish(&format!("to:{node}"), &self.letter(word))
            .await?;
        Ok(heard > 0)
    }

    /// Says something to all relays; this one does not hear it.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn say_to_all(&self, word: Word) -> Result<(), Failed> {
        self.broker.publish("all", &self.letter(word)).await.map(drop)
    }

    fn letter(&self, word: Word) -> Vec<u8> {
        let from = self.node.to_string();
        // What has names for all its fields has a JSON.
        serde_json::to_vec(&Letter { from, word }).unwrap_or_default()
    }

    /// Who has a call, as far as is known here.
    pub fn owner_of(&self, sid: &CallSid) -> Owner {
        let Some(call) = self.registry.known(sid) else {
            return Owner::Unknown;
        };
        let node = match call.held() {
            Held::Ours => return Owner::Ours,
            Held::Taking => return Owner::Taking,
            Held::Theirs(node) => node,
        };
        let owner = lock(&self.books.ledger)
            .owner(sid)
            .unwrap_or_else(|| node.clone());
        // Also where it was claimed for this relay, which has not heard that it has it.
        if owner.is_empty() || owner == self.node {
            Owner::Gone(node)
        } else if self.is_gone(&owner) {
            Owner::Gone(owner)
        } else {
            Owner::Theirs(owner)
        }
    }

    /// Whether a relay is gone: it said so, or Redis has not heard of it for longer than a lease, while this relay's
    /// own link was well.
    pub fn is_gone(&self, node: &str) -> bool {
        lock(&self.books.peers).is_gone(node, Instant::now())
    }

    /// The other relays that are there.
    pub fn peers(&self) -> Vec<Peer> {
        lock(&self.books.peers).others(Instant::now())
    }

    /// Whether this relay may act as the owner of what it owns: Redis has heard of it lately. Else others may have taken
    /// its calls over.
    pub fn has_lease(&self) -> bool {
        lock(&self.books.peers).has_lease(Instant::now())
    }

    pub(super) fn has_said_goodbye(&self) -> bool {
        self.books.goodbye.load(Relaxed)
    }

    pub(super) fn says_goodbye(&self) {
        self.books.goodbye.store(true, Relaxed);
    }

    /// Whether this relay takes no call any more, and another may take this one.
    pub(super) fn leaves_to_others(&self, sid: &CallSid) -> bool {
        // What is over nobody takes but for something that is to be done to it.
        let goes_on = |sid| {
            self.registry
                .known(sid)
                .is_some_and(|call| call.ended().is_none())
        };
        self.is_releasing() && (self.has_heirs() || self.books.leaving.is_last()) && goes_on(sid)
    }

    /// Whether this relay lets go of its calls, and takes over none.
    pub(super) fn is_releasing(&self) -> bool {
        self.books.releasing.load(Relaxed)
    }

    pub(super) fn releases(&self) {
        self.books.releasing.store(true, Relaxed);
    }
}

/// A name for a numbering that no other has.
pub(super) fn numbering() -> String {
    format!("{:08x}", rand::random::<u32>())
}
