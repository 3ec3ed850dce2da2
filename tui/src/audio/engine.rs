//! From heard calls to the ring of the card, without thread, clock or lock: time is an argument, µs since any start.
//! The worker runs it in real time, a [`super::rig::Rig`] as fast as it can.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`voice`] | one heard call: 20 ms of both ears whenever there is a place for them |
//! | `sum` | all of them as one source: one in front, the others quieter behind it |
//! | [`live`] | what of it is said now: jitter buffer, concealment, stretched time |
//! | [`path`] | resampler, the card's clock, the ring, how long each frame took |
//! | [`delays`] | those times, counted |

pub mod delays;
pub mod live;
pub mod path;
mod sum;
pub mod voice;

use std::sync::Arc;
use std::time::Duration;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::Track;

use super::desk::Wanted;
use super::jitter::State;
use super::memory::Memory;
use super::memory::shelf::Shelf;
use super::output::Line;
use super::player::Stats;
use super::scope::Scope;
use crate::event::{Playback, Playing};
use delays::Delays;
use path::{Flow, Path};
use sum::{Change, Sum};
use voice::Voice;

pub use sum::DUCKED_DB;
pub use voice::FAST;

/// Between two looks at the ring while something is awaited: a quarter of a device's period.
const TICK: Duration = Duration::from_millis(5);

/// Between two looks while sound flows and the card is not expected: what lies in the ring beyond its period.
const LONG_TICK: Duration = Duration::from_millis(path::MARGIN_MS as u64);

/// A slot, µs: the pace without a card.
const SLOT_US: u64 = 20_000;

/// Without a card: so far behind its pace, µs, it does not catch up; the machine was asleep.
const ASLEEP_US: u64 = 1_000_000;

/// How long a call that begins waits for the card to open, µs: that takes 5 to 50 ms, and what is played
/// without it is not heard.
const PATIENCE_US: u64 = 300_000;

/// What a call's first seconds teach, the card's clock and how evenly frames come, is learnt by then, µs.
const SETTLED_US: u64 = 10_000_000;

/// What follows from a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// When there is more to do without anybody's word.
    pub wait: Option<Duration>,
    /// Whether a device is wanted.
    pub wants_device: bool,
    /// What becomes of the call in front.
    pub state: Playing,
}

/// The engine; see the module.
pub struct Engine {
    calls: Sum,
    shelf: Arc<Shelf>,
    /// Nobody else fills the memories, or keeps them as wanted.
    fills: bool,
    /// Whether there may be a device.
    may_open: bool,
    path: Option<Path>,
    delays: Delays,
    /// When the first sound of the call in front was ready.
    begun_us: Option<u64>,
    /// The card may still be opening until then.
    patient_until_us: Option<u64>,
    /// Without a card: when the next slot is due.
    next_us: u64,
    /// When the last sample that was put in will have left the card.
    drained_us: Option<u64>,
    state: Playing,
    /// Underruns of paths that are gone, and those before this call.
    underruns_gone: u64,
    underruns_before: u64,
    /// Audio that was in the ring of a card that went, ms.
    lost_ms: u64,
}

impl Engine {
    /// One that hears nothing, and remembers by itself what comes. `may_open`: a device may come.
    pub fn new(scope: Arc<Scope>, may_open: bool) -> Engine {
        Engine {
            fills: true,
            ..Engine::with(scope, Arc::default(), may_open)
        }
    }

    /// The same with memories that others fill, and keep as wanted.
    pub fn with(scope: Arc<Scope>, shelf: Arc<Shelf>, may_open: bool) -> Engine {
        Engine {
            calls: Sum::new(scope),
            shelf,
            fills: false,
            may_open,
            path: None,
            delays: Delays::new(),
            begun_us: None,
            patient_until_us: None,
            next_us: 0,
            drained_us: None,
            state: Playing::Idle,
            underruns_gone: 0,
            underruns_before: 0,
            lost_ms: 0,
        }
    }

    /// There is a way to the card, or none any more.
    pub fn on_line(&mut self, now_us: u64, line: Option<Line>) {
        if let Some(path) = self.path.take() {
            self.underruns_gone += path.underruns();
            self.lost_ms += path.waiting_ms();
            self.next_us = now_us;
        }
        // A rate that cannot be made was not chosen in the first place.
        self.path = line.and_then(|line| Path::new(line).ok());
        self.patient_until_us = None;
    }

    /// What is wanted, as a whole.
    pub fn want(&mut self, now_us: u64, wanted: Wanted) {
        if self.fills {
            self.shelf.follow(&wanted);
        }
        match self.calls.follow(&wanted, &self.shelf) {
            Change::None => {}
            Change::Front { first } => {
                self.begin();
                if first {
                    self.await_card(now_us);
                } else if let Some(path) = &mut self.path {
                    path.forget_marks();
                }
            }
            Change::Left { instead } => {
                self.begin();
                if let Some(path) = &mut self.path {
                    path.finish();
                }
                if instead {
                    self.await_card(now_us);
                }
            }
        }
    }

    /// Nothing is known of the call in front.
    fn begin(&mut self) {
        self.delays = Delays::new();
        self.begun_us = None;
        self.drained_us = None;
        self.lost_ms = 0;
        self.underruns_before = self.underruns();
    }

    fn await_card(&mut self, now_us: u64) {
        self.next_us = now_us;
        if self.path.is_none() && self.may_open {
            self.patient_until_us = Some(now_us + PATIENCE_US);
        }
    }

    fn underruns(&self) -> u64 {
        self.underruns_gone + self.path.as_ref().map_or(0, Path::underruns)
    }

    /// Another stream of this call begins; `zero_ms` is the wall clock at its timestamp 0, Unix ms.
    pub fn on_stream(&mut self, now_us: u64, generation: u64, zero_ms: Option<i64>) {
        self.remember(generation, |memory| memory.on_stream(zero_ms));
        if let Some(voice) = self.calls.voice(generation) {
            voice.on_stream(now_us);
        }
    }

    /// A frame of this call came, at `arrived_us`.
    pub fn on_frame(&mut self, generation: u64, arrived_us: u64, frame: &AudioFrame) {
        self.remember(generation, |memory| {
            memory.on_frame(frame, (arrived_us / 1000) as i64);
        });
        if let Some(voice) = self.calls.voice(generation) {
            voice.on_frame(arrived_us, frame);
        }
    }

    fn remember(&self, generation: u64, what: impl FnOnce(&mut Memory)) {
        let kept = self.fills.then(|| self.shelf.get(generation)).flatten();
        if let Some(kept) = kept {
            what(&mut kept.lock());
        }
    }

    /// Chunks of this call that will not come.
    pub fn on_missed(&mut self, now_us: u64, generation: u64, track: Track, from: u32, to: u32) {
        if let Some(voice) = self.calls.voice(generation) {
            voice.on_missed(now_us, track, from, to);
        }
    }

    /// Moves sound.
    pub fn step(&mut self, now_us: u64) -> Step {
        let now = now_us;
        if self.calls.is_empty() {
            self.state = Playing::Idle;
            return Step {
                wait: None,
                wants_device: false,
                state: self.state,
            };
        }
        let settled = self.begun_us.is_some_and(|begun| now - begun >= SETTLED_US);
        let flow = match &mut self.path {
            Some(path) => {
                path.look(now, |delay_us| self.delays.add(delay_us, settled));
                path.refill(&mut self.calls, now)
            }
            None if self.patient_until_us.is_some_and(|until| now < until) => Flow::Ebbs,
            None => {
                if now > self.next_us + ASLEEP_US {
                    self.next_us = now;
                }
                let mut flow = Flow::Flows;
                while self.next_us <= now {
                    let Some(ready) = self.calls.next(now, 0) else {
                        self.calls.rest();
                        self.next_us = now;
                        flow = Flow::Dry;
                        break;
                    };
                    self.next_us += SLOT_US;
                    let arrived = ready.arrived_us;
                    for arrived_us in [arrived.inbound, arrived.outbound].into_iter().flatten() {
                        self.delays.add(now.saturating_sub(arrived_us), settled);
                    }
                }
                flow
            }
        };
        if flow == Flow::Flows {
            self.begun_us = self.begun_us.or(Some(now));
            self.drained_us = None;
        }
        // The card has it all; it takes a moment until it has played it.
        if flow == Flow::Dry && self.drained_us.is_none() {
            self.drained_us = Some(now + self.path.as_ref().map_or(0, Path::device_us));
        }
        let drained = self.drained_us.is_some_and(|at| at <= now);
        let is_over = |voice: &Voice| voice.stats().state == State::Over;
        let state = self.calls.front().map(|front| front.stats().state);
        let state = state.unwrap_or_default();
        // Another call may go on behind one that is over.
        let over = state == State::Over && (drained || self.calls.voices().any(|voice| !is_over(voice)));
        let all_over = drained && self.calls.voices().all(is_over);
        let waits = self.calls.voices().any(Voice::waits);
        self.state = match state {
            State::Waiting => Playing::Waiting,
            State::Playing => Playing::Live,
            State::Held => Playing::Paused,
            State::Behind => Playing::Behind,
            // It still sounds.
            State::Over if !over => self.state,
            State::Over => Playing::Over,
        };
        let wait = match &self.path {
            None if flow == Flow::Flows => Duration::from_micros(self.next_us.saturating_sub(now)),
            // Soon after the card has taken something there is something to do, and not before.
            Some(path) if flow == Flow::Flows => (path.takes_in(now) + TICK / 2).clamp(TICK, LONG_TICK),
            _ => TICK,
        };
        Step {
            wait: (!all_over && (waits || !drained)).then_some(wait),
            wants_device: !all_over,
            state: self.state,
        }
    }

    /// How the call in front goes; `unqueued_ms` is what was dropped before it came here.
    pub fn stats(&self, unqueued_ms: u64) -> Stats {
        let (all, settled) = self.delays.spreads();
        let stats = self.calls.front().map(Voice::stats).unwrap_or_default();
        Stats {
            playback: Playback {
                state: self.state,
                // Of what was said a while ago nothing is measured, and what was last is no longer true.
                delay_ms: self
                    .delays
                    .now_ms()
                    .filter(|_| !matches!(self.state, Playing::Paused | Playing::Behind)),
                target_ms: stats.target_ms,
                behind_ms: stats.behind_ms,
                underruns: self.underruns() - self.underruns_before,
                lost_ms: stats.lost_ms,
                late_ms: stats.late * SLOT_US / 1000,
                concealed_ms: stats.concealed_ms,
                stretched_ms: stats.stretched_ms,
                dropped_ms: stats.dropped_ms + unqueued_ms + self.lost_ms,
            },
            all,
            settled,
            drift_ppm: self.path.as_ref().map_or(0.0, Path::drift_ppm),
            heard_at_ms: self.calls.front().and_then(Voice::heard_at_ms),
        }
    }
}

#[cfg(test)]
mod tests;
