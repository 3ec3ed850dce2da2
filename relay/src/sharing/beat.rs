//! Tells Redis that this relay is there, and learns who else is, and how far changes are.

use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use super::hub::{Hub, Position};
use super::peers::{BEAT, Peer};
use super::refusals::What;
use crate::lock::lock;
use crate::stop::Stop;

/// Beats until it is dropped.
pub(super) async fn keep(hub: Hub, since_ms: i64, stop: Stop) {
    let mut link = hub.broker.link();
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut drains = false;
    loop {
        tokio::select! {
            _ = beats.tick() => {}
            changed = link.changed() => if changed.is_err() { return },
            () = stop.draining(), if !drains => drains = true,
        }
        let generation = {
            let link = link.borrow_and_update();
            link.up.then_some(link.generation)
        };
        let (Some(generation), false) = (generation, hub.has_said_goodbye()) else {
            continue;
        };
        // In case there is none: a Redis that lost its own is another.
        let epoch = format!("{:016x}", rand::random::<u64>());
        // What Redis says is as old as the answer may be.
        let now = Instant::now();
        let beat = hub.beat(since_ms, stop.is_draining(), &epoch).await;
        hub.books.refusals.came(What::Beat, beat.as_ref().map(drop));
        let Ok(beat) = beat else {
            continue;
        };
        let peers = beat.nodes.into_iter().map(|(node, age, version, draining)| Peer {
            node,
            // A machine that has run for less than that counts from its start.
            seen: now.checked_sub(age.min(Duration::from_secs(3600))).unwrap_or(now),
            version,
            draining,
        });
        let position = Position {
            epoch: beat.epoch.into(),
            version: beat.version,
            generation,
        };
        let before = hub.books.position.borrow().clone();
        let anew = !before.epoch.is_empty() && before.epoch != position.epoch;
        {
            let mut known = lock(&hub.books.peers);
            let others = known.others(now).len();
            if anew {
                known.begin_anew();
            }
            known.on_beat(now, peers.collect());
            let now_others = known.others(now).len();
            if now_others != others {
                info!(relays = now_others + 1, "relays share calls");
            }
        }
        if anew {
            warn!("Redis has lost what it knew: it is told all calls of this relay again");
        }
        hub.books.position.send_replace(position);
    }
}
