//! Which calls are to be remembered: those in progress here, those of before of which nothing is known yet, and those
//! that are over and were held back, should they come back.
//! Follows the list of calls from change to change. Pure.

use std::collections::BTreeMap;

use partyline_shared::id::CallSid;

use super::TAKEN;
use super::entry::{Entry, Erased};
use super::file::{self, Left};
use crate::calls::lobby::{Change, Listed, Lobby};

/// The calls.
#[derive(Debug, Default)]
pub(super) struct Book {
    before: BTreeMap<CallSid, Entry>,
    live: BTreeMap<CallSid, Entry>,
    /// Calls that were erased, here or before, as they are to be written.
    erased: Vec<Erased>,
    /// How many have been, here.
    erasures: u64,
    /// Of the list, so far.
    version: u64,
    /// Counts changes; what is on disk is that of `on_disk`.
    edition: u64,
    /// The newest edition that was handed out.
    handed_out: u64,
    on_disk: u64,
}

impl Book {
    pub(super) fn new(left: Left) -> Book {
        let before = left
            .entries
            .into_iter()
            .map(|entry| (entry.call_sid.clone(), entry));
        Book {
            before: before.collect(),
            erased: left.erased,
            ..Book::default()
        }
    }

    /// The disk had no room for what it was made of.
    pub(super) fn unwritten(&mut self) {
        self.edition += 1;
    }

    pub(super) fn before(&self) -> Vec<Entry> {
        let in_progress = self.before.values().filter(|entry| entry.ended_at.is_none());
        in_progress.cloned().collect()
    }

    pub(super) fn paused(&self) -> Vec<CallSid> {
        let paused = self.before.values().filter(|entry| entry.paused);
        paused.map(|entry| entry.call_sid.clone()).collect()
    }

    /// All that were erased, where it is news that there are more.
    pub(super) fn erase(&mut self, erasures: u64, all: impl FnOnce() -> Vec<Erased>) {
        if self.erasures != erasures {
            (self.erasures, self.erased) = (erasures, all());
            self.edition += 1;
        }
    }

    pub(super) fn erased(&self) -> &[Erased] {
        &self.erased
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
            Change::Upsert(listed) => self.stands(&listed),
        }
    }

    fn over(&mut self, sid: &CallSid) {
        if self.live.remove(sid).is_some() {
            self.edition += 1;
        }
    }

    fn stands(&mut self, listed: &Listed) {
        // What only the list is about, levels and talk, is no part of an entry.
        let Ok(entry) = serde_json::from_str::<Entry>(listed.told.json()) else {
            return;
        };
        // It is here: what was known of its end before counts no more.
        let before = self.before.get(&listed.call_sid);
        if before.is_some_and(|before| before.ended_at.is_some()) {
            self.settled(&listed.call_sid);
        }
        let entry = if listed.ended {
            entry.only_paused()
        } else {
            Some(entry)
        };
        let Some(entry) = entry else {
            return self.over(&listed.call_sid);
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

    /// All that is to be remembered, as it stands in the file.
    pub(super) fn text(&mut self) -> String {
        self.handed_out = self.edition;
        let before = self
            .before
            .iter()
            .filter(|(sid, _)| !self.live.contains_key(*sid));
        let entries = before.map(|(_, entry)| entry).chain(self.live.values());
        file::text(entries, &self.erased)
    }

    /// What was handed out last is on disk.
    pub(super) fn written(&mut self) {
        self.on_disk = self.handed_out;
    }
}
