//! A stream that came to a call of another relay: the call is claimed for it, and numbered here once its owner before has
//! said its last. What is said meanwhile is heard at once, and waits for its numbers for a second at most.

use std::sync::Arc;
use std::time::{Duration, Instant};

use partyline_shared::id::CallSid;
use tokio::time::timeout;

use super::claims::read;
use super::follow::numbered;
use super::hub::{Hub, numbering};
use super::lefts::Left;
use super::store::{Claim, Rival, Stored};
use crate::calls::call::{Call, Held};
use crate::calls::journal::Cursor;
use crate::clock::Now;
use crate::lock::lock;

/// So long Redis is asked who has the call; then it goes on alone.
const ASKED: Duration = Duration::from_secs(1);
/// So long the owner before may take for its last word: a hundred times what it takes.
const LAST_WORD: Duration = Duration::from_millis(500);

/// Takes a call, or finds that another has it.
pub(super) async fn take(hub: Hub, sid: &CallSid) {
    let Some(call) = hub.registry.known(sid) else {
        return;
    };
    if call.held() == Held::Taking {
        let until = Instant::now() + ASKED;
        let claimed = timeout(ASKED, hub.claim_one(sid, call.rank())).await;
        match claimed {
            Ok(Ok(Claim::Won { from, there, .. })) => {
                let base = timeout(until.saturating_duration_since(Instant::now()), read(&hub, sid)).await;
                let base = base.ok().and_then(Result::ok).flatten();
                let left = if there {
                    hub.books.lefts.of(sid, LAST_WORD).await
                } else {
                    None
                };
                settle(&hub, &call, base, left, !from.is_empty());
            }
            // Its answer was lost, and with it who had the call.
            Ok(Ok(Claim::Mine { .. })) => {
                let base = read(&hub, sid).await.ok().flatten();
                settle(&hub, &call, base, None, true);
            }
            Ok(Ok(Claim::Theirs(rival))) => {
                call.give_up(Now::take(), &rival.owner, |_| Cursor::default());
                lock(&hub.books.ledger).entry(sid).version = 0;
                hub.read_again(sid).await;
            }
            Ok(Ok(Claim::Erased)) => hub.registry.erased_elsewhere(Now::take(), sid),
            // Whoever has it hears of it once there is a link.
            Ok(Err(_)) | Err(_) => settle(&hub, &call, None, None, true),
        }
    }
    // What came later than it was waited for.
    if let Some((from, left)) = hub.books.lefts.of(sid, Duration::ZERO).await {
        if !hub.books.lefts.is_taken(sid, &from, left.token) {
            call.merge(Now::take(), &left.snapshot, &left.entries, numbering());
        }
        hub.took(&from, sid, left.token);
    }
}

/// The call is ours: as it was told last, with what its owner before said in the end; without that (`alone` where there
/// was one) it may have numbered more.
fn settle(hub: &Hub, call: &Call, base: Option<Stored>, left: Option<(String, Left)>, alone: bool) {
    let (now, sid) = (Now::take(), call.sid());
    let told = base.and_then(|base| Some((base.snapshot?, base.entries)));
    if let Some((snapshot, _)) = &told {
        lock(&hub.books.ledger).entry(sid).published = Some(numbered(snapshot));
    }
    let mut late = None;
    let settled = match (told, left) {
        (Some((base, mut entries)), Some((from, left))) if base.journal.id == left.snapshot.journal.id => {
            entries.extend(left.entries.iter().cloned());
            let settled = call.settle(now, Some((&left.snapshot, Cursor::default(), &entries)), false);
            hub.books.lefts.is_taken(sid, &from, left.token);
            hub.took(&from, sid, left.token);
            settled
        }
        (Some((base, entries)), left) => {
            late = left;
            call.settle(now, Some((&base, Cursor::default(), &entries)), alone)
        }
        (None, Some((from, left))) => {
            let last = Some((&*left.snapshot, left.after, left.entries.as_slice()));
            let settled = call.settle(now, last, false);
            late = Some((from, left));
            settled
        }
        (None, None) => call.settle(now, None, alone),
    };
    if settled.is_err() {
        // What is missing here is in Redis, and no number is given twice.
        let _ = call.settle(now, None, true);
    }
    if let Some((from, left)) = late {
        if !hub.books.lefts.is_taken(sid, &from, left.token) {
            call.merge(now, &left.snapshot, &left.entries, numbering());
        }
        hub.took(&from, sid, left.token);
    }
}

impl Hub {
    /// Claims one call for a stream of this rank, and notes what comes of it.
    pub(super) async fn claim_one(&self, sid: &CallSid, rank: u64) -> Result<Claim, crate::broker::Failed> {
        let entry = lock(&self.books.ledger).get(sid);
        let claims = self.claim_all(&[(sid, rank, entry.token, &entry.owner)]).await?;
        let claim = claims
            .into_iter()
            .next()
            .unwrap_or(Err(crate::broker::Failed::Broken))?;
        // Whoever has claimed it since is heard by who follows.
        let _ = self.note(sid, &claim);
        Ok(claim)
    }

    /// Notes what came of a claim.
    ///
    /// # Errors
    /// The relay that has claimed it since, where that was heard of before this.
    pub(super) fn note(&self, sid: &CallSid, claim: &Claim) -> Result<(), Arc<str>> {
        let (token, version) = match claim {
            Claim::Won { token, version, .. } | Claim::Mine { token, version } => (*token, *version),
            Claim::Theirs(_) | Claim::Erased => return Ok(()),
        };
        let mut ledger = lock(&self.books.ledger);
        let entry = ledger.entry(sid);
        if version >= entry.version {
            let by = Rival {
                owner: self.node.clone(),
                token,
                rank: 0,
            };
            let lost = entry.lost;
            entry.owned(version, &by);
            entry.lost = lost;
        }
        if entry.owner == self.node {
            Ok(())
        } else {
            Err(entry.owner.clone())
        }
    }
}
