//! What the service manager is told while the relay serves, where there is one: how it is, and that it lives.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::error;

use crate::notify;
use crate::route::Relay;
use crate::shards::Pulse;

/// How often it is looked whether there is something to tell: `systemctl status` is read by people.
const LOOK: Duration = Duration::from_secs(5);

/// Keeps the line that `systemctl status` shows.
pub(super) async fn keep_status(relay: Arc<Relay>) {
    if !notify::is_heard() {
        return;
    }
    let mut told = String::new();
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while relay.stop.run_until_cancelled(looks.tick()).await.is_some() {
        let now = status(&relay);
        if now != told {
            notify::status(&now);
            told = now;
        }
    }
}

/// That line: how many streams and listeners there are.
pub(super) fn status(relay: &Relay) -> String {
    let (streams, listeners) = (relay.streams.len(), relay.metrics.listeners.get());
    let draining = if relay.stop.is_draining() {
        "draining; "
    } else {
        ""
    };
    format!("{draining}streams: {streams}, listeners: {listeners}")
}

/// Tells the watchdog that the relay lives, as long as every loop answers. Runs on the loop of `serve` itself, which
/// has to turn for it as well.
pub(super) async fn keep_alive(mut pulse: Pulse) {
    let Some(within) = notify::watchdog() else {
        return;
    };
    // Half of it, as the manual asks.
    let pace = within / 2;
    let mut beats = interval(pace);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        match timeout(pace, pulse.beat()).await {
            Ok(true) => notify::alive(),
            Ok(false) => return,
            Err(_) => error!(
                ?pace,
                "a loop of the relay does not answer: the watchdog is not told that it lives"
            ),
        }
    }
}
