//! Which calls are to be remembered: those in progress here, and those of before of which nothing is known yet.
//! Follows the list of calls from change to change. Pure.

use std::collections::BTreeMap;

use partyline_shared::id::CallSid;

use super::TAKEN;
use super::entry::Entry;
use crate::calls::lobby::{Change, Listed, Lobby};

/// The calls.
#[derive(Debug, Default)]
pub(super) struct Book {
    before: BTreeMap<CallSid, Entry>,
    live: BTreeMap<CallSid, Entry>,
    /// Of the list, so far.
    version: u64,
    /// Counts changes; what is on disk is that of `on_disk`.
    edition: u64,
    /// The newest edition that was handed out.
    handed_out: u64,
    on_disk: u64,
}

impl Book {
    pub(super) fn new(before: Vec<Entry>) -> Book {
        let before = before.into_iter().map(|entry| (entry.call_sid.clone(), entry));
        Book {
            before: before.collect(),
            ..Book::default()
        }
    }

    /// The disk had no room for what it was made of.
    pub(super) fn unwritten(&mut self) {
        self.edition += 1;
    }

    pub(super) fn before(&self) -> Vec<Entry> {
        self.before.values().cloned().collect()
    }

    pub(super) fn settled(&mut self, sid: &CallSid) {
        if self.before.remove(sid).is_some() {
            self.edition += 1;
        }
    }

    /// Takes what has changed in the list.
    pub(super) fn follow(&mut self, lobby: &Lobby) {
        loop {
            let Ok(changes) = lobby.read(&mut self.version, TAKEN) else {
                return self.begin_anew(lobby);
            };
            let last = changes.len() < TAKEN;
            changes.into_iter().for_each(|change| self.take(change));
            if last {
                return;
            }
        }
    }

    /// More calls were forgotten at once than the list remembers.
    fn begin_anew(&mut self, lobby: &Lobby) {
        self.version = lobby.version();
        self.live.clear();
        self.edition += 1;
        for listed in lobby.all() {
            self.take(Change::Upsert(listed));
        }
    }

    fn take(&mut self, change: Change) {
        match change {
            Change::Removed(sid) => self.over(&sid),
            Change::Upsert(listed) if listed.ended => self.over(&listed.call_sid),
            Change::Upsert(listed) => self.goes_on(&listed),
        }
    }

    fn over(&mut self, sid: &CallSid) {
        if self.live.remove(sid).is_some() {
            self.edition += 1;
        }
    }

    fn goes_on(&mut self, listed: &Listed) {
        // What only the list is about, levels and talk, is no part of an entry.
        let Ok(entry) = serde_json::from_str::<Entry>(listed.told.json()) else {
            return;
        };
        if self.live.get(&listed.call_sid) != Some(&entry) {
            self.live.insert(listed.call_sid.clone(), entry);
            self.edition += 1;
        }
    }

    /// Whether something is not on disk yet.
    pub(super) fn is_changed(&self) -> bool {
        self.edition != self.on_disk
    }

    /// All that is to be remembered.
    pub(super) fn entries(&mut self) -> impl Iterator<Item = &Entry> {
        self.handed_out = self.edition;
        let before = self
            .before
            .iter()
            .filter(|(sid, _)| !self.live.contains_key(*sid));
        before.map(|(_, entry)| entry).chain(self.live.values())
    }

    /// What was handed out last is on disk.
    pub(super) fn written(&mut self) {
        self.on_disk = self.handed_out;
    }
}
