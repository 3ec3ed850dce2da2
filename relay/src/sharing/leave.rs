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
use super::store::{Rival, Taken};
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

/// The same once more when the last connection has ended: some ms where there is another relay.
const HANDED: Duration = Duration::from_secs(1);
/// So long the last word of what is left then may take.
const LAST_TOLD: Duration = Duration::from_secs(2);
/// How often it is looked whether others have taken what they were left: it takes them a few ms.
const CLOSE_LOOK: Duration = Duration::from_millis(20);
/// How often it is looked whether there is another relay by now.
const LOOK: Duration = Duration::from_millis(250);

/// Calls that this relay lets go of, until that is told.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    /// With what was numbered here last, once nothing more is.
    calls: Mutex<HashMap<CallSid, Option<Word>>>,
    /// Whatever goes on here, and comes to, while there is who may have it.
    all: AtomicBool,
    /// The same, and nobody says anything here any more.
    last: AtomicBool,
}

/// A last word.
#[derive(Debug)]
struct Word {
    told: Box<Told>,
    /// How often it was sent.
    sent: u32,
}

impl Leaving {
    fn add(&self, calls: &[CallSid]) {
        let mut leaving = lock(&self.calls);
        for sid in calls {
            leaving.entry(sid.clone()).or_default();
        }
    }

    /// Whether nothing more is said here, and nothing taken.
    pub(super) fn is_last(&self) -> bool {
        self.last.load(Relaxed)
    }

    /// This relay's last word of a call that it lets go of, as Redis is told it: from the first time on that it is asked
    /// for nothing gets a number here. `None` where it is not let go of; what is over is not.
    pub(super) fn last_word(
        &self,
        hub: &Hub,
        sid: &CallSid,
        call: &Call,
        untold: impl FnOnce(&str) -> Cursor,
    ) -> Option<Told> {
        let mut calls = lock(&self.calls);
        if call.is_ours() {
            // Where there is nobody who may have it, it comes back for the next word that is said of it.
            let all = (self.all.load(Relaxed) && hub.has_heirs()) || self.is_last();
            if call.ended().is_some() || !(all || calls.contains_key(sid)) {
                calls.remove(sid);
                return None;
            }
            let told = Box::new(call.give_up(Now::take(), &hub.node, untold)?);
            calls.insert(sid.clone(), Some(Word { told, sent: 0 }));
        }
        let word = calls.get_mut(sid)?.as_mut()?;
        word.sent += 1;
        Some((*word.told).clone())
    }

    /// Redis has less of it than it was thought to have; whether all of it can still be told.
    fn redis_has_less(&self, node: &str, sid: &CallSid, call: &Call) -> bool {
        let told = call.told_since_left(node);
        if let (Some(told), Some(Some(word))) = (told, lock(&self.calls).get_mut(sid)) {
            *word.told = told;
            return true;
        }
        false
    }

    /// It is told, or there is nothing to tell; how often it was sent.
    pub(super) fn done(&self, sid: &CallSid) -> Option<u32> {
        lock(&self.calls).remove(sid)?.map(|word| word.sent)
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
        // It has come back by a claim whose answer was lost.
        Taken::Theirs(by) if by.owner == hub.node => {
            let mut ledger = lock(&hub.books.ledger);
            let entry = ledger.entry(sid);
            (entry.owner, entry.token) = (by.owner, by.token);
            Left::Again
        }
        Taken::Theirs(rival) => {
            let sent = leaving.done(sid);
            // It was told, and the answer lost; or that was heard of meanwhile.
            if sent.is_none()
                || (rival.owner.is_empty() && (rival.token == token || (token == 0 && sent > Some(1))))
            {
                return Left::Done;
            }
            hub.metrics.shared_refused.add_one();
            is_of(hub, sid, call, &rival, told);
            Left::Read
        }
        Taken::Behind => {
            lock(&hub.books.ledger).entry(sid).lost = true;
            if leaving.redis_has_less(&hub.node, sid, call) {
                return Left::Again;
            }
            // Whoever has it by now tells all of it.
            if leaving.done(sid).is_some() {
                hub.books.lefts.leave(hub, sid, token, told);
            }
            Left::Read
        }
        Taken::Erased => {
            leaving.done(sid);
            lock(&hub.books.ledger).entry(sid).erased = true;
            hub.registry.erased_elsewhere(Now::take(), sid);
            Left::Done
        }
    }
}

/// Another has it, and is told what nobody else has heard of.
fn is_of(hub: &Hub, sid: &CallSid, call: &Call, rival: &Rival, told: Told) {
    if !rival.owner.is_empty() {
        call.passes_to(Now::take(), &rival.owner);
    }
    {
        let mut ledger = lock(&hub.books.ledger);
        let entry = ledger.entry(sid);
        entry.owned(0, rival);
        entry.published = None;
    }
    hub.books.lefts.leave(hub, sid, rival.token, told);
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
            let lost: Vec<CallSid> = hub.registry.losses().await.into_iter().collect();
            // Those that were there may have left before this one does.
            while !hub.has_heirs() {
                sleep(LOOK).await;
            }
            // Others have to ask for it before Twilio's patience is over.
            if timeout(TOLD, hub.leave(&lost)).await.is_err() {
                warn!("calls whose stream was lost could not be left to other relays yet");
            }
        }
    }

    /// Lets go of every call of this relay that goes on, where another may have it, and waits until that one has: what is
    /// said of it here meanwhile is handed on. What others say goes on being heard, until [`Sharing::end`].
    pub async fn release(&self) {
        let hub = &self.hub;
        hub.releases();
        if !hub.has_heirs() {
            return;
        }
        hub.books.leaving.all.store(true, Relaxed);
        let ours = hub.ours();
        match timeout(TOLD, hub.leave(&ours)).await {
            Ok(()) if ours.is_empty() => {}
            Ok(()) => info!(calls = ours.len(), "calls are left to other relays"),
            Err(_) => warn!("calls could not be left to other relays yet"),
        }
        let _ = timeout(TAKEN, hub.taken()).await;
    }

    /// Nobody says anything here any more: what was said last is handed over, what this relay still has is let go of, and
    /// it says goodbye.
    pub async fn end(&self) {
        let hub = &self.hub;
        let _ = timeout(HANDED, hub.handed_over()).await;
        hub.releases();
        hub.books.leaving.last.store(true, Relaxed);
        // A link that is down may be back by then.
        if timeout(LAST_TOLD, hub.leave(&hub.ours())).await.is_err() {
            warn!("calls could not be left to other relays in time: they wait for the lease");
        }
        // What was refused there is said to who has the call.
        let _ = timeout(HANDED, hub.handed_over()).await;
        hub.says_goodbye();
        if let Err(failed) = hub.goodbye().await {
            warn!(%failed, "other relays could not be told that this one is gone");
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

    /// Ends when others have all calls that go on, and what was said of them here; or there are no others.
    async fn taken(&self) {
        let nobodys = |sid: &CallSid| !matches!(self.owner_of(sid), Owner::Theirs(_));
        let left = || {
            let mut all = self.registry.all_held().into_iter();
            all.any(|(call, _)| call.ended().is_none() && nobodys(call.sid()))
        };
        while self.has_heirs() && (left() || !self.is_handed_over()) {
            sleep(CLOSE_LOOK).await;
        }
    }

    /// Ends when others have been told all that was said here of their calls: also those that leave as this one does.
    async fn handed_over(&self) {
        while self.broker.is_up() && !self.is_handed_over() {
            sleep(CLOSE_LOOK).await;
        }
    }

    /// Whether others have all that was said here of calls of theirs.
    fn is_handed_over(&self) -> bool {
        self.registry.feed().is_idle() && self.books.lefts.is_empty()
    }
}
