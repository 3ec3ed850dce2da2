//! Transcription that arrives out of order, put back by its engine's own count (Twilio's SequenceId: one
//! count over all events and tracks of one transcription). A missing number is waited for, not for long.
//! No clock, no I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// How long a missing number is waited for. Twilio's posts overtake one another by a round trip or two.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// Items held at most; beyond, the oldest hole is given up. Partials come a few a second, so this is
/// far more than [`PATIENCE`] can gather.
const HELD: usize = 256;

/// Numbers given up that may still arrive and be told from a repetition.
const SKIPPED: usize = 256;

/// One transcription's items in order.
#[derive(Debug)]
pub struct Order<T> {
    next: u64,
    held: BTreeMap<u64, (Instant, T)>,
    skipped: BTreeSet<u64>,
}

/// One transcription's order as it is handed over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept<T> {
    next: u64,
    held: Vec<(u64, T)>,
    skipped: Vec<u64>,
}

impl<T> Default for Order<T> {
    fn default() -> Self {
        Order {
            next: 1,
            held: BTreeMap::new(),
            skipped: BTreeSet::new(),
        }
    }
}

impl<T> Order<T> {
    /// Takes an item and appends to `out` what is now in order. One without a number, or whose number
    /// was given up, passes at once; a repetition is dropped.
    pub fn push(&mut self, now: Instant, sequence: Option<u64>, item: T, out: &mut Vec<T>) {
        let Some(sequence) = sequence else {
            return out.push(item);
        };
        if sequence < self.next {
            if self.skipped.remove(&sequence) {
                out.push(item);
            }
            return;
        }
        self.held.entry(sequence).or_insert((now, item));
        self.release(out);
        while self.held.len() > HELD {
            self.give_up(out);
        }
    }

    /// When waiting ends for what is held.
    pub fn deadline(&self) -> Option<Instant> {
        self.held.values().map(|(since, _)| *since + PATIENCE).min()
    }

    /// Gives up holes whose time is over.
    pub fn on_deadline(&mut self, now: Instant, out: &mut Vec<T>) {
        while self.deadline().is_some_and(|at| at <= now) {
            self.give_up(out);
        }
    }

    /// Gives up all holes.
    pub fn flush(&mut self, out: &mut Vec<T>) {
        while !self.held.is_empty() {
            self.give_up(out);
        }
    }

    /// As another relay is told it.
    pub fn keep(&self) -> Kept<T>
    where
        T: Clone,
    {
        Kept {
            next: self.next,
            held: self
                .held
                .iter()
                .map(|(n, (_, item))| (*n, item.clone()))
                .collect(),
            skipped: self.skipped.iter().copied().collect(),
        }
    }

    /// As another relay told it; what is held is waited for anew.
    pub fn restore(now: Instant, kept: Kept<T>) -> Order<T> {
        let held = kept.held.into_iter().take(HELD);
        Order {
            next: kept.next,
            held: held.map(|(n, item)| (n, (now, item))).collect(),
            skipped: kept.skipped.into_iter().take(SKIPPED).collect(),
        }
    }

    fn give_up(&mut self, out: &mut Vec<T>) {
        let Some((&first, _)) = self.held.first_key_value() else {
            return;
        };
        let from = self.next.max(first.saturating_sub(SKIPPED as u64));
        self.skipped.extend(from..first);
        while self.skipped.len() > SKIPPED {
            self.skipped.pop_first();
        }
        self.next = first;
        self.release(out);
    }

    fn release(&mut self, out: &mut Vec<T>) {
        while let Some((_, item)) = self.held.remove(&self.next) {
            out.push(item);
            self.next = self.next.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn five_before_four_is_put_right_and_a_lost_one_waited_for() {
        let (t, mut order, mut out) = (Instant::now(), Order::default(), Vec::new());
        for n in [1, 2, 5, 4] {
            order.push(t, Some(n), n, &mut out);
        }
        assert_eq!(out, [1, 2]);
        order.on_deadline(t + PATIENCE - Duration::from_millis(1), &mut out);
        assert_eq!(out, [1, 2]);
        order.on_deadline(t + PATIENCE, &mut out);
        assert_eq!(out, [1, 2, 4, 5]);
        order.push(t, Some(3), 3, &mut out);
        order.push(t, Some(3), 3, &mut out);
        order.push(t, Some(5), 5, &mut out);
        order.push(t, None, 0, &mut out);
        assert_eq!(out, [1, 2, 4, 5, 3, 0], "late once, repeated never");
    }

    proptest! {
        #[test]
        fn any_order_within_the_patience_comes_out_sorted(numbers in Just((1u64..40).collect::<Vec<_>>()).prop_shuffle()) {
            let (t, mut order, mut out) = (Instant::now(), Order::default(), Vec::new());
            for &n in &numbers {
                order.push(t, Some(n), n, &mut out);
            }
            prop_assert_eq!(out, (1u64..40).collect::<Vec<_>>());
            prop_assert!(order.deadline().is_none());
        }

        #[test]
        fn whatever_the_numbers_nothing_is_held_for_ever(numbers in prop::collection::vec(any::<u64>(), 0..600)) {
            let (t, mut order, mut out) = (Instant::now(), Order::default(), Vec::new());
            for &n in &numbers {
                order.push(t, Some(n), n, &mut out);
                prop_assert!(order.held.len() <= HELD && order.skipped.len() <= SKIPPED);
            }
            order.on_deadline(t + PATIENCE, &mut out);
            prop_assert!(order.held.is_empty());
        }
    }
}
