//! The last seconds of a call's audio, for who joins late or wants to hear something again. Bounded by
//! frames, so by memory: 500 frames of 192 bytes are 94 KB for ten seconds of one track.

use std::collections::VecDeque;
use std::time::Duration;

use partyline_shared::audio::FRAME_MS;
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::{PerTrack, Track};

/// Frames remembered, a track each.
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

    /// The last `ms` of media time, both tracks by timestamp, marked as replayed. Each frame is copied,
    /// since its head says so: who joins pays, not who talks.
    pub fn last(&self, ms: u64) -> VecDeque<AudioFrame> {
        let newest = Track::BOTH
            .iter()
            .filter_map(|&t| self.tracks.get(t).back())
            .map(end_ms)
            .max()
            .unwrap_or(0);
        let from = newest.saturating_sub(ms);
        let wanted = |track: Track| {
            self.tracks
                .get(track)
                .iter()
                .filter(move |f| ms > 0 && end_ms(f) > from)
                .peekable()
        };
        // Merged rather than sorted: within a track its own order stands, whatever its timestamps say.
        let (mut inbound, mut outbound) = (wanted(Track::Inbound), wanted(Track::Outbound));
        let mut frames = VecDeque::new();
        loop {
            let first = match (inbound.peek(), outbound.peek()) {
                (Some(i), Some(o)) if i.timestamp_ms() > o.timestamp_ms() => outbound.next(),
                (Some(_), _) => inbound.next(),
                (None, _) => outbound.next(),
            };
            let Some(frame) = first else { return frames };
            frames.push_back(frame.replayed());
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.tracks = PerTrack::default();
    }
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
                .map(|f| (f.chunk(), f.track(), f.is_replayed()))
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
}
