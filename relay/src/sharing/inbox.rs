//! What comes on channels: put into bounded queues by the task that reads the connection, and taken by one task each for
//! changes of calls and for what relays say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::letter::Letter;
use super::{Hears, Hub};
use crate::broker::{Hear, Subscription};
use crate::metrics::Metrics;

/// Messages that wait to be taken, some 2 KB each: what a hundred busy calls say in ten seconds.
const QUEUE: usize = 4_096;

/// Where messages are put.
pub(super) struct Inbox {
    changes: Sender<Box<[u8]>>,
    letters: Sender<Letter>,
    missed: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
    node: Arc<str>,
}

/// Where changes are taken.
pub(super) struct Changes {
    pub(super) queue: Receiver<Box<[u8]>>,
    /// Some found no room: what was missed is to be read.
    pub(super) missed: Arc<AtomicBool>,
}

/// A pair of queues, and how they are filled.
pub(super) fn open(hub: &Hub) -> (Inbox, Changes, Receiver<Letter>) {
    let (changes, queue) = channel(QUEUE);
    let (letters, words) = channel(QUEUE);
    let missed = Arc::<AtomicBool>::default();
    let inbox = Inbox {
        changes,
        letters,
        missed: missed.clone(),
        metrics: hub.metrics.clone(),
        node: hub.node.clone(),
    };
    (inbox, Changes { queue, missed }, words)
}

impl Inbox {
    /// What is to be subscribed to, all on one connection.
    pub(super) fn subscriptions(self, node: &str) -> Vec<Subscription> {
        let inbox = Arc::new(self);
        let (words, own) = (inbox.clone(), format!("to:{node}"));
        let change: Hear = Arc::new(move |_, payload| inbox.change(payload));
        let letter: Hear = Arc::new(move |_, payload| words.letter(payload));
        let on = |channels: Vec<String>, hear: Hear| Subscription {
            channels,
            hear,
            own_connection: false,
        };
        vec![
            on(vec!["changes".to_owned()], change),
            on(vec!["all".to_owned(), own], letter),
        ]
    }

    fn change(&self, payload: &[u8]) {
        if self.changes.try_send(payload.into()).is_err() {
            self.missed.store(true, Relaxed);
            self.metrics.shared_missed.add_one();
        }
    }

    /// What is none, or of a later version, is passed over.
    fn letter(&self, payload: &[u8]) {
        let Ok(letter) = serde_json::from_slice::<Letter>(payload) else {
            self.metrics.letters_bad.add_one();
            return;
        };
        if letter.from != *self.node && self.letters.try_send(letter).is_err() {
            self.metrics.letters_lost.add_one();
        }
    }
}

/// Hands each word to the room that it is for.
pub(super) async fn dispatch(mut words: Receiver<Letter>, rooms: Vec<Arc<dyn Hears>>) {
    while let Some(Letter { from, word }) = words.recv().await {
        let mut word = Some(word);
        for room in &rooms {
            let Some(left) = word.take() else { break };
            word = room.hear(&from, left);
        }
    }
}
