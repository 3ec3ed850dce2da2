//! Looks how full the memory is, and does without what can be done without. Calls are not among that.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::limits::memory::{Pressure, share};
use crate::route::Relay;

/// How often it is looked: in a second all listeners that may connect take less than what is kept back.
const LOOK: Duration = Duration::from_secs(1);

/// Looks until the relay is told to stop.
pub(super) async fn keep(relay: Arc<Relay>) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pressure = Pressure::None;
    while relay.stop.run_until_cancelled(looks.tick()).await.is_some() {
        let Some(share) = share() else { return };
        let next = pressure.next(share);
        if next != pressure {
            act(&relay, pressure, next, share);
            pressure = next;
        }
    }
}

fn act(relay: &Relay, before: Pressure, now: Pressure, share: f64) {
    relay.limits.memory.set(now);
    let percent = (share * 100.0).round();
    match now {
        Pressure::None => {
            // Calls that let go of theirs remember none until they end.
            relay.registry.remember(relay.config.load().history);
            info!(percent, "memory is no longer short");
        }
        Pressure::NoHistory => warn!(percent, "memory is short: calls remember no audio"),
        Pressure::NoListeners => warn!(percent, "memory is very short: nobody new may listen"),
    }
    if before == Pressure::None {
        relay.registry.remember_no_audio();
    }
}
