//! A call that two relays had as their own, each for itself: what the one gives up, and how the other takes it.

use super::Held;
use crate::calls::call::state::State;
use crate::calls::call::{Call, Tell};
use crate::calls::journal::Cursor;
use crate::calls::mirror::{Kind, Numbered, Snapshot, Told};
use crate::clock::Now;
use crate::lock::lock;

impl Call {
    /// The relay `node` has it from here on: what this one knew last of it, and its entries after what `told` says of the
    /// numbering that it has. `None` where it is theirs already, or nobody's.
    pub fn give_up(&self, now: Now, node: &str, told: impl FnOnce(&str) -> Cursor) -> Option<Told> {
        let told = self.change(now, |state| {
            if state.forgotten || state.is_theirs() {
                return (Tell::Nothing, None);
            }
            // What waits to be summed up, and for a missing line, is said here or never.
            if state.mirror.held == Held::Ours {
                let lines = state.transcription.flush();
                state.heard(now, lines, &self.shared.metrics.lines_paused);
                state.flush_events(now);
                state.tell_notes(now, true);
            }
            let after = told(state.journal.id());
            let told = state.tell_others(after);
            state.yield_to(now, node);
            (Tell::Now, Some(told))
        });
        if told.is_some() {
            self.shared.metrics.calls_given_up.add_one();
        }
        told
    }

    /// All of it as it was when this relay, called `node`, let go of it; `None` where another has it by now.
    pub fn told_since_left(&self, node: &str) -> Option<Told> {
        let mut state = lock(&self.state);
        let left = matches!(&state.mirror.held, Held::Theirs(by) if &**by == node);
        (left && !state.forgotten).then(|| state.tell_others(Cursor::default()))
    }

    /// What another relay held as its own of this call of ours, and gave up: what it knew, and entries that it numbered
    /// and nobody else has heard of. They get numbers of ours; where there are any the numbering is another from here
    /// on, called `journal`, so that those who read there begin anew as well.
    pub fn merge(&self, now: Now, other: &Snapshot, entries: &[Numbered], journal: String) {
        self.change(now, |state| {
            if state.forgotten || state.mirror.held != Held::Ours {
                return (Tell::Nothing, ());
            }
            let same = state.journal.id() == other.journal.id;
            let unknown: Vec<Numbered> = (entries.iter())
                .filter(|entry| !same || state.journal.lacks(entry))
                .cloned()
                .collect();
            if !unknown.is_empty() {
                state.journal.renumber(&unknown);
                state.journal.rename(journal);
            }
            state.merge_facts(now, other);
            (Tell::Now, ())
        });
    }

    /// The same where the other told all others of it, and this relay did not: all that is told stands as it is, and
    /// what this one has numbered after `after` comes behind it.
    pub fn absorb(&self, now: Now, told: (&Snapshot, &[Numbered]), after: Cursor, journal: String) {
        self.change(now, |state| {
            if state.forgotten || state.mirror.held != Held::Ours {
                return (Tell::Nothing, ());
            }
            let (other, entries) = told;
            let mine = state.journal.numbered_after(after);
            if state.journal.id() == other.journal.id {
                let lacking = entries.iter().filter(|entry| state.journal.lacks(entry));
                let lacking: Vec<Numbered> = lacking.cloned().collect();
                let last = state.journal.last();
                let behind = |entry: &Numbered| {
                    entry.seq()
                        > match entry.kind() {
                            Kind::Lines => last.line,
                            Kind::Events => last.event,
                        }
                };
                if mine.is_empty() && lacking.iter().all(behind) {
                    // Whoever takes everything is never behind.
                    let _ = state.journal.follow(&other.journal, Cursor::default(), entries);
                } else if !lacking.is_empty() {
                    state.journal.renumber(&lacking);
                    state.journal.rename(journal);
                }
            } else {
                let _ = state.journal.follow(&other.journal, Cursor::default(), entries);
                if !mine.is_empty() {
                    state.journal.renumber(&mine);
                    state.journal.rename(journal);
                }
            }
            state.merge_facts(now, other);
            (Tell::Now, ())
        });
    }

    /// What other relays are told of it, with the entries after what `told` says of the numbering that it has; `None` where
    /// it is theirs, or nobody's.
    pub fn told(&self, told: impl FnOnce(&str) -> Cursor) -> Option<Told> {
        let mut state = lock(&self.state);
        if state.forgotten || state.is_theirs() {
            return None;
        }
        let after = told(state.journal.id());
        Some(state.tell_others(after))
    }
}

impl State {
    fn tell_others(&mut self, after: Cursor) -> Told {
        let partials = self.journal.open_partials();
        Told {
            snapshot: self.snapshot(),
            after,
            entries: self.journal.numbered_after(after),
            upto: self.journal.last(),
            partials: [partials.inbound, partials.outbound],
            taking: self.mirror.held == Held::Taking,
        }
    }

    fn merge_facts(&mut self, now: Now, other: &Snapshot) {
        self.life.merge(now, &other.life);
        self.known.merge(&other.known);
        for (leg, status) in &other.seen {
            self.is_new_status(leg, status);
        }
        for (node, number) in &other.applied {
            let known = self.mirror.applied.entry(node.clone()).or_default();
            *known = (*known).max(*number);
        }
        // Somebody there wanted it held back, and was told that it is.
        if other.pause.is_on() && !self.pause.is_on() {
            self.hold_back(now);
        }
    }
}
