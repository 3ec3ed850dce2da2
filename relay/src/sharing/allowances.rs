//! What each token, caller and address was granted, told to all relays every second, so that nobody has more by going from
//! one to the next. Nothing is queued: what could not be told is one relay's alone.

use std::sync::Arc;
use std::time::Instant;

use tokio::time::{MissedTickBehavior, interval};

use super::letter::Word;
use super::peers::BEAT;
use super::{Hears, Hub};
use crate::limits::Limits;
use crate::limits::elsewhere::Told;

/// The room.
#[derive(Debug)]
pub struct Allowances {
    hub: Hub,
    limits: Arc<Limits>,
}

impl Allowances {
    /// Tells of these, and hears of others'.
    pub fn new(hub: Hub, limits: Arc<Limits>) -> Allowances {
        Allowances { hub, limits }
    }

    /// Tells for as long as this runs; ended by who started it.
    pub async fn tell(&self) {
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told_sockets = false;
        loop {
            beats.tick().await;
            if !self.hub.broker.is_up() {
                continue;
            }
            let told = self.limits.to_tell();
            // Once more when there are none, so that those that were are forgotten.
            let sockets = !told.sockets.is_empty();
            if told == Told::default() && !told_sockets {
                continue;
            }
            told_sockets = sockets;
            // Where it does not arrive the broker has counted it.
            let _ = self.hub.say_to_all(Word::Granted { told }).await;
        }
    }
}

impl Hears for Allowances {
    fn hear(&self, from: &str, word: Word) -> Option<Word> {
        match word {
            Word::Granted { told } => {
                self.limits.told_elsewhere(Instant::now(), from, &told);
                None
            }
            other => Some(other),
        }
    }
}
