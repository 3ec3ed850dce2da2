//! The list of calls as snapshot plus changes. Each change moves its call to the newest version; a reader
//! keeps the last version it has and reads on, so a slow one sees fewer states of a call, never an older
//! one after a newer, and costs no memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, Weak};

use partyline_shared::call::Call;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::codec::to_text;

use super::encoded::Encoded;
use super::fanout::Mailbox;
use crate::lock::lock;

/// Removals remembered for readers who are behind, 100 bytes each; one that is further behind starts anew, which is
/// less to be told than so many.
const TOMBSTONES: usize = 2_000;

/// One call as the list shows it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Which.
    pub call_sid: CallSid,
    /// Whose: what a grant is checked against.
    pub customer_id: Option<String>,
    /// Over.
    pub ended: bool,
    /// When it began, ms since 1970.
    pub started_ms: i64,
    /// The message that tells it, and the JSON of the `Call` in it.
    pub told: Encoded,
}

/// One step of the list.
#[derive(Debug, Clone)]
pub enum Change {
    /// New, or not as before.
    Upsert(Listed),
    /// No longer remembered.
    Removed(CallSid),
}

/// How soon listeners are told of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Soon {
    /// They are woken for it.
    AtOnce,
    /// When each looks at the list next, at a time of its own: what changes all the time is a burst for all of
    /// them otherwise, which frames would wait for.
    InTime,
}

/// A reader is further behind than removals are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooFarBehind;

#[derive(Debug, Default)]
struct Inner {
    version: u64,
    calls: HashMap<CallSid, (u64, Listed)>,
    by_version: BTreeMap<u64, CallSid>,
    removed: BTreeMap<u64, CallSid>,
    /// The newest removal that is no longer remembered.
    forgotten: u64,
    watchers: Vec<Weak<Mailbox>>,
    /// How often a call became another customer's, or went: what a reader has of one may not be told since.
    turnover: u64,
    /// Watchers so far.
    entered: u64,
    /// Watchers that are gone are let go of when there are so many: each change does it too, but a quiet
    /// relay whose listeners come and go has none.
    tidy_at: usize,
}

/// The list of calls.
#[derive(Debug, Default)]
pub struct Lobby(Mutex<Inner>);

impl Lobby {
    /// A call is new or changed.
    pub fn upsert(&self, call: &Call, soon: Soon) {
        let listed = Listed {
            call_sid: call.call_sid.clone(),
            customer_id: call.customer_id.clone(),
            ended: call.is_ended(),
            started_ms: call.started_at.map_or(0, |at| at.unix_ms()),
            told: Encoded::new(r#"{"type":"call","call":"#, &to_text(call)),
        };
        let mut inner = lock(&self.0);
        let version = inner.next(&listed.call_sid);
        let before = inner.calls.get(&listed.call_sid);
        if before.is_some_and(|(_, before)| before.customer_id != listed.customer_id) {
            inner.turnover += 1;
        }
        inner.by_version.insert(version, listed.call_sid.clone());
        inner.calls.insert(listed.call_sid.clone(), (version, listed));
        inner.tell(soon);
    }

    /// A call is no longer remembered.
    pub fn remove(&self, call_sid: &CallSid) {
        let mut inner = lock(&self.0);
        let version = inner.next(call_sid);
        if inner.calls.remove(call_sid).is_none() {
            return;
        }
        inner.turnover += 1;
        inner.removed.insert(version, call_sid.clone());
        while inner.removed.len() > TOMBSTONES {
            inner.forgotten = inner.removed.pop_first().map_or(0, |(version, _)| version);
        }
        inner.tell(Soon::AtOnce);
    }

    /// All calls as they stand, live ones first, then ended ones newest first, and the version to read
    /// on from. The mailbox is told of changes from here on.
    pub fn enter(&self, mailbox: &Arc<Mailbox>) -> (Vec<Listed>, u64) {
        let mut inner = lock(&self.0);
        if inner.watchers.len() >= inner.tidy_at {
            inner.watchers.retain(|watcher| watcher.strong_count() > 0);
            inner.tidy_at = (inner.watchers.len() * 2).max(64);
        }
        inner.watchers.push(Arc::downgrade(mailbox));
        inner.entered += 1;
        let mut calls: Vec<Listed> = inner.calls.values().map(|(_, listed)| listed.clone()).collect();
        let version = inner.version;
        drop(inner);
        calls.sort_unstable_by_key(|call| (call.ended, std::cmp::Reverse(call.started_ms)));
        (calls, version)
    }

    /// Where in a common interval the newest watcher is to look, 0 to 1: far from those before it, since a
    /// multiple of the golden ratio is.
    pub fn phase(&self) -> f64 {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        (lock(&self.0).entered as f64 * GOLDEN).fract()
    }

    /// How often a call became another customer's, or went, and nothing where that is `known` already; else also
    /// each of these calls as it stands, or that it is gone.
    pub fn renew<'c>(
        &self,
        known: u64,
        calls: impl Iterator<Item = &'c CallSid>,
    ) -> Option<(u64, HashMap<CallSid, Listed>)> {
        let inner = lock(&self.0);
        if inner.turnover == known {
            return None;
        }
        let listed = |sid: &CallSid| Some((sid.clone(), inner.calls.get(sid)?.1.clone()));
        Some((inner.turnover, calls.filter_map(listed).collect()))
    }

    /// Where the list stands: to be asked before what is then read.
    pub fn version(&self) -> u64 {
        lock(&self.0).version
    }

    /// All calls as they stand, newest first.
    pub fn all(&self) -> Vec<Listed> {
        let mut calls: Vec<Listed> = lock(&self.0)
            .calls
            .values()
            .map(|(_, listed)| listed.clone())
            .collect();
        calls.sort_unstable_by_key(|call| std::cmp::Reverse(call.started_ms));
        calls
    }

    /// The next changes after `version`, at most `limit`; moves it.
    ///
    /// # Errors
    /// [`TooFarBehind`] when removals after `version` are forgotten.
    pub fn read(&self, version: &mut u64, limit: usize) -> Result<Vec<Change>, TooFarBehind> {
        let inner = lock(&self.0);
        if *version < inner.forgotten {
            return Err(TooFarBehind);
        }
        let (mut changed, mut removed) = (
            inner.by_version.range(*version + 1..).peekable(),
            inner.removed.range(*version + 1..).peekable(),
        );
        let mut changes = Vec::new();
        while changes.len() < limit {
            let removal_first = match (changed.peek(), removed.peek()) {
                (Some((c, _)), Some((r, _))) => r < c,
                (None, Some(_)) => true,
                (Some(_), None) => false,
                (None, None) => {
                    *version = inner.version;
                    break;
                }
            };
            let next = if removal_first {
                removed.next()
            } else {
                changed.next()
            };
            let Some((&at, sid)) = next else { break };
            *version = at;
            match inner.calls.get(sid) {
                Some((_, listed)) if !removal_first => changes.push(Change::Upsert(listed.clone())),
                _ => changes.push(Change::Removed(sid.clone())),
            }
        }
        Ok(changes)
    }
}

impl Inner {
    /// The next version, with the call's last place in the order taken back.
    fn next(&mut self, sid: &CallSid) -> u64 {
        if let Some((version, _)) = self.calls.get(sid) {
            self.by_version.remove(version);
        }
        self.version += 1;
        self.version
    }

    fn tell(&mut self, soon: Soon) {
        let tell = |mailbox: Arc<Mailbox>| match soon {
            Soon::AtOnce => mailbox.lobby_news(),
            Soon::InTime => mailbox.lobby_news_in_time(),
        };
        self.watchers
            .retain(|watcher| watcher.upgrade().map(tell).is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::call::tests_support::view;

    fn sids(changes: &[Change]) -> Vec<String> {
        let name = |change: &Change| match change {
            Change::Upsert(listed) => format!("+{}", listed.call_sid),
            Change::Removed(sid) => format!("-{sid}"),
        };
        changes.iter().map(name).collect()
    }

    #[tokio::test]
    async fn a_reader_sees_each_call_once_in_its_newest_state() {
        let lobby = Lobby::default();
        let mailbox = Arc::new(Mailbox::default());
        lobby.upsert(&view("a"), Soon::AtOnce);
        let (snapshot, mut version) = lobby.enter(&mailbox);
        assert_eq!(snapshot.len(), 1);
        for sid in ["b", "a", "b", "c"] {
            lobby.upsert(&view(sid), Soon::InTime);
        }
        lobby.remove(&CallSid::parse("a").unwrap());
        lobby.remove(&CallSid::parse("unknown").unwrap());
        let told = mailbox.take(&mut Default::default(), 0);
        assert!(told.lobby && told.lobby_in_time);
        assert_eq!(sids(&lobby.read(&mut version, 2).unwrap()), ["+b", "+c"]);
        assert_eq!(sids(&lobby.read(&mut version, 2).unwrap()), ["-a"]);
        assert_eq!(sids(&lobby.read(&mut version, 2).unwrap()), Vec::<String>::new());
        lobby.upsert(&view("a"), Soon::AtOnce);
        assert_eq!(sids(&lobby.read(&mut version, 2).unwrap()), ["+a"]);
    }

    #[tokio::test]
    async fn who_missed_too_many_removals_is_told() {
        let lobby = Lobby::default();
        for n in 0..TOMBSTONES + 1 {
            let call = view(&n.to_string());
            lobby.upsert(&call, Soon::AtOnce);
            lobby.remove(&call.call_sid);
        }
        assert_eq!(lobby.read(&mut 0, 9).unwrap_err(), TooFarBehind);
    }
}
