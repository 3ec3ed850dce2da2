//! What is wanted of the device, as the other threads say it. Saying so waits for nobody; the device's thread
//! sleeps here until there is something new, or a time has come.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[derive(Debug, Default)]
struct State {
    wanted: bool,
    /// Another device was chosen since the thread looked: that one, or the system's default.
    chosen: Option<Option<String>>,
    quit: bool,
    /// Something was said that the thread has not seen.
    news: bool,
}

/// What is wanted now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Whether a device is.
    pub(super) is_wanted: bool,
    /// Another one than before, told once: that one, or the system's default.
    pub(super) chosen: Option<Option<String>>,
}

/// Whether a device is wanted and which one, and whether the thread is.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    state: Mutex<State>,
    said: Condvar,
}

impl Wish {
    /// A device is wanted from now on, or is not.
    pub(crate) fn want(&self, wanted: bool) {
        let mut state = self.lock();
        if state.wanted != wanted {
            state.wanted = wanted;
            state.news = true;
            self.said.notify_one();
        }
    }

    /// This device from now on, or the system's default.
    pub(super) fn choose(&self, device: Option<String>) {
        let mut state = self.lock();
        state.chosen = Some(device);
        state.news = true;
        self.said.notify_one();
    }

    /// The thread is to end.
    pub(super) fn quit(&self) {
        self.lock().quit = true;
        self.said.notify_one();
    }

    /// Sleeps until something is said, at most as long as this; what is wanted, `None` at the end.
    pub(super) fn wait(&self, limit: Option<Duration>) -> Option<Wanted> {
        let nothing = |state: &mut State| !state.news && !state.quit;
        let mut state = match limit {
            Some(limit) => {
                let waited = self.said.wait_timeout_while(self.lock(), limit, nothing);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let waited = self.said.wait_while(self.lock(), nothing);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
        };
        state.news = false;
        let wanted = Wanted {
            is_wanted: state.wanted,
            chosen: state.chosen.take(),
        };
        (!state.quit).then_some(wanted)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
