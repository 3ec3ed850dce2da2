//! The last seconds of a call's audio, for who joins late or wants to hear something again. Bounded by
//! frames, so by memory: 500 frames of 192 bytes are 94 KB for ten seconds of one track.

use std::collections::VecDeque;
use std::time::Duration;

use partyline_shared::audio::FRAME_MS;
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::{PerTrack, Track};

use super::fanout::{Gap, Item};

/// Frames remembered, a track each; what was missing between them shows in their chunks.
#[derive(Debug, Default)]
pub struct Replay {
    limit: usize,
    tracks: PerTrack<VecDeque<AudioFrame>>,
}

impl Replay {
    /// Remembers `history` of each track; none at all where it is zero.
    pub fn new(history: Duration) -> Replay {
        let limit = history.as_millis() / u128::from(FRAME_MS);
        Replay {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            tracks: PerTrack::default(),
        }
    }

    /// Remembers a frame; the oldest of its track goes when there are too many.
    pub fn push(&mut self, frame: &AudioFrame) {
        if self.limit == 0 {
            return;
        }
        let track = self.tracks.get_mut(frame.track());
        if track.len() >= self.limit {
            track.pop_front();
        }
        track.push_back(frame.clone());
    }

    /// The last `ms` of media time, both tracks by timestamp, frames marked as replayed, and before a frame
    /// the gap that was told when it was live: a jump of the chunks says that they never reached the relay.
    /// Each frame is copied, since its head says so: who joins pays, not who talks.
    pub fn last(&self, ms: u64) -> VecDeque<Item> {
        let newest = Track::BOTH
            .iter()
            .filter_map(|&t| self.tracks.get(t).back())
            .map(end_ms)
            .max()
            .unwrap_or(0);
        let from = newest.saturating_sub(ms);
        let wanted = |track: Track| {
            let mut before = None;
            self.tracks
                .get(track)
                .iter()
                .map(move |frame| (before.replace(frame.chunk()), frame))
                .filter(move |(_, frame)| ms > 0 && end_ms(frame) > from)
                .peekable()
        };
        // Merged rather than sorted: within a track its own order stands, whatever its timestamps say.
        let (mut inbound, mut outbound) = (wanted(Track::Inbound), wanted(Track::Outbound));
        let mut items = VecDeque::new();
        loop {
            let first = match (inbound.peek(), outbound.peek()) {
                (Some((_, i)), Some((_, o))) if i.timestamp_ms() > o.timestamp_ms() => outbound.next(),
                (Some(_), _) => inbound.next(),
                (None, _) => outbound.next(),
            };
            let Some((before, frame)) = first else {
                return items;
            };
            items.extend(before.and_then(|before| gap(before, frame)).map(Item::Gap));
            items.push_back(Item::Frame(frame.replayed()));
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.tracks = PerTrack::default();
    }
}

/// What is missing between the chunk `before` and a frame.
fn gap(before: u32, frame: &AudioFrame) -> Option<Gap> {
    let (from_chunk, to_chunk) = (before.checked_add(1)?, frame.chunk().checked_sub(1)?);
    (from_chunk <= to_chunk).then_some(Gap {
        track: frame.track(),
        from_chunk,
        to_chunk,
        reason: GapReason::Upstream,
    })
}

fn end_ms(frame: &AudioFrame) -> u64 {
    u64::from(frame.timestamp_ms()) + u64::from(frame.duration_ms())
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
        for chunk in [1, 2, 5, 6] {
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
        assert_eq!(told(1000), ["1", "2", "3-4 upstream", "5", "6"]);
        // Also before the first that is wanted: who comes back may have been there before the hole.
        assert_eq!(told(40), ["3-4 upstream", "5", "6"]);
        assert_eq!(told(20), ["6"]);
    }
}
