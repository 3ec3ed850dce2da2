//! A call as tests need one.

use std::time::{Duration, Instant};

use partyline_shared::call::Call as View;
use partyline_shared::id::CallSid;

use super::{Call, State, StreamKey};
use crate::calls::fanout::{Batch, Item};
use crate::clock::Now;

/// A view of a call of which nothing is known but its name.
pub(crate) fn view(sid: &str) -> View {
    let sid = CallSid::parse(sid).unwrap();
    State::new(&sid, Now::take(), "j".into(), Duration::ZERO).view(&sid, "n")
}

/// Media that came together.
pub(crate) fn media(call: &Call, now: Instant, key: StreamKey, items: &[Item]) {
    call.media(now, key, &mut Batch::new(items, &mut Vec::new()));
}
