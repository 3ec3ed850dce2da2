//! What belongs to one socket.

use std::collections::{BTreeMap, HashMap};

use partyline_shared::call::Call;
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;

/// Calls whose `unsubscribed` is waited for at once: more than are left within any round trip. Only a relay that
/// does not answer has more, and of those the count is let go of.
const MAX_LEAVING: usize = 1_000;

/// Calls taken out of one snapshot, and of which is known whether they have ended: a relay keeps at most
/// 20,000 ended ones and sends 500 of them, so more is no snapshot.
const MAX_SNAPSHOT: usize = 50_000;

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
    /// How many `unsubscribe`s of a call are not answered.
    pub(super) leaving: BTreeMap<CallSid, u32>,
    /// The calls that the relay shows, and whether each has ended.
    pub(super) shown: HashMap<CallSid, bool>,
}

impl Link {
    /// An `unsubscribe` leaves.
    pub(super) fn leaves(&mut self, call: &CallSid) {
        if self.leaving.len() >= MAX_LEAVING {
            self.leaving.clear();
        }
        *self.leaving.entry(call.clone()).or_default() += 1;
    }

    /// An `unsubscribed` came: whether it answers one of ours. Else the grant is lost.
    pub(super) fn is_answer(&mut self, call: &CallSid) -> bool {
        let Some(count) = self.leaving.get_mut(call) else {
            return false;
        };
        *count -= 1;
        if *count == 0 {
            self.leaving.remove(call);
        }
        true
    }

    /// A page of the snapshot came; all of it, with the last.
    pub(super) fn page(&mut self, calls: Vec<Call>, more: bool) -> Option<Vec<Call>> {
        let pages = self.snapshot.as_mut()?;
        let room = MAX_SNAPSHOT.saturating_sub(pages.len());
        pages.extend(calls.into_iter().take(room));
        if more { None } else { self.snapshot.take() }
    }

    /// The relay shows a call.
    pub(super) fn saw(&mut self, call: &Call) {
        if let Some(ended) = self.shown.get_mut(&call.call_sid) {
            *ended = call.is_ended();
        } else if self.shown.len() < MAX_SNAPSHOT {
            self.shown.insert(call.call_sid.clone(), call.is_ended());
        }
    }

    /// It shows the call no more.
    pub(super) fn forget(&mut self, call: &CallSid) {
        self.shown.remove(call);
    }

    /// Whether a call that is shown has ended; `None` for one that is not shown.
    pub(super) fn shows(&self, call: &CallSid) -> Option<bool> {
        self.shown.get(call).copied()
    }
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
