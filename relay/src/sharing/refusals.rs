//! A Redis that answers and takes nothing: it is full, or our user may not write. Said once when it begins, again where
//! the reason is another, and once when it is over. Decides nothing.

use std::sync::Mutex;
use std::time::Instant;

use tracing::{info, warn};

use crate::broker::Failed;
use crate::lock::lock;
use crate::sparing::Sparing;

/// What is written to Redis all the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// That this relay is there.
    Beat,
    /// What its calls are.
    Calls,
}

/// By what Redis refuses that now.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    beat: Option<String>,
    calls: Option<String>,
    sparing: Sparing,
}

impl Refusals {
    /// The code that Redis says no by, `OOM` where it is full; `None` where it takes what it is told.
    pub(super) fn code(&self) -> Option<String> {
        let state = lock(&self.0);
        state.beat.clone().or_else(|| state.calls.clone())
    }

    /// What came of it. Where there was no answer nothing is known anew.
    pub(super) fn came(&self, what: What, came: Result<(), &Failed>) {
        let code = match came {
            Ok(()) => None,
            Err(Failed::Refused(no)) => Some(no.code().to_owned()),
            Err(Failed::Down | Failed::Late | Failed::Broken) => return,
        };
        let mut state = lock(&self.0);
        let before = state.beat.clone().or_else(|| state.calls.clone());
        match what {
            What::Beat => state.beat = code,
            What::Calls => state.calls = code,
        }
        let now = state.beat.clone().or_else(|| state.calls.clone());
        if before == now {
            return;
        }
        if let Some(untold) = state.sparing.tell(Instant::now()) {
            match now {
                Some(code) => warn!(
                    code,
                    untold,
                    "Redis refuses what it is told: other relays do not learn of this relay's calls until it takes it; OOM says that it is full: give maxmemory room"
                ),
                None => info!(untold, "Redis takes what it is told again"),
            }
        }
    }
}
