//! What went wrong in a call that went on all the same: Twilio logs such things and proceeds, and so do
//! we, but the call counts as failed in the end.

use std::fmt;
use std::sync::Mutex;

/// Problems told in full; a relay that is down for a minute makes hundreds alike.
const TOLD: usize = 8;

/// Problems, as they are found.
#[derive(Default)]
pub(super) struct Notes(Mutex<Problems>);

/// Problems, as they are told.
#[derive(Debug, Default, Clone)]
pub struct Problems {
    told: Vec<String>,
    more: usize,
}

impl Notes {
    /// Notes a problem.
    pub(super) fn add(&self, problem: impl fmt::Display) {
        let problem = problem.to_string();
        tracing::warn!(%problem, "simulated call");
        let mut all = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        if all.told.len() < TOLD {
            all.told.push(problem);
        } else {
            all.more += 1;
        }
    }

    /// Notes the error of what may fail.
    pub(super) fn unless_ok<T>(&self, result: Result<T, impl fmt::Display>) -> Option<T> {
        result.map_err(|e| self.add(e)).ok()
    }

    /// What was noted; `None` when all went well.
    pub(super) fn problems(self) -> Option<Problems> {
        let all = self.0.into_inner().unwrap_or_else(|broken| broken.into_inner());
        (!all.told.is_empty()).then_some(all)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told.join("; "))?;
        if self.more > 0 {
            write!(f, "; and {} more", self.more)?;
        }
        Ok(())
    }
}
