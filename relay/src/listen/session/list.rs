//! The list of calls as one listener is told it: pages first, then changes, of what its grant covers.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use partyline_shared::id::CallSid;
use partyline_shared::protocol::{CALLS_PER_MESSAGE, ENDED_IN_SNAPSHOT};

use crate::access::Grant;
use crate::calls::fanout::Mailbox;
use crate::calls::lobby::{Change, Listed, TooFarBehind};
use crate::calls::registry::Registry;

/// Changes read from the lobby at a time.
const BATCH: usize = 64;

/// How often a listener looks for changes that may wait: what changes all the time, such as who spoke for how
/// long, is told in one write of many.
const LOOK: Duration = Duration::from_secs(4);

/// Most bytes of calls in one page: a call has 0.6 KB, or 5 where its addresses are as long as they may be,
/// and a listener takes messages of 1 MiB.
const PAGE: usize = 256 << 10;

/// A change as one listener is told it.
#[derive(Debug)]
pub(super) enum News {
    /// New, or not as before.
    Upsert(Listed),
    /// No longer remembered.
    Removed(CallSid),
    /// No longer granted: it looks the same, but a subscription is ended first.
    Lost(CallSid),
}

/// Where a listener is in the list.
#[derive(Debug)]
pub(super) struct List {
    pages: VecDeque<String>,
    version: u64,
    changes: VecDeque<Change>,
    /// Calls that this listener has been told of: only their removal is news.
    known: HashSet<CallSid>,
    /// When it was looked at last, and when it will be: there is news that may wait.
    looked_at: Instant,
    look_at: Option<Instant>,
    looking: bool,
}

impl List {
    /// The snapshot: live calls, then the newest ended ones, by pages.
    pub(super) fn enter(now: Instant, registry: &Registry, grant: &Grant, mailbox: &Arc<Mailbox>) -> List {
        let (calls, version) = registry.lobby().enter(mailbox);
        let mut ended = 0;
        let shown: Vec<Listed> = calls
            .into_iter()
            .filter(|listed| grant.covers(listed.customer_id.as_deref()))
            .filter(|listed| {
                ended += usize::from(listed.ended);
                !listed.ended || ended <= ENDED_IN_SNAPSHOT
            })
            .collect();
        let mut rest = shown.as_slice();
        let mut pages = VecDeque::new();
        loop {
            let (page, after) = rest.split_at(page_length(rest));
            pages.push_back(page_text(page, !after.is_empty()));
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        let known = shown.into_iter().map(|listed| listed.call_sid).collect();
        List {
            pages,
            version,
            changes: VecDeque::new(),
            known,
            // Each at a time of its own, though all came back at once after a restart.
            looked_at: now
                .checked_sub(LOOK.mul_f64(registry.lobby().phase()))
                .unwrap_or(now),
            look_at: None,
            looking: false,
        }
    }

    /// There is news that may wait.
    pub(super) fn look_in_time(&mut self) {
        self.look_at = Some(self.looked_at + LOOK);
    }

    /// When the list is to be looked at.
    pub(super) fn due(&self) -> Option<Instant> {
        self.look_at
    }

    pub(super) fn next_page(&mut self) -> Option<String> {
        self.pages.pop_front()
    }

    /// The next change that concerns this listener.
    pub(super) fn next_change(
        &mut self,
        now: Instant,
        registry: &Registry,
        grant: &Grant,
        mailbox: &Mailbox,
    ) -> Result<Option<News>, TooFarBehind> {
        if !self.looking {
            // First, so that what changes while it is read is told of again.
            mailbox.looks_at_lobby();
            (self.looking, self.looked_at, self.look_at) = (true, now, None);
        }
        loop {
            if self.changes.is_empty() {
                self.changes = registry.lobby().read(&mut self.version, BATCH)?.into();
            }
            let Some(change) = self.changes.pop_front() else {
                self.looking = false;
                return Ok(None);
            };
            let news = match change {
                Change::Upsert(listed) if grant.covers(listed.customer_id.as_deref()) => {
                    self.known.insert(listed.call_sid.clone());
                    News::Upsert(listed)
                }
                Change::Upsert(Listed { call_sid, .. }) if self.known.remove(&call_sid) => {
                    News::Lost(call_sid)
                }
                Change::Removed(call_sid) if self.known.remove(&call_sid) => News::Removed(call_sid),
                // Never told of: nothing to take back.
                _ => continue,
            };
            return Ok(Some(news));
        }
    }
}

/// How many calls make the next page: [`CALLS_PER_MESSAGE`], or as many as [`PAGE`] holds, and one at least.
fn page_length(calls: &[Listed]) -> usize {
    let mut bytes = 0;
    let fitting = calls.iter().take(CALLS_PER_MESSAGE).take_while(|listed| {
        bytes += listed.told.json().len();
        bytes <= PAGE
    });
    fitting.count().max(1).min(calls.len())
}

fn page_text(calls: &[Listed], more: bool) -> String {
    let calls: Vec<&str> = calls.iter().map(|listed| listed.told.json()).collect();
    format!(
        r#"{{"type":"calls","calls":[{}],"more":{more}}}"#,
        calls.join(",")
    )
}
