//! 8 kHz to the card's rate, both channels in step, by a ratio that may be nudged. Allocates when it is made,
//! and never again.

use partyline_shared::audio::SAMPLE_RATE;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Adjustable, Async, FixedAsync, Resampler as _, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

use super::drift::MAX_NUDGE;

/// Output at a time: this part of a second, 10 ms.
const CHUNKS_A_SECOND: u32 = 100;

/// Length of the filter in samples of the input: a delay of 4 ms. With this window it is flat up to 3 kHz and
/// 0.14 dB down at 3.4 kHz; rubato's own defaults take 20 dB there.
const SINC: usize = 64;

/// Points between two samples at which the filter is kept.
const OVERSAMPLING: usize = 256;

/// The ratio may be nudged by so much; [`MAX_NUDGE`] is far within.
const MAX_RELATIVE: f64 = 1.02;
const _: () = assert!(MAX_RELATIVE > 1.0 + 2.0 * MAX_NUDGE);

/// Why there is no resampler.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no sound can be made at {rate} samples a second: {why}")]
pub struct BadRate {
    /// The rate asked for.
    pub rate: u32,
    /// What stands against it.
    pub why: String,
}

/// The resampler, two channels.
pub struct Resampler {
    inner: Async<f32>,
    rate: u32,
}

impl Resampler {
    /// A resampler to `rate` samples a second, 8,000 to 768,000.
    ///
    /// # Errors
    /// [`BadRate`] for others.
    pub fn new(rate: u32) -> Result<Self, BadRate> {
        let bad = |why: String| BadRate { rate, why };
        if !(SAMPLE_RATE..=768_000).contains(&rate) {
            return Err(bad("cards have 8,000 to 768,000".into()));
        }
        let parameters = SincInterpolationParameters::new(SINC, WindowFunction::Hann2)
            .interpolation(SincInterpolationType::Linear)
            .oversampling_factor(OVERSAMPLING);
        let inner = Async::new_sinc(
            f64::from(rate) / f64::from(SAMPLE_RATE),
            MAX_RELATIVE,
            &parameters,
            (rate / CHUNKS_A_SECOND) as usize,
            2,
            FixedAsync::Output,
        );
        let inner = inner.map_err(|e| bad(e.to_string()))?;
        Ok(Resampler { inner, rate })
    }

    /// Samples a second that come out.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Frames (a sample of each channel) that each [`Resampler::process`] gives: 10 ms.
    pub fn gives(&self) -> usize {
        self.inner.output_frames_next()
    }

    /// Frames that the next [`Resampler::process`] takes; another number each time.
    pub fn needs(&self) -> usize {
        self.inner.input_frames_next()
    }

    /// The most that it ever takes.
    pub fn needs_at_most(&self) -> usize {
        self.inner.input_frames_max()
    }

    /// By how many frames of the output it delays.
    pub fn delay(&self) -> usize {
        self.inner.output_delay()
    }

    /// Takes [`Resampler::needs`] frames, left and right in turn, and gives [`Resampler::gives`]. False, and
    /// silence, where either slice is shorter.
    pub fn process(&mut self, input: &[f32], output: &mut [f32]) -> bool {
        let (needs, gives) = (self.needs(), self.gives());
        let done = InterleavedSlice::new(input, 2, needs).is_ok_and(|from| {
            InterleavedSlice::new_mut(output, 2, gives)
                .is_ok_and(|mut to| self.inner.process_into_buffer(&from, &mut to, None).is_ok())
        });
        if !done {
            output.fill(0.0);
        }
        done
    }

    /// From the next [`Resampler::process`] on, over its length: the ratio is `relative` times the nominal one,
    /// and held within [`MAX_NUDGE`] of 1. Changes [`Resampler::needs`].
    pub fn nudge(&mut self, relative: f64) {
        let relative = relative.clamp(1.0 - MAX_NUDGE, 1.0 + MAX_NUDGE);
        if relative.is_finite() {
            // Cannot fail: the limits are within those that it was made with.
            let _ = self.inner.set_resample_ratio_relative(relative, true);
        }
    }
}

impl std::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resampler").field("rate", &self.rate).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Resamples both channels to the end of the input; what came out.
    fn run(rate: u32, nudge: f64, input: &[[f32; 2]]) -> Vec<[f32; 2]> {
        let mut resampler = Resampler::new(rate).unwrap();
        resampler.nudge(nudge);
        let mut out = vec![0.0; 2 * resampler.gives()];
        let (mut all, mut at) = (Vec::new(), 0);
        while at + resampler.needs() <= input.len() {
            let needs = resampler.needs();
            assert!(needs <= resampler.needs_at_most());
            assert!(resampler.process(input[at..at + needs].as_flattened(), &mut out));
            at += needs;
            all.extend_from_slice(out.as_chunks().0);
        }
        all
    }

    fn tone(hz: f64, seconds: usize) -> Vec<[f32; 2]> {
        let at = |n: usize| (n as f64 * hz / 8000.0 * std::f64::consts::TAU).sin() as f32 * 0.5;
        (0..8000 * seconds).map(|n| [at(n), -at(n)]).collect()
    }

    /// How often the wave goes up through zero; what is near it is neither above nor below.
    fn crossings(samples: &[[f32; 2]]) -> usize {
        let signs = samples.iter().filter(|s| s[0].abs() > 0.05).map(|s| s[0] > 0.0);
        let signs: Vec<_> = signs.collect();
        signs.windows(2).filter(|pair| pair == &[false, true]).count()
    }

    #[test]
    fn every_rate_gives_the_same_tone_and_the_right_length() {
        for rate in [8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000] {
            let out = run(rate, 1.0, &tone(487.3, 4));
            let seconds = out.len() as f64 / f64::from(rate);
            assert!((seconds - 4.0).abs() < 0.02, "{rate}: {seconds} s");
            let hz = crossings(&out) as f64 / seconds;
            assert!((hz - 487.3).abs() < 1.0, "{rate}: {hz} Hz");
            assert!(
                out.iter()
                    .all(|[left, right]| *left == -*right && left.abs() < 0.51)
            );
        }
    }

    #[test]
    fn a_nudge_changes_how_much_is_taken_and_is_bounded() {
        let takes = |nudge| 8000.0 * 4.0 / run(48_000, nudge, &tone(500.0, 4)).len() as f64 * 6.0;
        let (plain, fast, slow) = (takes(1.0), takes(1.0 - 0.005), takes(1.1));
        assert!((fast / plain - 1.005).abs() < 0.001, "{}", fast / plain);
        assert!((slow / plain - 0.995).abs() < 0.001, "{}", slow / plain);
        assert!((takes(f64::NAN) / plain - 1.0).abs() < 1e-9);
    }

    #[test]
    fn rates_of_no_card_and_short_slices_are_refused() {
        for rate in [0, 7_999, 768_001, u32::MAX] {
            assert_eq!(Resampler::new(rate).unwrap_err().rate, rate);
        }
        let mut resampler = Resampler::new(48_000).unwrap();
        let (input, mut out) = (vec![0.5; 2 * resampler.needs()], vec![9.0; 959]);
        assert!(!resampler.process(&input, &mut out));
        assert_eq!(out, [0.0; 959]);
        assert!(!resampler.process(&input[1..], &mut [0.0; 960]));
        assert!(resampler.process(&input, &mut [0.0; 960]));
    }
}
