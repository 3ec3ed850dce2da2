//! Who owns a call that two relays hold for theirs, and calls that nobody has any more.

use std::sync::Arc;

use partyline_shared::id::CallSid;

use super::follow::numbered;
use super::hub::{Hub, numbering};
use super::store::{Claim, Read, Rival, Stored};
use crate::broker::Failed;
use crate::calls::call::{Call, Held};
use crate::calls::journal::Cursor;
use crate::clock::Now;
use crate::lock::lock;

/// What came of wanting a call that nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// It is this relay's.
    Ours,
    /// That relay has it.
    Theirs(Arc<str>),
    /// It is not there any more.
    Gone,
    /// This relay leaves, and has none any more: another is about to take it.
    Leaving,
}

/// One call as it was told last.
pub(super) async fn read(hub: &Hub, sid: &CallSid) -> Result<Option<Stored>, Failed> {
    let read = hub.read_all(std::slice::from_ref(sid)).await?;
    match read.into_iter().next() {
        Some(Read::There(stored)) => Ok(Some(*stored)),
        Some(Read::NotThere) | None => Ok(None),
        // Something is there, and nothing may be decided as if it were not.
        Some(Read::Unreadable) => Err(Failed::Broken),
    }
}

/// What was told of a call of ours was refused, because this rival owns it: the one whose stream is newer has it, else
/// who was first.
pub(super) async fn settle(hub: &Hub, sid: &CallSid, rival: Rival) -> Result<(), Failed> {
    match hub.registry.known(sid) {
        Some(call) if call.is_ours() => contest(hub, sid, &call, rival).await,
        _ => Ok(()),
    }
}

async fn contest(hub: &Hub, sid: &CallSid, call: &Call, mut rival: Rival) -> Result<(), Failed> {
    let rank = call.rank();
    // It may be this relay itself, by a claim whose answer was lost.
    let free = rival.owner.is_empty() || rival.owner == hub.node || hub.is_gone(&rival.owner);
    if free || hub.is_better(rank, &rival) {
        match hub.claim_one(sid, rank).await? {
            Claim::Won { .. } | Claim::Mine { .. } => {
                let base = read(hub, sid).await?;
                if let Some((snapshot, entries)) = base.and_then(|base| Some((base.snapshot?, base.entries)))
                {
                    let after = hub.unpublished(sid, call);
                    call.absorb(Now::take(), (&snapshot, &entries), after, numbering());
                    lock(&hub.books.ledger).entry(sid).published = Some(numbered(&snapshot));
                }
                // What was refused is still to be told.
                hub.registry.feed().mark(sid);
                return Ok(());
            }
            Claim::Theirs(other) => rival = other,
            Claim::Erased => {
                hub.registry.erased_elsewhere(Now::take(), sid);
                return Ok(());
            }
        }
    }
    hub.yields(sid, call, &rival);
    hub.read_again(sid).await;
    Ok(())
}

impl Hub {
    /// Whether a stream of this rank here is to have a call rather than the rival's.
    pub(super) fn is_better(&self, rank: u64, rival: &Rival) -> bool {
        rank > 0 && (rank > rival.rank || (rank == rival.rank && self.node > rival.owner))
    }

    fn unpublished(&self, sid: &CallSid, call: &Call) -> Cursor {
        let entry = lock(&self.books.ledger).get(sid);
        entry.unpublished(&call.numbering().0)
    }

    /// A call of ours is the rival's, who is told what nobody else has heard of.
    pub(super) fn yields(&self, sid: &CallSid, call: &Call, rival: &Rival) {
        let entry = lock(&self.books.ledger).get(sid);
        let unpublished = |journal: &str| entry.unpublished(journal);
        if let Some(told) = call.give_up(Now::take(), &rival.owner, unpublished) {
            self.books.lefts.leave(self, sid, rival.token, told);
        }
        let mut ledger = lock(&self.books.ledger);
        let entry = ledger.entry(sid);
        // It is read whole by whoever comes next.
        entry.owned(0, rival);
        entry.published = None;
    }

    /// Makes a call that nobody has this relay's: for a deed that is to be done to it.
    ///
    /// # Errors
    /// [`Failed`].
    pub async fn claim(&self, sid: &CallSid) -> Result<Claimed, Failed> {
        if self.leaves_to_others(sid) {
            return Ok(Claimed::Leaving);
        }
        let claimed = self.take_over(std::slice::from_ref(sid)).await?;
        claimed.into_iter().next().unwrap_or(Err(Failed::Broken))
    }

    /// The same for several, which may be of relays that are gone.
    pub(super) async fn take_over(&self, sids: &[CallSid]) -> Result<Vec<Result<Claimed, Failed>>, Failed> {
        let entries: Vec<_> = {
            let ledger = lock(&self.books.ledger);
            sids.iter().map(|sid| ledger.get(sid)).collect()
        };
        let claims: Vec<_> = (sids.iter().zip(&entries))
            .map(|(sid, entry)| (sid, 0, entry.token, &*entry.owner))
            .collect();
        let mut claimed = Vec::new();
        for (sid, (claim, entry)) in sids
            .iter()
            .zip(self.claim_all(&claims).await?.into_iter().zip(&entries))
        {
            claimed.push(match claim {
                Ok(claim) => self.taken_over(sid, claim, entry.version).await,
                Err(failed) => Err(failed),
            });
        }
        Ok(claimed)
    }

    async fn taken_over(&self, sid: &CallSid, claim: Claim, seen: u64) -> Result<Claimed, Failed> {
        let (from, before) = match &claim {
            Claim::Won { from, before, .. } => (from.clone(), Some(*before)),
            Claim::Mine { .. } => ("?".into(), None),
            Claim::Theirs(rival) => return Ok(Claimed::Theirs(rival.owner.clone())),
            Claim::Erased => {
                self.registry.erased_elsewhere(Now::take(), sid);
                return Ok(Claimed::Gone);
            }
        };
        let Some(call) = self.registry.known(sid) else {
            return Ok(Claimed::Gone);
        };
        let theirs = matches!(call.held(), Held::Theirs(_));
        // Where a change of it is not here yet. What Redis has lost this relay has.
        if theirs
            && before != Some(seen)
            && let Some(base) = read(self, sid).await?
            && let Some(snapshot) = base.snapshot
        {
            call.catch_up(Now::take(), &snapshot, &base.entries);
        }
        if let Err(owner) = self.note(sid, &claim) {
            return Ok(Claimed::Theirs(owner));
        }
        // It may have come about while it was read.
        if matches!(call.held(), Held::Theirs(_)) {
            let numbering = call.numbering();
            lock(&self.books.ledger).entry(sid).published = Some(numbering);
            call.take_over(Now::take(), !from.is_empty());
        }
        Ok(Claimed::Ours)
    }
}
