//! What the relay replays where nothing lies behind yet: a frame or two are as good as live, seconds of them are the
//! past. It is known which when the next live frame comes, or some time has passed.

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::{PerTrack, Track};

/// So many slots of a track are live all the same: 200 ms, for which pauses make up. A first frame or two often come
/// out of the relay's memory.
pub(super) const LIVE: i64 = 10;

/// So long a backlog is gathered, µs: the relay's memory comes in a burst, perhaps one track after the other.
pub(super) const GATHER_US: u64 = 100_000;

/// What was gathered.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    frames: PerTrack<[Option<(u64, AudioFrame)>; LIVE as usize]>,
    /// The first place and the last, in the memory.
    span: Option<(i64, i64)>,
    since_us: u64,
}

impl Backlog {
    /// A replayed frame came; the first place, if this is more than is live.
    pub(super) fn on_frame(&mut self, now_us: u64, place: i64, frame: &AudioFrame) -> Option<i64> {
        let (first, last) = match self.span {
            Some((first, last)) => (first.min(place), last.max(place)),
            None => {
                self.since_us = now_us;
                (place, place)
            }
        };
        self.span = Some((first, last));
        let free = self.frames.get_mut(frame.track()).iter_mut();
        let free = free.into_iter().find(|free| free.is_none());
        match free {
            Some(free) if last - first < LIVE => {
                *free = Some((now_us, frame.clone()));
                None
            }
            _ => Some(first),
        }
    }

    /// Whether something waits for more.
    pub(super) fn waits(&self) -> bool {
        self.span.is_some()
    }

    /// Whether it has waited long enough.
    pub(super) fn is_due(&self, now_us: u64) -> bool {
        self.span.is_some() && now_us.saturating_sub(self.since_us) >= GATHER_US
    }

    /// Nothing waits any more.
    pub(super) fn clear(&mut self) {
        *self = Backlog::default();
    }

    /// All that was gathered, each track in its order.
    pub(super) fn take(&mut self, mut each: impl FnMut(u64, &AudioFrame)) {
        let all = std::mem::take(self);
        for track in Track::BOTH {
            for (arrived_us, frame) in all.frames.get(track).iter().flatten() {
                each(*arrived_us, frame);
            }
        }
    }
}
