//! What one subscription brought, in the order in which it came.

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::event::{Event, EventKind};
use partyline_shared::line::Line;
use partyline_shared::protocol::client::After;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::{PerTrack, Track};

/// What `subscribed` said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribed {
    /// The stream's number, once one is live.
    pub audio_id: Option<u32>,
    /// The numbering.
    pub journal: String,
    /// Whether it goes on from `after`.
    pub resumed: bool,
}

/// What `gap` said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// On which track.
    pub track: Track,
    /// The first missing chunk.
    pub from_chunk: u32,
    /// The last missing chunk.
    pub to_chunk: u32,
    /// Why.
    pub reason: GapReason,
}

/// What was heard of one call, in the order in which it came.
#[derive(Debug, Default)]
pub struct Heard {
    /// Each `subscribed`.
    pub subscribed: Vec<Subscribed>,
    /// Frames.
    pub frames: PerTrack<Vec<AudioFrame>>,
    /// Lines, partial and final.
    pub lines: Vec<Line>,
    /// Events.
    pub events: Vec<Event>,
    /// Gaps.
    pub gaps: Vec<Gap>,
}

impl Heard {
    /// A track's audio, frame after frame.
    pub fn audio(&self, track: Track) -> Vec<u8> {
        self.frames
            .get(track)
            .iter()
            .flat_map(|frame| frame.mulaw())
            .copied()
            .collect()
    }

    /// The texts of final lines.
    pub fn finals(&self) -> Vec<&str> {
        self.lines
            .iter()
            .filter(|line| line.is_final)
            .map(|line| line.text.as_str())
            .collect()
    }

    /// The first event of a kind.
    pub fn event(&self, kind: EventKind) -> Option<&Event> {
        self.events.iter().find(|event| event.kind == kind)
    }

    /// How far it has come: what a `subscribe` that resumes names.
    pub fn after(&self) -> After {
        After {
            journal: self.subscribed.last().map(|s| s.journal.clone()),
            transcript: self.lines.iter().map(|line| line.seq).max().unwrap_or(0),
            event: self.events.iter().map(|event| event.seq).max().unwrap_or(0),
        }
    }

    /// Fails the story unless frames and gaps of each track together count every chunk once and in order.
    #[track_caller]
    pub fn assert_no_hole(&self) {
        for track in Track::BOTH {
            let frames = self
                .frames
                .get(track)
                .iter()
                .map(|frame| (frame.chunk(), frame.chunk()));
            let gaps = self.gaps.iter().filter(|gap| gap.track == track);
            let mut spans: Vec<_> = frames
                .chain(gaps.map(|gap| (gap.from_chunk, gap.to_chunk)))
                .collect();
            assert!(
                self.frames.get(track).is_sorted_by_key(AudioFrame::chunk),
                "{track}: out of order"
            );
            spans.sort_unstable();
            for pair in spans.windows(2) {
                assert_eq!(pair[0].1 + 1, pair[1].0, "{track}: {pair:?} do not join");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(chunks: &[u32]) -> Vec<AudioFrame> {
        let frame = |&chunk| AudioFrame::new(Track::Inbound, 7, chunk, chunk * 20, &[chunk as u8]);
        chunks.iter().map(frame).collect()
    }

    fn heard(chunks: &[u32], (from_chunk, to_chunk): (u32, u32)) -> Heard {
        let gap = Gap {
            track: Track::Inbound,
            from_chunk,
            to_chunk,
            reason: GapReason::SlowListener,
        };
        let frames = PerTrack {
            inbound: frames(chunks),
            outbound: Vec::new(),
        };
        Heard {
            frames,
            gaps: vec![gap],
            ..Heard::default()
        }
    }

    #[test]
    fn frames_and_gaps_that_join_are_no_hole() {
        let heard = heard(&[3, 4, 8], (5, 7));
        heard.assert_no_hole();
        assert_eq!(
            (heard.audio(Track::Inbound), heard.audio(Track::Outbound)),
            (vec![3, 4, 8], vec![])
        );
    }

    #[test]
    #[should_panic(expected = "do not join")]
    fn a_hole_that_no_gap_names_is_found() {
        heard(&[3, 4, 9], (5, 7)).assert_no_hole();
    }

    #[test]
    #[should_panic(expected = "do not join")]
    fn a_frame_that_came_twice_is_found() {
        heard(&[3, 3, 4], (5, 7)).assert_no_hole();
    }

    #[test]
    #[should_panic(expected = "out of order")]
    fn a_frame_out_of_order_is_found() {
        heard(&[4, 3, 8], (5, 7)).assert_no_hole();
    }
}
