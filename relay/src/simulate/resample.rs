//! A recording of any rate to the telephone's 8 kHz.

use partyline_shared::audio::SAMPLE_RATE;
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Async, FixedAsync, Resampler, SincInterpolationParameters, SincInterpolationType, WindowFunction,
};

/// Filter taps for each time that the input's rate is 8 kHz: keeps 3.4 kHz whole and what is over 4 kHz
/// out.
const TAPS: usize = 128;
/// Most taps; a rate that would need more is no recording of speech.
const MAX_TAPS: usize = 2048;
/// Input samples at a time.
const CHUNK: usize = 1024;

/// `samples` at `rate` to 8 kHz: as long in time, rounded up to a sample, and not shifted.
///
/// # Errors
/// The resampler's own words, where it cannot make this rate.
pub(super) fn to_8k(rate: u32, samples: &[f32]) -> Result<Vec<f32>, String> {
    if rate == SAMPLE_RATE || samples.is_empty() {
        return Ok(samples.to_vec());
    }
    let taps = (TAPS * rate.div_ceil(SAMPLE_RATE) as usize).min(MAX_TAPS);
    let filter = SincInterpolationParameters::new(taps, WindowFunction::Hann2)
        .interpolation(SincInterpolationType::Linear)
        .oversampling_factor(256);
    let ratio = f64::from(SAMPLE_RATE) / f64::from(rate);
    let mut resampler = Async::<f32>::new_sinc(ratio, 1.0, &filter, CHUNK, 1, FixedAsync::Input)
        .map_err(|e| e.to_string())?;
    let input = InterleavedSlice::new(samples, 1, samples.len()).map_err(|e| e.to_string())?;
    let mut out = vec![0.0; resampler.process_all_needed_output_len(samples.len())];
    let room = out.len();
    let mut output = InterleavedSlice::new_mut(&mut out, 1, room).map_err(|e| e.to_string())?;
    let (_, made) = resampler
        .process_all_into_buffer(&input, &mut output, samples.len(), None)
        .map_err(|e| e.to_string())?;
    out.truncate(made);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, hz: f64) -> Vec<f32> {
        let step = std::f64::consts::TAU * hz / f64::from(rate);
        (0..rate)
            .map(|n| (0.5 * (step * f64::from(n)).sin()) as f32)
            .collect()
    }

    fn rms(samples: &[f32]) -> f64 {
        let sum: f64 = samples.iter().map(|s| f64::from(*s).powi(2)).sum();
        (sum / samples.len() as f64).sqrt()
    }

    #[test]
    fn a_tone_keeps_its_length_place_and_level_at_any_rate() {
        for rate in [11_025, 16_000, 22_050, 44_100, 48_000, 6000] {
            let out = to_8k(rate, &tone(rate, 100.0)).unwrap();
            assert_eq!(out.len(), 8000, "{rate}");
            // A sample too early or late is 0.028 at this pitch.
            let error: Vec<f32> = out
                .iter()
                .zip(tone(8000, 100.0))
                .map(|(a, b)| a - b)
                .skip(100)
                .take(7800)
                .collect();
            assert!(rms(&error) < 0.028, "{rate}: off by {}", rms(&error));
            let high = to_8k(rate, &tone(rate, 2500.0)).unwrap();
            let level = rms(&high[100..7900]) / rms(&tone(8000, 2500.0));
            assert!((0.99..1.01).contains(&level), "{rate}: level {level}");
        }
    }

    #[test]
    fn what_a_telephone_cannot_carry_does_not_fold_back() {
        let out = to_8k(48_000, &tone(48_000, 6000.0)).unwrap();
        assert!(rms(&out[100..7900]) < 0.0005);
    }
}
