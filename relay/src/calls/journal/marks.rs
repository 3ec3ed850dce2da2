//! Which of the events that are remembered are marks that somebody made, and by whom: so that one person's marks can
//! be bounded, and no event of the call is pushed out by them. Follows the events; numbers nothing.

use std::collections::VecDeque;

use partyline_shared::event::EventKind;
use serde_json::{Map, Value};

/// The key under which a mark says who made it. Those of a two-way stream have none.
pub const BY: &str = "by";

/// The marks, in the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Marks(VecDeque<(u64, Box<str>)>);

impl Marks {
    /// An event has its number.
    pub(super) fn note(&mut self, seq: u64, kind: EventKind, detail: &Map<String, Value>) {
        let by = detail.get(BY).and_then(Value::as_str);
        if let Some(by) = by.filter(|_| kind == EventKind::Mark) {
            self.0.push_back((seq, by.into()));
        }
    }

    /// Events up to `seq` are no longer remembered.
    pub(super) fn forget(&mut self, seq: u64) {
        while self.0.front().is_some_and(|(mark, _)| *mark <= seq) {
            self.0.pop_front();
        }
    }

    /// Nothing is remembered.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// How many there are by somebody of this name, and by all.
    pub(super) fn count(&self, by: &str) -> (usize, usize) {
        let own = self.0.iter().filter(|(_, name)| **name == *by);
        (own.count(), self.0.len())
    }
}
