//! Too loud is taken back before it is heard, and what is not too loud is left alone.

use proptest::prelude::*;

use super::*;

const RATE: u32 = 48_000;

/// All of it, 10 ms at a time as it is played.
fn limited(rate: u32, input: &[Frame]) -> Vec<Frame> {
    let mut limiter = Limiter::new(rate);
    let mut all = input.to_vec();
    for chunk in all.chunks_mut(rate as usize / 100) {
        limiter.limit(chunk.as_flattened_mut());
    }
    all
}

fn tone(hz: f64, level: f32, frames: usize) -> Vec<Frame> {
    let at = |n: usize| level * (n as f64 * hz / f64::from(RATE) * std::f64::consts::TAU).sin() as f32;
    (0..frames).map(|n| [at(n), -0.5 * at(n)]).collect()
}

/// The gain of each frame that is heard, by the louder ear, where there is sound.
fn gains(input: &[Frame], output: &[Frame], delay: usize) -> Vec<(usize, f64)> {
    let both = input.iter().zip(output.iter().skip(delay)).enumerate();
    both.filter(|(_, (input, _))| input[0].abs() > 0.2)
        .map(|(n, (input, output))| (n, f64::from(output[0]) / f64::from(input[0])))
        .collect()
}

#[test]
fn what_is_not_too_loud_passes_to_the_bit_and_a_millisecond_later() {
    for rate in [8_000, 44_100, 48_000, 96_000] {
        let input = tone(440.0, CEILING, rate as usize);
        let output = limited(rate, &input);
        let delay = Limiter::new(rate).delay();
        assert_eq!(delay, rate as usize / 1000);
        assert!(output[..delay] == vec![[0.0; 2]; delay]);
        assert!(output[delay..] == input[..input.len() - delay]);
    }
}

#[test]
fn too_loud_is_taken_back_smoothly_and_given_back_slowly() {
    let mut input = tone(300.0, 0.4, 10_000);
    input.extend(tone(300.0, 6.0, 24_000));
    input.extend(tone(300.0, 0.4, 96_000));
    let output = limited(RATE, &input);
    let peak = |frames: &[Frame]| frames.iter().flatten().fold(0.0f32, |peak, s| peak.max(s.abs()));
    assert!(peak(&output) <= CEILING);
    assert!(peak(&output[20_000..30_000]) > 0.95, "it is as loud as it may be");
    let gains = gains(&input, &output, 48);
    // The gain is down a millisecond after it begins to fall, and never falls faster.
    for pair in gains.windows(2) {
        let steps = (pair[1].0 - pair[0].0) as f64;
        let moved = pair[1].1 - pair[0].1;
        assert!(moved > -steps / 49.0 - 1e-6, "{pair:?}");
        // It rises by a 9,600th of what is missing with each frame.
        assert!(moved < steps / 9_600.0 + 1e-6, "{pair:?}");
    }
    // Both ears were taken back alike.
    for frame in &output {
        assert!((frame[1] + 0.5 * frame[0]).abs() < 1e-6);
    }
    // Most of it is back after 0.2 s, all after two.
    let at = |n: usize| gains.iter().find(|(at, _)| *at >= n).unwrap().1;
    assert!((0.5..0.8).contains(&at(34_000 + 9_600)), "{}", at(34_000 + 9_600));
    assert!(output[129_000..] == input[128_952..129_952]);
}

#[test]
fn the_waves_of_a_loud_voice_keep_their_form() {
    // 12 dB over: what is left is a sine, not a square.
    let input = tone(300.0, 4.0, RATE as usize);
    let output = limited(RATE, &input);
    let part = &output[24_000..24_000 + 16_000];
    let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
    for (n, frame) in part.iter().enumerate() {
        let angle = n as f64 * 300.0 / f64::from(RATE) * std::f64::consts::TAU;
        let sample = f64::from(frame[0]);
        re += sample * angle.cos();
        im += sample * angle.sin();
        all += sample * sample;
    }
    let pure = (re * re + im * im) * 2.0 / part.len() as f64;
    let rest_db = 10.0 * ((all - pure) / all).log10();
    assert!(rest_db < -40.0, "{rest_db} dB");
}

proptest! {
    /// Any samples at all, in pieces of any length, numbers or not: never over the ceiling, and never a faster gain.
    #[test]
    fn nothing_gets_over_the_ceiling(
        pieces in proptest::collection::vec(
            proptest::collection::vec((prop_oneof![
                -1.0f32..1.0, -30.0f32..30.0, any::<f32>(), Just(f32::NAN), Just(f32::INFINITY)
            ], -2.0f32..2.0), 0..200),
            1..20
        ),
        rate in prop_oneof![Just(8_000u32), Just(44_100), Just(48_000), 1..400_000u32],
    ) {
        let mut limiter = Limiter::new(rate);
        for piece in pieces {
            let mut samples: Vec<f32> = piece.into_iter().flat_map(|(left, right)| [left, right]).collect();
            limiter.limit(&mut samples);
            prop_assert!(samples.iter().all(|sample| sample.abs() <= CEILING));
        }
    }

    /// The gain of each frame is at most a part of the look-ahead from that of the one before.
    #[test]
    fn the_gain_never_steps(levels in proptest::collection::vec(0.3f32..16.0, 1..40), length in 1..300usize) {
        let input: Vec<Frame> = levels.iter().flat_map(|&level| vec![[level, 0.0]; length]).collect();
        let output = limited(RATE, &input);
        let gains: Vec<f32> = input.iter().zip(&output[48.min(output.len())..]).map(|(i, o)| o[0] / i[0]).collect();
        for pair in gains.windows(2) {
            prop_assert!((pair[1] - pair[0]).abs() <= 1.0 / 49.0 + 1e-5, "{:?}", pair);
        }
    }
}
