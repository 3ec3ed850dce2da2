//! Tells Redis of this relay's calls. A reader of each call's journal with a cursor, as a listener is: nothing is queued
//! while Redis is away. Only who has the lease tells, and Redis refuses what another relay has taken over.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use partyline_shared::id::CallSid;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::hub::Hub;
use super::leave::Left;
use super::refusals::What;
use super::status::Waiting;
use super::store::{LIVE, Taken, Telling};
use super::{claims, leave, take};
use crate::broker::Failed;
use crate::calls::call::{Call, Held};
use crate::calls::mirror::Told;
use crate::clock::Now;
use crate::lock::lock;

/// Calls told together.
const BATCH: usize = 256;
/// After something that Redis did not take it is left alone for so long.
const PAUSE: Duration = Duration::from_millis(250);

/// Which calls are to be told, in the order in which they changed.
#[derive(Default)]
struct Dirty {
    order: VecDeque<CallSid>,
    since: HashMap<CallSid, Instant>,
}

impl Dirty {
    fn add(&mut self, sid: CallSid) {
        if !self.since.contains_key(&sid) {
            self.since.insert(sid.clone(), Instant::now());
            self.order.push_back(sid);
        }
    }

    fn take(&mut self) -> Vec<CallSid> {
        let batch: Vec<_> = self.order.drain(..self.order.len().min(BATCH)).collect();
        for sid in &batch {
            self.since.remove(sid);
        }
        batch
    }

    fn waiting(&self) -> Waiting {
        Waiting {
            calls: self.order.len(),
            since: self.order.front().and_then(|sid| self.since.get(sid).copied()),
        }
    }
}

struct Publisher {
    hub: Hub,
    dirty: Dirty,
    /// Whose owner is being settled, and whether there is something to tell when that is done.
    busy: HashMap<CallSid, bool>,
    settling: JoinSet<CallSid>,
}

/// Tells until it is dropped.
pub(super) async fn keep(hub: Hub) {
    let mut publisher = Publisher {
        hub: hub.clone(),
        dirty: Dirty::default(),
        busy: HashMap::new(),
        settling: JoinSet::new(),
    };
    let mut position = hub.books.position.subscribe();
    let mut flush = hub.books.flush.subscribe();
    let mut epoch: Arc<str> = position.borrow().epoch.clone();
    loop {
        let more = !publisher.dirty.order.is_empty() && publisher.may_tell();
        tokio::select! {
            () = std::future::ready(()), if more => {}
            changed = hub.registry.feed().changed() => publisher.changed(changed),
            _ = position.changed() => {}
            _ = flush.changed() => {}
            Some(settled) = publisher.settling.join_next() => {
                if let Ok(sid) = settled && publisher.busy.remove(&sid) == Some(true) {
                    publisher.changed(HashSet::from([sid]));
                }
            }
        }
        let flushes = *flush.borrow_and_update();
        if flushes.wanted > flushes.done {
            publisher.changed(hub.registry.feed().changed_by_now());
        }
        let now_epoch = position.borrow_and_update().epoch.clone();
        if now_epoch != epoch {
            let first = std::mem::replace(&mut epoch, now_epoch).is_empty();
            publisher.tell_anew(first);
        }
        if publisher.may_tell() && !publisher.dirty.order.is_empty() && publisher.tell().await.is_err() {
            sleep(PAUSE).await;
        }
        hub.books.waiting.send_replace(publisher.dirty.waiting());
        if publisher.dirty.order.is_empty() && publisher.busy.is_empty() {
            hub.books.flush.send_if_modified(|flush| {
                let more = flush.done < flushes.wanted;
                flush.done = flush.done.max(flushes.wanted);
                more
            });
        }
    }
}

/// What is known of a call that is to be told.
struct Ready {
    sid: CallSid,
    call: Arc<Call>,
    token: u64,
    told: Told,
    /// This is its last word: it is let go of then.
    leaves: bool,
}

impl Publisher {
    fn may_tell(&self) -> bool {
        self.hub.broker.is_up() && self.hub.has_lease()
    }

    /// A stream that came to a call of theirs does not wait for the link.
    fn changed(&mut self, sids: HashSet<CallSid>) {
        for sid in sids {
            let call = self.hub.registry.known(&sid);
            if call.is_some_and(|call| call.held() == Held::Taking) {
                self.take(sid);
            } else {
                self.dirty.add(sid);
            }
        }
    }

    fn take(&mut self, sid: CallSid) {
        let hub = self.hub.clone();
        self.settle(sid.clone(), async move {
            take::take(hub, &sid).await;
            sid
        });
    }

    fn settle(&mut self, sid: CallSid, how: impl Future<Output = CallSid> + Send + 'static) {
        match self.busy.entry(sid) {
            Entry::Vacant(free) => {
                free.insert(false);
                self.settling.spawn(how);
            }
            // It is looked at again when that is done.
            Entry::Occupied(mut more) => *more.get_mut() = true,
        }
    }

    /// Redis knows nothing, or was not asked yet: all that is ours is told, and what was erased.
    fn tell_anew(&mut self, first: bool) {
        if !first {
            lock(&self.hub.books.ledger).begin_anew();
        }
        for (call, held) in self.hub.registry.all_held() {
            if held == Held::Ours {
                self.dirty.add(call.sid().clone());
            }
        }
        for (sid, _) in self.hub.registry.erased(Now::take()) {
            lock(&self.hub.books.ledger).entry(&sid).erased = false;
            self.dirty.add(sid);
        }
    }

    async fn tell(&mut self) -> Result<(), Failed> {
        let batch = self.dirty.take();
        let mut ready = Vec::new();
        let mut failed = None;
        for sid in batch {
            if let Some(more) = self.busy.get_mut(&sid) {
                *more = true;
                continue;
            }
            match self.hub.registry.known(&sid) {
                None => {
                    if let Err(why) = self.gone(&sid).await {
                        self.dirty.add(sid);
                        failed = Some(why);
                    }
                }
                Some(call) => match self.ready(&sid, call) {
                    Some(one) if one.told.taking => self.take(sid),
                    Some(one) => ready.push(one),
                    None => {}
                },
            }
        }
        if !ready.is_empty() {
            let told = self.tell_all(ready).await;
            self.hub.books.refusals.came(What::Calls, told.as_ref().map(drop));
            if let Err(why) = told {
                failed = Some(why);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn ready(&self, sid: &CallSid, call: Arc<Call>) -> Option<Ready> {
        let entry = lock(&self.hub.books.ledger).get(sid);
        let untold = |journal: &str| entry.untold(journal);
        let leaving = &self.hub.books.leaving;
        let last = leaving.last_word(&self.hub, sid, &call, untold);
        let leaves = last.is_some();
        let told = last.or_else(|| call.told(untold))?;
        let ours = entry.owner == self.hub.node;
        Some(Ready {
            sid: sid.clone(),
            call,
            token: if ours { entry.token } else { 0 },
            told,
            leaves,
        })
    }

    async fn tell_all(&mut self, ready: Vec<Ready>) -> Result<(), Failed> {
        let retention = self.hub.registry.retention();
        let tellings: Vec<Telling<'_>> = (ready.iter())
            .map(|one| Telling {
                sid: &one.sid,
                token: one.token,
                after: one.told.after,
                told: &one.told,
                leaves: one.leaves,
                keep: if one.call.ended().is_some() {
                    retention
                } else {
                    LIVE
                },
            })
            .collect();
        let answers = match self.hub.tell(&tellings).await {
            Ok(answers) => answers,
            Err(failed) => {
                drop(tellings);
                ready.into_iter().for_each(|one| self.dirty.add(one.sid));
                return Err(failed);
            }
        };
        drop(tellings);
        let mut failed = None;
        for (one, answer) in ready.into_iter().zip(answers) {
            match answer {
                Ok(taken) => self.answered(one, taken),
                Err(why) => {
                    self.dirty.add(one.sid);
                    failed = Some(why);
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn answered(&mut self, one: Ready, taken: Taken) {
        if one.leaves {
            return self.left(one, taken);
        }
        let (hub, sid) = (&self.hub, one.sid);
        match taken {
            Taken::Yes { version, token } => {
                hub.metrics.shared_told.add_one();
                let mut ledger = lock(&hub.books.ledger);
                let entry = ledger.entry(&sid);
                entry.published = Some((one.told.snapshot.journal.id, one.told.upto));
                entry.lost = false;
                // Where another has claimed it meanwhile that is heard already.
                if version > entry.version {
                    (entry.owner, entry.token, entry.version) = (hub.node.clone(), token, version);
                }
            }
            Taken::Theirs(rival) => {
                hub.metrics.shared_refused.add_one();
                let hub = hub.clone();
                self.settle(sid.clone(), async move {
                    // It is not told before that: by a claim that was done, and what it took not read, it would be taken.
                    while claims::settle(&hub, &sid, rival.clone()).await.is_err() {
                        sleep(PAUSE).await;
                    }
                    sid
                });
            }
            Taken::Behind => {
                lock(&hub.books.ledger).entry(&sid).lost = true;
                self.dirty.add(sid);
            }
            Taken::Erased => {
                lock(&hub.books.ledger).entry(&sid).erased = true;
                hub.registry.erased_elsewhere(Now::take(), &sid);
            }
        }
    }

    /// The same of a call's last word.
    fn left(&mut self, one: Ready, taken: Taken) {
        let (hub, sid) = (self.hub.clone(), one.sid);
        match leave::answered(&hub, &sid, &one.call, one.token, one.told, taken) {
            Left::Done => {}
            Left::Again => self.dirty.add(sid),
            Left::Read => self.settle(sid.clone(), async move {
                hub.read_again(&sid).await;
                sid
            }),
        }
    }

    /// A call is known here no more.
    async fn gone(&self, sid: &CallSid) -> Result<(), Failed> {
        let hub = &self.hub;
        let entry = lock(&hub.books.ledger).get(sid);
        let erased = hub.registry.is_erased(Now::take(), sid);
        let nobodys = entry.owner.is_empty() || entry.owner == hub.node || hub.is_gone(&entry.owner);
        let known = lock(&hub.books.ledger).knows(sid);
        if !entry.erased && (erased || (known && nobodys)) {
            hub.forget(sid, erased).await?;
        }
        // It may have begun anew meanwhile.
        if hub.registry.known(sid).is_none() {
            lock(&hub.books.ledger).remove(sid);
            hub.books.lefts.forget(sid);
            hub.books.leaving.done(sid);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::broker::tests_support::Redis;
    use crate::sharing::tests_support::node;

    #[tokio::test]
    async fn what_changes_while_its_owner_is_settled_is_looked_at_again() {
        let (redis, sid) = (Redis::start(), CallSid::parse("CA1").unwrap());
        let (a, b) = (node(&redis, "a"), node(&redis, "b"));
        a.registry.open(Now::take(), &sid).unwrap();
        a.tell(&b.registry, &sid);
        let mut publisher = Publisher {
            hub: b.sharing.hub().clone(),
            dirty: Dirty::default(),
            busy: HashMap::new(),
            settling: JoinSet::new(),
        };
        let (done, is_done) = oneshot::channel::<()>();
        publisher.settle(sid.clone(), async move {
            let _ = is_done.await;
            sid
        });
        let sid = CallSid::parse("CA1").unwrap();
        let call = b.registry.known(&sid).unwrap();
        call.accept_stream(Now::take(), 7, Default::default());
        assert_eq!(call.held(), Held::Taking);
        publisher.changed(HashSet::from([sid.clone()]));
        done.send(()).unwrap();
        publisher.settling.join_next().await.unwrap().unwrap();
        assert_eq!(publisher.busy.remove(&sid), Some(true));
    }
}
