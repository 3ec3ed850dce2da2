//! The engine and the device's end of the ring, without threads and with time as an argument: what a measurement
//! runs as fast as it can. What it is given and what it gives is what the player is given and what the card gets, and
//! it takes its turns as the worker does: when its time has come, or something comes while it waits for nothing.

use std::sync::Arc;
use std::time::Instant;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::{PerTrack, Role, Track};

use super::desk::{Seat, Wanted};
use super::engine::{Engine, Step};
use super::output::{Output, pair};
use super::player::Stats;
use super::scope::Scope;
use crate::event::Mix;

/// The generation of the first call.
const FIRST: u64 = 1;

/// One call and a card.
pub struct Rig {
    engine: Engine,
    output: Output,
    wanted: Wanted,
    /// When it wakes by itself, µs; without, when something comes.
    due_us: Option<u64>,
}

impl Rig {
    /// One that hears a call on a card of this rate, which takes about `period` frames at once.
    pub fn new(rate: u32, period: usize, roles: PerTrack<Role>, mix: Mix) -> Rig {
        let mut engine = Engine::new(Arc::new(Scope::new()), true);
        let (output, line) = pair(rate, period, Instant::now());
        engine.on_line(0, Some(line));
        let mut wanted = Wanted {
            front: FIRST,
            newest: FIRST,
            mix,
            ..Wanted::default()
        };
        if let Some(first) = wanted.seats.first_mut() {
            *first = Some(Seat::new(FIRST, roles));
        }
        engine.want(0, wanted);
        Rig {
            engine,
            output,
            wanted,
            due_us: Some(0),
        }
    }

    /// When it is to be given its next turn, µs, if nothing comes before.
    pub fn due_us(&self) -> Option<u64> {
        self.due_us
    }

    /// Changes what is wanted of the call.
    pub fn want(&mut self, now_us: u64, change: impl FnOnce(&mut Seat)) {
        if let Some(seat) = self.wanted.seat_mut(FIRST) {
            change(seat);
        }
        self.turn(now_us);
    }

    /// The stream begins; `zero_ms` is the wall clock at its timestamp 0, Unix ms.
    pub fn on_stream(&mut self, now_us: u64, zero_ms: Option<i64>) {
        self.engine.want(now_us, self.wanted);
        self.engine.on_stream(now_us, FIRST, zero_ms);
        self.move_if_due(now_us);
    }

    /// A frame came.
    pub fn on_frame(&mut self, now_us: u64, frame: &AudioFrame) {
        self.engine.want(now_us, self.wanted);
        self.engine.on_frame(FIRST, now_us, frame);
        self.move_if_due(now_us);
    }

    /// Chunks that will not come.
    pub fn on_missed(&mut self, now_us: u64, track: Track, from: u32, to: u32) {
        self.engine.want(now_us, self.wanted);
        self.engine.on_missed(now_us, FIRST, track, from, to);
        self.move_if_due(now_us);
    }

    /// What the worker does when it wakes by itself: looks at what is wanted, and moves sound where that is due.
    pub fn turn(&mut self, now_us: u64) {
        self.engine.want(now_us, self.wanted);
        self.move_if_due(now_us);
    }

    fn move_if_due(&mut self, now_us: u64) {
        if self.due_us.is_none_or(|due| due <= now_us) {
            self.step(now_us);
        }
    }

    /// Moves sound, due or not.
    pub fn step(&mut self, now_us: u64) -> Step {
        let step = self.engine.step(now_us);
        self.due_us = step.wait.map(|wait| now_us + wait.as_micros() as u64);
        step
    }

    /// What the card's callback does: fills `out`, left and right in turn.
    pub fn fill(&mut self, now_us: u64, out: &mut [f32]) {
        self.output.fill_at(now_us, out, 2);
    }

    /// How it goes.
    pub fn stats(&self) -> Stats {
        self.engine.stats(0)
    }
}
