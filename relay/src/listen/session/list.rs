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
    /// Of the snapshot, what is not told yet.
    unpaged: VecDeque<Listed>,
    /// The last page is told.
    paged: bool,
    version: u64,
    /// The lobby's turnover when `unpaged` and `changes` were as the calls are.
    turnover: u64,
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
        let unpaged: VecDeque<Listed> = calls
            .into_iter()
            .filter(|listed| grant.covers(listed.customer_id.as_deref()))
            .filter(|listed| {
                ended += usize::from(listed.ended);
                !listed.ended || ended <= ENDED_IN_SNAPSHOT
            })
            .collect();
        List {
            unpaged,
            paged: false,
            version,
            // None, so that the first page is looked at: calls may have changed hands since.
            turnover: u64::MAX,
            changes: VecDeque::new(),
            known: HashSet::new(),
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

    /// The next page of the snapshot: at least one, which may be empty.
    pub(super) fn next_page(&mut self, registry: &Registry, grant: &Grant) -> Option<String> {
        if self.paged {
            return None;
        }
        self.renew(registry);
        self.unpaged
            .retain(|listed| grant.covers(listed.customer_id.as_deref()));
        let length = page_length(self.unpaged.make_contiguous());
        let page: Vec<Listed> = self.unpaged.drain(..length).collect();
        self.paged = self.unpaged.is_empty();
        self.known
            .extend(page.iter().map(|listed| listed.call_sid.clone()));
        Some(page_text(&page, !self.paged))
    }

    /// Another grant counts from here on: what it covers and the last one did not is news, and the other way round.
    pub(super) fn regrant(&mut self, registry: &Registry, grant: &Grant) {
        let unpaged: HashSet<&CallSid> = self.unpaged.iter().map(|listed| &listed.call_sid).collect();
        let mut ended = 0;
        let news = registry.lobby().all().into_iter().filter(|listed| {
            let covered = grant.covers(listed.customer_id.as_deref());
            ended += usize::from(covered && listed.ended);
            let told = self.known.contains(&listed.call_sid);
            if told {
                return !covered;
            }
            let shown = !listed.ended || ended <= ENDED_IN_SNAPSHOT;
            covered && shown && !unpaged.contains(&listed.call_sid)
        });
        self.changes = news.map(Change::Upsert).chain(self.changes.drain(..)).collect();
    }

    /// What waits here may be of a call that has become another customer's meanwhile, or is gone: it is told as it is
    /// now.
    fn renew(&mut self, registry: &Registry) {
        if self.unpaged.is_empty() && self.changes.is_empty() {
            return;
        }
        // Gone through only where something has changed hands.
        let changed = self.changes.iter().filter_map(|change| match change {
            Change::Upsert(listed) => Some(&listed.call_sid),
            Change::Removed(_) => None,
        });
        let waiting = changed.chain(self.unpaged.iter().map(|listed| &listed.call_sid));
        let Some((turnover, now)) = registry.lobby().renew(self.turnover, waiting) else {
            return;
        };
        self.turnover = turnover;
        self.unpaged.retain_mut(|listed| {
            let now = now.get(&listed.call_sid);
            now.inspect(|now| listed.clone_from(now)).is_some()
        });
        for change in &mut self.changes {
            if let Change::Upsert(listed) = change {
                *change = match now.get(&listed.call_sid) {
                    Some(now) => Change::Upsert(now.clone()),
                    None => Change::Removed(listed.call_sid.clone()),
                };
            }
        }
    }

    /// This call was told of otherwise: its removal is news.
    pub(super) fn is_told(&mut self, call_sid: CallSid) {
        self.known.insert(call_sid);
    }

    /// This call was taken back and is to be told anew.
    pub(super) fn again(&mut self, listed: Listed) {
        self.known.remove(&listed.call_sid);
        self.changes.push_front(Change::Upsert(listed));
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
            self.renew(registry);
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
