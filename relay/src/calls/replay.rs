//! The last seconds of a call's audio, for who joins late or wants to hear something again. Bounded by
//! frames, so by memory: 500 frames of 200 bytes are 100 KB for ten seconds of one track. They are copied into
//! blocks, one behind the other, so that the frame itself can be let go at once: memory that is used again
//! right away costs less than memory that comes back after ten seconds.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use partyline_shared::audio::FRAME_MS;
use partyline_shared::audio::frame::{AudioFrame, HEAD, MAX_FRAME};
use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::{PerTrack, Track};

use super::fanout::{Gap, Item};
use super::meter::TOGETHER;

/// Frames in a block: half a second, so that a short call takes little.
const BLOCK: usize = 25;

/// One frame as its wire bytes, and what is asked of it often.
#[derive(Debug, Clone, Copy)]
struct Slot {
    chunk: u32,
    timestamp_ms: u32,
    end_ms: u64,
    len: u8,
    /// Why something is missing before it, where it is.
    why: GapReason,
    wire: [u8; MAX_FRAME],
}

/// Some frames.
#[derive(Debug)]
struct Block {
    used: usize,
    slots: [Slot; BLOCK],
}

/// One track's frames, oldest first.
#[derive(Debug, Default)]
struct Side {
    blocks: VecDeque<Box<Block>>,
    /// Frames that are no longer remembered, at the beginning of the first block.
    gone: usize,
    len: usize,
    /// The newest so many have not been measured.
    unmeasured: usize,
    /// Why something is missing since the newest, where that is known.
    hole: Option<GapReason>,
}

/// Frames remembered, a track each; what was missing between them shows in their chunks.
#[derive(Debug, Default)]
pub struct Replay {
    limit: usize,
    tracks: PerTrack<Side>,
    unmeasured: usize,
}

impl Slot {
    const EMPTY: Slot = Slot {
        chunk: 0,
        timestamp_ms: 0,
        end_ms: 0,
        len: 0,
        why: GapReason::Upstream,
        wire: [0; MAX_FRAME],
    };

    fn set(&mut self, frame: &AudioFrame) {
        let bytes = frame.bytes();
        if let Some(wire) = self.wire.get_mut(..bytes.len()) {
            wire.copy_from_slice(bytes);
            self.len = bytes.len() as u8;
        }
        self.chunk = frame.chunk();
        self.timestamp_ms = frame.timestamp_ms();
        self.end_ms = u64::from(self.timestamp_ms) + u64::from(frame.duration_ms());
    }

    fn mulaw(&self) -> &[u8] {
        self.wire.get(HEAD..usize::from(self.len)).unwrap_or_default()
    }

    fn frame(&self) -> Option<AudioFrame> {
        let wire = self.wire.get(..usize::from(self.len))?;
        AudioFrame::parse(Bytes::copy_from_slice(wire)).ok().flatten()
    }
}

impl Block {
    fn new() -> Box<Block> {
        Box::new(Block {
            used: 0,
            slots: [Slot::EMPTY; BLOCK],
        })
    }

    fn slots(&self) -> &[Slot] {
        self.slots.get(..self.used).unwrap_or_default()
    }
}

impl Side {
    fn push(&mut self, frame: &AudioFrame, limit: usize) {
        if self.blocks.back().is_none_or(|block| block.used == BLOCK) {
            // The oldest block comes back as the newest, once nothing in it is wanted.
            let unwanted = self.blocks.front().is_some_and(|block| self.gone >= block.used);
            let oldest = if unwanted { self.blocks.pop_front() } else { None };
            let mut block = oldest.map_or_else(Block::new, |old| {
                self.gone -= old.used;
                old
            });
            block.used = 0;
            self.blocks.push_back(block);
        }
        if let Some(block) = self.blocks.back_mut()
            && let Some(slot) = block.slots.get_mut(block.used)
        {
            slot.set(frame);
            slot.why = self.hole.take().unwrap_or(GapReason::Upstream);
            block.used += 1;
            self.len += 1;
        }
        if self.len > limit {
            self.len -= 1;
            self.gone += 1;
        }
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.newest_slots(self.len)
    }

    /// The newest `count`. All blocks but the last are full.
    fn newest_slots(&self, count: usize) -> impl Iterator<Item = &Slot> {
        let skip = self.gone + self.len.saturating_sub(count);
        let blocks = self.blocks.iter().skip(skip / BLOCK);
        blocks.flat_map(|block| block.slots()).skip(skip % BLOCK)
    }

    fn newest(&self) -> Option<&Slot> {
        self.blocks.back()?.slots().last()
    }
}

impl Replay {
    /// Remembers `history` of each track; none at all where it is zero.
    pub fn new(history: Duration) -> Replay {
        let limit = history.as_millis() / u128::from(FRAME_MS);
        Replay {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            tracks: PerTrack::default(),
            unmeasured: 0,
        }
    }

    /// Remembers a frame; the oldest of its track goes when there are too many. Answers whether it is kept for long
    /// enough to be measured later.
    pub fn push(&mut self, frame: &AudioFrame) -> bool {
        if self.limit > 0 {
            let side = self.tracks.get_mut(frame.track());
            side.push(frame, self.limit);
            side.unmeasured += 1;
        }
        let waits = self.limit >= TOGETHER;
        self.unmeasured += usize::from(waits);
        waits
    }

    /// Remembers a frame of which another relay has taken the measure. Nothing may wait to be measured here.
    pub fn remember(&mut self, frame: &AudioFrame) {
        if self.limit > 0 {
            self.tracks.get_mut(frame.track()).push(frame, self.limit);
        }
    }

    /// Something of a track will not come: its next frame will come after a hole that says why.
    pub fn hole(&mut self, track: Track, why: GapReason) {
        self.tracks.get_mut(track).hole = Some(why);
    }

    /// How much of a track is remembered at most, ms.
    pub fn most_ms(&self) -> u64 {
        (self.limit as u64).saturating_mul(u64::from(FRAME_MS))
    }

    /// Whether so many ms of a track are remembered, or all that may be.
    pub fn covers(&self, ms: u64) -> bool {
        let spans = |track: &Track| {
            let side = self.tracks.get(*track);
            let first = side.slots().next().map(|slot| u64::from(slot.timestamp_ms));
            let last = side.newest().map(|slot| slot.end_ms);
            let span = last
                .zip(first)
                .map_or(0, |(last, first)| last.saturating_sub(first));
            span >= ms || side.len == self.limit
        };
        Track::BOTH.iter().any(spans)
    }

    /// Frames that wait to be measured.
    pub fn unmeasured(&self) -> usize {
        self.unmeasured
    }

    /// Hands out each frame that waits to be measured, once: track, timestamp in ms, µ-law bytes; both tracks by
    /// timestamp.
    pub fn measure(&mut self, mut hear: impl FnMut(Track, u32, &[u8])) {
        if self.unmeasured == 0 {
            return;
        }
        let PerTrack { inbound, outbound } = &self.tracks;
        let mut inbound = inbound.newest_slots(inbound.unmeasured).peekable();
        let mut outbound = outbound.newest_slots(outbound.unmeasured).peekable();
        loop {
            let (track, slot) = match (inbound.peek(), outbound.peek()) {
                (Some(i), Some(o)) if i.timestamp_ms > o.timestamp_ms => (Track::Outbound, outbound.next()),
                (Some(_), _) => (Track::Inbound, inbound.next()),
                (None, _) => (Track::Outbound, outbound.next()),
            };
            let Some(slot) = slot else { break };
            hear(track, slot.timestamp_ms, slot.mulaw());
        }
        drop((inbound, outbound));
        for side in [&mut self.tracks.inbound, &mut self.tracks.outbound] {
            side.unmeasured = 0;
        }
        self.unmeasured = 0;
    }

    /// The last `ms` of media time, both tracks by timestamp, frames marked as replayed, and before a frame
    /// the gap that was told when it was live: a jump of the chunks says that they never reached the relay, or were
    /// held back.
    /// Each frame is copied, since its head says so: who joins pays, not who talks.
    pub fn last(&self, ms: u64) -> VecDeque<Item> {
        if ms == 0 {
            return VecDeque::new();
        }
        let newest = Track::BOTH
            .iter()
            .filter_map(|&t| self.tracks.get(t).newest())
            .map(|slot| slot.end_ms)
            .max()
            .unwrap_or(0);
        let from = newest.saturating_sub(ms);
        let wanted = |track: Track| {
            let mut before = None;
            self.tracks
                .get(track)
                .slots()
                .map(move |slot| (before.replace(slot.chunk), slot))
                .filter(move |(_, slot)| slot.end_ms > from)
                .peekable()
        };
        // Merged rather than sorted: within a track its own order stands, whatever its timestamps say.
        let (mut inbound, mut outbound) = (wanted(Track::Inbound), wanted(Track::Outbound));
        let mut items = VecDeque::new();
        loop {
            let first = match (inbound.peek(), outbound.peek()) {
                (Some((_, i)), Some((_, o))) if i.timestamp_ms > o.timestamp_ms => outbound.next(),
                (Some(_), _) => inbound.next(),
                (None, _) => outbound.next(),
            };
            let Some((before, slot)) = first else {
                return items;
            };
            let Some(frame) = slot.frame() else { continue };
            items.extend(
                before
                    .and_then(|before| gap(before, &frame, slot.why))
                    .map(Item::Gap),
            );
            items.push_back(Item::Frame(frame.replayed()));
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.tracks = PerTrack::default();
        self.unmeasured = 0;
    }
}

/// What is missing between the chunk `before` and a frame.
fn gap(before: u32, frame: &AudioFrame, reason: GapReason) -> Option<Gap> {
    let (from_chunk, to_chunk) = (before.checked_add(1)?, frame.chunk().checked_sub(1)?);
    (from_chunk <= to_chunk).then_some(Gap {
        track: frame.track(),
        from_chunk,
        to_chunk,
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_seconds_come_back_marked_and_no_more_is_kept() {
        let mut replay = Replay::new(Duration::from_millis(100));
        for n in 0..50 {
            replay.push(&AudioFrame::new(Track::Inbound, 1, n + 1, n * 20, &[0; 160]));
            replay.push(&AudioFrame::new(Track::Outbound, 1, n + 1, n * 20 + 3, &[0; 160]));
        }
        let chunks = |ms| {
            replay
                .last(ms)
                .iter()
                .map(|item| match item {
                    Item::Frame(f) => (f.chunk(), f.track(), f.is_replayed()),
                    other => panic!("nothing is missing: {other:?}"),
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(chunks(10_000).len(), 10);
        let (i, o) = (Track::Inbound, Track::Outbound);
        assert_eq!(
            chunks(40),
            [(49, i, true), (49, o, true), (50, i, true), (50, o, true)]
        );
        assert_eq!(chunks(0), []);
        assert!(Replay::new(Duration::ZERO).last(1000).is_empty());
    }

    #[test]
    fn what_was_missing_when_it_was_live_is_missing_with_its_reason() {
        let mut replay = Replay::new(Duration::from_secs(1));
        for chunk in [1, 2, 5, 6, 9] {
            if chunk == 9 {
                replay.hole(Track::Inbound, GapReason::Paused);
                replay.hole(Track::Outbound, GapReason::Paused);
            }
            replay.push(&AudioFrame::new(Track::Outbound, 1, chunk, chunk * 20, &[0; 160]));
        }
        let told = |ms| {
            let told = replay.last(ms).into_iter().map(|item| match item {
                Item::Frame(frame) => format!("{}", frame.chunk()),
                Item::Gap(gap) => format!("{}-{} {}", gap.from_chunk, gap.to_chunk, gap.reason.as_str()),
                Item::Stream(_) => "stream".to_owned(),
            });
            told.collect::<Vec<_>>()
        };
        assert_eq!(
            told(1000),
            ["1", "2", "3-4 upstream", "5", "6", "7-8 paused", "9"]
        );
        assert!(replay.covers(180) && !replay.covers(181));
        // Also before the first that is wanted: who comes back may have been there before the hole.
        assert_eq!(told(100), ["3-4 upstream", "5", "6", "7-8 paused", "9"]);
        assert_eq!(told(20), ["7-8 paused", "9"]);
    }
}
