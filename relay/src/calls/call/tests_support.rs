//! A call as tests need one.

use partyline_shared::call::Call as View;
use partyline_shared::id::CallSid;

use super::State;
use crate::clock::Now;

/// A view of a call of which nothing is known but its name.
pub(crate) fn view(sid: &str) -> View {
    State::new(Now::take(), "j".into(), std::time::Duration::ZERO).view(&CallSid::parse(sid).unwrap(), "n")
}
