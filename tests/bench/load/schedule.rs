//! When each frame is due: spread evenly over the 20 ms, so that nobody's load comes in bursts that no telephone
//! network makes. Arithmetic only.

use crate::poll::MILLI;

/// A frame is 20 ms, ns.
pub(super) const PERIOD: u64 = 20 * MILLI;

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// A frame; chunks count from 1 in each track.
    Frame { call: usize, track: usize, chunk: u32 },
    /// The call's end, in the period after its last frame.
    Stop { call: usize },
}

/// All that is sent in a run, in order.
#[derive(Debug)]
pub(super) struct Schedule {
    calls: u64,
    tracks: u64,
    /// A call's tracks follow each other; else they are half a period apart.
    together: bool,
    frames: u64,
    begin: u64,
    next: u64,
}

impl Schedule {
    /// So many frames of each track, from `begin` (ns) on.
    pub(super) fn new(calls: usize, tracks: usize, together: bool, frames: u32, begin: u64) -> Schedule {
        Schedule {
            calls: calls as u64,
            tracks: tracks as u64,
            together,
            frames: u64::from(frames),
            begin,
            next: 0,
        }
    }

    /// When the next is due, ns; `None` when all is sent.
    #[inline]
    pub(super) fn due(&self) -> Option<u64> {
        let slots = self.calls * self.tracks;
        let (period, slot) = (self.next / slots, self.next % slots);
        (period <= self.frames).then(|| self.begin + period * PERIOD + slot * PERIOD / slots)
    }

    /// Takes the next.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Due> {
        let slots = self.calls * self.tracks;
        loop {
            let (period, slot) = (self.next / slots, self.next % slots);
            if period > self.frames {
                return None;
            }
            self.next += 1;
            let (call, track) = if self.together {
                (slot / self.tracks, slot % self.tracks)
            } else {
                (slot % self.calls, slot / self.calls)
            };
            let (call, track) = (call as usize, track as usize);
            if period < self.frames {
                let chunk = period as u32 + 1;
                return Some(Due::Frame { call, track, chunk });
            }
            if track == 0 {
                return Some(Due::Stop { call });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of it: when, which call, which track, which chunk (0 a stop).
    fn all(mut schedule: Schedule) -> Vec<(u64, usize, usize, u32)> {
        let mut all = Vec::new();
        while let Some(due) = schedule.due() {
            all.extend(schedule.take().map(|what| match what {
                Due::Frame { call, track, chunk } => (due / MILLI, call, track, chunk),
                Due::Stop { call } => (due / MILLI, call, 0, 0),
            }));
        }
        all
    }

    #[test]
    fn a_calls_tracks_are_half_a_period_apart() {
        assert_eq!(
            all(Schedule::new(2, 2, false, 2, 100 * MILLI)),
            [
                (100, 0, 0, 1),
                (105, 1, 0, 1),
                (110, 0, 1, 1),
                (115, 1, 1, 1),
                (120, 0, 0, 2),
                (125, 1, 0, 2),
                (130, 0, 1, 2),
                (135, 1, 1, 2),
                (140, 0, 0, 0),
                (145, 1, 0, 0),
            ]
        );
    }

    #[test]
    fn together_they_follow_each_other() {
        assert_eq!(
            all(Schedule::new(2, 2, true, 1, 0)),
            [
                (0, 0, 0, 1),
                (5, 0, 1, 1),
                (10, 1, 0, 1),
                (15, 1, 1, 1),
                (20, 0, 0, 0),
                (25, 1, 0, 0),
            ]
        );
    }
}
