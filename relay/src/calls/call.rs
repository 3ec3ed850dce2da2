//! One call behind one short lock: the only place that numbers its lines and events, and the only one
//! that hands out its audio. No section under the lock does I/O or grows with the number of listeners' bytes, and
//! none waits for longer than one listener's mailbox takes a write; nobody who publishes needs a number back.
//!
//! Locks are taken in this order only: a call's turn, call, lobby, mailbox.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use partyline_shared::call::Call as View;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::After;
use partyline_shared::time::UtcTime;
use partyline_shared::track::PerTrack;

use super::encoded::Encoded;
use super::fanout::{Item, Mailbox, StreamInfo, SubId};
use super::journal::{Cursor, Entry, Forgotten};
use super::life::Turn;
use super::lobby::{Lobby, Soon};
use crate::access::Grant;
use crate::clock::Now;
use crate::lock::lock;
use crate::metrics::Metrics;

mod audio;
mod callbacks;
mod state;

use audio::Tally;
pub use audio::{Accepted, StreamKey};
pub use callbacks::StatusNote;
use state::{Seat, State};

/// What all calls of a relay share.
#[derive(Debug)]
pub struct Shared {
    /// The relay's name.
    pub node: String,
    /// The list of calls.
    pub lobby: Lobby,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Calls that are not over.
    pub live: AtomicUsize,
    /// Calls that are over and yet have something to tell in a moment: the registry wakes them. A call is in
    /// here once at most between two rounds.
    pub stirred: Mutex<Vec<CallSid>>,
    /// Calls that wait for a line which may be missing: the registry looks at them more often.
    pub hurried: Mutex<HashSet<CallSid>>,
}

/// One call.
#[derive(Debug)]
pub struct Call {
    sid: CallSid,
    shared: Arc<Shared>,
    /// Held while frames are handed to listeners, which is after the state's lock was let go: two streams of
    /// one call, of which one takes over, do not mix theirs. Nobody else ever waits for it.
    turn: Mutex<Tally>,
    state: Mutex<State>,
}

/// How soon a change is told to the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tell {
    /// Nothing to tell.
    Nothing,
    /// With the next round, every other second.
    Later,
    /// That round is now.
    Round,
    /// At once.
    Now,
}

/// The two things that a journal numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What was said.
    Lines,
    /// What happened.
    Events,
}

/// What a listener asks of a call.
pub struct Ask<'a> {
    /// Where its audio goes.
    pub mailbox: &'a Arc<Mailbox>,
    /// What it calls this subscription.
    pub sub: SubId,
    /// Whether it wants to hear.
    pub audio: bool,
    /// What it has already read.
    pub after: Option<&'a After>,
    /// Remembered audio to hear first, ms.
    pub replay_ms: u64,
}

/// Who hears or reads a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// The bearer's name.
    pub name: String,
    /// Hears it, rather than only reads.
    pub audio: bool,
    /// Since when.
    pub since: UtcTime,
}

/// A listener's place in a call; it is left when `seat` is dropped.
#[derive(Debug)]
pub struct Subscription {
    /// The newest stream, once there was one.
    pub stream: Option<StreamInfo>,
    /// The name of the numbering.
    pub journal: String,
    /// Whether reading on from `cursor` continues what the listener has.
    pub resumed: bool,
    /// Where to read on.
    pub cursor: Cursor,
    /// Remembered audio, and what is missing of it.
    pub replay: VecDeque<Item>,
    /// The place itself.
    pub seat: SeatGuard,
}

/// Holds a place in a call.
#[derive(Debug)]
#[must_use = "the listener hears only while this is held"]
pub struct SeatGuard {
    call: Arc<Call>,
    seat: u64,
}

impl Drop for SeatGuard {
    fn drop(&mut self) {
        self.call.leave(self.seat);
    }
}

impl Call {
    /// A call of which the first word has just come; `journal` names its numbering, `history` is how
    /// much audio it remembers.
    pub fn new(sid: CallSid, now: Now, shared: Arc<Shared>, journal: String, history: Duration) -> Call {
        shared.live.fetch_add(1, Relaxed);
        let state = Mutex::new(State::new(&sid, now, journal, history));
        Call {
            sid,
            shared,
            turn: Mutex::default(),
            state,
        }
    }

    /// Its name.
    pub fn sid(&self) -> &CallSid {
        &self.sid
    }

    /// As listeners see it.
    pub fn view(&self) -> View {
        lock(&self.state).view(&self.sid, &self.shared.node)
    }

    /// Whether `grant` covers it.
    pub fn is_covered_by(&self, grant: &Grant) -> bool {
        grant.covers(lock(&self.state).known.customer_id().map(String::as_str))
    }

    /// When it ended, on the steady clock.
    pub fn ended(&self) -> Option<Instant> {
        lock(&self.state).life.ended()
    }

    /// Takes a place: from here on the mailbox gets audio and word of the journal.
    pub fn subscribe(self: &Arc<Self>, now: Now, grant: &Grant, ask: Ask<'_>) -> Subscription {
        self.change(now, |state| {
            let (cursor, resumed) = state.journal.resume(ask.after);
            let replay_ms = if ask.audio { ask.replay_ms } else { 0 };
            let seat = state.sit(Seat {
                id: 0,
                mailbox: ask.mailbox.clone(),
                sub: ask.sub,
                audio: ask.audio,
                name: grant.name().to_owned(),
                since: now.wall,
            });
            let subscription = Subscription {
                stream: state.stream_info(),
                journal: state.journal.id().to_owned(),
                resumed,
                cursor,
                replay: state.replay.last(replay_ms),
                seat: SeatGuard {
                    call: self.clone(),
                    seat,
                },
            };
            state.seat_event(now, seat, true);
            (Tell::Later, subscription)
        })
    }

    /// Who has a place, in the order of coming.
    pub fn listeners(&self) -> Vec<Listener> {
        let state = lock(&self.state);
        let listener = |seat: &Seat| Listener {
            name: seat.name.clone(),
            audio: seat.audio,
            since: seat.since,
        };
        state.seats.iter().map(listener).collect()
    }

    fn leave(&self, seat: u64) {
        let now = Now::take();
        self.change(now, |state| {
            state.seat_event(now, seat, false);
            state.stand_up(seat);
            (Tell::Later, ())
        });
    }

    /// Reads up to `limit` lines and events after `cursor` and moves it.
    ///
    /// # Errors
    /// [`Forgotten`] when something after `cursor` is no longer remembered.
    pub fn read(&self, cursor: &mut Cursor, limit: usize) -> Result<Vec<Entry>, Forgotten> {
        let state = lock(&self.state);
        if state.journal.has_news(*cursor) {
            state.journal.read(cursor, limit)
        } else {
            Ok(Vec::new())
        }
    }

    /// What is remembered of lines or of events after a seq of that kind and, where it is known, the
    /// numbering that it is of; with the numbering's name.
    pub fn remembered(&self, kind: Kind, after: Option<(u64, Option<String>)>) -> (String, Vec<Encoded>) {
        let state = lock(&self.state);
        let last = state.journal.last();
        // The other kind counts as read: that some of it is forgotten is nothing to this reader.
        let after = after.map(|(seq, journal)| After {
            journal,
            transcript: if kind == Kind::Lines { seq } else { last.line },
            event: if kind == Kind::Events { seq } else { last.event },
        });
        let (mut cursor, _) = state.journal.resume(after.as_ref());
        let all = state.journal.read(&mut cursor, usize::MAX).unwrap_or_default();
        let wanted = all.into_iter().filter_map(|entry| match (kind, entry) {
            (Kind::Lines, Entry::Line(told)) | (Kind::Events, Entry::Event(told)) => Some(told),
            _ => None,
        });
        (state.journal.id().to_owned(), wanted.collect())
    }

    /// Sums of squares and samples so far, for levels over any interval.
    pub fn energy(&self) -> PerTrack<partyline_shared::audio::level::Energy> {
        let mut state = lock(&self.state);
        let State { meter, replay, .. } = &mut *state;
        meter.settle(replay);
        meter.energy()
    }

    /// What time brings: silence, loss, lines given up, events summed up; and lesser changes, where they are
    /// to be told now.
    pub fn on_deadline(&self, now: Now, tell_minor: bool) {
        self.change(now, |state| {
            let told = state.on_deadline(now);
            if state.life.on_deadline(now) == Turn::Ended {
                return (Tell::Now, ());
            }
            let round = tell_minor && state.is_minor();
            (if round { told.max(Tell::Round) } else { told }, ())
        });
    }

    /// Whether it waits for a line which may be missing.
    pub fn is_hurried(&self) -> bool {
        lock(&self.state).transcription.deadline().is_some()
    }

    /// Since when lesser changes wait to be told.
    pub fn waits_since(&self) -> Option<Instant> {
        lock(&self.state).waits_since()
    }

    /// Whether nothing happens to it any more by time alone; frees its audio.
    pub fn rest(&self, now: Instant, history: Duration) -> bool {
        let mut state = lock(&self.state);
        let over = state
            .life
            .ended()
            .is_some_and(|at| now.saturating_duration_since(at) >= history);
        if over {
            let State { meter, replay, .. } = &mut *state;
            meter.settle(replay);
            replay.clear();
        }
        over && state.transcription.deadline().is_none() && !state.is_restless()
    }

    /// Takes it off the list for good. Who still holds it, such as a listener that has yet to be told, may
    /// change it, but nobody sees that any more: its name may be another call by then.
    pub fn forget(&self) {
        let mut state = lock(&self.state);
        state.forgotten = true;
        self.shared.lobby.remove(&self.sid);
    }

    /// Runs a change under the lock, then tells listeners and list what of it is news to them.
    fn change<R>(&self, now: Now, f: impl FnOnce(&mut State) -> (Tell, R)) -> R {
        let mut state = lock(&self.state);
        let before = state.journal.last();
        let (was_live, was_restless) = (state.life.ended().is_none(), state.is_restless());
        let was_hurried = state.transcription.deadline().is_some();
        let (tell, result) = f(&mut state);
        if state.journal.last() != before {
            state.seats.iter().for_each(|seat| seat.mailbox.journal_news());
        }
        let is_live = state.life.ended().is_none();
        self.shared.count(was_live, is_live);
        match tell {
            Tell::Nothing => {}
            _ if state.forgotten => {}
            Tell::Later => state.set_minor(),
            Tell::Round | Tell::Now => {
                state.told(now.mono);
                // Under the lock, so that the list never shows an older state after a newer one.
                let view = state.view(&self.sid, &self.shared.node);
                let soon = if tell == Tell::Now {
                    Soon::AtOnce
                } else {
                    Soon::InTime
                };
                self.shared.lobby.upsert(&view, soon);
            }
        }
        if !was_hurried && state.transcription.deadline().is_some() {
            lock(&self.shared.hurried).insert(self.sid.clone());
        }
        // No deadline comes by for a call that is over.
        if !is_live && !state.forgotten && !was_restless && state.is_restless() {
            lock(&self.shared.stirred).push(self.sid.clone());
        }
        result
    }
}

impl Shared {
    /// What all calls of the relay `node` share.
    pub fn new(node: String, metrics: Arc<Metrics>) -> Shared {
        Shared {
            node,
            lobby: Lobby::default(),
            metrics,
            live: AtomicUsize::new(0),
            stirred: Mutex::default(),
            hurried: Mutex::default(),
        }
    }

    /// Keeps count of calls that end, and of those that a new stream brings back.
    fn count(&self, was_live: bool, is_live: bool) {
        match (was_live, is_live) {
            (true, false) => {
                self.live.fetch_sub(1, Relaxed);
                self.metrics.calls_ended.add_one();
            }
            (false, true) => {
                self.live.fetch_add(1, Relaxed);
                self.metrics.calls_revived.add_one();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;
