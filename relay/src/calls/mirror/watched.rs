//! How often somebody here wants to know how loud calls are: other relays tell of theirs no oftener than the most eager
//! one looks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use crate::lock::lock;

/// Who watches levels. A clone is the same.
#[derive(Debug, Clone, Default)]
pub struct Watched(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// How many watch, by tenths of times a second.
    by_rate: Mutex<BTreeMap<u32, usize>>,
    news: Notify,
}

/// Somebody who watches, until this is dropped.
#[derive(Debug)]
#[must_use = "levels come only while this is held"]
pub struct Watching {
    all: Watched,
    rate: u32,
}

impl Watched {
    /// Somebody watches, so many times a second.
    pub fn watch(&self, hz: f64) -> Watching {
        // A tenth of a time is the least that is meant; what is no number is that too.
        let rate = ((hz * 10.0) as u32).max(1);
        self.change(|by_rate| *by_rate.entry(rate).or_default() += 1);
        Watching {
            all: self.clone(),
            rate,
        }
    }

    /// How often a second the most eager one looks; 0 where nobody does.
    pub fn hz(&self) -> f64 {
        let rate = lock(&self.0.by_rate)
            .last_key_value()
            .map_or(0, |(rate, _)| *rate);
        f64::from(rate) / 10.0
    }

    /// Comes to an end when that changes. For one who asks.
    pub async fn changed(&self) {
        self.0.news.notified().await;
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<u32, usize>)) {
        let before = self.hz();
        change(&mut lock(&self.0.by_rate));
        if self.hz() != before {
            self.0.news.notify_one();
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.all.change(|by_rate| {
            if let Some(left) = by_rate.get_mut(&self.rate) {
                *left -= 1;
                if *left == 0 {
                    by_rate.remove(&self.rate);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_eager_one_counts_while_it_watches() {
        let watched = Watched::default();
        assert_eq!(watched.hz(), 0.0);
        let slow = watched.watch(0.5);
        let fast = watched.watch(10.0);
        let other = watched.watch(10.0);
        assert_eq!(watched.hz(), 10.0);
        drop(fast);
        assert_eq!(watched.hz(), 10.0);
        drop(other);
        assert_eq!(watched.hz(), 0.5);
        drop(slow);
        assert_eq!((watched.hz(), lock(&watched.0.by_rate).len()), (0.0, 0));
        assert_eq!(watched.watch(f64::NAN).all.hz(), 0.1);
    }
}
