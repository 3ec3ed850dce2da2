//! What belongs to one socket.

use partyline_shared::call::Call;
use partyline_shared::time::UtcTime;

/// What belongs to one socket and is forgotten with it.
#[derive(Debug, Default)]
pub(super) struct Link {
    pub(super) open: bool,
    pub(super) greeted: bool,
    /// The pages so far; `None` once the last has come.
    pub(super) snapshot: Option<Vec<Call>>,
    pub(super) heard_at: u64,
    pub(super) ping_at: u64,
    /// The last ping that is not answered: its id, and when it left.
    pub(super) waiting: Option<(u64, u64)>,
    pub(super) retry_after_ms: Option<u64>,
}

/// The relay's wall clock, as its messages show it. Kept over all sockets: what a message took to come
/// makes it late only, so the earliest is the best.
#[derive(Debug, Default)]
pub(super) struct RelayClock {
    /// The session's time where the relay's is 0, ms.
    zero: Option<i64>,
}

impl RelayClock {
    /// A message that was written at `time` came.
    pub(super) fn saw(&mut self, now: u64, time: UtcTime) {
        let arrived = i64::try_from(now).unwrap_or(i64::MAX);
        let zero = arrived.saturating_sub(time.unix_ms());
        self.zero = Some(self.zero.map_or(zero, |known| known.min(zero)));
    }

    /// A time of the relay's as the session's, or later.
    pub(super) fn to_session(&self, time: UtcTime) -> Option<i64> {
        self.zero?.checked_add(time.unix_ms())
    }
}
