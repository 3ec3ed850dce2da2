//! What is remembered of a call that another relay has: whoever asks for it here waits until it has come from there, and
//! hears on from its end. Nobody waits longer than [`PATIENCE`]; what is remembered here by then is all there is.

use std::collections::VecDeque;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use std::time::{Duration, Instant};

#[cfg(test)]
use partyline_shared::audio::frame::AudioFrame;

use super::seat::Seat;
use super::state::State;
use super::{Call, SeatGuard};
use crate::calls::fanout::{Item, StreamInfo};
use crate::clock::Now;
use crate::lock::lock;

/// How long remembered audio of another relay is waited for: some ten times what it takes to be asked for and to come, and
/// what a listener would still call a moment. Looked at with the call's other deadlines.
const PATIENCE: Duration = Duration::from_secs(1);

/// Remembered audio that is asked for in one go, ms, at most: of more than that only the end crosses.
const MOST_MS: u64 = 60_000;

/// What a listener hears of a call that came back before it was on record again, ms: far more than a record takes, and
/// what a mailbox has room for.
const MISSED_MS: u64 = 2000;

/// What a place waits for, before it hears what is said now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Awaits {
    /// How much is wanted, ms.
    pub(super) ms: u64,
    pub(super) since: Instant,
    /// It has been told all else already: what was missed goes where its live audio goes.
    pub(super) missed: bool,
}

impl SeatGuard {
    /// Whether what is remembered is still on its way here: until it has come, or will not, nothing is heard.
    pub fn awaits_replay(&self) -> bool {
        self.flags.awaits.load(Acquire)
    }

    /// Whether it has come, and was not taken.
    pub fn has_replay(&self) -> bool {
        self.flags.has_replay.load(Acquire)
    }

    /// What is remembered, where it has come since the place was taken; once.
    pub fn take_replay(&self) -> Option<VecDeque<Item>> {
        if self.flags.has_replay.swap(false, AcqRel) {
            lock(&self.flags.replay).take()
        } else {
            None
        }
    }
}

impl Call {
    /// The last `ms` of this stream, where there is one, of a call of another relay: what comes after is what was said after. They are
    /// remembered here in place of what was, and go to those who wait for no more than that.
    pub fn replayed_from(&self, stream: Option<StreamInfo>, ms: u64, items: &VecDeque<Item>) {
        let _turn = lock(&self.turn);
        let mut locked = lock(&self.state);
        let state = &mut *locked;
        if state.forgotten || !state.is_theirs() || !state.is_heard() {
            return;
        }
        if let Some(stream) = stream {
            state.hear_stream(stream);
        }
        if state.stream_info() == stream && !state.replay.covers(ms) {
            state.remember(items);
        }
        state.hand_out(|awaits| awaits.ms <= ms);
        self.tell_ears(state);
    }

    /// Hears a call that was over and came back, with what was missed of it meanwhile.
    pub(super) fn unmute(&self, seat: u64) -> bool {
        let mut state = lock(&self.state);
        let (over, stream) = (state.life.ended().is_some(), state.stream_info());
        // Of this stream alone: what came of it meanwhile is remembered.
        let awaits = state.to_wait_for(Now::take(), MISSED_MS, true);
        let missed = state.replay.last(MISSED_MS);
        let Some(seat) = state.seat_mut(seat) else {
            return false;
        };
        if over || seat.flags.lost.load(Acquire) || !seat.flags.muted.swap(false, AcqRel) {
            return false;
        }
        seat.awaits = awaits;
        if let Some(stream) = stream.filter(|_| awaits.is_none()) {
            // Under the lock, so that it comes before the stream's frames.
            seat.mailbox.send(seat.sub, Item::Stream(stream));
            for item in missed {
                seat.mailbox.send(seat.sub, item);
            }
        }
        state.settle();
        self.tell_ears(&mut state);
        true
    }
}

impl State {
    /// Whether anybody hears it here, or is about to.
    pub(super) fn is_heard(&self) -> bool {
        self.ears().next().is_some() || self.seats.iter().any(|seat| seat.awaits.is_some())
    }

    /// What a place has to wait for that wants to hear the last `ms`: nothing where they are remembered here.
    pub(super) fn to_wait_for(&self, now: Now, ms: u64, missed: bool) -> Option<Awaits> {
        let ms = ms.min(self.replay.most_ms()).min(MOST_MS);
        let elsewhere = self.is_theirs() && self.life.ended().is_none() && !self.replay.covers(ms);
        (ms > 0 && elsewhere).then_some(Awaits {
            ms,
            since: now.mono,
            missed,
        })
    }

    /// Whoever has waited for too long waits no more.
    pub(super) fn wait_no_more(&mut self, now: Now) {
        self.hand_out(|awaits| now.mono.saturating_duration_since(awaits.since) >= PATIENCE);
    }

    /// Those that wait, and of whom this is true, hear what is remembered here, and then what is said now.
    pub(super) fn hand_out(&mut self, served: impl Fn(&Awaits) -> bool) {
        let stream = self.stream_info();
        let State { seats, replay, .. } = self;
        let mut any = false;
        for seat in seats {
            if let Some(awaits) = seat.awaits.filter(&served) {
                seat.serve(stream, awaits, replay.last(awaits.ms));
                any = true;
            }
        }
        if any {
            self.settle();
        }
    }

    fn remember(&mut self, items: &VecDeque<Item>) {
        self.meter.settle(&mut self.replay);
        self.replay.clear();
        for item in items {
            match item {
                Item::Frame(frame) => self.replay.remember(frame),
                Item::Gap(gap) => self.replay.hole(gap.track, gap.reason),
                Item::Stream(_) => {}
            }
        }
    }
}

impl Seat {
    fn serve(&mut self, stream: Option<StreamInfo>, awaits: Awaits, items: VecDeque<Item>) {
        self.awaits = None;
        if awaits.missed {
            let began = stream.map(Item::Stream);
            for item in began.into_iter().chain(items) {
                self.mailbox.send(self.sub, item);
            }
            return;
        }
        *lock(&self.flags.replay) = Some(items);
        self.flags.has_replay.store(true, Release);
        self.flags.awaits.store(false, Release);
        // Wakes the reader, and no frame goes past it before it has looked.
        self.mailbox.recheck();
    }
}

/// Frames of a call that are remembered, oldest first: for who tests what came.
#[cfg(test)]
impl Call {
    pub(crate) fn remembers(&self) -> Vec<AudioFrame> {
        let remembered = lock(&self.state).replay.last(u64::MAX);
        let frames = remembered.into_iter().filter_map(|item| match item {
            Item::Frame(frame) => Some(frame),
            Item::Gap(_) | Item::Stream(_) => None,
        });
        frames.collect()
    }
}
