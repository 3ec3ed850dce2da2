//! Calls whose owner is gone or has let go of them: each is taken over by one of the relays that are there. All of them
//! reckon the same order for a call, so that rarely two ask; the script lets one have it.

use std::collections::HashMap;
use std::hash::Hasher;
use std::time::{Duration, Instant};

use partyline_shared::id::CallSid;
use tokio::time::sleep;
use tracing::{info, warn};

use super::claims::Claimed;
use super::hub::Hub;
use crate::calls::call::{Call, Held};
use crate::lock::lock;

/// So long the first in order may take before any other asks.
const NEXT: Duration = Duration::from_secs(1);
/// Calls asked for together.
const BATCH: usize = 256;

/// Takes over until it is dropped.
pub(super) async fn keep(hub: Hub) {
    let mut position = hub.books.position.subscribe();
    let mut waiting: HashMap<CallSid, Instant> = HashMap::new();
    loop {
        let again = async {
            if waiting.is_empty() {
                std::future::pending::<()>().await;
            }
            sleep(NEXT / 2).await;
        };
        tokio::select! {
            changed = position.changed() => if changed.is_err() { return },
            () = hub.books.free.notified() => {}
            () = again => {}
        }
        if hub.is_releasing() || !hub.has_lease() {
            continue;
        }
        let orphans = hub.orphans();
        waiting.retain(|sid, _| orphans.contains(sid));
        let now = Instant::now();
        let nodes = hub.heirs();
        let due = |sid: &CallSid, since: Instant| {
            let first = nodes.iter().max_by_key(|node| weight(node, sid));
            first.is_some_and(|node| **node == *hub.node) || now.saturating_duration_since(since) >= NEXT
        };
        let mut ours = Vec::new();
        for sid in orphans {
            let since = *waiting.entry(sid.clone()).or_insert(now);
            if due(&sid, since) {
                ours.push(sid);
            }
        }
        for batch in ours.chunks(BATCH) {
            hub.inherit(batch).await;
        }
    }
}

/// How much a relay is for a call: the same wherever it is reckoned.
fn weight(node: &str, sid: &CallSid) -> u64 {
    // Not `DefaultHasher`: another version may reckon otherwise.
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.write(node.as_bytes());
    hash.write(sid.as_str().as_bytes());
    hash.finish()
}

/// FNV-1a, with its bits mixed once more: names that differ in their last letter alone are to differ in all.
struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ (mixed >> 33)
    }
}

impl Hub {
    /// Calls that go on, or that Redis has lost, and nobody has.
    fn orphans(&self) -> Vec<CallSid> {
        let nobodys: Vec<(CallSid, bool)> = {
            let (ledger, peers) = (lock(&self.books.ledger), lock(&self.books.peers));
            let now = Instant::now();
            // A claim may have been done though its answer was lost: what is ours by Redis, and is not, is nobody's.
            let of_nobody =
                |owner: &str| owner.is_empty() || *owner == *self.node || peers.is_gone(owner, now);
            (ledger.all())
                .filter(|(_, entry)| !entry.erased && of_nobody(&entry.owner))
                .map(|(sid, entry)| (sid.clone(), entry.lost))
                .collect()
        };
        let goes_on = |sid: &CallSid, lost: bool| {
            let call = self.registry.known(sid);
            let theirs = |call: &Call| matches!(call.held(), Held::Theirs(_));
            call.is_some_and(|call| theirs(&call) && (lost || call.ended().is_none()))
        };
        let orphans = nobodys.into_iter().filter(|(sid, lost)| goes_on(sid, *lost));
        orphans.map(|(sid, _)| sid).collect()
    }

    /// Relays that may take over.
    fn heirs(&self) -> Vec<std::sync::Arc<str>> {
        let others = self.peers().into_iter().filter(|peer| !peer.draining);
        others.map(|peer| peer.node).chain([self.node.clone()]).collect()
    }

    async fn inherit(&self, sids: &[CallSid]) {
        match self.take_over(sids).await {
            Ok(claimed) => {
                let ours = claimed
                    .iter()
                    .filter(|one| matches!(one, Ok(Claimed::Ours)))
                    .count();
                if ours > 0 {
                    info!(calls = ours, "calls of a relay that is gone are this relay's now");
                }
            }
            Err(failed) => warn!(%failed, "calls of a relay that is gone could not be taken over yet"),
        }
    }
}
