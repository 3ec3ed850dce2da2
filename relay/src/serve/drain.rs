//! The way out. From the word to drain on nobody new comes in; live streams go on until they end, or until
//! --drain-timeout is over, and the listeners stay with them; where another relay shares the calls they leave for that
//! one, one after the other, and what is left of the calls goes there in the end. Then everybody is told to leave. Sees
//! nobody out itself.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tracing::{info, warn};

use super::tells::status;
use crate::notify;
use crate::route::Relay;
use crate::shards::Streams;
use crate::stop::LEAVE_OVER;

/// After the last stream's end its call's last callbacks and lines may come for so long: Twilio posts them as the
/// stream ends, and listeners are still there to read them.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How often it is told who is left.
const TOLD: Duration = Duration::from_secs(10);

/// What the service manager is asked for at each of these times: more than until the next.
const MORE: Duration = Duration::from_secs(30);

/// How long streams that are ended may take to tell their calls: that is one turn of their loops.
const TOLD_OFF: Duration = Duration::from_secs(1);

/// Waits for the word to drain, and says the word to leave when it is time.
pub(super) async fn lead_out(relay: Arc<Relay>, streams: Streams) {
    relay.stop.draining().await;
    notify::stopping();
    if !relay.stop.is_cancelled() {
        let led_out = async {
            streams_end(&relay, &streams).await;
            if let Some(sharing) = &relay.sharing {
                sharing.release().await;
            }
        };
        relay.stop.run_until_cancelled(led_out).await;
        relay.stop.cancel();
    }
}

/// Ends when there is nothing more to wait for.
async fn streams_end(relay: &Relay, all: &Streams) {
    relay.streams.close();
    let (streams, listeners) = (relay.streams.len(), relay.metrics.listeners.get());
    let shared = relay.sharing.as_ref().is_some_and(|sharing| sharing.has_heirs());
    if streams == 0 {
        info!("drained: there is no live stream");
        return;
    }
    if shared {
        info!(
            listeners,
            over_s = LEAVE_OVER.as_secs(),
            "listeners leave one after the other: another relay has these calls as well"
        );
        relay.stop.leave_listeners();
    }
    let limit = relay.config.load().drain_timeout;
    info!(
        streams,
        listeners,
        at_most_s = limit.as_secs(),
        "draining: live streams go on, new streams and listeners are refused"
    );
    tokio::select! {
        biased;
        () = relay.streams.wait() => {
            info!("drained: the last live stream has ended");
            sleep(LAST_WORDS).await;
        }
        () = sleep(limit) => {
            warn!(streams = relay.streams.len(), "--drain-timeout is over: live streams are ended");
            all.leave();
            relay.sources.leave();
            // Before the listeners leave, who are to know that they hear nothing any more, and why.
            let _ = timeout(TOLD_OFF, relay.streams.wait()).await;
        }
        () = tell(relay) => {}
        () = leave_lost(relay, shared) => {}
    }
}

/// Has others ask for streams that are lost, where there are any; does not end.
async fn leave_lost(relay: &Relay, shared: bool) {
    match &relay.sharing {
        Some(sharing) if shared => sharing.leave_lost().await,
        _ => std::future::pending().await,
    }
}

/// Tells who is left, now and then, and that it takes longer; does not end.
async fn tell(relay: &Relay) {
    let mut ticks = interval(TOLD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // That is told already.
    ticks.tick().await;
    loop {
        notify::extend(MORE);
        notify::status(&status(relay));
        ticks.tick().await;
        let (streams, listeners) = (relay.streams.len(), relay.metrics.listeners.get());
        info!(streams, listeners, "draining");
    }
}
