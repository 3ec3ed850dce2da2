//! A working day on a card whose clock is off: is the delay where it should be at its end, did nothing run dry, was
//! nothing left out or put in?

use partyline::audio::player::Stats;

use super::judge::Original;
use super::network::Network;
use super::play::{Card, Moment, two_people};

/// What is said again and again, s.
const SAID: usize = 60;

/// The card's rate: that of the call, since eight hours of more are minutes of work. The resampler is the real one.
const RATE: u32 = 8_000;

/// By then the clock is known, µs: from here on nothing is to change.
const KNOWN_US: u64 = 600_000_000;

/// How it went.
#[derive(Debug, Clone)]
pub(crate) struct Day {
    /// By how much the card was fast, ppm.
    pub(crate) ppm: f64,
    /// By how much frames are later than the least delayed one, in the mean, ms.
    pub(crate) late_ms: f64,
    /// Ten minutes after it began.
    pub(crate) early: Stats,
    /// At its end.
    pub(crate) end: Stats,
    /// The least and the greatest delay in between, ms.
    pub(crate) delay_ms: (u32, u32),
    /// The largest step from sample to sample, as a part of what is a click.
    pub(crate) step: f32,
}

impl Day {
    /// So many hours.
    pub(crate) fn of(ppm: f64, hours: f64) -> Day {
        let said = two_people(SAID, 0);
        let network = Network {
            most_us: 30_000,
            card_ppm: ppm,
            ..Network::EVEN
        };
        let card = Card {
            rate: RATE,
            look_us: 1_000_000,
        };
        let clicks = [&said.outbound, &said.inbound].map(|said| Original::new(said, RATE).click());
        let (mut last, mut step) = ([0.0f32; 2], 0.0f32);
        let heard = |out: &[f32]| {
            for frame in out.as_chunks::<2>().0 {
                for side in 0..2 {
                    step = step.max((frame[side] - last[side]).abs() / clicks[side]);
                }
                last = *frame;
            }
        };
        let (mut early, mut end) = (None, Stats::default());
        let mut delay_ms = (u32::MAX, 0);
        let frames = (hours * 3600.0 * 50.0) as u32;
        let look = |Moment { at_us, stats }: Moment| {
            // What comes behind the last frame is no delay.
            if at_us > u64::from(frames) * 20_000 {
                return;
            }
            end = stats;
            if at_us < KNOWN_US {
                return;
            }
            early.get_or_insert(stats);
            if let Some(now) = stats.playback.delay_ms {
                delay_ms = (delay_ms.0.min(now), delay_ms.1.max(now));
            }
        };
        card.play(&said, (network, frames, 1), heard, look);
        Day {
            ppm,
            late_ms: network.mean_late_ms(),
            early: early.expect("longer than ten minutes"),
            end,
            delay_ms,
            step,
        }
    }

    /// How far the delay of the least delayed frames, which is what the target is of, is from it at the end, ms.
    pub(crate) fn off_ms(&self) -> f64 {
        let playback = &self.end.playback;
        f64::from(playback.delay_ms.unwrap_or(u32::MAX)) + self.late_ms - f64::from(playback.target_ms)
    }

    /// Audio that was covered up, left out or too late once the clock was known, ms.
    pub(crate) fn jumped_ms(&self) -> u64 {
        let all = |stats: &Stats| {
            let playback = &stats.playback;
            playback.concealed_ms + playback.dropped_ms + playback.late_ms
        };
        all(&self.end) - all(&self.early)
    }
}
