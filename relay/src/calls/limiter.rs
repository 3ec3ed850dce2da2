//! Events that a bad line or a hostile peer could write fifty times a second: the first is told at once,
//! what follows within a second is summed up, so that a journal of 2,000 is not washed away. No clock.

use std::time::{Duration, Instant};

/// Between two events of one kind.
const INTERVAL: Duration = Duration::from_secs(1);

/// Sums up `T`s; `T` says how.
#[derive(Debug)]
pub struct Limiter<T> {
    last: Option<Instant>,
    pending: Option<T>,
}

impl<T> Default for Limiter<T> {
    fn default() -> Self {
        Limiter {
            last: None,
            pending: None,
        }
    }
}

impl<T> Limiter<T> {
    /// Adds one; `merge` puts it to what waits.
    pub fn push(&mut self, item: T, merge: impl FnOnce(&mut T, T)) {
        match &mut self.pending {
            Some(sum) => merge(sum, item),
            None => self.pending = Some(item),
        }
    }

    /// What may be told now.
    pub fn take(&mut self, now: Instant) -> Option<T> {
        let due = self
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= INTERVAL);
        if !due || self.pending.is_none() {
            return None;
        }
        self.last = Some(now);
        self.pending.take()
    }

    /// What waits, whenever the last was told: the stream is over.
    pub fn flush(&mut self) -> Option<T> {
        self.pending.take()
    }

    /// Whether something waits.
    pub fn is_waiting(&self) -> bool {
        self.pending.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_rest_once_a_second() {
        let (t, mut limiter) = (Instant::now(), Limiter::default());
        let mut told = Vec::new();
        for n in 0..100u32 {
            limiter.push(1u32, |sum, one| *sum += one);
            told.extend(limiter.take(t + n * Duration::from_millis(20)));
        }
        assert_eq!(told, [1, 50]);
        assert_eq!(limiter.flush(), Some(49));
    }
}
