//! Scroll-back and search, the same for lines and for events. A view holds on to entries, not to rows: it stays
//! where it is, whatever comes below.

use super::{Side, View};

/// Something in a text.
pub trait Entry {
    /// Its number; growing along the text.
    fn id(&self) -> u64;
    /// Whether it contains this, given in lower case.
    fn has(&self, what: &str) -> bool;
}

/// Entries shown below one that was found, so that it is read with what came after: few enough that it stays
/// in sight where they are long.
const BELOW_FOUND: usize = 2;

/// What became of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// One is marked.
    Here,
    /// One is marked, past the end or the beginning.
    Wrapped,
    /// There is none.
    Nowhere,
}

impl Side {
    /// `customer` or `agent`.
    pub fn as_str(self) -> &'static str {
        match self {
            Side::Customer => "customer",
            Side::Agent => "agent",
        }
    }
}

fn place<T: Entry>(entries: &[T], id: Option<u64>) -> Option<usize> {
    let id = id?;
    let at = entries.partition_point(|entry| entry.id() < id);
    (at < entries.len()).then_some(at)
}

impl View {
    /// The place of the entry at the bottom; `None` of an empty text.
    pub fn bottom_index<T: Entry>(&self, entries: &[T]) -> Option<usize> {
        place(entries, self.bottom).or_else(|| entries.len().checked_sub(1))
    }

    /// The place of the entry that was found.
    pub fn found_index<T: Entry>(&self, entries: &[T]) -> Option<usize> {
        place(entries, self.found)
    }

    /// So many entries down, or up where negative; past the last it follows what comes.
    pub(in crate::app) fn scroll<T: Entry>(&mut self, entries: &[T], by: isize) {
        let Some(at) = self.bottom_index(entries) else {
            return;
        };
        self.found = None;
        let to = at.saturating_add_signed(by);
        let at_end = by >= 0 && to.saturating_add(1) >= entries.len();
        self.bottom = if at_end {
            None
        } else {
            entries.get(to).map(Entry::id)
        };
    }

    /// The first entry, with as many below it as the pane has rows.
    pub(in crate::app) fn go_to_first<T: Entry>(&mut self, entries: &[T], rows: u16) {
        self.found = None;
        let below = usize::from(rows).saturating_sub(1);
        self.bottom = entries.get(below).map(Entry::id);
    }

    /// The last, and those that come.
    pub(in crate::app) fn go_to_last(&mut self) {
        self.found = None;
        self.bottom = None;
    }

    /// Another thing is searched for: the nearest at or above the bottom is marked, else the nearest below.
    pub(in crate::app) fn search<T: Entry>(&mut self, entries: &[T], what: &str) -> Found {
        self.search = what.to_lowercase();
        self.found = None;
        let Some(bottom) = self.bottom_index(entries).filter(|_| !self.search.is_empty()) else {
            return Found::Nowhere;
        };
        let (above, below) = entries.split_at_checked(bottom + 1).unwrap_or_default();
        let hit = |entry: &&T| entry.has(&self.search);
        let hit = above.iter().rev().find(hit).or_else(|| below.iter().find(hit));
        match hit.map(Entry::id) {
            Some(id) => self.mark(entries, id, Found::Here),
            None => Found::Nowhere,
        }
    }

    /// The next below what was found, or the one above it; past the end it begins at the other.
    pub(in crate::app) fn search_on<T: Entry>(&mut self, entries: &[T], down: bool) -> Found {
        let from = self.found_index(entries).or_else(|| self.bottom_index(entries));
        let Some(from) = from.filter(|_| !self.search.is_empty()) else {
            return Found::Nowhere;
        };
        let hit = |entry: &&T| entry.has(&self.search);
        let (above, rest) = entries.split_at_checked(from).unwrap_or_default();
        let below = rest.get(1..).unwrap_or_default();
        let (straight, around) = if down {
            (below.iter().find(hit), entries.iter().find(hit))
        } else {
            (above.iter().rev().find(hit), entries.iter().rev().find(hit))
        };
        match (straight.map(Entry::id), around.map(Entry::id)) {
            (Some(id), _) => self.mark(entries, id, Found::Here),
            (None, Some(id)) => self.mark(entries, id, Found::Wrapped),
            (None, None) => Found::Nowhere,
        }
    }

    fn mark<T: Entry>(&mut self, entries: &[T], id: u64, how: Found) -> Found {
        self.found = Some(id);
        let at = self.found_index(entries).unwrap_or(0);
        let bottom = at.saturating_add(BELOW_FOUND);
        self.bottom = entries.get(bottom).or(entries.last()).map(Entry::id);
        how
    }

    /// As it was before, as far as its entries are still there.
    pub(in crate::app) fn go_back<T: Entry>(&mut self, before: View, entries: &[T]) {
        *self = before;
        let nearest = |held| place(entries, held).and_then(|at| entries.get(at)).map(Entry::id);
        self.bottom = nearest(self.bottom);
        self.found = self.found.filter(|found| nearest(self.found) == Some(*found));
    }

    /// An entry goes on as another.
    pub(super) fn follow_entry(&mut self, old: u64, new: u64) {
        for held in [&mut self.bottom, &mut self.found] {
            if *held == Some(old) {
                *held = Some(new);
            }
        }
    }

    /// The oldest entries are gone: what was held of them is the first of those left, and nothing is found.
    pub(super) fn forget_before<T: Entry>(&mut self, entries: &[T]) {
        let first = entries.first().map(Entry::id);
        if self.bottom < first && self.bottom.is_some() {
            self.bottom = first;
        }
        if self.found < first {
            self.found = None;
        }
    }
}
