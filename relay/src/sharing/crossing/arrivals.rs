//! What has come from other relays, handed to the calls here in the task that reads it. A frame is copied once, with its
//! message; who hears it gets those bytes.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use partyline_shared::id::CallSid;

use super::Crossing;
use super::codec::{self, Part};
use super::line::Line;
use crate::calls::call::Call;
use crate::calls::fanout::{Batch, Item, StreamInfo};
use crate::lock::lock;
use crate::sharing::Hub;

/// All calls of others that are heard here.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    lines: HashMap<CallSid, Line>,
    /// Memory that is used again: what goes on, and how it leaves.
    items: Vec<Item>,
    wire: Vec<u8>,
}

impl Crossing {
    /// Nobody here hears this call any more: what comes of it next has nothing missing before it.
    pub(super) fn hears_no_more(&self, sid: &CallSid) {
        lock(&self.arrivals).lines.remove(sid);
    }

    /// The same of all that nobody hears: who leaves a call that is this relay's own meanwhile is not told of here.
    pub(super) fn forget_unheard(&self) {
        let is_heard = |sid: &CallSid| self.hub.registry.known(sid).is_some_and(|call| call.is_heard());
        lock(&self.arrivals).lines.retain(|sid, _| is_heard(sid));
    }
}

impl Arrivals {
    /// Takes a message, whole or not at all.
    pub(super) fn take(&mut self, hub: &Hub, payload: &[u8]) {
        let Ok(parts) = codec::read(Bytes::copy_from_slice(payload)) else {
            hub.metrics.crossings_bad.add_one();
            return;
        };
        for part in parts {
            match part {
                Part::Live {
                    call_sid,
                    stream,
                    items,
                } => self.live(hub, call_sid, stream, items),
                Part::Replayed {
                    call_sid,
                    stream,
                    ms,
                    last,
                    items,
                } => self.replayed(hub, call_sid, stream, ms, (last, items)),
                Part::Levels(levels) => {
                    for (sid, energy) in levels {
                        if let Some(call) = hub.registry.known(&sid) {
                            call.heard_elsewhere(energy);
                        }
                    }
                }
            }
        }
    }

    fn live(&mut self, hub: &Hub, sid: CallSid, stream: StreamInfo, items: Vec<Item>) {
        let Some(call) = hub.registry.known(&sid) else {
            return;
        };
        self.items.clear();
        let mut new = Line::default();
        let known = self.lines.get_mut(&sid);
        let is_new = known.is_none();
        let line = known.unwrap_or(&mut new);
        let place = line.place();
        let came = line.live(stream, items, &mut self.items);
        let heard = call.media_from(stream, &mut Batch::new(&self.items, &mut self.wire));
        if heard {
            hub.metrics.frames_crossed_in.add(came.frames);
            hub.metrics.frames_lost_relay_link.add(came.lost);
            if is_new {
                self.lines.insert(sid, new);
            }
        } else {
            // It is ours for a moment, as where its owner could not be reached.
            line.goes_back(place);
        }
        hub.metrics.frames_crossed_twice.add(came.stale);
    }

    fn replayed(
        &mut self,
        hub: &Hub,
        sid: CallSid,
        stream: Option<StreamInfo>,
        ms: u32,
        (last, items): (bool, Vec<Item>),
    ) {
        // Where nobody hears it any more it is not to be begun: what comes next then has nothing missing before it.
        let is_heard = |call: &Arc<Call>| call.wants().is_some_and(|wants| wants.hearing > 0);
        let Some(call) = hub.registry.known(&sid).filter(is_heard) else {
            return;
        };
        let all = match stream {
            Some(stream) => self.lines.entry(sid).or_default().replayed(stream, last, items),
            None => Some(items.into()),
        };
        if let Some(all) = all {
            call.replayed_from(stream, u64::from(ms), &all);
        }
    }
}
