//! What a relay does by itself while it serves: deadlines, pace, and looking after who may listen. What it does when
//! told is in `reload`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tracing::debug;

use crate::access::jwt::Jwt;
use crate::access::{Grant, News};
use crate::audit::{Audit, Entry, Event};
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::config::Coalesce;
use crate::load::Load;
use crate::pace::Pace;
use crate::route::Relay;
use crate::shards::Window;
use crate::sharing::standing;
use crate::stop::Stop;

/// How often it is looked at how busy the machine is: what comes between two looks fits into the kernel's
/// buffers.
const LOOK: Duration = Duration::from_secs(1);

/// Sets how long frames may wait for one another, by how busy the machine is.
pub(super) async fn keep_pace(relay: Arc<Relay>, window: Arc<Window>) {
    let mut pace = Pace::new(relay.config.load().coalesce);
    let mut load = Load::default();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while relay.stop.run_until_cancelled(looks.tick()).await.is_some() {
        let coalesce = relay.config.load().coalesce;
        pace.set(coalesce);
        let next = pace.window(if coalesce == Coalesce::Auto {
            load.look()
        } else {
            None
        });
        if next != window.get() {
            debug!(ms = next.as_millis(), "frames wait for one another for so long");
            window.set(next);
        }
    }
}

pub(super) async fn keep_time(registry: Arc<Registry>, stop: Stop) {
    while stop.run_until_cancelled(registry.next_look()).await.is_some() {
        registry.on_deadline(Now::take());
    }
}

/// Has every listener's rights looked at again whenever tokens or keys change, and puts changed tokens on record.
pub(super) async fn keep_grants(relay: Arc<Relay>) {
    let access = relay.doorman.access().clone();
    let mut changes = access.changes();
    let recheck = async {
        while changes.changed().await.is_ok() {
            relay.presence.recheck();
        }
    };
    let watch = access
        .clone()
        .watch(|news| on_record(relay.doorman.audit(), news));
    let both = async { tokio::join!(recheck, watch) };
    relay.stop.run_until_cancelled(both).await;
}

/// Brings to Redis what acted here, and has all relays count under the same names.
pub(super) async fn keep_commons(relay: Arc<Relay>) {
    let adopt = |key: [u8; 32]| {
        relay.limits.adopt(key);
        relay.twilio.adopt(&key);
    };
    relay.commons.keep(adopt).await;
}

/// Says how the relay stands with those that share its calls.
pub(super) async fn keep_standing(relay: Arc<Relay>) {
    if let (Some(sharing), Some(relays)) = (&relay.sharing, &relay.relays) {
        standing::keep(sharing.hub(), relays).await;
    }
}

/// Has every listener told when the relay stands otherwise with those that share its calls.
pub(super) async fn keep_relays(relay: Arc<Relay>) {
    let Some(mut relays) = relay.relays.as_ref().map(watch::Sender::subscribe) else {
        return;
    };
    let tell = async {
        while relays.changed().await.is_ok() {
            relay.presence.recheck();
        }
    };
    relay.stop.run_until_cancelled(tell).await;
}

/// What a re-reading of the tokens file came to.
pub(super) fn on_record(audit: &Audit, news: News) {
    let (event, grant): (Event, Grant) = match news {
        News::Added(grant) => (Event::TokenAdded, grant),
        News::Removed(grant) => (Event::TokenRemoved, grant),
        // Told by whoever looked.
        News::Kept(_) => return,
    };
    let entry = Entry::new(Now::take().wall, event);
    audit.tell(entry.by(grant.name(), grant.role(), grant.token_id()));
}

/// Looks for a login's new keys.
pub(super) async fn keep_keys(jwt: Arc<Jwt>, stop: Stop) {
    Box::pin(jwt.run(async move { stop.cancelled().await })).await;
}
