//! Which calls have something to tell other relays, whose audio is wanted here, and deeds on their way to whoever has
//! their call. One task each takes them; who puts something in never waits. Costs a look where nothing is shared.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use partyline_shared::id::CallSid;
use tokio::sync::Notify;

use super::{Deed, Watched};
use crate::lock::lock;
use crate::metrics::Counter;

/// Deeds that wait to be taken, some 300 bytes each: what Twilio says in seconds of a busy relay. They are taken at
/// once, and kept elsewhere where they cannot go on.
pub const OUTBOX: usize = 4_096;

/// What goes out.
#[derive(Debug, Default)]
pub struct Feed {
    on: AtomicBool,
    changed: Names,
    ears: Names,
    deeds: Mutex<VecDeque<(CallSid, Deed)>>,
    /// Calls of deeds that are not done yet, and of how many.
    under_way: Mutex<HashMap<CallSid, usize>>,
    deed: Notify,
    /// Who watches levels here.
    pub watched: Watched,
    /// Deeds for which there was no room.
    pub lost: Counter,
}

/// Names of calls, each once, and word that there are some.
#[derive(Debug, Default)]
struct Names {
    sids: Mutex<HashSet<CallSid>>,
    news: Notify,
}

impl Names {
    fn mark(&self, sid: &CallSid) {
        let mut sids = lock(&self.sids);
        if !sids.contains(sid) {
            sids.insert(sid.clone());
            self.news.notify_one();
        }
    }

    async fn take(&self) -> HashSet<CallSid> {
        loop {
            let sids = std::mem::take(&mut *lock(&self.sids));
            if !sids.is_empty() {
                return sids;
            }
            self.news.notified().await;
        }
    }
}

impl Feed {
    /// Somebody takes what is put here, from now on.
    pub fn turn_on(&self) {
        self.on.store(true, Relaxed);
    }

    /// Whether calls are shared at all.
    pub fn is_on(&self) -> bool {
        self.on.load(Relaxed)
    }

    /// A call is not as it was told last, or gone.
    pub fn mark(&self, sid: &CallSid) {
        if self.is_on() {
            self.changed.mark(sid);
        }
    }

    /// Calls marked since this was asked last; waits for the first. For one who asks.
    pub async fn changed(&self) -> HashSet<CallSid> {
        self.changed.take().await
    }

    /// The same without waiting.
    pub fn changed_by_now(&self) -> HashSet<CallSid> {
        std::mem::take(&mut *lock(&self.changed.sids))
    }

    /// Who hears a call of another relay is not who did.
    pub fn mark_ears(&self, sid: &CallSid) {
        if self.is_on() {
            self.ears.mark(sid);
        }
    }

    /// Calls of others whose listeners changed since this was asked last; waits for the first. For one who asks.
    pub async fn ears_changed(&self) -> HashSet<CallSid> {
        self.ears.take().await
    }

    /// A deed for whoever has the call; the oldest goes where there are too many.
    pub fn hand_over(&self, sid: &CallSid, deed: Deed) {
        if !self.is_on() {
            return;
        }
        let mut deeds = lock(&self.deeds);
        *lock(&self.under_way).entry(sid.clone()).or_default() += 1;
        if deeds.len() >= OUTBOX
            && let Some((sid, _)) = deeds.pop_front()
        {
            self.settled(&[sid]);
            self.lost.add_one();
        }
        deeds.push_back((sid.clone(), deed));
        drop(deeds);
        self.deed.notify_one();
    }

    /// Whether deeds of this call are not done yet: what comes after them waits for its turn.
    pub fn is_under_way(&self, sid: &CallSid) -> bool {
        self.is_on() && lock(&self.under_way).contains_key(sid)
    }

    /// Whether no deed is under way.
    pub fn is_idle(&self) -> bool {
        lock(&self.under_way).is_empty()
    }

    /// Deeds that were taken are done, or lost: their calls, each as often.
    pub fn settled(&self, sids: &[CallSid]) {
        let mut under_way = lock(&self.under_way);
        for sid in sids {
            if let Some(count) = under_way.get_mut(sid) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    under_way.remove(sid);
                }
            }
        }
    }

    /// Deeds handed over since this was asked last, in their order; waits for the first. For one who asks.
    pub async fn deeds(&self) -> VecDeque<(CallSid, Deed)> {
        loop {
            let deeds = std::mem::take(&mut *lock(&self.deeds));
            if !deeds.is_empty() {
                return deeds;
            }
            self.deed.notified().await;
        }
    }
}
