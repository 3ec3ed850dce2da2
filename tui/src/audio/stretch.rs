//! Plays two tracks faster or slower together, at the pitch they have: now and then one period of a voice is left
//! out or put in again, joined by a cross-fade. Both tracks change at the same sample, so they stay in step. Knows
//! no clock; nothing is allocated once it exists.
//!
//! ```text
//! past ─────┬─ ready ──┬─ not looked at yet ─────┐
//! x x x x x │ x x x x  │ x x x x x x x x x x x x │
//!           0          ready                     held
//! ```
//!
//! What is put in comes out of the past, so slowing down needs no more than the slot that is due; what is left
//! out needs to be there with what follows it. At speed 1 what comes in goes out, bit for bit.

mod lag;
mod line;

use partyline_shared::track::PerTrack;

use super::{Mono, SLOT};
use lag::Found;
use line::Line;

/// The slowest and the fastest it plays.
pub const SPEEDS: std::ops::RangeInclusive<f32> = 0.5..=2.0;

/// The shortest and the longest piece that is left out or put in, samples: 2.5 to 20 ms, a period of 400 to 50 Hz.
const LAGS: std::ops::RangeInclusive<usize> = 20..=SLOT;

/// Over so many samples likeness is looked at: 15 ms, more than a period of most voices.
const WINDOW: usize = 120;

/// The longest cross-fade, samples: 10 ms.
const FADE: usize = SLOT / 2;

/// Played samples that are kept.
const PAST: usize = SLOT;

/// Samples that are held at most: 160 ms.
const MOST: usize = 8 * SLOT;

/// What one slot may grow by while it is made ready.
const SPARE: usize = 2 * SLOT;

/// How like each other both ends of a join have to be while there is time to wait for a better place.
const LIKE: f32 = 0.7;

/// When so many samples are due it is done in the best place there is.
const OVERDUE: f32 = SLOT as f32;

/// Samples after which a better place is looked for.
const STRIDE: usize = SLOT / 4;

/// The stretcher of both tracks of a call.
#[derive(Debug)]
pub struct Stretch {
    lines: PerTrack<Line>,
    /// Samples that are not played yet.
    held: usize,
    /// Of those: samples that stay as they are.
    ready: usize,
    /// Samples to leave out; below 0, to put in. Of the other sign: done ahead of time.
    due: f32,
    /// Whether `due` is of faster or of slower.
    faster: bool,
    removed: u64,
    inserted: u64,
}

impl Default for Stretch {
    fn default() -> Self {
        Stretch::new()
    }
}

impl Stretch {
    /// One that holds nothing.
    pub fn new() -> Stretch {
        Stretch {
            lines: PerTrack::default(),
            held: 0,
            ready: 0,
            due: 0.0,
            faster: false,
            removed: 0,
            inserted: 0,
        }
    }

    /// Takes 20 ms of both tracks. To be called when [`Stretch::pull`] asks for it; of what is pushed all the same
    /// the oldest is let go of, and counts as removed.
    pub fn push(&mut self, both: &PerTrack<Mono>) {
        let over = (self.held + SLOT).saturating_sub(MOST);
        if over > 0 {
            self.drop_front(over);
            self.removed += over as u64;
        }
        let end = PAST + self.held;
        self.lines.inbound.write(end, &both.inbound);
        self.lines.outbound.write(end, &both.outbound);
        self.held += SLOT;
    }

    /// The next 20 ms at this speed, which is held to [`SPEEDS`]; false, and nothing is lost, if another slot has to
    /// be pushed first.
    pub fn pull(&mut self, speed: f32, out: &mut PerTrack<Mono>) -> bool {
        let speed = if speed.is_finite() {
            speed.clamp(*SPEEDS.start(), *SPEEDS.end())
        } else {
            1.0
        };
        let rate = speed - 1.0;
        if rate != 0.0 && (rate > 0.0) != self.faster {
            self.faster = rate > 0.0;
            self.due = 0.0;
        }
        while self.ready < SLOT {
            if !self.make_ready(rate) {
                return false;
            }
        }
        self.lines.inbound.read(PAST, &mut out.inbound);
        self.lines.outbound.read(PAST, &mut out.outbound);
        self.drop_front(SLOT);
        true
    }

    /// Samples of each track that are held: 8 a millisecond.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Samples of each track that were left out so far.
    pub fn removed(&self) -> u64 {
        self.removed
    }

    /// Samples of each track that were put in so far.
    pub fn inserted(&self) -> u64 {
        self.inserted
    }

    /// Both together.
    pub fn changed_samples(&self) -> u64 {
        self.removed + self.inserted
    }

    /// Forgets what it holds and what it played; what it counted stays.
    pub fn clear(&mut self) {
        let (removed, inserted) = (self.removed, self.inserted);
        *self = Stretch {
            removed,
            inserted,
            ..Stretch::new()
        };
    }

    /// Makes some more samples ready; false if there are too few to do so.
    fn make_ready(&mut self, rate: f32) -> bool {
        let (at, left) = (PAST + self.ready, self.held - self.ready);
        let is_due = if self.faster {
            self.due > 0.0
        } else {
            self.due < 0.0
        };
        if rate == 0.0 || !is_due {
            // Up to where something is due, and always a little.
            let until = if rate == 0.0 {
                SLOT
            } else {
                (-self.due / rate) as usize + 1
            };
            let wanted = until.min(SLOT - self.ready).max(1);
            return self.keep(wanted.min(left.max(1)), rate);
        }
        let ahead = if self.faster { *LAGS.end() } else { 0 };
        if left < ahead + WINDOW.max(FADE) {
            return false;
        }
        let found = self.find(at);
        let fits = self.faster || self.held + found.lag <= MOST + SPARE;
        if !fits || (found.likeness < LIKE && self.due.abs() < OVERDUE) {
            return self.keep(STRIDE, rate);
        }
        let lag = found.lag;
        let fade = lag.min(FADE);
        let end = PAST + self.held;
        if self.faster {
            self.lines.inbound.leave_out(at, lag, fade, end);
            self.lines.outbound.leave_out(at, lag, fade, end);
            self.held -= lag;
            self.due -= lag as f32;
            self.removed += lag as u64;
            self.keep(fade, rate)
        } else {
            self.lines.inbound.put_in(at, lag, fade, end);
            self.lines.outbound.put_in(at, lag, fade, end);
            self.held += lag;
            self.due += lag as f32;
            self.inserted += lag as u64;
            self.keep(lag, rate)
        }
    }

    /// So many more samples stay as they are; false if there are not so many.
    fn keep(&mut self, samples: usize, rate: f32) -> bool {
        if self.ready + samples > self.held {
            return false;
        }
        self.ready += samples;
        self.due += rate * samples as f32;
        true
    }

    fn find(&self, at: usize) -> Found {
        let lines = PerTrack {
            inbound: self.lines.inbound.all(),
            outbound: self.lines.outbound.all(),
        };
        lag::find(&lines, at, self.faster)
    }

    /// The first samples become the past.
    fn drop_front(&mut self, samples: usize) {
        let end = PAST + self.held;
        self.lines.inbound.shift(samples, end);
        self.lines.outbound.shift(samples, end);
        self.held -= samples.min(self.held);
        self.ready -= samples.min(self.ready);
    }
}

#[cfg(test)]
mod tests;
