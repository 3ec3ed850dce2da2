//! The thread between the network and the card: takes frames as they come, and keeps the ring to the card
//! filled. Without a card it takes 20 ms every 20 ms all the same, so that meters and state go on.
//!
//! With nothing heard, or nothing on its way, it sleeps until something comes; while sound flows it wakes by the
//! clock alone, every few ms. It waits for neither the card, the screen nor the network.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::desk::{Desk, News};
use super::device::Wish;
use super::engine::Engine;
use super::memory::shelf::Shelf;
use super::player::{Heard, Stats, Tell};
use super::scope::Scope;
use crate::event::{FromSound, Playing};

/// How often what it knows is written down for others: they look when they draw.
const NOTE_US: u64 = 100_000;

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
    /// What is remembered of the heard calls.
    pub(super) shelf: Arc<Shelf>,
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
    engine: Engine,
    told: Playing,
    noted_us: u64,
}

impl Worker {
    pub(super) fn new(
        shared: Arc<Shared>,
        queue: Receiver<Message>,
        clock: Instant,
        tell: Tell,
        wish: Option<Arc<Wish>>,
    ) -> Worker {
        Worker {
            engine: Engine::with(shared.scope.clone(), shared.shelf.clone(), wish.is_some()),
            shared,
            queue,
            clock,
            tell,
            wish,
            told: Playing::Idle,
            noted_us: 0,
        }
    }

    /// Until it is told to end.
    pub(super) fn run(mut self) {
        let mut due = None;
        loop {
            let first = match due {
                Some(due) => self.at(due),
                None => self.queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match self.turn(first, due) {
                ControlFlow::Continue(next) => due = next,
                ControlFlow::Break(()) => return,
            }
        }
    }

    /// Sleeps until then, and gives what has come. Nothing that comes wakes it: each frame knows when it came, and to
    /// be woken by it costs more than to play it. The queue has room for far more than comes meanwhile.
    fn at(&self, due: Instant) -> Result<Message, RecvTimeoutError> {
        // It may return early; a turn that is not due does nothing but take what has come.
        std::thread::park_timeout(until(due));
        self.queue.try_recv().map_err(|error| match error {
            TryRecvError::Empty => RecvTimeoutError::Timeout,
            TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
        })
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
        if self.shared.desk.quits() {
            return ControlFlow::Break(());
        }
        // Frames wait for their turn.
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
        let now = self.now_us();
        match self.shared.desk.news() {
            News::None => {}
            News::Open(line) => self.engine.on_line(now, Some(line)),
            News::Gone => self.engine.on_line(now, None),
        }
        self.engine.want(now, self.shared.desk.wanted());
    }

    fn on_message(&mut self, message: Message) {
        let Message::Heard(generation, heard) = message else {
            return;
        };
        let now = self.now_us();
        match heard {
            Heard::Stream { zero_ms } => self.engine.on_stream(now, generation, zero_ms),
            Heard::Frame { frame, arrived } => {
                let arrived_us = arrived.saturating_duration_since(self.clock).as_micros() as u64;
                self.engine.on_frame(generation, arrived_us.min(now), &frame);
            }
            Heard::Missed { track, from, to } => self.engine.on_missed(now, generation, track, from, to),
            // The desk says it: it must not be lost before a full queue.
            Heard::Over => {}
        }
    }

    fn step(&mut self) -> Option<Duration> {
        let step = self.engine.step(self.now_us());
        if let Some(wish) = &self.wish {
            wish.want(step.wants_device);
        }
        if step.state != self.told {
            self.told = step.state;
            let stats = self.note();
            (self.tell)(FromSound::Playback(stats.playback));
        }
        step.wait
    }

    /// Writes down how it goes, for whoever looks.
    fn note(&mut self) -> Stats {
        self.noted_us = self.now_us();
        let unqueued_ms = self.shared.dropped_ms.load(std::sync::atomic::Ordering::Relaxed);
        let stats = self.engine.stats(unqueued_ms);
        *self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner) = stats;
        stats
    }
}

fn until(due: Instant) -> Duration {
    due.saturating_duration_since(Instant::now())
}

#[cfg(test)]
mod tests;
