//! Which relays there are, and which are gone. Told of each answer to a beat; time is an argument.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A relay of which Redis has heard nothing for so long is gone, and others take over what it had: half of what a stream
/// may take to be shown as lost.
pub const LEASE: Duration = Duration::from_secs(5);
/// How often each relay tells Redis that it is there: four may be missed before the lease is over.
pub const BEAT: Duration = Duration::from_secs(1);
/// The link counts as unbroken where no more than this is between two answers: two that were missed.
const BREAK: Duration = Duration::from_millis(2_500);

/// Another relay, as it said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub node: Arc<str>,
    /// When it told Redis last, on this machine's clock.
    pub seen: Instant,
    /// Its version.
    pub version: String,
    /// It takes nobody in any more.
    pub draining: bool,
}

/// All relays.
#[derive(Debug)]
pub struct Peers {
    me: Arc<str>,
    nodes: BTreeMap<Arc<str>, Peer>,
    /// Since when the link holds, and the last answer.
    well: Option<(Instant, Instant)>,
}

impl Peers {
    /// Nobody is known yet.
    pub fn new(me: Arc<str>) -> Peers {
        Peers {
            me,
            nodes: BTreeMap::new(),
            well: None,
        }
    }

    /// Redis has answered a beat: these are there, with what each said last.
    pub fn on_beat(&mut self, now: Instant, nodes: Vec<Peer>) {
        let since = match self.well {
            Some((since, last)) if now.saturating_duration_since(last) <= BREAK => since,
            _ => now,
        };
        self.well = Some((since, now));
        self.nodes = nodes.into_iter().map(|peer| (peer.node.clone(), peer)).collect();
    }

    /// This relay lets go of calls: it takes none, whether its next beat has said so yet or not.
    pub fn lets_go(&mut self, node: &str) {
        if let Some(peer) = self.nodes.get_mut(node) {
            peer.draining = true;
        }
    }

    /// The link broke, or Redis lost what it knew: nobody is gone before a lease is over.
    pub fn begin_anew(&mut self) {
        self.well = None;
    }

    /// Whether a relay is gone: it is not there, and would have been heard of.
    pub fn is_gone(&self, node: &str, now: Instant) -> bool {
        let well = self.well.is_some_and(|(since, last)| {
            now.saturating_duration_since(last) <= BREAK && last.saturating_duration_since(since) >= LEASE
        });
        well && node != &*self.me && !self.is_there(node, now)
    }

    fn is_there(&self, node: &str, now: Instant) -> bool {
        let peer = self.nodes.get(node);
        peer.is_some_and(|peer| now.saturating_duration_since(peer.seen) < LEASE)
    }

    /// The others that are there.
    pub fn others(&self, now: Instant) -> Vec<Peer> {
        let others = self.nodes.values();
        others
            .filter(|peer| peer.node != self.me && self.is_there(&peer.node, now))
            .cloned()
            .collect()
    }

    /// Whether Redis has heard of this relay within the lease.
    pub fn has_lease(&self, now: Instant) -> bool {
        self.well
            .is_some_and(|(_, last)| now.saturating_duration_since(last) < LEASE)
    }
}

#[cfg(test)]
mod tests;
