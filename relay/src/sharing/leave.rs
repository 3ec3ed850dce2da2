//! A relay that drains lets go of its calls, so that others have them before a lease is over. Each gets its last number here
//! before it is told for the last time, and is let go of then: whoever takes it goes on where that ended, and what is
//! said of it here from then on is handed over as any other relay's is.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use partyline_shared::id::CallSid;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::Sharing;
use super::hub::{Hub, Owner};
use super::store::Taken;
use crate::calls::call::{Call, Held};
use crate::calls::journal::Cursor;
use crate::calls::mirror::Told;
use crate::clock::Now;
use crate::lock::lock;

/// So long what happened last may take to be told, and let go of.
const TOLD: Duration = Duration::from_secs(4);
/// So long others may take to have taken what was let go of: what Twilio says meanwhile is still taken here, and handed
/// on to them.
const TAKEN: Duration = Duration::from_secs(2);

/// How often it is looked whether others have taken what they were left: it takes them a few ms.
const CLOSE_LOOK: Duration = Duration::from_millis(20);
/// How often it is looked whether there is another relay by now.
const LOOK: Duration = Duration::from_millis(250);

/// Calls that this relay lets go of, until that is told.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    /// With what was numbered here last, once nothing more is.
    calls: Mutex<HashMap<CallSid, Option<Box<Told>>>>,
    /// Whatever goes on here, and comes to.
    all: AtomicBool,
}

impl Leaving {
    fn add(&self, calls: &[CallSid]) {
        let mut leaving = lock(&self.calls);
        for sid in calls {
            leaving.entry(sid.clone()).or_default();
        }
    }

    /// This relay's last word of a call that it lets go of, as Redis is told it: from the first time on that it is asked
    /// for nothing gets a number here. `None` where it is not let go of; what is over is not.
    pub(super) fn last_word(
        &self,
        node: &str,
        sid: &CallSid,
        call: &Call,
        untold: impl FnOnce(&str) -> Cursor,
    ) -> Option<Told> {
        let mut calls = lock(&self.calls);
        if call.is_ours() {
            let leaves = self.all.load(Relaxed) || calls.contains_key(sid);
            if !leaves || call.ended().is_some() {
                calls.remove(sid);
                return None;
            }
            let told = call.give_up(Now::take(), node, untold)?;
            calls.insert(sid.clone(), Some(Box::new(told.clone())));
            return Some(told);
        }
        calls.get(sid)?.as_deref().cloned()
    }

    /// Redis has less of it than it was thought to have.
    pub(super) fn redis_has_less(&self, node: &str, sid: &CallSid, call: &Call) {
        let told = call.told_since_left(node);
        if let (Some(told), Some(Some(word))) = (told, lock(&self.calls).get_mut(sid)) {
            **word = told;
        }
    }

    /// It is told, or there is nothing to tell.
    pub(super) fn done(&self, sid: &CallSid) {
        lock(&self.calls).remove(sid);
    }
}

/// What is to be done after Redis has answered a last word.
pub(super) enum Left {
    /// Nothing.
    Done,
    /// It is to be told again.
    Again,
    /// Another has the call, and its telling is to be read.
    Read,
}

/// The last word of a call that this relay lets go of was told, or is to be told again, or said to who has the call.
pub(super) fn answered(hub: &Hub, sid: &CallSid, call: &Call, token: u64, told: Told, taken: Taken) -> Left {
    let leaving = &hub.books.leaving;
    match taken {
        Taken::Yes { version, token } => {
            hub.metrics.shared_told.add_one();
            leaving.done(sid);
            let mut ledger = lock(&hub.books.ledger);
            let entry = ledger.entry(sid);
            if version > entry.version {
                (entry.owner, entry.token, entry.version) = ("".into(), token, version);
                entry.published = Some((told.snapshot.journal.id, told.upto));
            }
            Left::Done
        }
        // It was told, and the answer lost.
        Taken::Theirs(by) if by.owner.is_empty() && (token == 0 || by.token == token) => {
            leaving.done(sid);
            Left::Done
        }
        // It has come back by a claim whose answer was lost.
        Taken::Theirs(by) if by.owner == hub.node => {
            let mut ledger = lock(&hub.books.ledger);
            let entry = ledger.entry(sid);
            (entry.owner, entry.token) = (by.owner, by.token);
            Left::Again
        }
        Taken::Theirs(rival) => {
            hub.metrics.shared_refused.add_one();
            leaving.done(sid);
            if !rival.owner.is_empty() {
                call.passes_to(Now::take(), &rival.owner);
            }
            {
                let mut ledger = lock(&hub.books.ledger);
                let entry = ledger.entry(sid);
                entry.owned(0, &rival);
                entry.published = None;
            }
            hub.books.lefts.leave(hub, sid, token, told);
            Left::Read
        }
        Taken::Behind => {
            lock(&hub.books.ledger).entry(sid).lost = true;
            leaving.redis_has_less(&hub.node, sid, call);
            Left::Again
        }
        Taken::Erased => {
            leaving.done(sid);
            lock(&hub.books.ledger).entry(sid).erased = true;
            hub.registry.erased_elsewhere(Now::take(), sid);
            Left::Done
        }
    }
}

impl Sharing {
    /// Whether there is another relay to which listeners may go, and calls.
    pub fn has_heirs(&self) -> bool {
        self.hub.has_heirs()
    }

    /// No call is taken any more, and those whose stream is lost are let go of at once, until this is dropped: others may
    /// ask for it again. For a relay that has heirs.
    pub async fn leave_lost(&self) {
        let hub = &self.hub;
        hub.releases();
        loop {
            // Those that were there may leave before this one does.
            while !hub.has_heirs() {
                sleep(LOOK).await;
            }
            let lost: Vec<CallSid> = hub.registry.losses().await.into_iter().collect();
            // Others have to ask for it before Twilio's patience is over.
            if timeout(TOLD, hub.leave(&lost)).await.is_err() {
                warn!("calls whose stream was lost could not be left to other relays yet");
            }
        }
    }

    /// Lets go of every call of this relay, once all that happened to them is told, and says goodbye. It goes on hearing
    /// what others say of them.
    pub async fn release(&self) {
        let hub = &self.hub;
        if !hub.broker.is_up() {
            return;
        }
        hub.releases();
        hub.books.leaving.all.store(true, Relaxed);
        let ours = hub.ours();
        match timeout(TOLD, hub.leave(&ours)).await {
            Ok(()) if ours.is_empty() => {}
            Ok(()) => info!(calls = ours.len(), "calls are left to other relays"),
            Err(_) => warn!("calls could not be left to other relays in time: they wait for the lease"),
        }
        hub.says_goodbye();
        if let Err(failed) = hub.goodbye().await {
            warn!(%failed, "other relays could not be told that this one is gone");
        } else if hub.has_heirs() {
            let _ = timeout(TAKEN, hub.taken()).await;
        }
    }

    /// Ends when others have been told all that was said here of their calls.
    pub async fn handed_over(&self) {
        while self.hub.broker.is_up() && !self.hub.is_handed_over() {
            sleep(CLOSE_LOOK).await;
        }
    }
}

impl Hub {
    pub(super) fn has_heirs(&self) -> bool {
        self.broker.is_up() && self.peers().iter().any(|peer| !peer.draining)
    }

    /// Has each told to its last word and let go of; ends when that is done.
    async fn leave(&self, calls: &[CallSid]) {
        self.books.leaving.add(calls);
        for sid in calls {
            self.registry.feed().mark(sid);
        }
        self.flush().await;
    }

    /// Ends when all that has changed up to here is told.
    pub(super) async fn flush(&self) {
        let mut flush = self.books.flush.subscribe();
        self.books.flush.send_modify(|flush| flush.wanted += 1);
        let wanted = flush.borrow_and_update().wanted;
        let _ = flush.wait_for(|flush| flush.done >= wanted).await;
    }

    /// What goes on, and is this relay's, or is about to be.
    fn ours(&self) -> Vec<CallSid> {
        let all = self.registry.all_held().into_iter();
        let ours = all.filter(|(call, held)| !matches!(held, Held::Theirs(_)) && call.ended().is_none());
        ours.map(|(call, _)| call.sid().clone()).collect()
    }

    /// Ends when others have all calls that go on, and what was said of them here.
    async fn taken(&self) {
        let nobodys = |sid: &CallSid| !matches!(self.owner_of(sid), Owner::Theirs(_));
        let left = || {
            let mut all = self.registry.all_held().into_iter();
            all.any(|(call, _)| call.ended().is_none() && nobodys(call.sid()))
        };
        while left() || !self.is_handed_over() {
            sleep(CLOSE_LOOK).await;
        }
    }

    /// Whether others have all that was said here of calls of theirs.
    fn is_handed_over(&self) -> bool {
        self.registry.feed().is_idle() && self.books.lefts.is_empty()
    }
}
