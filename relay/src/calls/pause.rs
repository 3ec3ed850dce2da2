//! What is held back of a call's audio while it is paused: which chunks, so that they can be named afterwards, and
//! which stretches of media time, so that lines of them can be told. Keeps no frame, decides nothing; pure.

use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::{PerTrack, Track};
use serde::{Deserialize, Serialize};

use super::fanout::{Gap, Item};

/// Stretches remembered of each track of a stream; beyond, the two oldest count as one. Nobody pauses a call so often
/// within the time that a line takes.
const STRETCHES: usize = 64;

/// Whether a call is paused, and what did not leave it for that.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Pause {
    on: bool,
    /// It has been paused before, or is.
    was: bool,
    /// Another stream began since the pause did: of which of them a line's times are nobody knows.
    blind: bool,
    /// Something is missing that the next frame of its track has to tell: looked at for each batch.
    owes: bool,
    sides: PerTrack<Side>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Side {
    /// First and last chunk held back since this track's last frame that was handed on.
    held: Option<(u32, u32)>,
    /// Media time held back, ms, oldest first; the last one still grows while `held` does.
    stretches: Vec<(u32, u32)>,
}

impl Pause {
    /// Whether the call is paused now.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// Begins or ends it; whether that is news.
    pub fn set(&mut self, on: bool) -> bool {
        self.was |= on;
        self.blind &= !on;
        std::mem::replace(&mut self.on, on) != on
    }

    /// Another stream begins, whose chunks and media time begin anew. It is paused as the last one was.
    pub fn stream_begins(&mut self) {
        self.owes = false;
        self.blind = self.was;
        self.sides = PerTrack::default();
    }

    /// Something of a track is held back: a frame, or what never came and would have been.
    pub fn hold(&mut self, item: &Item) {
        let (track, from, to) = match item {
            Item::Frame(frame) => (frame.track(), frame.chunk(), frame.chunk()),
            Item::Gap(gap) => (gap.track, gap.from_chunk, gap.to_chunk),
            Item::Stream(_) => return,
        };
        self.owes = true;
        let side = self.sides.get_mut(track);
        let begins = side.held.is_none();
        side.held = Some(
            side.held
                .map_or((from, to), |(first, last)| (first, last.max(to))),
        );
        let Item::Frame(frame) = item else { return };
        let (from_ms, to_ms) = (
            frame.timestamp_ms(),
            frame.timestamp_ms().saturating_add(frame.duration_ms()),
        );
        match side.stretches.last_mut().filter(|_| !begins) {
            Some((_, end)) => *end = to_ms.max(*end),
            None => side.stretches.push((from_ms, to_ms)),
        }
        if side.stretches.len() > STRETCHES {
            let (oldest, _) = side.stretches.remove(0);
            if let Some((from, _)) = side.stretches.first_mut() {
                *from = oldest;
            }
        }
    }

    /// What is to be told before these items, since they are the first after a pause; a gap for each such track.
    pub fn owed_before(&mut self, items: &[Item]) -> Vec<Gap> {
        let mut gaps = Vec::new();
        if !self.owes {
            return gaps;
        }
        for item in items {
            let track = match item {
                Item::Frame(frame) => frame.track(),
                Item::Gap(gap) => gap.track,
                Item::Stream(_) => continue,
            };
            let held = self.sides.get_mut(track).held.take();
            gaps.extend(held.map(|(from_chunk, to_chunk)| Gap {
                track,
                from_chunk,
                to_chunk,
                reason: GapReason::Paused,
            }));
        }
        self.owes = Track::BOTH
            .iter()
            .any(|track| self.sides.get(*track).held.is_some());
        gaps
    }

    /// Whether any of a track's media time from `start_ms` to `end_ms` was held back; where one of them is not known it
    /// may be anywhere. `None` where times do not tell.
    pub fn held_back(&self, track: Track, start_ms: Option<u64>, end_ms: Option<u64>) -> Option<bool> {
        if self.blind || (start_ms.is_none() && end_ms.is_none()) {
            return None;
        }
        let (start, end) = (start_ms.unwrap_or(0), end_ms.unwrap_or(u64::MAX));
        let mut stretches = self.sides.get(track).stretches.iter();
        Some(stretches.any(|(from, to)| start < u64::from(*to) && end > u64::from(*from)))
    }
}

#[cfg(test)]
mod tests {
    use partyline_shared::audio::frame::AudioFrame;

    use super::*;

    fn frame(track: Track, chunk: u32) -> Item {
        Item::Frame(AudioFrame::new(track, 1, chunk, chunk * 20, &[0xff; 160]))
    }

    fn gap(from_chunk: u32, to_chunk: u32, reason: GapReason) -> Gap {
        Gap {
            track: Track::Inbound,
            from_chunk,
            to_chunk,
            reason,
        }
    }

    #[test]
    fn each_track_owes_one_gap_before_its_next_frame() {
        let mut pause = Pause::default();
        assert!(pause.set(true) && !pause.set(true));
        pause.hold(&frame(Track::Inbound, 5));
        pause.hold(&Item::Gap(gap(6, 8, GapReason::Upstream)));
        pause.hold(&frame(Track::Inbound, 9));
        pause.hold(&frame(Track::Outbound, 3));
        assert!(pause.set(false) && !pause.is_on());
        let told = pause.owed_before(&[frame(Track::Inbound, 10), frame(Track::Inbound, 11)]);
        assert_eq!(told, [gap(5, 9, GapReason::Paused)]);
        assert_eq!(pause.owed_before(&[frame(Track::Inbound, 12)]), []);
        let other = pause.owed_before(&[frame(Track::Outbound, 4)]);
        assert_eq!((other.len(), other[0].from_chunk, other[0].to_chunk), (1, 3, 3));
        assert!(!pause.owes);
    }

    #[test]
    fn two_pauses_without_a_frame_between_them_are_one_hole() {
        let mut pause = Pause::default();
        for chunk in [1, 2] {
            pause.set(true);
            pause.hold(&frame(Track::Inbound, chunk));
            pause.set(false);
        }
        assert_eq!(
            pause.owed_before(&[frame(Track::Inbound, 3)]),
            [gap(1, 2, GapReason::Paused)]
        );
    }

    #[test]
    fn times_tell_what_was_said_during_a_pause() {
        let mut pause = Pause::default();
        for chunks in [10..=20, 30..=40] {
            chunks.for_each(|chunk| pause.hold(&frame(Track::Inbound, chunk)));
            pause.owed_before(&[frame(Track::Inbound, 0)]);
        }
        let held = |from, to| pause.held_back(Track::Inbound, from, to) == Some(true);
        assert!(!held(Some(0), Some(200)) && held(Some(0), Some(201)));
        assert!(held(Some(419), Some(500)) && !held(Some(420), Some(600)) && !held(Some(820), None));
        assert!(held(None, Some(201)) && held(Some(500), None));
        assert_eq!(pause.held_back(Track::Outbound, Some(0), None), Some(false));
        assert_eq!(pause.held_back(Track::Inbound, None, None), None);
        pause.set(true);
        pause.stream_begins();
        assert_eq!(
            pause.held_back(Track::Inbound, Some(0), None),
            None,
            "of which stream?"
        );
        pause.set(false);
        pause.set(true);
        assert_eq!(pause.held_back(Track::Inbound, Some(0), None), Some(false));
    }

    #[test]
    fn no_number_of_pauses_piles_up_and_none_is_forgotten() {
        let mut pause = Pause::default();
        for n in 0..1000 {
            pause.hold(&frame(Track::Inbound, n * 2));
            pause.owed_before(&[frame(Track::Inbound, n * 2 + 1)]);
        }
        assert_eq!(pause.sides.inbound.stretches.len(), STRETCHES);
        assert!(
            (0..1000).all(|n| pause.held_back(Track::Inbound, Some(n * 40), Some(n * 40 + 1)) == Some(true))
        );
    }
}
