//! The thread between the network and the card: takes frames as they come, and keeps the ring to the card
//! filled. Without a card it takes 20 ms every 20 ms all the same, so that meters and state go on.
//!
//! It waits at one queue. With nothing heard, or nothing on its way, it sleeps until something comes; while
//! sound flows it also wakes every [`TICK`]. It waits for neither the card, the screen nor the network.

mod call;
mod delays;
mod desk;
mod path;

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::device::Wish;
use super::jitter::State;
use super::player::{Heard, Stats, Tell};
use super::scope::Scope;
use crate::event::{FromSound, Playback, Playing};
use call::Call;
use delays::Delays;
use desk::News;
use path::{Flow, Path};

pub use delays::Spread;
pub(super) use desk::{Desk, Wanted};

/// Between two looks at the ring while sound flows: a quarter of a device's period.
const TICK: Duration = Duration::from_millis(5);

/// A slot, µs: the pace without a card.
const SLOT_US: u64 = 20_000;

/// Without a card: so far behind its pace, µs, it does not catch up; the machine was asleep.
const ASLEEP_US: u64 = 1_000_000;

/// How long a call that begins waits for the card to open, µs: that takes 5 to 50 ms, and what is played
/// without it is not heard.
const PATIENCE_US: u64 = 300_000;

/// How often what it knows is written down for others: they look when they draw.
const NOTE_US: u64 = 100_000;

/// What a call's first seconds teach, the card's clock and how evenly frames come, is learnt by then, µs.
const SETTLED_US: u64 = 10_000_000;

/// What is put into the queue.
pub(super) enum Message {
    /// Something came of this generation's call.
    Heard(u64, Heard),
    /// Look at the desk.
    Look,
}

/// What the worker shares with the handle.
pub(super) struct Shared {
    pub(super) desk: Desk,
    pub(super) scope: Arc<Scope>,
    /// What was dropped before the full queue in this call, ms.
    pub(super) dropped_ms: std::sync::atomic::AtomicU64,
    pub(super) stats: Mutex<Stats>,
}

/// The thread's own things.
pub(super) struct Worker {
    shared: Arc<Shared>,
    queue: Receiver<Message>,
    clock: Instant,
    tell: Tell,
    /// Where a device is asked for, if there may be one.
    wish: Option<Arc<Wish>>,
    wanted: Wanted,
    call: Option<Call>,
    path: Option<Path>,
    delays: Delays,
    /// When the heard call's first sound was ready.
    begun_us: Option<u64>,
    /// The card may still be opening until then.
    patient_until_us: Option<u64>,
    /// Without a card: when the next slot is due.
    next_us: u64,
    /// When the last sample that was put in will have left the card.
    drained_us: Option<u64>,
    told: Playing,
    noted_us: u64,
    /// Underruns of paths that are gone, and those before this call.
    underruns_gone: u64,
    underruns_before: u64,
    /// Audio that was in the ring of a card that went, ms.
    lost_ms: u64,
}

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        queue: Receiver<Message>,
        clock: Instant,
        tell: Tell,
        wish: Option<Arc<Wish>>,
    ) -> Worker {
        let wanted = shared.desk.wanted();
        Worker {
            shared,
            queue,
            clock,
            tell,
            wish,
            wanted,
            call: None,
            path: None,
            delays: Delays::new(),
            begun_us: None,
            patient_until_us: None,
            next_us: 0,
            drained_us: None,
            told: Playing::Idle,
            noted_us: 0,
            underruns_gone: 0,
            underruns_before: 0,
            lost_ms: 0,
        }
    }

    /// Until it is told to end.
    pub(super) fn run(mut self) {
        let mut due = None;
        loop {
            let first = match due {
                Some(due) => self.queue.recv_timeout(until(due)),
                None => self.queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match self.turn(first, due) {
                ControlFlow::Continue(next) => due = next,
                ControlFlow::Break(()) => return,
            }
        }
    }

    /// Takes all that waits, and moves sound where that is `due`; says when the next turn is.
    fn turn(
        &mut self,
        first: Result<Message, RecvTimeoutError>,
        due: Option<Instant>,
    ) -> ControlFlow<(), Option<Instant>> {
        // Whether somebody has said since the look that there is something new on the desk.
        let mut unseen = false;
        match first {
            Ok(message) => {
                self.look();
                self.on_message(message);
                loop {
                    match self.queue.try_recv() {
                        Ok(message) => {
                            unseen |= matches!(message, Message::Look | Message::Heard(_, Heard::Over));
                            self.on_message(message);
                        }
                        Err(TryRecvError::Empty) => break,
                        Err(TryRecvError::Disconnected) => return ControlFlow::Break(()),
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) => self.look(),
            Err(RecvTimeoutError::Disconnected) => return ControlFlow::Break(()),
        }
        if self.wanted.quit {
            return ControlFlow::Break(());
        }
        // Frames come in between: they wait for their turn, and wake nothing that is not due.
        if due.is_some_and(|due| due > Instant::now()) {
            return ControlFlow::Continue(due);
        }
        let wait = self.step();
        if self.now_us() >= self.noted_us + NOTE_US {
            self.note();
        }
        // Nobody would wake it again for what it has not seen.
        let wait = wait.or(unseen.then_some(Duration::ZERO));
        ControlFlow::Continue(wait.map(|wait| Instant::now() + wait))
    }

    fn now_us(&self) -> u64 {
        self.clock.elapsed().as_micros() as u64
    }

    /// Looks at the desk.
    fn look(&mut self) {
        let before = self.wanted;
        self.wanted = self.shared.desk.wanted();
        match self.shared.desk.news() {
            News::None => {}
            News::Open(line) => {
                self.leave_path();
                // A rate that cannot be made was not chosen in the first place.
                self.path = Path::new(line).ok();
                self.patient_until_us = None;
            }
            News::Gone => {
                self.leave_path();
                self.patient_until_us = None;
            }
        }
        if !self.wanted.heard {
            self.call = None;
        } else if self.call.as_ref().map(|call| call.generation) != Some(self.wanted.generation) {
            self.begin();
        } else if let Some(call) = &mut self.call {
            call.follow(&self.wanted);
        }
        if before.heard && !self.wanted.heard {
            self.forget();
        }
    }

    fn leave_path(&mut self) {
        if let Some(path) = self.path.take() {
            self.underruns_gone += path.underruns();
            self.lost_ms += path.waiting_ms();
            self.next_us = self.now_us();
        }
    }

    fn begin(&mut self) {
        self.call = Some(Call::new(&self.wanted, self.shared.scope.clone()));
        self.forget();
        self.underruns_before = self.underruns();
        let now = self.now_us();
        self.next_us = now;
        if self.path.is_none() && self.wish.is_some() {
            self.patient_until_us = Some(now + PATIENCE_US);
        }
    }

    /// What was known of the last call.
    fn forget(&mut self) {
        self.delays = Delays::new();
        self.begun_us = None;
        self.drained_us = None;
        self.lost_ms = 0;
        if let Some(path) = &mut self.path {
            path.finish();
        }
    }

    fn underruns(&self) -> u64 {
        self.underruns_gone + self.path.as_ref().map_or(0, Path::underruns)
    }

    fn on_message(&mut self, message: Message) {
        let Message::Heard(generation, heard) = message else {
            return;
        };
        let now = self.now_us();
        let clock = self.clock;
        let Some(call) = self.call.as_mut().filter(|call| call.generation == generation) else {
            return;
        };
        match heard {
            Heard::Stream => call.on_stream(now),
            Heard::Frame { frame, arrived } => {
                let arrived_us = arrived.saturating_duration_since(clock).as_micros() as u64;
                call.on_frame(arrived_us.min(now), &frame);
            }
            Heard::Missed { track, from, to } => call.on_missed(now, track, from, to),
            // The desk says it: it must not be lost before a full queue.
            Heard::Over => {}
        }
    }

    /// Moves sound; when there is more to do without anybody's word.
    fn step(&mut self) -> Option<Duration> {
        let now = self.now_us();
        let Some(call) = &mut self.call else {
            self.want_device(false);
            self.tell(Playing::Idle);
            return None;
        };
        let settled = self.begun_us.is_some_and(|begun| now - begun >= SETTLED_US);
        let flow = match &mut self.path {
            Some(path) => {
                path.look(now, |delay_us| self.delays.add(delay_us, settled));
                path.refill(call, self.wanted.held, now)
            }
            None if self.patient_until_us.is_some_and(|until| now < until) => Flow::Ebbs,
            None => {
                if now > self.next_us + ASLEEP_US {
                    self.next_us = now;
                }
                let mut flow = Flow::Flows;
                while self.next_us <= now {
                    let Some(ready) = call.next(now, 0) else {
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
        let stats = call.stats();
        if flow == Flow::Flows {
            self.begun_us = self.begun_us.or(Some(now));
            self.drained_us = None;
        }
        // The card has it all; it takes a moment until it has played it.
        if flow == Flow::Dry && self.drained_us.is_none() {
            self.drained_us = Some(now + self.path.as_ref().map_or(0, Path::device_us));
        }
        let drained = self.drained_us.is_some_and(|at| at <= now);
        let over = stats.state == State::Over && drained;
        let waits = stats.waiting > 0 && !self.wanted.held;
        self.want_device(!over);
        self.tell(match stats.state {
            State::Waiting => Playing::Waiting,
            State::Playing => Playing::Live,
            State::Held => Playing::Paused,
            State::Behind => Playing::Behind,
            // It still sounds.
            State::Over if !over => self.told,
            State::Over => Playing::Over,
        });
        let wait = match self.path {
            None if flow == Flow::Flows => Duration::from_micros(self.next_us.saturating_sub(now)),
            _ => TICK,
        };
        (!over && (waits || !drained)).then_some(wait)
    }

    fn want_device(&self, wanted: bool) {
        if let Some(wish) = &self.wish {
            wish.want(wanted);
        }
    }

    fn playback(&self, state: Playing) -> Playback {
        let stats = self.call.as_ref().map(Call::stats).unwrap_or_default();
        let unqueued_ms = self.shared.dropped_ms.load(std::sync::atomic::Ordering::Relaxed);
        Playback {
            state,
            delay_ms: self.delays.now_ms(),
            behind_ms: stats.behind_ms,
            underruns: self.underruns() - self.underruns_before,
            concealed_ms: stats.concealed_ms,
            dropped_ms: stats.dropped_ms + unqueued_ms + self.lost_ms,
        }
    }

    fn tell(&mut self, state: Playing) {
        if state != self.told {
            self.told = state;
            self.note();
            (self.tell)(FromSound::Playback(self.playback(state)));
        }
    }

    /// Writes down how it goes, for whoever looks.
    fn note(&mut self) {
        self.noted_us = self.now_us();
        let (all, settled) = self.delays.spreads();
        let stats = Stats {
            playback: self.playback(self.told),
            all,
            settled,
            drift_ppm: self.path.as_ref().map_or(0.0, Path::drift_ppm),
        };
        *self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner) = stats;
    }
}

fn until(due: Instant) -> Duration {
    due.saturating_duration_since(Instant::now())
}

#[cfg(test)]
mod tests;
