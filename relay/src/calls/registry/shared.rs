//! The registry among other relays: what is done to calls wherever they are, and calls of theirs.

use std::collections::BTreeSet;
use std::sync::Arc;

use partyline_shared::id::CallSid;

use super::{NotFollowed, Registry};
use crate::calls::call::{Call, Held};
use crate::calls::journal::{Behind, Cursor};
use crate::calls::mirror::{Deed, Feed, Numbered, Snapshot};
use crate::clock::Now;
use crate::lock::lock;

impl Registry {
    /// What other relays are to hear of.
    pub fn feed(&self) -> &Feed {
        &self.shared.feed
    }

    /// Does something to a call, which begins by that where it is not known; to one of another relay through whoever
    /// has it.
    ///
    /// # Errors
    /// [`NotFollowed`].
    pub fn act(&self, now: Now, sid: &CallSid, deed: Deed) -> Result<(), NotFollowed> {
        let call = self.open(now, sid)?;
        // What was handed over before it comes first, also where the call is ours by now.
        if call.is_ours() && !self.shared.feed.is_under_way(sid) {
            call.apply(now, deed);
        } else {
            self.shared.feed.hand_over(sid, deed);
        }
        Ok(())
    }

    /// The relay `node` has this call, and tells of it; it is known here from now on, unless it was erased.
    ///
    /// # Errors
    /// [`Behind`] where entries before these are missing here.
    pub fn follow(
        &self,
        now: Now,
        node: &str,
        sid: &CallSid,
        snapshot: &Snapshot,
        after: Cursor,
        entries: &[Numbered],
    ) -> Result<(), Behind> {
        let call = {
            let mut inner = lock(&self.inner);
            if inner.marks.is_erased(now.mono, sid) {
                return Ok(());
            }
            let call = match inner.calls.get(sid) {
                Some(call) => call.clone(),
                None => {
                    let history = self.settings.load().history;
                    let call = Arc::new(Call::of(node, sid.clone(), now, self.shared.clone(), history));
                    inner.marks.takes_paused(sid);
                    inner.calls.insert(sid.clone(), call.clone());
                    call
                }
            };
            inner.awake.insert(sid.clone(), (call.clone(), now.mono));
            call
        };
        call.follow(now, node, snapshot, after, entries)
    }

    /// Calls of another relay that it knows no more; whether there was one.
    pub fn forget_theirs(&self, sid: &CallSid) -> bool {
        let mut inner = lock(&self.inner);
        let Some(call) = inner
            .calls
            .get(sid)
            .filter(|call| matches!(call.held(), Held::Theirs(_)))
            .cloned()
        else {
            return false;
        };
        inner.calls.remove(sid);
        inner.awake.remove(sid);
        inner.ended.retain(|(_, of)| of != sid);
        drop(inner);
        lock(&self.shared.lost).remove(sid);
        call.forget();
        true
    }

    /// Calls of ours that go on.
    pub fn live_of_ours(&self) -> Vec<Arc<Call>> {
        let mut calls = self.awake();
        calls.retain(|call| call.is_ours() && call.ended().is_none());
        calls
    }

    /// The other relays that have a call which goes on.
    pub fn others(&self) -> BTreeSet<Arc<str>> {
        let calls = self.awake();
        let live = calls.iter().filter(|call| call.ended().is_none());
        let theirs = live.filter_map(|call| match call.held() {
            Held::Theirs(node) => Some(node),
            Held::Ours | Held::Taking => None,
        });
        theirs.collect()
    }

    /// Another relay erased a call: what is still heard of it is not taken here either.
    pub fn erased_elsewhere(&self, now: Now, sid: &CallSid) {
        if self.erase(now, sid) {
            return;
        }
        let mut inner = lock(&self.inner);
        if !inner.marks.is_erased(now.mono, sid) {
            inner.marks.erase(now.mono, sid.clone());
            self.shared.metrics.calls_erased.add_one();
        }
    }

    /// Whether a call was erased, and something may still be heard of it.
    pub fn is_erased(&self, now: Now, sid: &CallSid) -> bool {
        lock(&self.inner).marks.is_erased(now.mono, sid)
    }

    /// How long ended calls stay visible.
    pub fn retention(&self) -> std::time::Duration {
        self.settings.load().retention
    }

    /// All calls, with whose each is.
    pub fn all_held(&self) -> Vec<(Arc<Call>, Held)> {
        let calls: Vec<Arc<Call>> = lock(&self.inner).calls.values().cloned().collect();
        calls
            .into_iter()
            .map(|call| {
                let held = call.held();
                (call, held)
            })
            .collect()
    }
}
