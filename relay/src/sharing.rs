//! Keeps the calls of several relays in step over Redis. Knows calls and the broker; no door. Nothing here is waited for
//! by who reads media, answers Twilio or serves a listener.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`hub`] | what all that is shared has around it, and what may be asked of it |
//! | [`crossing`] | audio of calls that somebody listens to elsewhere |
//! | [`letter`] | what one relay says to another, or to all |
//! | [`post`] | what is done to calls that other relays have, brought there |
//! | [`asks`] | what scripts ask of such calls |
//! | [`peers`] | which relays there are, and which are gone (pure) |
//! | [`allowances`] | limits that hold among all relays |
//! | [`standing`] | whether this relay knows what the others know |
//! | `ledger` | what is known in Redis of each call: who owns it, what was told |
//! | `store` | what is asked of Redis: the scripts, in types |
//! | `inbox` | what comes on channels, to the rooms that it is for |
//! | `beat` | that this relay is there |
//! | `publish`, `follow` | what is told of this relay's calls · what is taken of others' |
//! | `take` | a call of theirs that a stream came to |
//! | [`claims`], `lefts` | who owns a call that two hold for theirs · what the one leaves to the other |
//! | `heirs`, `leave` | calls of relays that are gone · a relay that goes |
//! | [`status`] | how it is, for people |
//! | [`rails`] | calls of ours, published as Rails' Action Cable would |

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::broker::{Broker, Settings, Subscription, Unusable};
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::stop::Stop;

pub mod allowances;
pub mod asks;
mod beat;
pub mod claims;
pub mod crossing;
mod follow;
mod heirs;
pub mod hub;
mod inbox;
mod leave;
mod ledger;
mod lefts;
pub mod letter;
pub mod peers;
pub mod post;
mod publish;
pub mod rails;
mod refusals;
pub mod standing;
pub mod status;
mod store;
mod take;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;

pub use claims::Claimed;
pub use hub::{Hub, Owner};
use letter::Word;
pub use peers::Peer;
pub use status::Status;

/// A room that is told what other relays say. Called in one task, one word after the other: it must not wait.
pub trait Hears: Send + Sync {
    /// Takes a word that is for it, which the relay `from` said, and gives any other back.
    fn hear(&self, from: &str, word: Word) -> Option<Word>;
}

/// Is told what comes on this relay's channel of audio, in the task that reads the connection: it must not wait.
pub type HearAudio = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// So long a relay that starts waits for Redis before it takes work without.
pub const ALONE: Duration = Duration::from_secs(5);
/// How often it is looked whether that is over.
const LOOK: Duration = Duration::from_millis(250);

/// The relay among others.
pub struct Sharing {
    hub: Hub,
    began: Instant,
    rooms: Mutex<Rooms>,
}

/// Who is told what, until it runs.
#[derive(Default)]
struct Rooms {
    hears: Vec<Arc<dyn Hears>>,
    audio: Option<HearAudio>,
}

impl Sharing {
    /// Nothing is connected before [`Sharing::run`]; what happens to calls from here on is told then.
    ///
    /// # Errors
    /// [`Unusable`].
    pub fn new(
        settings: Settings,
        registry: Arc<Registry>,
        metrics: Arc<Metrics>,
    ) -> Result<Sharing, Unusable> {
        let broker = Broker::new(settings, metrics.clone())?;
        registry.feed().turn_on();
        Ok(Sharing {
            hub: Hub::new(broker, registry, metrics),
            began: Instant::now(),
            rooms: Mutex::default(),
        })
    }

    /// What all that is shared has around it.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// This room is told what other relays say, from the moment that this runs.
    pub fn admit(&self, room: Arc<dyn Hears>) {
        lock(&self.rooms).hears.push(room);
    }

    /// This is told the audio of other relays, from the moment that this runs.
    pub fn hear_audio_by(&self, hear: HearAudio) {
        lock(&self.rooms).audio = Some(hear);
    }

    /// Keeps calls in step until `stop`. Called once.
    pub async fn run(self: Arc<Self>, stop: Stop) {
        let Rooms { hears, audio } = std::mem::take(&mut *lock(&self.rooms));
        let (inbox, changes, words) = inbox::open(&self.hub);
        let mut subscriptions = inbox.subscriptions(&self.hub.node);
        if let Some(audio) = audio {
            subscriptions.push(Subscription {
                channels: vec![format!("audio:{}", self.hub.node)],
                hear: Arc::new(move |_, payload| audio(payload)),
                own_connection: true,
            });
        }
        let hub = &self.hub;
        let mut rooms = vec![Arc::new(lefts::Heirs(hub.clone())) as Arc<dyn Hears>];
        rooms.extend(hears);
        let since_ms = Now::take().wall.unix_ms();
        let mut tasks = JoinSet::new();
        tasks.spawn(inbox::dispatch(words, rooms));
        tasks.spawn(beat::keep(hub.clone(), since_ms, stop.clone()));
        tasks.spawn(follow::keep(hub.clone(), changes));
        tasks.spawn(publish::keep(hub.clone()));
        tasks.spawn(lefts::keep(hub.clone()));
        tasks.spawn(heirs::keep(hub.clone()));
        // It ends with the link, which `stop` ends.
        hub.broker.run(subscriptions, stop).await;
        tasks.shutdown().await;
    }

    /// Whether all that Redis knows was read once; or there was no Redis for [`ALONE`], and this relay begins without.
    pub fn is_synced(&self) -> bool {
        *self.hub.books.synced.borrow() || self.began.elapsed() >= ALONE && !self.hub.broker.is_up()
    }

    /// Ends when that is so.
    pub async fn synced(&self) {
        let mut synced = self.hub.books.synced.subscribe();
        while !self.is_synced() {
            // It may also be so by time alone.
            let _ = timeout(LOOK, synced.wait_for(|synced| *synced)).await;
        }
    }
}
