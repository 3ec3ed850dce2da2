//! What a monitor has for its ear, and what it knows of it: shared by who hears calls, who draws, and the link. Held for
//! a copy only; no wait, no socket. What is heard while there is no link is dropped and counted: the desk would have no
//! use for what was said before it came back.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use partyline_shared::audio::FRAME_MS;
use tokio::sync::Notify;

use super::wire::ToDesk;
use crate::audio::desk::Wanted;
use crate::audio::memory::shelf::Shelf;
use crate::audio::player::{Heard, Stats};
use crate::event::{Column, Device, DeviceInfo, FromSound, Playback, Playing};

/// What waits for the link, of all calls: the relay's memory of 10 s of two tracks at once, and as much again, as the
/// player takes it. More than that, and the newest is dropped.
const WAITING: usize = 2_048;

/// What waits beyond that and is no audio: a stream that begins, a call's end. A call has a few in its life.
const WORDS: usize = 64;

/// What is live and waited for so long is not sent: the desk's jitter buffer waits no longer at its deepest.
const OLDEST: Duration = Duration::from_millis(400);

/// Columns that are kept for who draws: 10 s.
const COLUMNS: usize = 512;

/// Told of devices and states; must not wait.
pub(super) type Tell = Box<dyn Fn(FromSound) + Send + Sync>;

/// One heard call, as far as a desk that has forgotten everything has to know.
#[derive(Debug, Clone, Copy)]
struct Begun {
    generation: u64,
    zero_ms: Option<i64>,
}

#[derive(Default)]
struct State {
    wanted: Wanted,
    /// The desk does not know it.
    is_new: bool,
    begun: Vec<Begun>,
    waiting: VecDeque<(Instant, u64, Heard)>,
    /// Other wishes, the newest of each sort.
    use_device: Option<Option<String>>,
    list_devices: bool,
    /// The card that was chosen here last, and whether it was asked which there are, without an answer yet: a link that
    /// is dead takes what is said into it along.
    chosen: Option<Option<String>>,
    is_looking: bool,
    is_linked: bool,
    quits: bool,
    dropped_ms: u64,
    stats: Stats,
    /// What was told last of what becomes of the call in front.
    told: Playing,
    /// Half of what a word there and back takes, ms.
    way_ms: u32,
    columns: VecDeque<(Column, Column)>,
    device: Device,
}

/// All of it.
pub(super) struct Outbox {
    state: Mutex<State>,
    pub(super) shelf: Shelf,
    is_there: Notify,
    tell: Tell,
}

impl Outbox {
    pub(super) fn new(tell: Tell) -> Outbox {
        Outbox {
            state: Mutex::default(),
            shelf: Shelf::default(),
            is_there: Notify::new(),
            tell,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is wanted.
    pub(super) fn want<T>(&self, change: impl FnOnce(&mut Wanted) -> T) -> T {
        let mut state = self.lock();
        let done = change(&mut state.wanted);
        let wanted = state.wanted;
        state.is_new = true;
        state
            .begun
            .retain(|begun| wanted.seat(begun.generation).is_some());
        if wanted.seats.iter().all(Option::is_none) {
            state.columns.clear();
        }
        drop(state);
        self.shelf.follow(&wanted);
        self.is_there.notify_one();
        done
    }

    pub(super) fn wanted(&self) -> Wanted {
        self.lock().wanted
    }

    /// What was dropped belongs to calls that are heard no more.
    pub(super) fn count_anew(&self) {
        self.lock().dropped_ms = 0;
    }

    /// Something of a heard call came.
    pub(super) fn put(&self, generation: u64, heard: Heard) {
        let mut state = self.lock();
        if let Heard::Stream { zero_ms } = heard {
            state.begun.retain(|begun| begun.generation != generation);
            state.begun.push(Begun { generation, zero_ms });
        }
        let over = match heard {
            Heard::Over => Some(true),
            Heard::Stream { .. } => Some(false),
            _ => None,
        };
        if let (Some(over), Some(seat)) = (over, state.wanted.seat_mut(generation)) {
            seat.over = over;
        }
        let is_full = state.waiting.len() >= WAITING;
        if matches!(heard, Heard::Frame { .. }) && (!state.is_linked || is_full) {
            state.dropped_ms += u64::from(FRAME_MS);
            return;
        }
        // That chunks are missing shows in what follows.
        let is_word = matches!(heard, Heard::Stream { .. } | Heard::Over);
        if (is_full && !is_word) || state.waiting.len() >= WAITING + WORDS {
            return;
        }
        // Without a link the rest is said anew when there is one.
        if state.is_linked {
            state.waiting.push_back((Instant::now(), generation, heard));
            drop(state);
            self.is_there.notify_one();
        } else if let Some(playback) = state.alone() {
            drop(state);
            (self.tell)(FromSound::Playback(playback));
        }
    }

    pub(super) fn use_device(&self, device: Option<String>) {
        let mut state = self.lock();
        state.chosen = Some(device.clone());
        state.use_device = Some(device);
        drop(state);
        self.is_there.notify_one();
    }

    pub(super) fn list_devices(&self) {
        let mut state = self.lock();
        (state.list_devices, state.is_looking) = (true, true);
        drop(state);
        self.is_there.notify_one();
    }

    /// The monitor ends.
    pub(super) fn quit(&self) {
        self.lock().quits = true;
        self.is_there.notify_one();
    }

    pub(super) fn quits(&self) -> bool {
        self.lock().quits
    }

    /// Waits until there is something to say. Cancelling it loses nothing.
    pub(super) async fn something(&self) {
        self.is_there.notified().await;
    }

    /// The next thing to say, in order.
    pub(super) fn next(&self, now: Instant) -> Option<ToDesk> {
        let mut state = self.lock();
        if std::mem::take(&mut state.is_new) {
            let mut wanted = state.wanted;
            // That comes with the frames, in its order: the desk is to hear what is before it.
            for seat in wanted.seats.iter_mut().flatten() {
                seat.over = false;
            }
            return Some(ToDesk::Wanted(Box::new(wanted)));
        }
        if let Some(device) = state.use_device.take() {
            return Some(ToDesk::UseDevice(device));
        }
        if std::mem::take(&mut state.list_devices) {
            return Some(ToDesk::ListDevices);
        }
        while let Some((since, generation, heard)) = state.waiting.pop_front() {
            if state.wanted.seat(generation).is_none() {
                continue;
            }
            let is_late = now.saturating_duration_since(since) > OLDEST;
            if is_late && matches!(&heard, Heard::Frame { frame, .. } if !frame.is_replayed()) {
                state.dropped_ms += u64::from(FRAME_MS);
                continue;
            }
            return Some(ToDesk::Heard(generation, heard));
        }
        None
    }

    /// There is a link, to a desk that may have forgotten everything.
    pub(super) fn on_link(&self) {
        let mut state = self.lock();
        state.is_linked = true;
        state.is_new = true;
        // The desk knows a choice that it has.
        state.use_device = state.chosen.clone();
        state.list_devices = state.is_looking;
        let now = Instant::now();
        state.waiting.clear();
        for Begun { generation, zero_ms } in state.begun.clone() {
            let over = state.wanted.seat(generation).is_some_and(|seat| seat.over);
            state
                .waiting
                .push_back((now, generation, Heard::Stream { zero_ms }));
            if over {
                state.waiting.push_back((now, generation, Heard::Over));
            }
        }
        drop(state);
        self.is_there.notify_one();
    }

    /// The link is gone, or there is none yet.
    pub(super) fn on_cut(&self, why: String) {
        let mut state = self.lock();
        state.is_linked = false;
        let waiting = std::mem::take(&mut state.waiting);
        let frames = waiting
            .iter()
            .filter(|(_, _, heard)| matches!(heard, Heard::Frame { .. }));
        state.dropped_ms += frames.count() as u64 * u64::from(FRAME_MS);
        let playback = state.alone();
        drop(state);
        if let Some(playback) = playback {
            (self.tell)(FromSound::Playback(playback));
        }
        self.device(Device::Missing { why });
    }

    /// The desk says how it goes.
    pub(super) fn on_stats(&self, stats: Stats) {
        let mut state = self.lock();
        state.stats = stats;
        let playback = state.playback();
        let was = std::mem::replace(&mut state.told, playback.state);
        drop(state);
        if was != playback.state {
            (self.tell)(FromSound::Playback(playback));
        }
    }

    /// A word there and back took so long.
    pub(super) fn on_round_trip(&self, took: Duration) {
        let way = u32::try_from(took.as_millis() / 2).unwrap_or(u32::MAX);
        let mut state = self.lock();
        // The last few count most.
        state.way_ms = state.way_ms.saturating_mul(3).saturating_add(way).div_ceil(4);
    }

    /// What was played.
    pub(super) fn on_columns(&self, columns: Vec<(Column, Column)>) {
        let mut state = self.lock();
        state.columns.extend(columns);
        let over = state.columns.len().saturating_sub(COLUMNS);
        state.columns.drain(..over);
    }

    /// Of the card, here or there.
    pub(super) fn device(&self, device: Device) {
        let mut state = self.lock();
        if state.device != device {
            state.device = device.clone();
            drop(state);
            (self.tell)(FromSound::Device(device));
        }
    }

    /// The cards that there are, at the ear.
    pub(super) fn on_devices(&self, devices: Vec<DeviceInfo>) {
        self.lock().is_looking = false;
        (self.tell)(FromSound::Devices(devices));
    }

    pub(super) fn stats(&self) -> Stats {
        let state = self.lock();
        Stats {
            playback: state.playback(),
            ..state.stats
        }
    }

    pub(super) fn columns(&self, customer: &mut Vec<Column>, agent: &mut Vec<Column>) {
        for (one, other) in self.lock().columns.drain(..) {
            customer.push(one);
            agent.push(other);
        }
    }
}

impl State {
    /// How it goes, with what the way here costs.
    fn playback(&self) -> Playback {
        let mut playback = self.stats.playback;
        // The desk's number may be any.
        playback.dropped_ms = playback.dropped_ms.saturating_add(self.dropped_ms);
        playback.delay_ms = playback.delay_ms.map(|ms| ms.saturating_add(self.way_ms));
        if !self.is_linked && playback.state != Playing::Idle {
            // What it will be when there is one again.
            playback.state = match self.wanted.in_front() {
                Some(seat) if seat.held => Playing::Paused,
                _ if playback.behind_ms > 0 => Playing::Behind,
                _ => Playing::Waiting,
            };
            playback.delay_ms = None;
        }
        // Nobody plays the rest of what has ended.
        if !self.is_linked && self.wanted.in_front().is_some_and(|seat| seat.over) {
            playback.state = Playing::Over;
        }
        playback
    }

    /// How it goes without a link, where that is to be told.
    fn alone(&mut self) -> Option<Playback> {
        self.wanted.in_front()?;
        let playback = self.playback();
        self.told = playback.state;
        Some(playback)
    }
}

#[cfg(test)]
mod tests;
