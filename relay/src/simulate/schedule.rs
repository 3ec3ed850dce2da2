//! When which frame leaves, and with which numbers. Sans-I/O: times are counted from the stream's start,
//! on a grid that nothing can shift, so that an hour of call is an hour of audio.

use std::time::Duration;

use partyline_shared::audio::FRAME_MS;
use partyline_shared::track::Track;
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::args::Chunks;

/// The first media message comes this long after `start`, ms, as in captures of real calls.
const FIRST_MS: std::ops::RangeInclusive<u64> = 50..=170;
/// How much later on its own clock the first frame of a track may lie, ms.
const OFFSET_MS: u64 = 5;
/// How many frames one track may begin after the other.
const LATE_FRAMES: u64 = 2;
/// Timestamps lie this much beside the grid, ms: two neighbours' differ by 16 to 24.
const JITTER_MS: i64 = 2;

/// One media message, but for its audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet {
    /// Over all messages of the socket.
    pub(super) sequence: u64,
    /// Twilio's count of media.
    pub(super) chunk: u64,
    /// ms since the stream's start.
    pub(super) timestamp_ms: u64,
    /// Whose.
    pub(super) track: Track,
    /// Which frame of that track's audio, from 0.
    pub(super) frame: u64,
}

struct Lane {
    track: Track,
    /// Ticks before its first frame.
    late: u64,
    /// Its first frame's timestamp.
    first_ms: u64,
    sent: u64,
}

/// The media of one stream.
pub(super) struct Schedule {
    first_ms: u64,
    lanes: Vec<Lane>,
    chunks: Chunks,
    sequence: u64,
    total: Option<u64>,
}

impl Schedule {
    /// For a stream whose tracks have `total` frames each; `None` is endless.
    pub(super) fn new(tracks: &[Track], chunks: Chunks, total: Option<u64>, random: &mut impl Rng) -> Self {
        let first_ms = random.random_range(FIRST_MS);
        let late_one = random.random_range(0..tracks.len().max(1));
        let lanes = tracks.iter().enumerate().map(|(n, track)| {
            let late = if tracks.len() > 1 && n == late_one {
                random.random_range(0..=LATE_FRAMES)
            } else {
                0
            };
            Lane {
                track: *track,
                late,
                first_ms: first_ms + late * u64::from(FRAME_MS) + random.random_range(0..=OFFSET_MS),
                sent: 0,
            }
        });
        Schedule {
            first_ms,
            lanes: lanes.collect(),
            chunks,
            // `start` was 1.
            sequence: 1,
            total,
        }
    }

    /// When tick `n` is due, after the stream's start.
    pub(super) fn due(&self, n: u64) -> Duration {
        Duration::from_millis(self.first_ms + n * u64::from(FRAME_MS))
    }

    /// What leaves at tick `n`; to be asked for each once and in order. `None` when all is sent.
    pub(super) fn tick(&mut self, n: u64, random: &mut impl Rng) -> Option<Vec<Packet>> {
        if let Some(total) = self.total
            && self.lanes.iter().all(|lane| lane.sent >= total)
        {
            return None;
        }
        // Nobody has published which track comes first; so neither always does.
        self.lanes.shuffle(random);
        let total = self.total.unwrap_or(u64::MAX);
        let mut packets = Vec::with_capacity(self.lanes.len());
        let mut all: u64 = self.lanes.iter().map(|lane| lane.sent).sum();
        for lane in &mut self.lanes {
            if n < lane.late || lane.sent >= total {
                continue;
            }
            let frame = lane.sent;
            lane.sent += 1;
            all += 1;
            self.sequence += 1;
            let jitter = if frame == 0 {
                0
            } else {
                random.random_range(-JITTER_MS..=JITTER_MS)
            };
            let grid = lane.first_ms + frame * u64::from(FRAME_MS);
            packets.push(Packet {
                sequence: self.sequence,
                chunk: match self.chunks {
                    Chunks::PerTrack => lane.sent,
                    Chunks::Global => all,
                },
                timestamp_ms: grid.saturating_add_signed(jitter),
                track: lane.track,
                frame,
            });
        }
        Some(packets)
    }

    /// The number of the message after all media so far: `stop`'s.
    pub(super) fn next_sequence(&self) -> u64 {
        self.sequence + 1
    }

    /// Frames so far, of all tracks.
    pub(super) fn sent(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.sent).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn all(schedule: &mut Schedule, random: &mut StdRng) -> Vec<(Duration, Packet)> {
        let mut out = Vec::new();
        for n in 0.. {
            let due = schedule.due(n);
            match schedule.tick(n, random) {
                Some(packets) => out.extend(packets.into_iter().map(|p| (due, p))),
                None => return out,
            }
        }
        out
    }

    proptest! {
        /// The relay's own rule (contract 4): a gap is looked for where sequenceNumber jumped since that
        /// track's last frame or the step exceeds the frame's length + 30 ms, and then is this many frames.
        #[test]
        fn no_relay_sees_a_gap(seed: u64, global: bool, tracks in 1usize..=2, total in 1u64..300) {
            let mut random = StdRng::seed_from_u64(seed);
            let chunks = if global { Chunks::Global } else { Chunks::PerTrack };
            let mut schedule = Schedule::new(&Track::BOTH[..tracks], chunks, Some(total), &mut random);
            let packets = all(&mut schedule, &mut random);
            prop_assert_eq!(packets.len() as u64, total * tracks as u64);
            prop_assert_eq!(schedule.sent(), packets.len() as u64);
            prop_assert_eq!(schedule.next_sequence(), packets.len() as u64 + 2);
            for (n, (_, packet)) in packets.iter().enumerate() {
                prop_assert_eq!(packet.sequence, n as u64 + 2, "one sequence over both tracks");
                let chunk = if global { n as u64 + 1 } else { packet.frame + 1 };
                prop_assert_eq!(packet.chunk, chunk);
            }
            prop_assert!((50..=175).contains(&packets[0].1.timestamp_ms));
            for track in Track::BOTH {
                let mine: Vec<_> = packets.iter().filter(|(_, p)| p.track == track).collect();
                for (n, (due, packet)) in mine.iter().enumerate() {
                    prop_assert_eq!(packet.frame, n as u64);
                    let late = packet.timestamp_ms as i64 - due.as_millis() as i64;
                    prop_assert!((-2..=7).contains(&late), "the timestamp is the time, off by {}", late);
                }
                for pair in mine.windows(2) {
                    let step = pair[1].1.timestamp_ms as i64 - pair[0].1.timestamp_ms as i64;
                    prop_assert!((16..=24).contains(&step), "step {}", step);
                    prop_assert!(step <= 20 + 30);
                    prop_assert_eq!(((step - 20) as f64 / 20.0).round() as i64, 0);
                }
            }
        }
    }

    #[test]
    fn an_hour_of_frames_takes_an_hour() {
        let mut random = StdRng::seed_from_u64(7);
        let schedule = Schedule::new(&Track::BOTH, Chunks::PerTrack, None, &mut random);
        assert_eq!(schedule.due(180_000) - schedule.due(0), Duration::from_secs(3600));
    }

    #[test]
    fn the_tracks_change_places() {
        let mut random = StdRng::seed_from_u64(7);
        let mut schedule = Schedule::new(&Track::BOTH, Chunks::PerTrack, Some(100), &mut random);
        let packets = all(&mut schedule, &mut random);
        let firsts: Vec<_> = packets.chunks(2).map(|pair| pair[0].1.track).collect();
        assert!(Track::BOTH.iter().all(|track| firsts.contains(track)));
    }
}
