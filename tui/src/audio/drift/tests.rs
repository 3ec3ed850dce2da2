//! Ten minutes of two clocks that disagree, with the real jitter buffer and no sound.

use partyline_shared::audio::FRAME_BYTES;
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::Track;

use super::super::SLOT;
use super::super::jitter::{Jitter, Pull, State, Stats};
use super::super::pace::Pace;
use super::*;

/// A worker's ring, samples at 8 kHz: 30 ms.
const RING: f64 = 240.0;

/// What came of it.
struct Run {
    stats: Stats,
    /// The greatest distance from the target after the first two minutes, ms, averaged over a second.
    off_ms: f64,
    ratio: f64,
    /// How far the ratio strayed in the last minute.
    strayed: f64,
    underruns: u64,
    /// The greatest distance of a speed that was asked for from 1.
    speed: f32,
}

/// Plays `seconds` of a source whose clock is `ppm` faster than the card's; arrivals are delayed by up to
/// `jitter_us`, in order.
fn run(seconds: u64, ppm: f64, jitter_us: f64) -> Run {
    let mut jitter = Jitter::new();
    let mut pace = Pace::default();
    let (mut ring, mut ratio) = (RING, 1.0);
    let (mut chunk, mut arrived, mut seed) = (0u32, 0.0f64, 7u64);
    let (mut smooth, mut off_ms, mut underruns): (f64, f64, u64) = (0.0, 0.0, 0);
    let mut last_minute: (f64, f64) = (f64::MAX, f64::MIN);
    let mut speed: f32 = 0.0;
    for tick in 0..seconds * 100 {
        let now = tick as f64 * 10_000.0;
        loop {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let delay = (seed >> 40) as f64 / (1u64 << 24) as f64 * jitter_us;
            let at = arrived.max(f64::from(chunk) * 20_000.0 / (1.0 + ppm * 1e-6) + delay);
            if at > now {
                break;
            }
            arrived = at;
            chunk += 1;
            for track in Track::BOTH {
                let frame = AudioFrame::new(track, 1, chunk, (chunk - 1) * 20, &[0x90; FRAME_BYTES]);
                jitter.on_frame(at as u64, &frame);
            }
        }
        // The card takes 10 ms, which are 80 samples of the source by the ratio as it is.
        ring -= 80.0 / ratio;
        if ring < 0.0 {
            underruns += 1;
            ring = 0.0;
        }
        while ring < RING {
            let behind_us = (ring / 8.0 * 1000.0) as u64;
            speed = speed.max((jitter.speed(now as u64, behind_us) - 1.0).abs());
            match jitter.pull(now as u64, behind_us) {
                Pull::Play(_) => ring += SLOT as f64,
                Pull::Wait => ring = RING, // silence
            }
        }
        ratio = pace.step(jitter.depth());
        let excess = jitter.depth().map_or(0.0, |depth| depth.is_s - depth.meant_s);
        smooth += (excess * 1000.0 - smooth) / 100.0;
        if tick > 12_000 {
            off_ms = off_ms.max(smooth.abs());
        }
        if tick > (seconds - 60) * 100 {
            last_minute = (last_minute.0.min(ratio), last_minute.1.max(ratio));
        }
    }
    Run {
        stats: jitter.stats(),
        off_ms,
        ratio,
        strayed: last_minute.1 - last_minute.0,
        underruns,
        speed,
    }
}

#[test]
fn ten_minutes_of_two_clocks_lose_nothing() {
    for (ppm, jitter_us) in [
        (0.0, 12_000.0),
        (300.0, 12_000.0),
        (-300.0, 12_000.0),
        (1000.0, 12_000.0),
        (0.0, 0.0),
    ] {
        let run = run(600, ppm, jitter_us);
        let about = format!("{ppm} ppm: {:?}, {} ms off, {}", run.stats, run.off_ms, run.ratio);
        assert_eq!(run.stats.state, State::Playing, "{about}");
        assert_eq!(
            (run.underruns, run.stats.late, run.stats.dropped),
            (0, 0, 0),
            "{about}"
        );
        assert_eq!((run.stats.concealed_ms, run.speed), (0, 0.0), "{about}");
        // What is nearer than two slots creeps.
        assert!(run.off_ms < 35.0, "{about}");
        // A faster source is taken faster, with a smaller ratio.
        assert!(((1.0 - run.ratio) * 1e6 - ppm).abs() < 60.0, "{about}");
        assert!(
            run.strayed * 1e6 < 300.0,
            "{about}: strayed {} ppm",
            run.strayed * 1e6
        );
    }
}

/// By then nothing is learnt any more, so what holds for these minutes holds for hours: `make sound` plays eight.
#[test]
fn two_quartzes_end_at_the_target_and_time_is_never_stretched() {
    for ppm in [200.0, -200.0] {
        let run = run(1_200, ppm, 12_000.0);
        let about = format!("{ppm} ppm: {:?}, {} ms off, {}", run.stats, run.off_ms, run.ratio);
        let lost = (
            run.underruns,
            run.stats.late,
            run.stats.dropped,
            run.stats.concealed_ms,
        );
        assert_eq!((lost, run.speed), ((0, 0, 0, 0), 0.0), "{about}");
        let off = run.stats.depth_ms.abs_diff(run.stats.target_ms);
        assert!(off <= 15, "{off} ms: {about}");
        assert!(((1.0 - run.ratio) * 1e6 - ppm).abs() < 40.0, "{about}");
        assert!(
            run.strayed * 1e6 < 100.0,
            "{about}: strayed {}",
            run.strayed * 1e6
        );
    }
}

#[test]
fn the_ratio_is_bounded_and_what_was_learnt_survives_a_pause() {
    let mut drift = Drift::new();
    assert_eq!(drift.step(None), 1.0);
    for _ in 0..100_000 {
        let ratio = drift.step(Some(10.0));
        assert!((1.0 - MAX_NUDGE..1.0).contains(&ratio), "{ratio}");
    }
    assert_eq!(drift.offset(), MAX_GATHERED);
    assert_eq!(drift.step(None), 1.0 - MAX_GATHERED);
    assert!(drift.step(Some(f64::NAN)).is_finite());
    assert_eq!(drift.step(Some(-100.0)), 1.0 + MAX_NUDGE);
}
