//! Where live is in the memory: the jitter buffer and the memory count places from frames of their own, and streams
//! that follow one another are as far apart in the memory as they were said.

use partyline_shared::audio::FRAME_MS;

use super::super::super::SLOT;
use super::super::super::jitter::Stats;

/// Different distances that are remembered: what waits in the jitter buffer is of one stream, or of two.
const MARKS: usize = 4;

/// From a place of the jitter buffer on, a place of the memory is so much more.
#[derive(Debug, Clone, Copy)]
struct Mark {
    from: i64,
    more: i64,
}

/// The edge.
#[derive(Debug, Default)]
pub(super) struct Edge {
    /// The newest first.
    marks: [Option<Mark>; MARKS],
    /// What follows the last slot that was played, in samples from the jitter buffer's place 0.
    next: i64,
    /// It gave something when it was asked last.
    pub(super) sounds: bool,
    /// What of the jitter buffer's work nobody heard.
    unheard: Unheard,
}

#[derive(Debug, Default, Clone, Copy)]
struct Unheard {
    concealed_ms: u64,
    stretched_ms: u64,
    dropped_ms: u64,
}

impl Edge {
    /// A frame is at this place in the jitter buffer, and at that in the memory.
    pub(super) fn on_frame(&mut self, live: i64, memory: i64) {
        let more = memory.saturating_sub(live);
        let [newest, ..] = self.marks;
        if newest.is_none_or(|newest| newest.more != more) {
            self.marks.rotate_right(1);
            let [first, ..] = &mut self.marks;
            *first = Some(Mark { from: live, more });
        }
    }

    /// 20 ms from this sample of the jitter buffer's are due; where that is in the memory, if that is known.
    pub(super) fn on_slot(&mut self, live: Option<i64>) -> Option<i64> {
        self.sounds = live.is_some();
        let at = self.in_memory(live?);
        self.next = live?.saturating_add(SLOT as i64);
        at
    }

    /// Where the next slot will be, in samples from the memory's place 0.
    pub(super) fn next(&self) -> Option<i64> {
        self.in_memory(self.next)
    }

    fn in_memory(&self, live: i64) -> Option<i64> {
        let place = live.div_euclid(SLOT as i64);
        let marks = self.marks.iter().flatten();
        let of = marks.clone().find(|mark| mark.from <= place).or(marks.last())?;
        Some(live.saturating_add(of.more.saturating_mul(SLOT as i64)))
    }

    /// What happened between the two was not heard.
    pub(super) fn was_unheard(&mut self, before: &Stats, after: &Stats) {
        let unheard = &mut self.unheard;
        unheard.concealed_ms += after.concealed_ms.saturating_sub(before.concealed_ms);
        unheard.stretched_ms += after.stretched_ms.saturating_sub(before.stretched_ms);
        unheard.dropped_ms += after.dropped_ms.saturating_sub(before.dropped_ms);
    }

    /// What of it was heard. What never came is lost all the same.
    pub(super) fn heard(&self, stats: Stats) -> Stats {
        Stats {
            concealed_ms: stats.concealed_ms.saturating_sub(self.unheard.concealed_ms),
            stretched_ms: stats.stretched_ms.saturating_sub(self.unheard.stretched_ms),
            dropped_ms: stats.dropped_ms.saturating_sub(self.unheard.dropped_ms),
            ..stats
        }
    }
}

/// Samples as time, ms; nothing below 0.
pub(super) fn ms(samples: i64) -> u32 {
    let per_ms = SLOT as i64 / i64::from(FRAME_MS);
    u32::try_from(samples / per_ms).unwrap_or_default()
}
