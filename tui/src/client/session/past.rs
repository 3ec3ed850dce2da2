//! How far we were in the journals of calls that ended. A call can come back by a new stream, and what was
//! given of it must not be given again.

use std::collections::VecDeque;

use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::After;

use super::journal::Journals;

/// Calls remembered: those that end in minutes of a busy company, at 100 bytes each.
const REMEMBERED: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Past(VecDeque<(CallSid, Journals)>);

impl Past {
    /// A call is over; the oldest is forgotten where there are too many.
    pub(super) fn keep(&mut self, call: CallSid, journals: Journals) {
        if self.0.len() >= REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back((call, journals));
    }

    /// How far we were in a call that is over.
    pub(super) fn after(&self, call: &CallSid) -> Option<After> {
        let (_, journals) = self.0.iter().find(|(sid, _)| sid == call)?;
        journals.after()
    }

    /// A call is wanted again, or forgotten by the relay: what is known of it.
    pub(super) fn take(&mut self, call: &CallSid) -> Option<Journals> {
        let at = self.0.iter().position(|(sid, _)| sid == call)?;
        self.0.remove(at).map(|(_, journals)| journals)
    }
}
