//! What is known in Redis of each call: who owns it, how far it was told. One entry a call, as long as the call is
//! known.

use std::collections::HashMap;
use std::sync::Arc;

use partyline_shared::id::CallSid;

use super::store::Rival;
use crate::calls::journal::Cursor;

/// What is known of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its owner; nobody's where that is empty.
    pub(super) owner: Arc<str>,
    /// How many owners it had: what an earlier one says is refused.
    pub(super) token: u64,
    /// The change that was seen of it last.
    pub(super) version: u64,
    /// What of its journal Redis has, and by which name.
    pub(super) published: Option<(String, Cursor)>,
    /// Redis has lost it: all of it is to be told, whatever was before.
    pub(super) lost: bool,
    /// It was erased elsewhere: there is nothing more to tell.
    pub(super) erased: bool,
}

impl Entry {
    /// After which numbers of the numbering `journal` nobody else has heard of any.
    pub(super) fn unpublished(&self, journal: &str) -> Cursor {
        let published = self.published.as_ref().filter(|(id, _)| id == journal);
        published.map_or(Cursor::default(), |(_, upto)| *upto)
    }

    /// After which numbers Redis is to be told.
    pub(super) fn untold(&self, journal: &str) -> Cursor {
        if self.lost {
            Cursor::default()
        } else {
            self.unpublished(journal)
        }
    }

    /// A later version than is known says who owns it; who did before.
    pub(super) fn owned(&mut self, version: u64, by: &Rival) -> Arc<str> {
        self.token = by.token;
        self.version = version;
        self.lost = false;
        std::mem::replace(&mut self.owner, by.owner.clone())
    }
}

/// All calls.
#[derive(Debug, Default)]
pub(super) struct Ledger(HashMap<CallSid, Entry>);

impl Ledger {
    pub(super) fn get(&self, sid: &CallSid) -> Entry {
        self.0.get(sid).cloned().unwrap_or_default()
    }

    pub(super) fn knows(&self, sid: &CallSid) -> bool {
        self.0.contains_key(sid)
    }

    pub(super) fn entry(&mut self, sid: &CallSid) -> &mut Entry {
        self.0.entry(sid.clone()).or_default()
    }

    pub(super) fn remove(&mut self, sid: &CallSid) -> Option<Entry> {
        self.0.remove(sid)
    }

    pub(super) fn owner(&self, sid: &CallSid) -> Option<Arc<str>> {
        self.0.get(sid).map(|entry| entry.owner.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&CallSid, &Entry)> {
        self.0.iter()
    }

    /// Redis has lost what it knew.
    pub(super) fn begin_anew(&mut self) {
        for entry in self.0.values_mut() {
            entry.version = 0;
            entry.lost = true;
        }
    }
}
