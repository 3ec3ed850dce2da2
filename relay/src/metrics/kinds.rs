//! What can be counted: how often, how many now, how many at most, and when.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tokio::sync::Notify;

/// One counter; only ever grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add_one(&self) {
        self.add(1);
    }

    /// One more, and the how manieth that is.
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Relaxed) + 1
    }

    /// `n` more.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// How many there are now; falls by itself when the [`Held`] is dropped.
#[derive(Debug, Default)]
pub struct Gauge {
    now: AtomicU64,
    most: Mark,
    fell: Notify,
}

impl Gauge {
    /// How many there are.
    pub fn get(&self) -> u64 {
        self.now.load(Relaxed)
    }

    /// How many there were at most.
    pub fn most(&self) -> u64 {
        self.most.get()
    }

    /// One more, unless there are `limit` already.
    pub fn try_hold(self: &Arc<Self>, limit: u64) -> Option<Held> {
        let more = |n: u64| (n < limit).then_some(n + 1);
        let before = self.now.fetch_update(Relaxed, Relaxed, more).ok()?;
        self.most.note(before + 1);
        Some(Held(self.clone()))
    }

    /// One more, as soon as there are fewer than `limit`. For one that waits at a time.
    pub async fn hold(self: &Arc<Self>, limit: u64) -> Held {
        loop {
            if let Some(held) = self.try_hold(limit) {
                return held;
            }
            self.fell.notified().await;
        }
    }
}

/// One of those that a [`Gauge`] counts.
#[derive(Debug)]
#[must_use = "it is counted only while this is held"]
pub struct Held(Arc<Gauge>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Relaxed);
        self.0.fell.notify_one();
    }
}

/// The most that there ever was.
#[derive(Debug, Default)]
pub struct Mark(AtomicU64);

impl Mark {
    /// There are `n` now.
    pub fn note(&self, n: u64) {
        // Writing what is there already would take the line from all other cores.
        if n > self.0.load(Relaxed) {
            self.0.fetch_max(n, Relaxed);
        }
    }

    /// How many there were at most.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A moment; the latest that was told counts.
#[derive(Debug, Default)]
pub struct Moment(AtomicU64);

impl Moment {
    /// It is at so many milliseconds since 1970; what was before is never.
    pub fn set_to(&self, unix_ms: i64) {
        self.0.store(unix_ms.max(0).unsigned_abs() / 1000, Relaxed);
    }

    /// Seconds since 1970, 0 for never.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
