//! What is like Redis, for tests of what relays have in common: it can be slow, away, or emptied.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::super::Link;
use super::Commons;
use super::line::{Answers, Line, Word};
use crate::lock::lock;
use crate::metrics::Metrics;

#[derive(Debug)]
struct Inner {
    /// What stands where, and when that is over.
    keys: Mutex<HashMap<String, (String, Option<Instant>)>>,
    link: watch::Sender<Link>,
    slow: Mutex<Duration>,
    refuses: AtomicBool,
    /// How much later it is there than here.
    later: Mutex<Duration>,
}

/// Shared by the relays of one test.
#[derive(Debug, Clone)]
pub(crate) struct Stand(Arc<Inner>);

impl Stand {
    /// Empty, and there.
    pub(crate) fn new() -> Stand {
        let link = Link {
            up: true,
            since: std::time::Instant::now(),
            generation: 1,
            why: "",
        };
        Stand(Arc::new(Inner {
            keys: Mutex::default(),
            link: watch::Sender::new(link),
            slow: Mutex::default(),
            refuses: AtomicBool::new(false),
            later: Mutex::default(),
        }))
    }

    /// Another relay's commons.
    pub(crate) fn commons(&self) -> Arc<Commons> {
        Arc::new(Commons::over(
            Some(Arc::new(self.clone())),
            Arc::<Metrics>::default(),
        ))
    }

    /// Whether it is there.
    pub(crate) fn be(&self, up: bool) {
        self.0.link.send_modify(|link| {
            link.up = up;
            link.generation += u64::from(up);
        });
    }

    /// How long each answer takes from now on.
    pub(crate) fn take_time(&self, slow: Duration) {
        *lock(&self.0.slow) = slow;
    }

    /// Whether it refuses all that is asked.
    pub(crate) fn refuse(&self, all: bool) {
        self.0.refuses.store(all, Relaxed);
    }

    /// So much time goes by for what stands there.
    pub(crate) fn let_pass(&self, time: Duration) {
        *lock(&self.0.later) += time;
    }

    /// All is forgotten.
    pub(crate) fn empty(&self) {
        lock(&self.0.keys).clear();
    }

    /// What stands there, by key.
    pub(crate) fn all(&self) -> HashMap<String, String> {
        let keys = lock(&self.0.keys);
        keys.iter()
            .map(|(key, (value, _))| (key.clone(), value.clone()))
            .collect()
    }

    /// Comes to an end when something stands there.
    pub(crate) async fn has(&self, key: &str) -> String {
        loop {
            if let Some(value) = self.all().remove(key) {
                return value;
            }
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn answer(&self, word: Word<'_>) -> Option<String> {
        let (mut keys, now) = (lock(&self.0.keys), Instant::now() + *lock(&self.0.later));
        keys.retain(|_, (_, until)| until.is_none_or(|until| until > now));
        let ends = |ms| Some(now + Duration::from_millis(ms));
        let (tail, value, until) = match word {
            Word::Get(tail) => return keys.get(tail).map(|(value, _)| value.clone()),
            Word::Take(tail) => return keys.remove(tail).map(|(value, _)| value),
            Word::SetIfNone(tail, ..) | Word::SetForEver(tail, _) if keys.contains_key(tail) => return None,
            Word::SetForEver(tail, value) => (tail, value, None),
            Word::Set(tail, value, ms) | Word::SetIfNone(tail, value, ms) => (tail, value, ends(ms)),
        };
        keys.insert(tail.to_owned(), (value.to_owned(), until));
        Some(String::new())
    }
}

impl Line for Stand {
    fn is_up(&self) -> bool {
        self.0.link.borrow().up
    }

    fn link(&self) -> watch::Receiver<Link> {
        self.0.link.subscribe()
    }

    fn ask<'a>(&'a self, words: &'a [Word<'a>]) -> Answers<'a> {
        let slow = *lock(&self.0.slow);
        Box::pin(async move {
            if self.0.refuses.load(Relaxed) {
                return None;
            }
            let answers = words.iter().map(|word| self.answer(*word)).collect();
            // What was asked is done, however late the answer is.
            sleep(slow).await;
            self.is_up().then_some(answers)
        })
    }
}
