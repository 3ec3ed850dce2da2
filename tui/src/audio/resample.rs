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

/// Length of the filter in samples of the input, half of which is its delay; what it does between two of them, and
/// where it has let half of a tone through, as a share of 4 kHz. Telephone speech ends at 3.4 kHz, so that its images
/// begin at 4.6 kHz, and the filter has from here to there to fall. With these it is flat within 0.01 dB up to 3.4 kHz
/// and its images are below -83 dB, where µ-law's own noise is at -38. 64 and a window of `Hann2` with the library's own
/// cutoff have images below -104 dB, 0.13 dB less at 3.4 kHz, and 4 ms of delay; 32 has images at -61 dB at best; and the
/// library's own windows at such a length take 20 dB and more of 3.4 kHz.
const SINC: usize = 40;
const WINDOW: WindowFunction = WindowFunction::Blackman;
const CUTOFF: f32 = 0.98;

/// Points between two samples at which the filter is kept: with fewer the straight line between them is heard first.
const OVERSAMPLING: usize = 256;

/// By how much it delays, at any rate, ms: 2.5.
pub const DELAY_MS: f64 = SINC as f64 / 2.0 * 1000.0 / SAMPLE_RATE as f64;

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
        let parameters = SincInterpolationParameters::new(SINC, WINDOW)
            .f_cutoff(CUTOFF)
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

    /// By how many frames of the output it delays: [`DELAY_MS`].
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
mod tests;
