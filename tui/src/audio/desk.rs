//! What the other threads want of the sound, as they want it now: the worker looks here whenever it wakes, so that
//! no wish is lost behind frames that fill its queue. Held for a copy only.
//!
//! What is wanted once (ten seconds back, live) is a number that grows: whoever looks does what it has not done,
//! however often it was said meanwhile. So a wish as a whole may be sent anywhere, and the newest counts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use partyline_shared::track::{PerTrack, Role};
use serde::{Deserialize, Serialize};

use super::output::Line;
use crate::event::Mix;

/// Calls that are heard at once: one in front and three behind it. Nobody tells more apart.
pub const SEATS: usize = 4;

/// One heard call.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Seat {
    /// Which of the calls heard so far it is; grows, from 1.
    pub generation: u64,
    /// Who is on which track.
    pub roles: PerTrack<Role>,
    /// Nothing more comes of it.
    pub over: bool,
    /// Whether it stands still.
    pub held: bool,
    /// How far it was to go back (less) and forward (more) since the beginning, ms, all wishes together.
    pub seek_ms: i64,
    /// How often it was to go to a moment, and the last one: its wall clock, Unix ms.
    pub jumps: (u64, i64),
    /// How often it was to go back to live.
    pub lives: u64,
    /// What lies behind live is played one and a half times as fast, the pitch kept.
    pub fast: bool,
    /// Of what lies behind live, silence is left out.
    pub skip_silence: bool,
}

impl Seat {
    /// A call that is heard as it comes.
    pub fn new(generation: u64, roles: PerTrack<Role>) -> Seat {
        Seat {
            generation,
            roles,
            over: false,
            held: false,
            seek_ms: 0,
            jumps: (0, 0),
            lives: 0,
            fast: false,
            skip_silence: false,
        }
    }
}

/// All that is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// The calls that are heard.
    pub seats: [Option<Seat>; SEATS],
    /// The generation of the call in front; the others are quieter behind it.
    pub front: u64,
    /// How they are to sound.
    pub mix: Mix,
    /// The newest generation that was given.
    pub newest: u64,
}

impl Wanted {
    /// A heard call.
    pub fn seat(&self, generation: u64) -> Option<&Seat> {
        self.seats
            .iter()
            .flatten()
            .find(|seat| seat.generation == generation)
    }

    /// The same, to be changed.
    pub fn seat_mut(&mut self, generation: u64) -> Option<&mut Seat> {
        self.seats
            .iter_mut()
            .flatten()
            .find(|seat| seat.generation == generation)
    }

    /// The call in front.
    pub fn in_front(&self) -> Option<&Seat> {
        self.seat(self.front)
    }

    /// Another call instead of all that are heard; its generation.
    pub fn hear(&mut self, roles: PerTrack<Role>, mix: Mix) -> u64 {
        self.seats = Default::default();
        self.mix = mix;
        self.also(roles).0
    }

    /// Another call too, in front. Its generation; and that of the oldest behind, which has to go where all seats
    /// are taken.
    pub fn also(&mut self, roles: PerTrack<Role>) -> (u64, Option<u64>) {
        let full = self.seats.iter().all(Option::is_some);
        let behind = |seat: &&Seat| seat.generation != self.front;
        let behind = self.seats.iter().flatten().filter(behind);
        let oldest = behind.map(|seat| seat.generation).min();
        let gone = oldest.filter(|_| full);
        if let Some(gone) = gone {
            self.leave(gone);
        }
        self.newest += 1;
        if let Some(free) = self.seats.iter_mut().find(|seat| seat.is_none()) {
            *free = Some(Seat::new(self.newest, roles));
            self.front = self.newest;
        }
        (self.newest, gone)
    }

    /// A heard call comes to the front; nothing where it is not heard.
    pub fn bring_to_front(&mut self, generation: u64) {
        if self.seat(generation).is_some() {
            self.front = generation;
        }
    }

    /// A call is heard no more. Where it was in front, the newest of the others comes there.
    pub fn leave(&mut self, generation: u64) {
        for seat in &mut self.seats {
            seat.take_if(|seat| seat.generation == generation);
        }
        if self.seat(self.front).is_none() {
            let left = self.seats.iter().flatten().map(|seat| seat.generation);
            self.front = left.max().unwrap_or_default();
        }
    }

    /// Nothing is heard.
    pub fn clear(&mut self) {
        self.seats = Default::default();
        self.front = 0;
    }

    /// The call in front goes so far, ms: less is back.
    pub fn seek(&mut self, ms: i32) {
        self.change_front(|seat| seat.seek_ms = seat.seek_ms.saturating_add(i64::from(ms)));
    }

    /// The call in front goes to what was said then, Unix ms.
    pub fn seek_to(&mut self, unix_ms: i64) {
        self.change_front(|seat| seat.jumps = (seat.jumps.0.wrapping_add(1), unix_ms));
    }

    /// The call in front goes back to what is said now, and on if it was held.
    pub fn live(&mut self) {
        self.change_front(|seat| {
            seat.held = false;
            seat.lives = seat.lives.wrapping_add(1);
        });
    }

    /// Changes what is wanted of the call in front.
    pub fn change_front(&mut self, change: impl FnOnce(&mut Seat)) {
        if let Some(seat) = self.seat_mut(self.front) {
            change(seat);
        }
    }
}

/// What became of the way to the card.
pub(super) enum News {
    /// Nothing.
    None,
    /// There is one.
    Open(Line),
    /// There is none.
    Gone,
}

struct State {
    wanted: Wanted,
    quit: bool,
    news: News,
}

/// The desk.
pub(super) struct Desk(Mutex<State>);

impl Desk {
    pub(super) fn new() -> Desk {
        Desk(Mutex::new(State {
            wanted: Wanted::default(),
            quit: false,
            news: News::None,
        }))
    }

    /// Changes what is wanted.
    pub(super) fn want<T>(&self, change: impl FnOnce(&mut Wanted) -> T) -> T {
        change(&mut self.lock().wanted)
    }

    /// What is wanted.
    pub(super) fn wanted(&self) -> Wanted {
        self.lock().wanted
    }

    /// The thread is to end.
    pub(super) fn quit(&self) {
        self.lock().quit = true;
    }

    /// Whether it is.
    pub(super) fn quits(&self) -> bool {
        self.lock().quit
    }

    /// The device's thread says whether there is a way to the card.
    pub(super) fn deliver(&self, line: Option<Line>) {
        let news = line.map_or(News::Gone, News::Open);
        // What nobody looked at is dropped by who puts the next, not under the lock.
        let _older = std::mem::replace(&mut self.lock().news, news);
    }

    /// What the device's thread said last, once.
    pub(super) fn news(&self) -> News {
        std::mem::replace(&mut self.lock().news, News::None)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
