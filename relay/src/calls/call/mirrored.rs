//! A call of which other relays know: whether it is ours or theirs, and how it becomes the one or the other. Decides
//! neither: who owns a call is settled elsewhere. What happens here to a call of theirs is a deed for whoever has it.

use std::collections::BTreeMap;
use std::sync::Arc;

use partyline_shared::call::StreamState;
use partyline_shared::event::EventKind;
use partyline_shared::time::UtcTime;
use serde_json::{Map, Value, json};

use super::audio::Accepted;
use super::state::{Ear, State};
use super::{Call, Tell};
use crate::calls::journal::{Behind, Cursor, NewLine};
use crate::calls::mirror::snapshot::rank;
use crate::calls::mirror::{Deed, Numbered, Snapshot};
use crate::calls::transcription::Heard;
use crate::clock::Now;
use crate::lock::lock;

mod adopted;
mod halves;
#[cfg(test)]
mod tests;

/// Whose a call is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Held {
    /// This relay's: it numbers what is said and done.
    #[default]
    Ours,
    /// A stream of it came here, and it is about to be ours: nothing is numbered until it is.
    Taking,
    /// Of the relay of this name.
    Theirs(Arc<str>),
}

/// What a call is among relays.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    pub(super) held: Held,
    /// Deeds for whoever has it, until the change that wrote them is done.
    pub(super) away: Vec<Deed>,
    /// Other relays whose listeners hear it.
    pub(super) peers: Vec<Peer>,
    /// Who listens, as its owner counts.
    listeners: u32,
    /// The last deed of each other relay that was taken.
    applied: BTreeMap<String, u64>,
    /// The stream for which it is taken.
    taken: Option<Box<Taken>>,
    /// Who hears it is not who did when that was told last.
    pub(super) ears_changed: bool,
}

/// Another relay that hears it.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) node: Arc<str>,
    pub(super) listeners: u32,
    /// Where its frames go, while they are wanted.
    pub(super) ear: Option<Ear>,
}

/// What a stream said while it was not known yet how the call stands.
#[derive(Debug)]
struct Taken {
    now: Now,
    accepted: Accepted,
    over: Option<StreamState>,
}

impl Call {
    /// Whose it is.
    pub fn held(&self) -> Held {
        lock(&self.state).mirror.held.clone()
    }

    /// Whether this relay owns it.
    pub fn is_ours(&self) -> bool {
        lock(&self.state).mirror.held == Held::Ours
    }

    /// It is another relay's from its first word on: for who makes it.
    pub fn is_of(&self, node: &str) {
        lock(&self.state).mirror.held = Held::Theirs(node.into());
    }

    /// A call of another relay is this one's now, which has yet to tell of it.
    pub fn passes_to(&self, now: Now, node: &str) {
        self.change(now, |state| {
            if state.forgotten || !state.is_theirs() {
                return (Tell::Nothing, ());
            }
            state.passes_to(node);
            (Tell::Now, ())
        });
    }

    /// Who of several that have a live stream of it is to own it; 0 for one without.
    pub fn rank(&self) -> u64 {
        let state = lock(&self.state);
        let live = state.stream.as_ref().filter(|stream| !stream.over);
        live.map_or(0, |stream| rank(stream.info.zero_at))
    }

    /// The name of its journal's numbering, and the newest numbers.
    pub fn numbering(&self) -> (String, Cursor) {
        let state = lock(&self.state);
        (state.journal.id().to_owned(), state.journal.last())
    }

    /// The relay `node` has it, and tells this of it. What was ours is theirs from here on; what waited for a number
    /// is handed over.
    ///
    /// # Errors
    /// [`Behind`] where entries before these are missing here; nothing is taken then.
    pub fn follow(
        &self,
        now: Now,
        node: &str,
        snapshot: &Snapshot,
        after: Cursor,
        entries: &[Numbered],
    ) -> Result<(), Behind> {
        self.change(now, |state| {
            if state.forgotten {
                return (Tell::Nothing, Ok(()));
            }
            if let Err(behind) = state.journal.follow(&snapshot.journal, after, entries) {
                return (Tell::Nothing, Err(behind));
            }
            if state.mirror.held == Held::Taking {
                // Whether this relay still has it is settled elsewhere.
                return (Tell::Nothing, Ok(()));
            }
            state.yield_to(now, node);
            state.adopt(now, snapshot);
            (Tell::Now, Ok(()))
        })
    }

    /// All that its owner told last, for who is about to take it over; nothing where it is no other's any more.
    pub fn catch_up(&self, now: Now, snapshot: &Snapshot, entries: &[Numbered]) {
        self.change(now, |state| {
            if state.forgotten || !state.is_theirs() {
                return (Tell::Nothing, ());
            }
            // Whoever takes everything is never behind.
            let _ = state
                .journal
                .follow(&snapshot.journal, Cursor::default(), entries);
            state.adopt(now, snapshot);
            (Tell::Now, ())
        });
    }

    /// Its owner is gone, and this relay has it from here on. Where that one did not let go of it itself (`alone`),
    /// numbers go on further up, since it may have given some that nobody else heard of. A stream that was live there is
    /// lost.
    pub fn take_over(&self, now: Now, alone: bool) {
        self.change(now, |state| {
            if state.forgotten || !matches!(state.mirror.held, Held::Theirs(_)) {
                return (Tell::Nothing, ());
            }
            state.mirror.held = Held::Ours;
            state.hand_out(|_| true);
            if alone {
                state.journal.skip();
            }
            self.shared.metrics.calls_taken_over.add_one();
            let live = state.stream.as_mut().filter(|stream| !stream.over);
            if let Some(stream) = live {
                stream.over = true;
                let detail = json!({
                    "stream_sid": stream.sid,
                    "audio_id": stream.key,
                    "reason": "the relay that had it is gone",
                });
                state.event(now.wall, EventKind::StreamLost, detail);
            }
            if state.life.ended().is_none() && state.life.stream() == StreamState::Live {
                state.life.stream_lost(now);
            }
            if state.life.ended().is_none() && state.life.stream() == StreamState::Lost {
                lock(&self.shared.lost).insert(self.sid.clone());
                self.shared.loss.notify_one();
            }
            (Tell::Now, ())
        });
    }

    /// It is ours now, after a stream of it came here. What its owner knew last comes first, then what waited for a
    /// number. Where the owner could not be asked for its last word (`alone`), numbers go on further up.
    ///
    /// # Errors
    /// [`Behind`] where entries before these are missing here; it is still being taken then.
    pub fn settle(
        &self,
        now: Now,
        last: Option<(&Snapshot, Cursor, &[Numbered])>,
        alone: bool,
    ) -> Result<(), Behind> {
        self.change(now, |state| {
            if state.forgotten || state.mirror.held != Held::Taking {
                return (Tell::Nothing, Ok(()));
            }
            if let Some((snapshot, after, entries)) = last {
                if let Err(behind) = state.journal.follow(&snapshot.journal, after, entries) {
                    return (Tell::Nothing, Err(behind));
                }
                state.adopt_for_stream(now, snapshot);
            }
            state.mirror.held = Held::Ours;
            state.mirror.taken = None;
            if alone {
                state.journal.skip();
            }
            state.journal.release();
            if state.life.stream() == StreamState::Lost && state.life.ended().is_none() {
                lock(&self.shared.lost).insert(self.sid.clone());
                self.shared.loss.notify_one();
            }
            (Tell::Now, Ok(()))
        })
    }

    /// The deed `number` of the relay `sender`, unless it was done already; whether it is this relay's to do, and now:
    /// what that one did before it, up to `after`, has to be done.
    pub fn apply_from(&self, now: Now, sender: &str, number: u64, after: u64, deed: Deed) -> bool {
        {
            let mut state = lock(&self.state);
            if state.forgotten || state.mirror.held != Held::Ours {
                return false;
            }
            let last = state.mirror.applied.entry(sender.to_owned()).or_default();
            if number <= *last {
                return true;
            }
            if after > *last {
                return false;
            }
            *last = number;
        }
        self.apply(now, deed);
        // That it is done is to be told, also where it came to nothing.
        self.shared.feed.mark(&self.sid);
        true
    }

    /// The last deed of the relay `sender` that it took, as far as is known here.
    pub fn applied_of(&self, sender: &str) -> u64 {
        let state = lock(&self.state);
        state.mirror.applied.get(sender).copied().unwrap_or(0)
    }

    /// Whoever has it is to know who hears it here.
    pub(super) fn tell_ears(&self, state: &mut State) {
        if std::mem::take(&mut state.mirror.ears_changed) && state.is_theirs() {
            self.shared.feed.mark_ears(&self.sid);
        }
    }

    pub(in crate::calls) fn event_elsewhere(
        &self,
        now: Now,
        at: UtcTime,
        kind: EventKind,
        detail: Map<String, Value>,
    ) {
        self.change(now, |state| {
            state.event(at, kind, Value::Object(detail));
            (Tell::Nothing, ())
        });
    }

    pub(in crate::calls) fn line_elsewhere(&self, now: Now, line: NewLine) {
        self.change(now, |state| {
            let heard = state.unless_paused(Heard::Line(line.clone()));
            let told = state.heard(now, vec![(line.at, heard)], &self.shared.metrics.lines_paused);
            (told, ())
        });
    }
}

impl State {
    /// Whether it counts as a call that goes on here: it is ours and not over.
    pub(super) fn counts(&self) -> bool {
        !matches!(self.mirror.held, Held::Theirs(_)) && self.life.ended().is_none()
    }

    pub(super) fn is_theirs(&self) -> bool {
        matches!(self.mirror.held, Held::Theirs(_))
    }

    /// Who listens: here and at other relays, as far as this one counts.
    pub(super) fn listeners(&self) -> u32 {
        if self.is_theirs() {
            return self.mirror.listeners;
        }
        let here = self.seats.iter().filter(|seat| seat.listens()).count() as u32;
        // What other relays say is added up without an end.
        let peers = self.mirror.peers.iter();
        peers.fold(here, |all, peer| all.saturating_add(peer.listeners))
    }

    /// A stream came to a call of theirs: it is about to be ours.
    pub(super) fn begin_taking(&mut self, now: Now, accepted: &Accepted) {
        if self.mirror.held == Held::Ours {
            return;
        }
        self.mirror.held = Held::Taking;
        self.hand_out(|_| true);
        self.journal.hold();
        self.mirror.taken = Some(Box::new(Taken {
            now,
            accepted: accepted.clone(),
            over: None,
        }));
    }

    /// Its stream ended while it is being taken.
    pub(super) fn taken_over(&mut self, how: StreamState) {
        if let Some(taken) = &mut self.mirror.taken {
            taken.over = Some(how);
        }
    }

    /// What is theirs is this relay's, whom who hears it here is told to.
    fn passes_to(&mut self, node: &str) {
        if !matches!(&self.mirror.held, Held::Theirs(known) if &**known == node) {
            self.mirror.held = Held::Theirs(node.into());
            self.mirror.ears_changed |= !self.seats.is_empty();
            // What is heard from now on is of that one, whose clock may be behind.
            if let Some(stream) = &mut self.stream {
                stream.over = true;
            }
        }
    }

    fn yield_to(&mut self, now: Now, node: &str) {
        if self.is_theirs() {
            return self.passes_to(node);
        }
        let waited = self.journal.give_back();
        self.mirror.away.extend(waited);
        self.mirror.taken = None;
        self.mirror.peers.clear();
        self.mirror.held = Held::Theirs(node.into());
        self.flush_events(now);
        self.settle();
    }

    /// What was to be done to it as ours, and is for whoever has it: it was given up in between.
    pub(super) fn hands_over(&mut self, deed: Deed) -> (Tell, ()) {
        self.mirror.away.push(deed);
        (Tell::Nothing, ())
    }

    /// What happened to a call of theirs is told by whoever has it.
    pub(super) fn event_away(&mut self, at: UtcTime, kind: EventKind, detail: Map<String, Value>) {
        self.mirror.away.push(Deed::Event { at, kind, detail });
    }
}
