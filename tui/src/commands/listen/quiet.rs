//! Error output while a call is played: sound libraries write there as they like, from threads of their own. It goes
//! into the log, as it does under the monitor's screen; what this program has to say is told all the same.

use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use crate::config::paths;
use crate::logging::Diverted;
use crate::print::notes_to;

/// While it is diverted; the panic hook has to find it.
static DIVERTED: Mutex<Option<Diverted>> = Mutex::new(None);

/// The guard; there is one at a time.
#[must_use = "error output goes back when this is dropped"]
pub(in crate::commands) struct Quiet;

impl Quiet {
    /// From now on. Where that cannot be done all goes where it went.
    pub(in crate::commands) fn begin() -> Quiet {
        let log = paths::log().filter(|log| {
            let folder = log.parent();
            folder.is_some_and(|folder| paths::make_private(folder).is_ok())
        });
        if let Ok(diverted) = Diverted::begin(log.as_deref())
            && let Ok(before) = diverted.before()
        {
            notes_to(Some(before));
            *up() = Some(diverted);
            tell_panics();
        }
        Quiet
    }

    /// Keeps the log within its bound.
    pub(in crate::commands) fn trim(&self) {
        if let Some(diverted) = up().as_ref() {
            diverted.trim();
        }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        give_back();
    }
}

fn give_back() {
    notes_to(None);
    up().take();
}

/// A panic is told where people see it.
fn tell_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
    });
}

fn up() -> MutexGuard<'static, Option<Diverted>> {
    DIVERTED.lock().unwrap_or_else(PoisonError::into_inner)
}
