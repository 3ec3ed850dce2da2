//! One track's frames by their place on the media clock, in slots of 20 ms.
//!
//! A track starts at its first frame's timestamp; later chunks join by their number, whatever their timestamps,
//! until those differ by more than [`REANCHOR_SLOTS`]: then the timestamp is believed again.

use std::collections::VecDeque;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::audio::{FRAME_BYTES, FRAME_MS};

use super::MAX_LEAP;

/// Chunks that joined may be so far from where their timestamps say, in slots: 200 ms, as two tracks may
/// stray from each other before it is heard in a conversation.
pub(super) const REANCHOR_SLOTS: i64 = 10;

/// A short frame is continued by one whose timestamp is at most so much later, ms: two frames.
const JOIN_MS: u32 = 40;

/// A frame that waits.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) place: i64,
    pub(super) arrived_us: u64,
    pub(super) frame: AudioFrame,
    /// What lies before it was not sent, rather than lost.
    pub(super) after_pause: bool,
}

/// The newest frame that was placed.
#[derive(Debug, Clone, Copy)]
struct Newest {
    place: i64,
    chunk: u32,
}

/// What a track has at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// A frame.
    Here,
    /// Lost for certain.
    Lost,
    /// Nothing was said there.
    Nothing,
    /// It may still come.
    Open,
}

/// What became of a frame that was joined to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joined {
    /// It is part of that.
    Whole,
    /// Some of it still is a frame.
    InPart,
}

/// One track.
#[derive(Debug, Default)]
pub(super) struct Lane {
    queue: VecDeque<Entry>,
    newest: Option<Newest>,
    /// Up to here it is known what will not come.
    missed_to: Option<i64>,
    /// When the last frame came.
    pub(super) heard_us: Option<u64>,
    /// Some of it was played.
    pub(super) begun: bool,
    /// Slots covered up in a row.
    pub(super) covered: u32,
}

impl Lane {
    /// Numbers count anew; what waits goes on waiting.
    pub(super) fn renumber(&mut self) {
        self.newest = None;
        self.missed_to = None;
    }

    /// Where a chunk belongs whose timestamp says `stamped`, and whether what lies before it is a pause.
    pub(super) fn place(&self, chunk: u32, stamped: i64) -> (i64, bool) {
        let Some(newest) = self.newest else {
            return (stamped, true);
        };
        let step = i64::from(chunk.wrapping_sub(newest.chunk) as i32);
        let joined = newest.place.saturating_add(step);
        if joined.abs_diff(stamped) <= REANCHOR_SLOTS as u64 {
            (joined, false)
        } else if step > 0 {
            (stamped.max(newest.place.saturating_add(1)), true)
        } else {
            (stamped, false)
        }
    }

    /// Puts a frame at its place; false where there is one already.
    pub(super) fn put(&mut self, entry: Entry) -> bool {
        if self.newest.is_none_or(|newest| entry.place > newest.place) {
            self.newest = Some(Newest {
                place: entry.place,
                chunk: entry.frame.chunk(),
            });
        }
        let after = self.queue.partition_point(|other| other.place < entry.place);
        if self
            .queue
            .get(after)
            .is_some_and(|other| other.place == entry.place)
        {
            return false;
        }
        self.queue.insert(after, entry);
        true
    }

    /// Joins a frame to the newest one where that is short and still waits: a source that sends pieces of odd
    /// length means them to be played without a hole. What it became, if so. Allocates, which frames of 160
    /// bytes never need.
    pub(super) fn join(&mut self, frame: &AudioFrame, arrived_us: u64) -> Option<Joined> {
        let (newest, last) = (self.newest?, self.queue.back_mut()?);
        let first = last.frame.clone();
        let apart = frame.timestamp_ms().wrapping_sub(first.timestamp_ms());
        let follows = frame.chunk() == newest.chunk.wrapping_add(1) && last.place == newest.place;
        if !follows || first.mulaw().len() >= FRAME_BYTES || apart > JOIN_MS {
            return None;
        }
        let audio = [first.mulaw(), frame.mulaw()].concat();
        let again = |at_ms: u32, mulaw: &[u8]| {
            let at_ms = first.timestamp_ms().wrapping_add(at_ms);
            AudioFrame::new(first.track(), first.audio_id(), first.chunk(), at_ms, mulaw)
        };
        last.frame = again(0, &audio);
        let mut place = last.place;
        let rest = audio.get(FRAME_BYTES..).filter(|rest| !rest.is_empty());
        if let Some(rest) = rest {
            place = place.saturating_add(1);
            self.queue.push_back(Entry {
                place,
                arrived_us,
                frame: again(FRAME_MS, rest),
                after_pause: false,
            });
        }
        let chunk = frame.chunk();
        self.newest = Some(Newest { place, chunk });
        Some(if rest.is_some() {
            Joined::InPart
        } else {
            Joined::Whole
        })
    }

    /// Chunks up to `to` will not come: the place of the last of them, where there is one.
    pub(super) fn on_missed(&mut self, to: u32) -> Option<i64> {
        let newest = self.newest?;
        let step = i64::from(to.wrapping_sub(newest.chunk) as i32);
        if !(1..=MAX_LEAP).contains(&step) {
            return None;
        }
        let place = newest.place.saturating_add(step);
        self.missed_to = Some(self.missed_to.map_or(place, |old| old.max(place)));
        Some(place)
    }

    /// What is at `place`, before which nothing waits. `live`: more is expected of this track.
    pub(super) fn view(&self, place: i64, live: bool) -> View {
        match self.queue.front() {
            Some(front) if front.place <= place => View::Here,
            Some(front) if front.after_pause || !self.begun => View::Nothing,
            Some(_) => View::Lost,
            None if self.begun && self.missed_to.is_some_and(|to| to >= place) => View::Lost,
            None if live => View::Open,
            None => View::Nothing,
        }
    }

    /// The place of the first frame that waits.
    pub(super) fn front(&self) -> Option<i64> {
        self.queue.front().map(|entry| entry.place)
    }

    /// The place of the newest frame that waits.
    pub(super) fn back(&self) -> Option<i64> {
        self.queue.back().map(|entry| entry.place)
    }

    /// The first frame, if it is the one for `place`.
    pub(super) fn at(&self, place: i64) -> Option<&AudioFrame> {
        let front = self.queue.front().filter(|entry| entry.place == place);
        front.map(|entry| &entry.frame)
    }

    /// Takes the frame for `place`.
    pub(super) fn take(&mut self, place: i64) -> Option<Entry> {
        let due = self.front() == Some(place);
        due.then(|| self.queue.pop_front()).flatten()
    }

    /// Lets go of all before `place`; how many there were.
    pub(super) fn drop_before(&mut self, place: i64) -> u64 {
        let mut dropped = 0;
        while self.front().is_some_and(|front| front < place) {
            self.queue.pop_front();
            dropped += 1;
        }
        dropped
    }

    /// How many frames wait.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }
}
