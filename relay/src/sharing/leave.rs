//! A relay that drains lets go of its calls, so that others have them before a lease is over. Each gets its last number here
//! before it is told for the last time, and is let go of then: whoever takes it goes on where that ended, and what is
//! said of it here from then on is handed over as any other relay's is.

use std::time::Duration;

use partyline_shared::id::CallSid;
use tokio::time::timeout;
use tracing::{info, warn};

use super::Sharing;
use super::hub::{Hub, Owner};
use crate::calls::call::Held;
use crate::lock::lock;

/// So long what happened last may take to be told, and let go of.
const TOLD: Duration = Duration::from_secs(4);
/// So long others may take to have taken what was let go of: what Twilio says meanwhile is still taken here, and handed
/// on to them.
const TAKEN: Duration = Duration::from_secs(2);

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
}

impl Hub {
    pub(super) fn has_heirs(&self) -> bool {
        self.broker.is_up() && self.peers().iter().any(|peer| !peer.draining)
    }

    /// Has each told to its last word and let go of; ends when that is done.
    async fn leave(&self, calls: &[CallSid]) {
        lock(&self.books.leaving).extend(calls.iter().cloned());
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

    fn ours(&self) -> Vec<CallSid> {
        let all = self.registry.all_held().into_iter();
        let ours = all.filter(|(_, held)| *held == Held::Ours);
        ours.map(|(call, _)| call.sid().clone()).collect()
    }

    /// Ends when others have all calls that go on, and what was said of them here.
    async fn taken(&self) {
        let left = || {
            let mut all = self.registry.all_held().into_iter();
            let nobodys = |sid: &CallSid| !matches!(self.owner_of(sid), Owner::Theirs(_));
            all.any(|(call, _)| call.ended().is_none() && nobodys(call.sid()))
                || !self.registry.feed().is_idle()
                || !self.books.lefts.is_empty()
        };
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        while left() {
            looks.tick().await;
        }
    }
}
