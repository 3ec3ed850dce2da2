//! One stream's clock: where its frames belong, and when they were said.
//!
//! A track starts at its first frame's timestamp; later chunks join by their number, whatever their timestamps,
//! until those differ by more than [`REANCHOR_SLOTS`]: as in the jitter buffer, so that what is heard again is where
//! it was.

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::PerTrack;

use super::{SLOT_MS, SLOTS};

/// Chunks that joined may be so far from where their timestamps say, in slots.
const REANCHOR_SLOTS: u64 = 10;

/// A frame so far behind the newest, in slots, is of another clock: 10 s; not what the relay has replayed.
const MAX_BACK: i64 = 500;

/// A short frame is continued by one whose timestamp is at most so much later, ms: two frames.
const JOIN_MS: u32 = 40;

/// The newest frame of a track.
#[derive(Debug, Clone, Copy)]
struct Newest {
    place: i64,
    chunk: u32,
    stamp: u32,
}

/// A stream.
#[derive(Debug)]
pub(super) struct Stream {
    /// The relay's number of it.
    pub(super) id: u32,
    /// Its first place.
    pub(super) from: i64,
    /// Whether its wall clock is the relay's word, or when its first frame came.
    pub(super) has_zero: bool,
    /// The newest timestamp as it came, and without its wrap.
    stamp: u32,
    ms: i64,
    /// The place of ms 0.
    origin: i64,
    /// The wall clock of place 0.
    wall_ms: i64,
    newest: PerTrack<Option<Newest>>,
}

impl Stream {
    /// One whose first frame is at `place`, and was said at this wall clock.
    pub(super) fn new(frame: &AudioFrame, place: i64, said_ms: i64, has_zero: bool) -> Stream {
        let ms = i64::from(frame.timestamp_ms());
        Stream {
            id: frame.audio_id(),
            from: place,
            has_zero,
            stamp: frame.timestamp_ms(),
            ms,
            origin: place.saturating_sub(slots(ms)),
            wall_ms: said_ms.saturating_sub(place.saturating_mul(SLOT_MS)),
            newest: PerTrack::default(),
        }
    }

    /// The wall clock of a place, Unix ms.
    pub(super) fn wall_ms(&self, place: i64) -> i64 {
        self.wall_ms.saturating_add(place.saturating_mul(SLOT_MS))
    }

    fn ms(&self, stamp: u32) -> i64 {
        let step = i64::from(stamp.wrapping_sub(self.stamp) as i32);
        self.ms.saturating_add(step)
    }

    /// Where a frame belongs.
    pub(super) fn place(&self, frame: &AudioFrame) -> i64 {
        let stamped = self.origin.saturating_add(slots(self.ms(frame.timestamp_ms())));
        let Some(newest) = self.newest.get(frame.track()) else {
            return stamped;
        };
        let step = i64::from(frame.chunk().wrapping_sub(newest.chunk) as i32);
        let joined = newest.place.saturating_add(step);
        if joined.abs_diff(stamped) <= REANCHOR_SLOTS {
            joined
        } else if step > 0 {
            stamped.max(newest.place.saturating_add(1))
        } else {
            stamped
        }
    }

    /// Whether it cannot be of this clock, though it has this stream's number; `end` is one past the last place.
    pub(super) fn is_leap(&self, frame: &AudioFrame, end: i64) -> bool {
        let place = self.place(frame);
        let far = place > end.saturating_add(SLOTS as i64);
        far || (!frame.is_replayed() && place < end.saturating_sub(MAX_BACK))
    }

    /// Where the frame before this one is, if this one is to be joined to it, should that be short.
    pub(super) fn follows(&self, frame: &AudioFrame) -> Option<i64> {
        let newest = (*self.newest.get(frame.track()))?;
        let next = frame.chunk() == newest.chunk.wrapping_add(1);
        let near = frame.timestamp_ms().wrapping_sub(newest.stamp) <= JOIN_MS;
        (next && near).then_some(newest.place)
    }

    /// A frame came, and is there.
    pub(super) fn on_frame(&mut self, frame: &AudioFrame, place: i64) {
        let (chunk, stamp) = (frame.chunk(), frame.timestamp_ms());
        let ms = self.ms(stamp);
        if ms > self.ms {
            (self.stamp, self.ms) = (stamp, ms);
        }
        self.from = self.from.min(place);
        let newest = self.newest.get_mut(frame.track());
        if newest.is_none_or(|newest| place > newest.place || chunk == newest.chunk.wrapping_add(1)) {
            *newest = Some(Newest { place, chunk, stamp });
        }
    }
}

fn slots(ms: i64) -> i64 {
    ms.saturating_add(SLOT_MS / 2).div_euclid(SLOT_MS)
}
