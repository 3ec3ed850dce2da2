//! What was said before, out of the memory, from a place onwards: as it was, or faster at the same pitch, or without
//! its silences. Where something is missing it is covered up. Knows no clock, and does not know what is live.

use partyline_shared::track::{PerTrack, Track};

use super::super::super::SLOT;
use super::super::super::conceal::Concealer;
use super::super::super::jitter::Piece;
use super::super::super::memory::Memory;
use super::super::super::stretch::Stretch;
use super::fade::{Pair, SILENCE};

/// Silence of both sides up to so many slots is a pause within what is said, and stays: 300 ms.
const PAUSE: i64 = 15;

/// Of a longer one so many slots are left at either end: 100 ms each.
const EDGE: i64 = 5;

/// Where it is.
#[derive(Debug)]
pub(super) struct Past {
    /// The next place that is read.
    place: i64,
    /// Slots of silence that were read in a row.
    quiet: i64,
    /// Something was left out before the next slot.
    cut: bool,
    concealers: PerTrack<Concealer>,
    stretch: Stretch,
}

impl Past {
    /// It begins at the start of a place.
    pub(super) fn at(place: i64) -> Past {
        Past {
            place,
            quiet: 0,
            cut: false,
            concealers: PerTrack::default(),
            stretch: Stretch::new(),
        }
    }

    /// The next sample that is heard, from place 0.
    pub(super) fn pos(&self) -> i64 {
        let held = self.stretch.held() as i64;
        self.place.saturating_mul(SLOT as i64).saturating_sub(held)
    }

    /// The next 20 ms at a speed; without long silences if `skip`. Nothing where less than that is left up to the
    /// place `end`.
    pub(super) fn next(&mut self, memory: &Memory, end: i64, speed: f32, skip: bool) -> Option<Pair> {
        let mut out = SILENCE;
        loop {
            // What comes later is needed to leave something out, not to play what is there.
            let speed = if self.place < end { speed } else { 1.0 };
            if self.stretch.pull(speed, &mut out) {
                return Some(out);
            }
            if self.place >= end {
                return None;
            }
            let slot = self.read(memory, end, skip);
            self.stretch.push(&slot);
        }
    }

    /// The next 20 ms as they are, or what is left of them and how it dies away: what leads into something else.
    pub(super) fn tail(&mut self, memory: &Memory, end: i64) -> Pair {
        if let Some(next) = self.next(memory, end, 1.0, false) {
            return next;
        }
        let mut out = SILENCE;
        for track in Track::BOTH {
            let concealer = self.concealers.get_mut(track);
            concealer.next(&Piece::Silence, false, out.get_mut(track));
        }
        self.stretch.push(&out);
        self.stretch.pull(1.0, &mut out);
        out
    }

    /// The slot that is due.
    fn read(&mut self, memory: &Memory, end: i64, skip: bool) -> Pair {
        if skip {
            self.skip_silence(memory, end);
        }
        let mut out = SILENCE;
        let cut = std::mem::take(&mut self.cut);
        for track in Track::BOTH {
            let concealer = self.concealers.get_mut(track);
            let samples = out.get_mut(track);
            match memory.mulaw(track, self.place) {
                [] => concealer.next(&Piece::Conceal, cut, samples),
                mulaw => concealer.hear(mulaw, cut, samples),
            }
        }
        self.quiet = if memory.is_quiet(self.place) {
            self.quiet + 1
        } else {
            0
        };
        self.place = self.place.saturating_add(1);
        out
    }

    /// Looked for once in each silence, when as much of it as is left at its beginning was read.
    fn skip_silence(&mut self, memory: &Memory, end: i64) {
        if self.quiet != EDGE {
            return;
        }
        let mut until = self.place;
        while until < end && memory.is_quiet(until) {
            until += 1;
        }
        if until - self.place > PAUSE - EDGE {
            self.place = until - EDGE;
            self.cut = true;
            self.quiet += 1;
        }
    }
}
