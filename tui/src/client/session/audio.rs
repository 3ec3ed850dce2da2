//! One stream's chunks: which frame is new, and what is missing before it. Everything between a track's
//! first chunk and its last is accounted for exactly once.

use std::collections::VecDeque;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::{PerTrack, Track};

use super::update::MissedReason;

/// Announced gaps kept until a frame shows where they lie; a relay announces one at a time.
const MAX_GAPS: usize = 64;

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: u32,
    tracks: PerTrack<Chunks>,
    /// The session's time at media time 0, ms: by the relay's clock, or by the quickest live frame, whichever
    /// is earlier, since both can only be late.
    zero: Option<i64>,
}

#[derive(Debug, Default)]
struct Chunks {
    /// The last chunk given or reported; `None` before a track's first.
    last: Option<u32>,
    /// Announced, not yet reached: first, last, why.
    gaps: VecDeque<(u32, u32, MissedReason)>,
    /// Whether a socket was lost since the last frame.
    away: bool,
}

/// First and last missing chunk, and why.
pub(super) type Range = (u32, u32, MissedReason);

impl Stream {
    /// `whole`: the subscription stood before the stream did, so its chunks count from 1. Else a
    /// listener joins late, and what was before is not missing.
    /// `away`: it began, or may have, while no socket stood.
    pub(super) fn new(id: u32, whole: bool, away: bool) -> Self {
        let mut stream = Stream {
            id,
            tracks: PerTrack::default(),
            zero: None,
        };
        for track in Track::BOTH {
            let chunks = stream.tracks.get_mut(track);
            chunks.last = whole.then_some(0);
            chunks.away = away;
        }
        stream
    }

    /// A listener joins late, or again: what was before its next frame is not missing.
    pub(super) fn join(&mut self) {
        self.tracks = PerTrack::default();
    }

    /// A frame came: what is missing before it, or `None` when it was given before.
    pub(super) fn on_chunk(&mut self, track: Track, chunk: u32) -> Option<Vec<Range>> {
        let chunks = self.tracks.get_mut(track);
        let missing = match chunks.last {
            Some(last) if chunk <= last => return None,
            Some(last) => chunks.explain(last, chunk),
            None => Vec::new(),
        };
        chunks.gaps.retain(|&(_, to, _)| to > chunk);
        chunks.last = Some(chunk);
        chunks.away = false;
        Some(missing)
    }

    /// Media time 0 was at `zero` by the session's clock, or earlier.
    pub(super) fn began(&mut self, zero: i64) {
        self.zero = Some(self.zero.map_or(zero, |known| known.min(zero)));
    }

    /// When a frame that comes `now` was live: one that waited in buffers, or comes out of the relay's
    /// memory, is older than its arrival. `None` where nothing says so.
    pub(super) fn live_at(&mut self, now: u64, frame: &AudioFrame) -> Option<u64> {
        let at = i64::from(frame.timestamp_ms());
        let arrived = i64::try_from(now).unwrap_or(i64::MAX);
        if !frame.is_replayed() {
            self.began(arrived.saturating_sub(at));
        }
        let live = self.zero?.saturating_add(at).clamp(0, arrived);
        u64::try_from(live).ok()
    }

    /// A gap was announced: what is certainly missing by now. One that begins further on waits for the
    /// frame behind it, since the frames before it may still come.
    pub(super) fn on_gap(&mut self, track: Track, from: u32, to: u32, reason: MissedReason) -> Option<Range> {
        let chunks = self.tracks.get_mut(track);
        // Before a track's first frame there is nothing to be missed.
        let next = chunks.last?.checked_add(1)?;
        let from = from.max(next);
        if to < from {
            return None;
        }
        if from == next && chunks.gaps.is_empty() {
            chunks.last = Some(to);
            return Some((from, to, reason));
        }
        if chunks.gaps.len() >= MAX_GAPS {
            chunks.gaps.pop_front();
        }
        chunks.gaps.push_back((from, to, reason));
        None
    }

    /// Nothing more comes of this stream: what was announced and never reached.
    pub(super) fn flush(&mut self) -> Vec<(Track, Range)> {
        let mut all = Vec::new();
        for track in Track::BOTH {
            let chunks = self.tracks.get_mut(track);
            let end = chunks.gaps.iter().map(|&(_, to, _)| to).max();
            if let (Some(last), Some(end)) = (chunks.last, end) {
                let mut ranges = chunks.explain(last, end.saturating_add(1));
                // Where the numbers themselves end, the range above stops one short.
                if end == u32::MAX {
                    ranges.push((end, end, MissedReason::Untold));
                }
                all.extend(ranges.into_iter().map(|range| (track, range)));
                chunks.last = Some(end.max(last));
            }
            chunks.gaps.clear();
        }
        all
    }

    /// The socket is lost: what jumps next was missed while away.
    pub(super) fn on_closed(&mut self) {
        for track in Track::BOTH {
            self.tracks.get_mut(track).away = true;
        }
    }
}

impl Chunks {
    /// The chunks between `last` and `next`, cut into ranges by what was announced of them.
    fn explain(&self, last: u32, next: u32) -> Vec<Range> {
        let otherwise = if self.away {
            MissedReason::Away
        } else {
            MissedReason::Untold
        };
        let mut ranges = Vec::new();
        let mut at = last.saturating_add(1);
        let mut gaps: Vec<Range> = self.gaps.iter().copied().collect();
        gaps.sort_unstable();
        for (from, to, reason) in gaps {
            let (from, to) = (from.max(at), to.min(next.saturating_sub(1)));
            if from > to {
                continue;
            }
            if from > at {
                ranges.push((at, from - 1, otherwise));
            }
            ranges.push((from, to, reason));
            at = to.saturating_add(1);
        }
        if at < next {
            ranges.push((at, next - 1, otherwise));
        }
        ranges
    }
}
