//! Who hears or reads a call: a place, what it asks for, and what becomes of it while others change the call.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex};

use partyline_shared::protocol::client::After;
use partyline_shared::time::UtcTime;

use super::awaited::Awaits;
use super::state::{Ear, Formed, State};
use super::{Call, Tell};
use crate::access::Grant;
use crate::calls::fanout::{Form, Item, Mailbox, StreamInfo, SubId};
use crate::calls::journal::Cursor;
use crate::clock::Now;
use crate::lock::lock;

/// A place as the call keeps it.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) id: u64,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) sub: SubId,
    pub(super) audio: bool,
    pub(super) form: Option<Arc<dyn Form>>,
    pub(super) grant: Grant,
    pub(super) flags: Arc<Flags>,
    pub(super) since: UtcTime,
    pub(super) awaits: Option<Awaits>,
}

impl Seat {
    fn hears(&self) -> bool {
        self.audio
            && self.awaits.is_none()
            && !self.flags.muted.load(Relaxed)
            && !self.flags.lost.load(Relaxed)
    }

    /// Somebody listens here: the relay that passes the call on is nobody.
    pub(super) fn listens(&self) -> bool {
        self.audio && self.grant.is_a_listener()
    }
}

/// What a listener asks of a call.
pub struct Ask<'a> {
    /// Where its audio goes.
    pub mailbox: &'a Arc<Mailbox>,
    /// What it calls this subscription.
    pub sub: SubId,
    /// Whether it wants to hear.
    pub audio: bool,
    /// How its frames leave: as they are, or in this form.
    pub form: Option<Arc<dyn Form>>,
    /// Where it begins to read.
    pub from: Begin<'a>,
    /// Remembered audio to hear first, ms.
    pub replay_ms: u64,
}

/// Where a listener begins to read lines and events.
#[derive(Debug, Clone, Copy)]
pub enum Begin<'a> {
    /// With all that is remembered.
    Remembered,
    /// After what it has read.
    After(&'a After),
    /// With what comes from now on.
    Now,
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
    /// How its frames leave, shared with who wants them in the same form.
    pub form: Option<Arc<dyn Form>>,
    /// Remembered audio, and what is missing of it. Of a call of another relay it may be on its way: then the place says so.
    pub replay: VecDeque<Item>,
    /// The place itself.
    pub seat: SeatGuard,
}

/// Holds a place in a call.
#[derive(Debug)]
#[must_use = "the listener hears only while this is held"]
pub struct SeatGuard {
    pub(super) call: Arc<Call>,
    seat: u64,
    pub(super) flags: Arc<Flags>,
    /// The numbering that it reads.
    pub(super) generation: u32,
}

/// What became of a place, as its listener sees it without the call's lock.
#[derive(Debug, Default)]
pub(super) struct Flags {
    /// The grant does not cover the call any more.
    pub(super) lost: AtomicBool,
    /// The call is over: if it comes back, it is heard once that is on record.
    pub(super) muted: AtomicBool,
    /// What is remembered is on its way here.
    pub(super) awaits: AtomicBool,
    /// It has come, and lies in `replay`.
    pub(super) has_replay: AtomicBool,
    pub(super) replay: Mutex<Option<VecDeque<Item>>>,
}

impl SeatGuard {
    /// Whether the call became another customer's, whom the grant does not cover: nothing more may be told of it
    /// here, also where it came back since.
    pub fn is_lost(&self) -> bool {
        self.flags.lost.load(Acquire)
    }

    /// Whether the call was over since it was heard: it may have come back.
    pub fn is_muted(&self) -> bool {
        self.flags.muted.load(Acquire)
    }

    /// The bearer's grant is another now.
    pub fn regrant(&self, grant: &Grant) {
        self.call.regrant(self.seat, grant);
    }

    /// Hears a call that was over and came back: its stream is told, then its frames. Answers whether it does: the
    /// call may be over again, or lost.
    #[must_use]
    pub fn unmute(&self) -> bool {
        self.call.unmute(self.seat)
    }
}

impl Drop for SeatGuard {
    fn drop(&mut self) {
        self.call.leave(self.seat);
    }
}

impl Call {
    /// Takes a place: from here on the mailbox gets audio and word of the journal. `None` where the grant does not
    /// cover the call, as it may be since it was found.
    pub fn subscribe(self: &Arc<Self>, now: Now, grant: &Grant, ask: Ask<'_>) -> Option<Subscription> {
        self.change(now, |state| {
            if !state.is_covered_by(grant) {
                return (Tell::Nothing, None);
            }
            let (cursor, resumed) = match ask.from {
                Begin::Remembered => state.journal.resume(None),
                Begin::After(after) => state.journal.resume(Some(after)),
                Begin::Now => (state.journal.last(), true),
            };
            let form = ask.form.map(|form| state.known_form(form));
            let replay_ms = if ask.audio { ask.replay_ms } else { 0 };
            let flags = Arc::<Flags>::default();
            // Nothing is to be heard of it, until it comes back.
            flags.muted.store(state.life.ended().is_some(), Release);
            let awaits = state.to_wait_for(now, replay_ms, false);
            flags.awaits.store(awaits.is_some(), Release);
            let replay_ms = if awaits.is_some() { 0 } else { replay_ms };
            let seat = state.sit(Seat {
                id: 0,
                mailbox: ask.mailbox.clone(),
                sub: ask.sub,
                audio: ask.audio,
                form: form.clone(),
                grant: grant.clone(),
                flags: flags.clone(),
                since: now.wall,
                awaits,
            });
            let subscription = Subscription {
                stream: state.stream_info(),
                journal: state.journal.id().to_owned(),
                resumed,
                cursor,
                form,
                replay: state.replay.last(replay_ms),
                seat: SeatGuard {
                    call: self.clone(),
                    seat,
                    flags,
                    generation: state.journal.generation(),
                },
            };
            state.seat_event(now, seat, true);
            (Tell::Later, Some(subscription))
        })
    }

    /// Where somebody stands who has read all there is.
    pub fn read_to(&self) -> Cursor {
        lock(&self.state).journal.last()
    }

    /// Who has a place, in the order of coming.
    pub fn listeners(&self) -> Vec<Listener> {
        let state = lock(&self.state);
        let listener = |seat: &Seat| Listener {
            name: seat.grant.name().to_owned(),
            audio: seat.audio,
            since: seat.since,
        };
        let shown = state.seats.iter().filter(|seat| seat.grant.is_a_listener());
        shown.map(listener).collect()
    }

    fn leave(&self, seat: u64) {
        let now = Now::take();
        self.change(now, |state| {
            state.seat_event(now, seat, false);
            state.stand_up(seat);
            (Tell::Later, ())
        });
    }

    fn regrant(&self, seat: u64, grant: &Grant) {
        let mut state = lock(&self.state);
        if let Some(seat) = state.seat_mut(seat) {
            seat.grant = grant.clone();
        }
        state.part_with_uncovered();
        self.tell_ears(&mut state);
    }
}

impl State {
    /// Whether `grant` covers the call as it is now.
    pub(super) fn is_covered_by(&self, grant: &Grant) -> bool {
        grant.covers(self.known.customer_id().map(String::as_str))
    }

    pub(super) fn sit(&mut self, seat: Seat) -> u64 {
        self.next_seat += 1;
        self.seats.push(Seat {
            id: self.next_seat,
            ..seat
        });
        self.settle();
        self.next_seat
    }

    pub(super) fn stand_up(&mut self, seat: u64) {
        self.seats.retain(|other| other.id != seat);
        self.settle();
    }

    pub(super) fn seat_mut(&mut self, seat: u64) -> Option<&mut Seat> {
        self.seats.iter_mut().find(|other| other.id == seat)
    }

    /// Whose grant does not cover the call hears nothing more of it, from this moment on: its task may be busy
    /// writing to somebody who does not read.
    pub(super) fn part_with_uncovered(&mut self) {
        let customer = self.known.customer_id().map(String::as_str);
        let mut parted = false;
        let uncovered = |seat: &&Seat| !seat.flags.lost.load(Relaxed) && !seat.grant.covers(customer);
        for seat in self.seats.iter_mut().filter(|seat| uncovered(&&**seat)) {
            seat.flags.lost.store(true, Release);
            seat.mailbox.forbid(seat.sub);
            seat.awaits = None;
            seat.flags.awaits.store(false, Release);
            parted = true;
        }
        if parted {
            self.settle();
        }
    }

    /// The call is over.
    pub(super) fn mute(&mut self) {
        self.hand_out(|_| true);
        for seat in &self.seats {
            seat.flags.muted.store(true, Release);
        }
        self.settle();
    }

    /// Who comes or goes pays for the list of ears, not each frame.
    pub(super) fn settle(&mut self) {
        self.mirror.ears_changed = true;
        if self.is_theirs()
            && !self
                .seats
                .iter()
                .any(|seat| seat.hears() || seat.awaits.is_some())
        {
            // Its frames come no more: what is remembered grows old.
            self.meter.settle(&mut self.replay);
            self.replay.clear();
        }
        let ear = |seat: &Seat| Ear {
            mailbox: seat.mailbox.clone(),
            sub: seat.sub,
        };
        let hearing = self.seats.iter().filter(|seat| seat.hears());
        let hearing = hearing.filter(|seat| seat.form.is_none()).map(ear);
        let elsewhere = self.mirror.peers.iter().filter_map(|peer| peer.ear.clone());
        self.audience = hearing.chain(elsewhere).collect();
        let hearing = self.seats.iter().filter(|seat| seat.hears());
        let mut formed: Vec<(&Arc<dyn Form>, Ear)> = hearing
            .filter_map(|seat| seat.form.as_ref().map(|form| (form, ear(seat))))
            .collect();
        // A call has one of each name, so those that are the same lie together.
        formed.sort_by_key(|(form, _)| Arc::as_ptr(form).cast::<()>());
        let groups = formed.chunk_by(|(one, _), (other, _)| Arc::ptr_eq(one, other));
        let groups: Arc<[Formed]> = groups
            .filter_map(|group| {
                let (form, _) = group.first()?;
                let ears = group.iter().map(|(_, ear)| ear.clone());
                Some(Formed {
                    form: Arc::clone(form),
                    ears: ears.collect(),
                })
            })
            .collect();
        self.formed = (!groups.is_empty()).then_some(groups);
    }

    /// Everybody who hears it, in whatever form.
    pub(super) fn ears(&self) -> impl Iterator<Item = &Ear> {
        let formed = self.formed.iter().flat_map(|formed| formed.iter());
        self.audience
            .iter()
            .chain(formed.flat_map(|formed| formed.ears.iter()))
    }

    /// The form of this name that somebody here has already, or this one.
    fn known_form(&self, form: Arc<dyn Form>) -> Arc<dyn Form> {
        let mut known = self.seats.iter().filter_map(|seat| seat.form.as_ref());
        known
            .find(|known| known.name() == form.name())
            .cloned()
            .unwrap_or(form)
    }
}
