//! Entries into a file, several with one sync, and nothing of a group that failed stays behind: what was written
//! of it is cut off before the next. Knows no thread and no clock; the file is handed in.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use partyline_shared::time::UtcTime;

use super::chain::{self, Link};
use super::disk::{Disk, Found, Last};
use super::entry::{Entry, Event};
use super::head::Head;

/// Entries written with one sync: a few hundred kB, so that the first of them does not wait for long.
pub(super) const MAX_GROUP: usize = 1024;

/// Entries kept for when the disk works again: as many ends as there may be listeners, and more.
pub(super) const MAX_OWED: usize = 16_384;

/// How the reason of a file's first line begins: by it `verify` knows that none is missing before.
pub(super) const NEW_CHAIN: &str = "a new chain";
pub(super) const OTHER_FILE: &str = "goes on from another file";
/// How the reason of a `started` within a file begins.
const SAME_FILE: &str = "goes on in this file";
const AGAIN: &str = "can be written again";

/// One chain being written.
pub(super) struct Book<D> {
    pub(super) disk: D,
    pub(super) head: Head,
    node: String,
    /// The last line on disk.
    link: Link,
    /// How long the file is then, bytes.
    length: u64,
    /// The file may be longer than that.
    dirty: bool,
    /// The last line has no line end yet.
    unended: bool,
    /// The reason of a `started` that has to come first.
    opening: Option<String>,
    owed: VecDeque<Arc<Entry>>,
    /// Entries that found no place among those.
    lost: u64,
}

impl<D: Disk> Book<D> {
    /// Goes on in a file as it was found; the first commit says so in it.
    pub(super) fn new(disk: D, found: &Found, head: Head, node: String) -> Book<D> {
        let mut book = Book {
            disk,
            head,
            node,
            link: Link::START,
            length: 0,
            dirty: false,
            unended: false,
            opening: None,
            owed: VecDeque::new(),
            lost: 0,
        };
        let known = book.head.link();
        book.adopt(found, known);
        book
    }

    /// Goes on in another file, or in this one after somebody else changed it.
    pub(super) fn switch(&mut self, disk: D, found: &Found) {
        let known = Some(self.link);
        self.disk = disk;
        self.adopt(found, known);
    }

    /// What is known of the chain wins over what the file says: a line that was taken off or rewritten is missed
    /// by the next one.
    fn adopt(&mut self, found: &Found, known: Option<Link>) {
        let known = known.unwrap_or(Link::START);
        let (link, mut said) = match found.last {
            Last::None if known == Link::START => (known, NEW_CHAIN.to_owned()),
            Last::None => (known, OTHER_FILE.to_owned()),
            Last::Sound(last) if last == known || last.seq > known.seq => (last, SAME_FILE.to_owned()),
            Last::Sound(last) if last.seq == known.seq => (
                known,
                format!("{SAME_FILE}; the line before this one was rewritten"),
            ),
            Last::Sound(last) => {
                let gone = known.seq - last.seq;
                (
                    known,
                    format!("{SAME_FILE}; {gone} lines before this one are gone"),
                )
            }
            Last::Unsound => (
                known,
                format!("{SAME_FILE}; the line before this one was altered"),
            ),
        };
        self.link = link;
        if found.torn > 0 {
            let torn = found.torn;
            said.push_str(&format!("; {torn} bytes of a torn line were cut off"));
        }
        self.length = found.length;
        self.dirty = found.torn > 0;
        self.unended = found.unended;
        self.opening = Some(said);
    }

    /// How long the file is, where nothing of a failed write is left in it.
    pub(super) fn length(&self) -> Option<u64> {
        (!self.dirty).then_some(self.length)
    }

    /// The last line on disk.
    pub(super) fn link(&self) -> Link {
        self.link
    }

    /// Entries were lost before they came here; the next commit says so.
    pub(super) fn admit_loss(&mut self, entries: u64) {
        self.lost += entries;
        self.opening
            .get_or_insert_with(|| "goes on after a rush".to_owned());
    }

    /// Keeps an entry for the next commit that succeeds; gives whether there was room.
    pub(super) fn owe(&mut self, entry: Arc<Entry>) -> bool {
        let room = self.owed.len() < MAX_OWED;
        if room {
            self.owed.push_back(entry);
        } else {
            self.lost += 1;
        }
        room
    }

    /// Writes what is owed and then these entries, at most [`MAX_GROUP`] with each sync; gives how many lines.
    ///
    /// # Errors
    /// When the disk did not take it: what was owed still is, and none of `entries` is on record.
    pub(super) fn commit(&mut self, now: UtcTime, entries: &[&Arc<Entry>]) -> io::Result<u64> {
        let mut lines = 0;
        while self.opening.is_some() || !self.owed.is_empty() {
            let group: Vec<Arc<Entry>> = self.owed.iter().take(MAX_GROUP).cloned().collect();
            lines += self.group(now, &group.iter().collect::<Vec<_>>())?;
            self.owed.drain(..group.len());
        }
        if !entries.is_empty() {
            lines += self.group(now, entries)?;
        }
        Ok(lines)
    }

    fn group(&mut self, now: UtcTime, entries: &[&Arc<Entry>]) -> io::Result<u64> {
        let written = self.try_group(now, entries);
        if written.is_err() {
            self.opening.get_or_insert_with(|| AGAIN.to_owned());
        }
        written
    }

    fn try_group(&mut self, now: UtcTime, entries: &[&Arc<Entry>]) -> io::Result<u64> {
        if self.dirty {
            self.disk.cut(self.length)?;
            self.dirty = false;
        }
        let mut text = Vec::new();
        if self.unended {
            text.push(b'\n');
        }
        let mut link = self.link;
        if let Some(reason) = &self.opening {
            let reason = match self.lost {
                0 => reason.clone(),
                lost => format!("{reason}; {lost} entries were lost meanwhile"),
            };
            let started = Entry::new(now, Event::Started).because(reason);
            link = chain::add_line(link, &self.node, &started, &mut text);
        }
        for entry in entries {
            link = chain::add_line(link, &self.node, entry, &mut text);
        }
        // A sync that failed may have forgotten what it did not write: all of it is written again.
        self.dirty = true;
        if let Err(error) = self.disk.append(&text).and_then(|()| self.disk.sync()) {
            self.dirty = self.disk.cut(self.length).is_err();
            return Err(error);
        }
        self.dirty = false;
        let lines = link.seq - self.link.seq;
        self.length += text.len() as u64;
        self.unended = false;
        self.link = link;
        if self.opening.take().is_some() {
            self.lost = 0;
        }
        self.head.note(link);
        Ok(lines)
    }
}
