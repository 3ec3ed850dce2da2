//! The list of calls as one listener is told it: pages first, then changes, of what its grant covers.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use partyline_shared::id::CallSid;
use partyline_shared::protocol::{CALLS_PER_MESSAGE, ENDED_IN_SNAPSHOT};

use crate::access::Grant;
use crate::calls::fanout::Mailbox;
use crate::calls::lobby::{Change, Listed, TooFarBehind};
use crate::calls::registry::Registry;

/// Changes read from the lobby at a time.
const BATCH: usize = 64;

/// Where a listener is in the list.
#[derive(Debug)]
pub(super) struct List {
    pages: VecDeque<String>,
    version: u64,
    changes: VecDeque<Change>,
    /// Calls that this listener has been told of: only their removal is news.
    known: HashSet<CallSid>,
}

impl List {
    /// The snapshot: live calls, then the newest ended ones, by pages.
    pub(super) fn enter(registry: &Registry, grant: &Grant, mailbox: &Arc<Mailbox>) -> List {
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
        let mut pages: VecDeque<String> = VecDeque::new();
        let count = shown.len().div_ceil(CALLS_PER_MESSAGE).max(1);
        for (n, page) in shown.chunks(CALLS_PER_MESSAGE).enumerate() {
            pages.push_back(page_text(page, n + 1 < count));
        }
        if pages.is_empty() {
            pages.push_back(page_text(&[], false));
        }
        let known = shown.into_iter().map(|listed| listed.call_sid).collect();
        List {
            pages,
            version,
            changes: VecDeque::new(),
            known,
        }
    }

    pub(super) fn next_page(&mut self) -> Option<String> {
        self.pages.pop_front()
    }

    /// The next change that concerns this listener.
    pub(super) fn next_change(
        &mut self,
        registry: &Registry,
        grant: &Grant,
    ) -> Result<Option<Change>, TooFarBehind> {
        loop {
            if self.changes.is_empty() {
                self.changes = registry.lobby().read(&mut self.version, BATCH)?.into();
            }
            let Some(change) = self.changes.pop_front() else {
                return Ok(None);
            };
            match change {
                Change::Upsert(listed) if grant.covers(listed.customer_id.as_deref()) => {
                    self.known.insert(listed.call_sid.clone());
                    return Ok(Some(Change::Upsert(listed)));
                }
                // No longer granted looks like no longer there.
                Change::Upsert(Listed { call_sid, .. }) | Change::Removed(call_sid) => {
                    if self.known.remove(&call_sid) {
                        return Ok(Some(Change::Removed(call_sid)));
                    }
                }
            }
        }
    }
}

fn page_text(calls: &[Listed], more: bool) -> String {
    let calls: Vec<&str> = calls.iter().map(|listed| &*listed.json).collect();
    format!(
        r#"{{"type":"calls","calls":[{}],"more":{more}}}"#,
        calls.join(",")
    )
}
