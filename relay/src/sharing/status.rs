//! How sharing is, for people.

use std::time::{Duration, Instant};

use super::hub::Hub;

/// Calls that have something to tell which Redis was not told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub calls: usize,
    /// Since when the oldest of them waits.
    pub since: Option<Instant>,
}

/// How sharing is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Whether Redis answers and every channel is heard.
    pub up: bool,
    /// How long it has been so, or not.
    pub since: Duration,
    /// Why not, for people; empty while it is up.
    pub why: &'static str,
    /// The code by which Redis refuses what it is told, though it answers: `OOM` where it is full.
    pub refuses: Option<String>,
    /// Whether all that Redis knows was read once.
    pub synced: bool,
    /// Other relays that are there.
    pub peers: usize,
    /// Calls that have something to tell which Redis was not told.
    pub waiting: usize,
    /// How long the oldest of these has waited.
    pub oldest: Duration,
}

impl Hub {
    /// How sharing is now.
    pub fn status(&self) -> Status {
        let (now, link) = (Instant::now(), *self.broker.link().borrow());
        let waiting = *self.books.waiting.borrow();
        let for_how_long = |since: Instant| now.saturating_duration_since(since);
        Status {
            up: link.up,
            since: for_how_long(link.since),
            why: link.why,
            refuses: self.books.refusals.code(),
            synced: *self.books.synced.borrow(),
            peers: self.peers().len(),
            waiting: waiting.calls,
            oldest: waiting.since.map(for_how_long).unwrap_or_default(),
        }
    }
}
