//! A relay that drains lets go of its calls, so that others have them before a lease is over.

use std::time::Duration;

use partyline_shared::id::CallSid;
use tokio::time::timeout;
use tracing::{info, warn};

use super::Sharing;
use super::hub::Hub;
use crate::broker::Failed;
use crate::calls::call::Held;

/// So long what happened last may take to be told, and the same again to let go.
const TOLD: Duration = Duration::from_secs(2);
/// So long others may take to have taken what was let go of: what Twilio says meanwhile is still taken here, and handed
/// on to them.
const TAKEN: Duration = Duration::from_secs(2);
/// Calls let go of together.
const BATCH: usize = 256;

impl Sharing {
    /// Whether there is another relay to which listeners may go, and calls.
    pub fn has_heirs(&self) -> bool {
        let hub = &self.hub;
        hub.broker.is_up() && hub.peers().iter().any(|peer| !peer.draining)
    }

    /// No call is taken any more, and those whose stream is lost are let go of at once, until this is dropped: others may
    /// ask for it again. For a relay that has heirs.
    pub async fn leave_lost(&self) {
        let hub = &self.hub;
        hub.releases();
        loop {
            let lost: Vec<CallSid> = hub.registry.losses().await.into_iter().collect();
            // Others have to ask for it before Twilio's patience is over, whatever is not told by then.
            let _ = timeout(TOLD, hub.flush()).await;
            for batch in lost.chunks(BATCH) {
                if let Err(failed) = hub.let_go(batch).await {
                    warn!(%failed, "calls whose stream was lost could not be left to other relays yet");
                }
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
        if timeout(TOLD, hub.flush()).await.is_err() {
            warn!("not all that happened to calls could be told before they are let go of");
        }
        hub.releases();
        match timeout(TOLD, hub.release_all()).await {
            Ok(Ok(calls)) if calls > 0 => {
                info!(calls, "calls are left to other relays");
                let _ = timeout(TAKEN, hub.taken()).await;
            }
            Ok(Ok(_)) => {}
            Ok(Err(failed)) => {
                warn!(%failed, "calls could not be left to other relays: they wait for the lease")
            }
            Err(_) => warn!("calls could not be left to other relays in time: they wait for the lease"),
        }
    }
}

impl Hub {
    async fn release_all(&self) -> Result<u64, Failed> {
        let ours = self.ours();
        let mut calls = 0;
        for batch in ours.chunks(BATCH) {
            calls += self.let_go(batch).await?;
        }
        self.says_goodbye();
        self.goodbye().await?;
        Ok(calls)
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

    /// Ends when others have all calls that go on.
    async fn taken(&self) {
        let left = || {
            let mut all = self.registry.all_held().into_iter();
            all.any(|(call, held)| held == Held::Ours && call.ended().is_none())
        };
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        while left() {
            looks.tick().await;
        }
    }
}
