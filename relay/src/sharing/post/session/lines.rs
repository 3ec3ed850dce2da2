//! What goes to each relay: a queue of numbers, and one batch at a time that waits for its answer. Time is an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Deeds in one batch at most, …
const BATCH: usize = 256;
/// … and bytes, but for a single one: what Redis carries without delaying others.
const BATCH_BYTES: usize = 64 << 10;

/// By relay.
#[derive(Debug, Default)]
pub(super) struct Lines {
    batch: u64,
    by_node: BTreeMap<Arc<str>, Line>,
}

#[derive(Debug, Default)]
struct Line {
    queue: BTreeSet<u64>,
    flight: Option<Flight>,
}

#[derive(Debug)]
struct Flight {
    batch: u64,
    numbers: BTreeSet<u64>,
    /// `None` where it is to be sent at once.
    since: Option<Instant>,
}

/// Relay, batch, numbers, whether it was sent before.
pub(super) type Due = (Arc<str>, u64, Vec<u64>, bool);

impl Lines {
    /// It is to go there.
    pub(super) fn queue(&mut self, node: &Arc<str>, number: u64) {
        self.by_node.entry(node.clone()).or_default().queue.insert(number);
    }

    /// It is not to go there any more; it may have come there.
    pub(super) fn forget(&mut self, node: &str, number: u64) {
        if let Some(line) = self.by_node.get_mut(node) {
            line.queue.remove(&number);
            if let Some(flight) = &mut line.flight {
                flight.numbers.remove(&number);
            }
        }
    }

    /// What was in the batch that a relay answers, as far as it still counts.
    pub(super) fn answered(&mut self, node: &str, batch: u64) -> BTreeSet<u64> {
        let flight = self
            .by_node
            .get_mut(node)
            .and_then(|line| line.flight.take_if(|flight| flight.batch == batch));
        flight.map(|flight| flight.numbers).unwrap_or_default()
    }

    /// All that is not answered is to be sent again at once.
    pub(super) fn resend(&mut self) {
        for flight in self.by_node.values_mut().filter_map(|line| line.flight.as_mut()) {
            flight.since = None;
        }
    }

    /// When the first is.
    pub(super) fn next_deadline(&self, patience: Duration) -> Option<Instant> {
        let flights = self.by_node.values().filter_map(|line| line.flight.as_ref());
        flights.filter_map(|flight| Some(flight.since? + patience)).min()
    }

    /// What is to be sent now.
    pub(super) fn due(&mut self, now: Instant, patience: Duration, size: impl Fn(u64) -> usize) -> Vec<Due> {
        let mut due = Vec::new();
        self.by_node.retain(|node, line| {
            line.flight.take_if(|flight| flight.numbers.is_empty());
            match &mut line.flight {
                Some(flight) => {
                    let late = |since| now.saturating_duration_since(since) >= patience;
                    if flight.since.is_none_or(late) {
                        flight.since = Some(now);
                        let numbers = flight.numbers.iter().copied().collect();
                        due.push((node.clone(), flight.batch, numbers, true));
                    }
                }
                None => {
                    let numbers = line.next_batch(&size);
                    if numbers.is_empty() {
                        return false;
                    }
                    self.batch += 1;
                    due.push((node.clone(), self.batch, numbers.iter().copied().collect(), false));
                    line.flight = Some(Flight {
                        batch: self.batch,
                        numbers,
                        since: Some(now),
                    });
                }
            }
            true
        });
        due
    }
}

impl Line {
    fn next_batch(&mut self, size: &impl Fn(u64) -> usize) -> BTreeSet<u64> {
        let (mut batch, mut bytes) = (BTreeSet::new(), 0);
        while let Some(number) = self.queue.first().copied() {
            bytes += size(number);
            if batch.len() == BATCH || (bytes > BATCH_BYTES && !batch.is_empty()) {
                break;
            }
            self.queue.pop_first();
            batch.insert(number);
        }
        batch
    }
}
