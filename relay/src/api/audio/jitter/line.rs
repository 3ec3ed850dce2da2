//! One track of what a player is given: samples from the next one on, and where the track's next frame belongs. Knows
//! neither time nor the other track.

use std::collections::VecDeque;

use partyline_shared::audio::{FRAME_BYTES, SILENCE, g711};

/// See the module. Places are samples, counted from the next one that is given.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// µ-law, silence where nothing is known.
    queue: VecDeque<u8>,
    /// Silence that was given since the queue was empty, samples.
    behind: u64,
    /// Of the last frame; `None` where the next one is the first.
    last_chunk: Option<u32>,
}

/// Where a frame belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Before what is there: it came out of order.
    Past,
    /// Here; below 0 where that was given already.
    At(i64),
    /// Its chunk does not say.
    Unknown,
}

impl Line {
    /// Where the frame of this chunk belongs.
    pub(super) fn place_of(&self, chunk: u32) -> Place {
        let Some(last) = self.last_chunk else {
            return Place::Unknown;
        };
        let Some(missing) = chunk.checked_sub(last).and_then(|step| step.checked_sub(1)) else {
            return Place::Past;
        };
        let end = self.queue.len() as i64 - i64::try_from(self.behind).unwrap_or(i64::MAX);
        Place::At(end + i64::from(missing) * FRAME_BYTES as i64)
    }

    /// Puts a frame there, behind all that waits, after silence where it does not follow at once.
    pub(super) fn put(&mut self, place: u64, chunk: u32, mulaw: &[u8]) {
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        let silence = place.saturating_sub(self.queue.len());
        self.queue.extend(std::iter::repeat_n(SILENCE, silence));
        self.queue.extend(mulaw);
        self.behind = 0;
        self.last_chunk = Some(chunk);
    }

    /// The next frame is a first one.
    pub(super) fn begin_anew(&mut self) {
        self.behind = 0;
        self.last_chunk = None;
    }

    /// Samples that wait.
    pub(super) fn waits(&self) -> u64 {
        self.queue.len() as u64
    }

    /// Takes so many samples, silence where there are not as many.
    pub(super) fn take(&mut self, samples: u64) -> impl Iterator<Item = u8> {
        let here = self.waits().min(samples);
        self.behind += samples - here;
        let silence = usize::try_from(samples - here).unwrap_or(usize::MAX);
        let here = self.queue.drain(..here as usize);
        here.chain(std::iter::repeat_n(SILENCE, silence))
    }

    /// Moves all that is to come by so much silence.
    pub(super) fn later(&mut self, samples: u64) {
        let made_up = self.behind.min(samples);
        self.behind -= made_up;
        for _ in made_up..samples {
            self.queue.push_front(SILENCE);
        }
    }

    /// Moves all that is to come so much forward. Answers how many samples of sound that leaves out.
    pub(super) fn earlier(&mut self, samples: u64) -> u64 {
        let here = self.waits().min(samples);
        let left_out = self.queue.drain(..here as usize);
        let sound = left_out.filter(|&mulaw| mulaw != SILENCE).count() as u64;
        self.behind += samples - here;
        sound
    }

    /// Lets go of all that waits; the next frame is a first one. Answers as [`Line::earlier`] does.
    pub(super) fn clear(&mut self) -> u64 {
        let sound = self.earlier(self.waits());
        self.begin_anew();
        sound
    }

    /// Whether none of the next samples is louder than this.
    pub(super) fn is_quiet(&self, samples: usize, loudest: u16) -> bool {
        let mut next = self.queue.iter().take(samples);
        next.all(|&mulaw| g711::decode(mulaw).unsigned_abs() <= loudest)
    }
}
