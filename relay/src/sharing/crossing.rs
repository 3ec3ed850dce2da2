//! Audio between relays: frames of a call cross Redis only while somebody elsewhere listens to it. Who has the call is
//! told who hears it; frames that are ready together leave in one message, unchanged; what is lost on the way is told to
//! who listens as `relay_link`. Whoever reads media here never waits: its frames go into a mailbox, and if Redis is slow
//! they grow old there and are let go.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `codec` | a message as bytes (pure) |
//! | `wishes` | what is to be heard here, said to whoever has it |
//! | `book` | who hears what of ours |
//! | `outgoing` | what waits to be sent to one relay (pure) |
//! | `carrier` | sends it |
//! | `line` | one call as it comes: order, and what is missing (pure) |
//! | `arrivals` | what has come, to the calls |
//! | `levels` | how loud calls are, where they are not heard |

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::AbortOnDropHandle;

use super::letter::Word;
use super::{Hears, Hub, Sharing};
use crate::calls::call::Wants;
use crate::clock::Now;
use crate::lock::lock;
use crate::stop::Stop;

mod arrivals;
mod book;
mod carrier;
mod codec;
mod levels;
mod line;
mod outgoing;
mod wishes;

use arrivals::Arrivals;
use book::Ear;

/// How often it is looked who has fallen silent: a sixth of the time that makes silence.
const LOOK: Duration = Duration::from_secs(1);

/// Relays that hear calls of ours, at most: far more than share a Redis. Names beyond those are no relays'.
const MOST_EARS: usize = 64;

/// A relay that hears calls of ours, and the task that brings them there.
type Carried = (Arc<Ear>, AbortOnDropHandle<()>);

/// Audio between this relay and others.
pub struct Crossing {
    hub: Hub,
    /// Relays that hear calls of ours, and what brings it to them.
    ears: Mutex<HashMap<Arc<str>, Carried>>,
    /// Told when one of them begins to look at levels.
    watched: Notify,
    arrivals: Mutex<Arrivals>,
}

impl Crossing {
    /// Nobody is told anything before [`Crossing::run`].
    pub fn new(hub: Hub) -> Arc<Crossing> {
        Arc::new(Crossing {
            hub,
            ears: Mutex::default(),
            watched: Notify::new(),
            arrivals: Mutex::default(),
        })
    }

    /// The same, told what others say and send.
    pub fn among(sharing: &Sharing) -> Arc<Crossing> {
        let crossing = Crossing::new(sharing.hub().clone());
        sharing.admit(crossing.clone());
        let hears = crossing.clone();
        sharing.hear_audio_by(Arc::new(move |payload| hears.hear_audio(payload)));
        crossing
    }

    /// Says what is wanted here, and sends what is wanted elsewhere, until `stop`.
    pub async fn run(self: Arc<Self>, stop: Stop) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.say_wishes() => {}
            () = self.tell_levels() => {}
            () = self.forget_silent() => {}
        }
        lock(&self.ears).clear();
    }

    /// A message came on this relay's channel of audio.
    pub fn hear_audio(&self, payload: &[u8]) {
        lock(&self.arrivals).take(&self.hub, payload);
    }

    fn all_ears(&self) -> Vec<Arc<Ear>> {
        lock(&self.ears).values().map(|(ear, _)| ear.clone()).collect()
    }

    async fn forget_silent(&self) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            let now = Now::take();
            lock(&self.ears).retain(|node, (ear, _)| {
                if self.hub.is_gone(node) {
                    ear.part(now, &self.hub.registry);
                    return false;
                }
                ear.on_deadline(now, &self.hub.registry)
            });
        }
    }
}

impl Hears for Crossing {
    fn hear(&self, from: &str, word: Word) -> Option<Word> {
        let Word::Ears { calls, levels_hz } = word else {
            return Some(word);
        };
        let now = Now::take();
        let calls: Vec<_> = calls
            .into_iter()
            .map(|(sid, listeners, hearing, replay_ms)| {
                let wants = Wants {
                    listeners,
                    hearing,
                    replay_ms,
                };
                (sid, wants)
            })
            .collect();
        let mut ears = lock(&self.ears);
        if ears.len() >= MOST_EARS && !ears.contains_key(from) {
            self.hub.metrics.letters_lost.add_one();
            return None;
        }
        let (ear, _) = ears.entry(from.into()).or_insert_with_key(|node| {
            let ear = Arc::new(Ear::new(node));
            let carry = tokio::spawn(carrier::carry(self.hub.clone(), ear.clone()));
            (ear, AbortOnDropHandle::new(carry))
        });
        ear.hears(now, &self.hub.registry, &calls);
        ear.watches(now.mono, levels_hz);
        drop(ears);
        if levels_hz > 0.0 {
            self.watched.notify_one();
        }
        None
    }
}

#[cfg(test)]
mod tests;
