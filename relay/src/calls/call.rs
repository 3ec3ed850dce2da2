//! One call behind one short lock: the only place that numbers its lines and events, and the only one
//! that hands out its audio. No section under the lock does I/O or grows with the number of listeners' bytes, and
//! none waits for longer than one listener's mailbox takes a write; nobody who publishes needs a number back.
//!
//! Locks are taken in this order only: a call's turn, call, lobby, mailbox.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use partyline_shared::call::{Call as View, CallStatus, StreamState};
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::After;
use partyline_shared::track::PerTrack;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::encoded::Encoded;
use super::journal::Entry;
use super::life::Turn;
use super::lobby::{Lobby, Soon};
use super::mirror::Feed;
use super::parties::Origin;
use super::replay::Replay;
use crate::access::Grant;
use crate::clock::Now;
use crate::lock::lock;
use crate::metrics::Metrics;

mod audio;
mod awaited;
mod callbacks;
mod crossed;
mod hold;
mod marked;
mod mirrored;
mod published;
mod reading;
mod restored;
mod seat;
mod state;

use audio::Tally;
pub use audio::{Accepted, StreamKey};
pub use callbacks::StatusNote;
pub use crossed::{Crossed, Wants};
pub use marked::{MARKS_BY_ALL, MARKS_BY_ONE, Mark, NotMarked};
pub use mirrored::Held;
pub use published::{NotTaken, Standing};
pub use reading::Anew;
pub use restored::Restored;
pub use seat::{Ask, Begin, Listener, SeatGuard, Subscription};
use state::State;

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
    /// Told when a call is put in there.
    pub hurry: Notify,
    /// Calls whose stream was lost since somebody asked; each once.
    pub lost: Mutex<HashSet<CallSid>>,
    /// Told when a call is put in there.
    pub loss: Notify,
    /// What other relays are to hear of.
    pub feed: Feed,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// What was said.
    #[serde(rename = "l")]
    Lines,
    /// What happened.
    #[serde(rename = "e")]
    Events,
}

impl Call {
    /// A call of which the first word has just come; `journal` names its numbering, `history` is how
    /// much audio it remembers.
    pub fn new(sid: CallSid, now: Now, shared: Arc<Shared>, journal: String, history: Duration) -> Call {
        shared.live.fetch_add(1, Relaxed);
        shared.feed.mark(&sid);
        Self::uncounted(sid, now, shared, journal, history)
    }

    /// One of another relay, which takes nobody's place here.
    pub fn of(node: &str, sid: CallSid, now: Now, shared: Arc<Shared>, history: Duration) -> Call {
        let call = Self::uncounted(sid, now, shared, String::new(), history);
        call.is_of(node);
        call
    }

    fn uncounted(sid: CallSid, now: Now, shared: Arc<Shared>, journal: String, history: Duration) -> Call {
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

    /// As listeners see it: for who acts for the relay itself.
    pub fn view(&self) -> View {
        lock(&self.state).view(&self.sid, &self.shared.node)
    }

    /// The same for a bearer, where `grant` covers it at this moment: it may have changed hands since it was found.
    pub fn shown_to(&self, grant: &Grant) -> Option<View> {
        let mut state = lock(&self.state);
        let covered = state.is_covered_by(grant);
        covered.then(|| state.view(&self.sid, &self.shared.node))
    }

    /// Whether `grant` covers it.
    pub fn is_covered_by(&self, grant: &Grant) -> bool {
        lock(&self.state).is_covered_by(grant)
    }

    /// How far it is, and where its audio stands.
    pub fn standing(&self) -> (CallStatus, StreamState) {
        let state = lock(&self.state);
        (state.life.status(), state.life.stream())
    }

    /// Whose it is.
    pub fn customer_id(&self) -> Option<String> {
        lock(&self.state).known.customer_id().cloned()
    }

    /// Where it comes from.
    pub fn origin(&self) -> Origin {
        lock(&self.state).known.origin()
    }

    /// When it ended, on the steady clock.
    pub fn ended(&self) -> Option<Instant> {
        lock(&self.state).life.ended()
    }

    /// What is remembered of lines or of events after a seq of that kind and, where it is known, the
    /// numbering that it is of; with the numbering's name. `None` where `grant` does not cover it at this moment.
    pub fn remembered(
        &self,
        grant: &Grant,
        kind: Kind,
        after: Option<(u64, Option<String>)>,
    ) -> Option<(String, Vec<Encoded>)> {
        let state = lock(&self.state);
        if !state.is_covered_by(grant) {
            return None;
        }
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
        Some((state.journal.id().to_owned(), wanted.collect()))
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
            if state.is_theirs() {
                // Its owner looks after it; only what is to be said to that one is due here.
                state.tell_sums(now);
                state.wait_no_more(now);
                return (Tell::Nothing, ());
            }
            let told = state.on_deadline(now, &self.shared.metrics.lines_paused);
            if state.life.on_deadline(now) == Turn::Ended {
                return (Tell::Now, ());
            }
            let round = tell_minor && state.is_minor();
            (if round { told.max(Tell::Round) } else { told }, ())
        });
    }

    /// Whether it waits for a line which may be missing.
    pub fn is_hurried(&self) -> bool {
        lock(&self.state).waits_for_a_line()
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
        over && !state.waits_for_a_line() && !state.is_restless()
    }

    /// Lets go of its audio, and remembers none from here on: memory is short.
    pub fn remember_no_audio(&self) {
        let mut state = lock(&self.state);
        let State { meter, replay, .. } = &mut *state;
        meter.settle(replay);
        *replay = Replay::new(Duration::ZERO);
    }

    /// Takes it off the list for good. Who still holds it, such as a listener that has yet to be told, may
    /// change it, but nobody sees that any more: its name may be another call by then.
    pub fn forget(&self) {
        let mut state = lock(&self.state);
        state.forgotten = true;
        state.seats.iter().for_each(|seat| seat.mailbox.journal_news());
        self.shared.feed.mark(&self.sid);
        self.shared.lobby.remove(&self.sid);
    }

    /// Whether it is off the list for good.
    pub fn is_forgotten(&self) -> bool {
        lock(&self.state).forgotten
    }

    /// Runs a change under the lock, then tells listeners and list what of it is news to them.
    fn change<R>(&self, now: Now, f: impl FnOnce(&mut State) -> (Tell, R)) -> R {
        let mut state = lock(&self.state);
        let before = state.journal.last();
        let (was_live, was_restless) = (state.life.ended().is_none(), state.is_restless());
        let (did_count, was_hurried) = (state.counts(), state.waits_for_a_line());
        let generation = state.journal.generation();
        let heard = !state.seats.is_empty();
        let customer = heard.then(|| state.known.customer_id().cloned());
        let (tell, result) = f(&mut state);
        if customer.is_some_and(|before| before.as_ref() != state.known.customer_id()) {
            state.part_with_uncovered();
        }
        let is_live = state.life.ended().is_none();
        // That a call is over may be news without an event.
        let more = state.journal.last() != before || state.journal.generation() != generation;
        if more || (was_live && !is_live) {
            state.seats.iter().for_each(|seat| seat.mailbox.journal_news());
        }
        self.shared.count(did_count, state.counts());
        if was_live != is_live && !state.is_theirs() {
            self.shared.count_ends(is_live);
        }
        if was_live && !is_live {
            state.mute();
        }
        match tell {
            Tell::Nothing => {}
            _ if state.forgotten => {}
            // Its owner counts who listens, and tells.
            Tell::Later if state.is_theirs() => {}
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
        if !state.is_theirs() && (more || tell >= Tell::Round || was_live != is_live) {
            self.shared.feed.mark(&self.sid);
        }
        self.tell_ears(&mut state);
        for deed in std::mem::take(&mut state.mirror.away) {
            self.shared.feed.hand_over(&self.sid, deed);
        }
        if !was_hurried && state.waits_for_a_line() {
            lock(&self.shared.hurried).insert(self.sid.clone());
            self.shared.hurry.notify_one();
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
            hurry: Notify::new(),
            lost: Mutex::default(),
            loss: Notify::new(),
            feed: Feed::default(),
        }
    }

    /// Keeps count of the calls that go on here.
    fn count(&self, did: bool, does: bool) {
        match (did, does) {
            (true, false) => drop(self.live.fetch_sub(1, Relaxed)),
            (false, true) => drop(self.live.fetch_add(1, Relaxed)),
            _ => {}
        }
    }

    /// A call of ours has ended, or a new stream has brought it back.
    fn count_ends(&self, is_live: bool) {
        if is_live {
            self.metrics.calls_revived.add_one();
        } else {
            self.metrics.calls_ended.add_one();
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;
