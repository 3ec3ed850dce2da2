//! How far we are in a call's journals. A journal can come back (two relays taking turns behind one
//! address), so the last few are remembered.

use partyline_shared::protocol::client::After;

/// Journals remembered for a call: more relays than stand behind one address.
const REMEMBERED: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Journals {
    /// The current one last. Each with a name.
    seen: Vec<After>,
}

impl Journals {
    /// What `subscribe` says; nothing before the first `subscribed`.
    pub(super) fn after(&self) -> Option<After> {
        self.seen.last().cloned()
    }

    /// A `subscribed` names the journal; whether it is another one than before.
    pub(super) fn enter(&mut self, journal: &str) -> bool {
        if self.is_current(journal) {
            return false;
        }
        let first = self.seen.is_empty();
        let known = self
            .seen
            .iter()
            .position(|after| after.journal.as_deref() == Some(journal));
        let entry = match known {
            Some(at) => self.seen.remove(at),
            None => After {
                journal: Some(journal.to_owned()),
                ..After::default()
            },
        };
        if self.seen.len() >= REMEMBERED {
            self.seen.remove(0);
        }
        self.seen.push(entry);
        !first
    }

    /// Whether line `seq` of the current journal is new; it counts as seen then.
    pub(super) fn take_line(&mut self, seq: u64) -> bool {
        self.seen
            .last_mut()
            .is_some_and(|after| advance(&mut after.transcript, seq))
    }

    /// The same of an event.
    pub(super) fn take_event(&mut self, seq: u64) -> bool {
        self.seen
            .last_mut()
            .is_some_and(|after| advance(&mut after.event, seq))
    }

    fn is_current(&self, journal: &str) -> bool {
        self.seen
            .last()
            .is_some_and(|after| after.journal.as_deref() == Some(journal))
    }
}

fn advance(seen: &mut u64, seq: u64) -> bool {
    let new = seq > *seen;
    *seen = seq.max(*seen);
    new
}
