//! One call's audio as it comes from another relay: each frame once and in order, and what is missing without a word of
//! its owner was lost on the way. No clock, no I/O.

use std::collections::VecDeque;

use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::{PerTrack, Track};

use crate::calls::fanout::{Gap, Item, StreamInfo};

/// Remembered frames and gaps taken of one call, at most: 60 s of two tracks, and as many gaps between them.
const MOST_REPLAYED: usize = 12_000;

/// What has come of a call.
#[derive(Debug, Default)]
pub(super) struct Line {
    stream: Option<StreamInfo>,
    /// The next chunk of each track; `None` before its first.
    next: PerTrack<Option<u32>>,
    /// What is remembered, until the last of it has come.
    replay: VecDeque<Item>,
}

/// How far a line has come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    stream: Option<StreamInfo>,
    next: PerTrack<Option<u32>>,
}

/// What came of some items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Came {
    /// Frames that go on.
    pub(super) frames: u64,
    /// Chunks that were lost on the way.
    pub(super) lost: u64,
    /// Frames that had come before, or of an older stream: they go nowhere.
    pub(super) stale: u64,
}

impl Line {
    /// How far it has come.
    pub(super) fn place(&self) -> Place {
        Place {
            stream: self.stream,
            next: self.next,
        }
    }

    /// What came since then reached nobody: it is missing before what comes next.
    pub(super) fn goes_back(&mut self, place: Place) {
        (self.stream, self.next) = (place.stream, place.next);
    }

    /// What came, as it goes on: appended to `out`.
    pub(super) fn live(&mut self, stream: StreamInfo, items: Vec<Item>, out: &mut Vec<Item>) -> Came {
        let mut came = Came::default();
        if !self.follows(stream) {
            came.stale = items.len() as u64;
            return came;
        }
        for item in items {
            let (track, from, to) = match &item {
                Item::Frame(frame) => (frame.track(), frame.chunk(), frame.chunk()),
                Item::Gap(gap) => (gap.track, gap.from_chunk, gap.to_chunk),
                Item::Stream(_) => continue,
            };
            let next = self.next.get_mut(track);
            let due = next.unwrap_or(from);
            if to < due {
                came.stale += u64::from(matches!(item, Item::Frame(_)));
                continue;
            }
            if due < from {
                let lost = lost(track, due, from - 1);
                came.lost += lost.chunks();
                out.push(Item::Gap(lost));
            }
            *next = Some(to.saturating_add(1));
            match item {
                Item::Gap(gap) => out.push(Item::Gap(Gap {
                    from_chunk: from.max(due),
                    ..gap
                })),
                other => {
                    came.frames += 1;
                    out.push(other);
                }
            }
        }
        came
    }

    /// A part of what is remembered; all of it once the last has come.
    pub(super) fn replayed(
        &mut self,
        stream: StreamInfo,
        last: bool,
        items: Vec<Item>,
    ) -> Option<VecDeque<Item>> {
        if !self.follows(stream) {
            return None;
        }
        self.replay.extend(items);
        let too_many = self.replay.len().saturating_sub(MOST_REPLAYED);
        self.replay.drain(..too_many);
        if !last {
            return None;
        }
        let replay = std::mem::take(&mut self.replay);
        // Who hears it already is told of what was lost before, by the frames that follow.
        let begun = self.next;
        for item in &replay {
            let (track, to) = match item {
                Item::Frame(frame) => (frame.track(), frame.chunk()),
                Item::Gap(gap) => (gap.track, gap.to_chunk),
                Item::Stream(_) => continue,
            };
            if begun.get(track).is_none() {
                *self.next.get_mut(track) = Some(to.saturating_add(1));
            }
        }
        Some(replay)
    }

    /// Whether this is the stream that is heard, or a newer one, which begins anew.
    fn follows(&mut self, stream: StreamInfo) -> bool {
        match self.stream {
            Some(known) if known == stream => return true,
            Some(known) if known.zero_at > stream.zero_at => return false,
            // Heard from its beginning: whatever is before its first frame was lost.
            Some(_) => {
                self.next = PerTrack {
                    inbound: Some(1),
                    outbound: Some(1),
                };
            }
            None => {}
        }
        self.stream = Some(stream);
        self.replay.clear();
        true
    }
}

fn lost(track: Track, from_chunk: u32, to_chunk: u32) -> Gap {
    Gap {
        track,
        from_chunk,
        to_chunk,
        reason: GapReason::RelayLink,
    }
}

#[cfg(test)]
mod tests;
