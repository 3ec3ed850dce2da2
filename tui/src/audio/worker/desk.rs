//! What the other threads want of the worker, as they want it now: it looks here whenever it wakes, so that no
//! wish is lost behind frames that fill its queue. Held for a copy only.

use std::sync::{Mutex, MutexGuard, PoisonError};

use partyline_shared::track::{PerTrack, Role};

use super::super::output::Line;
use crate::event::Mix;

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// Which of the calls heard so far it is; what ears of others bring is not wanted.
    pub(crate) generation: u64,
    /// Whether a call is heard.
    pub(crate) heard: bool,
    /// Who is on which track.
    pub(crate) roles: PerTrack<Role>,
    /// How it is to sound.
    pub(crate) mix: Mix,
    /// Whether it stands still.
    pub(crate) held: bool,
    /// How often it was to go back to live.
    pub(crate) lives: u64,
    /// The generation of which nothing more comes.
    pub(crate) over: Option<u64>,
    /// The thread is to end.
    pub(crate) quit: bool,
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
    news: News,
}

/// The desk.
pub(crate) struct Desk(Mutex<State>);

impl Desk {
    pub(crate) fn new() -> Desk {
        let unknown = PerTrack {
            inbound: Role::Unknown,
            outbound: Role::Unknown,
        };
        let wanted = Wanted {
            generation: 0,
            heard: false,
            roles: unknown,
            mix: Mix::default(),
            held: false,
            lives: 0,
            over: None,
            quit: false,
        };
        Desk(Mutex::new(State {
            wanted,
            news: News::None,
        }))
    }

    /// Changes what is wanted.
    pub(crate) fn want<T>(&self, change: impl FnOnce(&mut Wanted) -> T) -> T {
        change(&mut self.lock().wanted)
    }

    /// What is wanted.
    pub(super) fn wanted(&self) -> Wanted {
        self.lock().wanted
    }

    /// The device's thread says whether there is a way to the card.
    pub(crate) fn deliver(&self, line: Option<Line>) {
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
