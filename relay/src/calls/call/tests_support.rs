//! A call as tests need one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use partyline_shared::call::Call as View;
use partyline_shared::id::CallSid;

use super::{Call, Shared, State, StreamKey};
use crate::calls::fanout::{Batch, Item};
use crate::clock::Now;

/// A view of a call of which nothing is known but its name.
pub(crate) fn view(sid: &str) -> View {
    let sid = CallSid::parse(sid).unwrap();
    State::new(&sid, Now::take(), "j".into(), Duration::ZERO).view(&sid, "n")
}

/// A call that has just begun.
pub(crate) fn call(now: Now) -> Call {
    let shared = Arc::new(Shared::new("n".into(), Arc::default()));
    let sid = CallSid::parse("CA22222222222222222222222222222222").unwrap();
    Call::new(sid, now, shared, "j".into(), Duration::ZERO)
}

/// Media that came together.
pub(crate) fn media(call: &Call, now: Instant, key: StreamKey, items: &[Item]) {
    call.media(now, key, &mut Batch::new(items, &mut Vec::new()));
}
