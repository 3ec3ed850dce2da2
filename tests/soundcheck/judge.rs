//! What a card got against what was said: how alike they are, and what in it is a click. Knows no network.

use harness::signal::{self, Comparison};
use partyline::audio::SLOT;
use partyline::audio::resample::Resampler;
use partyline_shared::audio::g711;

/// A step from sample to sample of so many times the step that all but one in a thousand of the original's are
/// below is a click.
const CLICK: f32 = 4.0;

/// Steps so near to one another are one click, ms.
const ONE_CLICK_MS: usize = 5;

/// A window's ratio counts as at least and at most so many dB: what is quieter is another sound, what is louder is
/// the same.
const SNR_DB: std::ops::RangeInclusive<f64> = -10.0..=35.0;

/// So long is each join of two pieces that lie elsewhere, of a second.
const JOINS_A_SECOND: u32 = 200;

/// What was said on one track, at the card's rate, through the resampler that everything goes through.
#[derive(Debug, Clone)]
pub(crate) struct Original {
    rate: u32,
    /// The samples.
    pub(crate) whole: Vec<f32>,
    /// Without what is above 3.4 kHz.
    low: Vec<f32>,
    /// The step that all but one in a thousand are below.
    usual: f32,
}

/// One side of what was heard.
#[derive(Debug)]
pub(crate) struct Side {
    /// Steps that are clicks, and when, samples.
    pub(crate) clicks: Vec<usize>,
    /// What differs, window by window.
    pub(crate) found: Comparison,
    /// What was heard, where the same was said in the original.
    pub(crate) aligned: Vec<f32>,
}

impl Original {
    /// At this rate.
    pub(crate) fn new(mulaw: &[u8], rate: u32) -> Original {
        let whole = resampled(mulaw, rate);
        Original {
            rate,
            low: signal::low(&whole, rate),
            usual: signal::usual_step(&whole),
            whole,
        }
    }

    /// A step from sample to sample that is a click.
    pub(crate) fn click(&self) -> f32 {
        CLICK * self.usual
    }

    /// Where in it the clicks are.
    pub(crate) fn clicks(&self, heard: &[f32]) -> Vec<usize> {
        let mut clicks: Vec<usize> = Vec::new();
        for (at, pair) in heard.windows(2).enumerate() {
            let near = clicks
                .last()
                .is_some_and(|last| at - last < self.rate as usize * ONE_CLICK_MS / 1000);
            if (pair[1] - pair[0]).abs() > self.click() && !near {
                clicks.push(at);
            }
        }
        clicks
    }

    /// Finds it in what was heard, from `later` seconds behind on.
    pub(crate) fn judge(&self, heard: &[f32], later: std::ops::Range<f64>) -> Side {
        let low = signal::low(heard, self.rate);
        let found = signal::compare_within(&self.low, &low, self.rate, later);
        Side {
            clicks: self.clicks(heard),
            aligned: self.align(heard, &found),
            found,
        }
    }

    /// What was heard, each tenth of a second from where it was found; what was not found is taken from where the
    /// piece before it ended.
    fn align(&self, heard: &[f32], found: &Comparison) -> Vec<f32> {
        let size = self.rate as usize / 10;
        let join = (self.rate / JOINS_A_SECOND) as usize;
        let like = |window: &&signal::Found| window.rest_db < signal::LIKE_DB;
        let mut windows = found.windows.iter().filter(like).peekable();
        let mut later = windows.peek().map_or(0.0, |first| first.later).round() as i64;
        let sample = |at: usize, later: i64| {
            let at = usize::try_from(at as i64 + later).ok();
            at.and_then(|at| heard.get(at)).copied().unwrap_or_default()
        };
        let mut aligned = Vec::with_capacity(self.whole.len());
        for at in (0..self.whole.len()).step_by(size) {
            let before = later;
            while let Some(window) = windows.next_if(|window| window.at <= at) {
                later = window.later.round() as i64;
            }
            for n in 0..size.min(self.whole.len() - at) {
                let share = (n as f32 / join as f32).min(1.0);
                aligned.push(sample(at + n, before) * (1.0 - share) + sample(at + n, later) * share);
            }
        }
        aligned
    }
}

impl Side {
    /// Segmental signal-to-noise ratio: the mean of all windows with speech in them, dB.
    pub(crate) fn snr_db(&self) -> f64 {
        let windows = self.found.windows.iter();
        let all: f64 = windows
            .map(|window| (-window.rest_db).clamp(*SNR_DB.start(), *SNR_DB.end()))
            .sum();
        all / self.found.windows.len() as f64
    }
}

fn resampled(mulaw: &[u8], rate: u32) -> Vec<f32> {
    let mut resampler = Resampler::new(rate).expect("a card's rate");
    let samples = mulaw.iter().map(|byte| f32::from(g711::decode(*byte)) / 32_768.0);
    let mut input: Vec<f32> = samples.flat_map(|sample| [sample, sample]).collect();
    // What the filter holds back at the end is pushed out by silence.
    input.extend([0.0; 8 * SLOT]);
    let mut out = vec![0.0; 2 * resampler.gives()];
    let (mut whole, mut at) = (Vec::new(), 0);
    while at + 2 * resampler.needs() <= input.len() {
        let needs = 2 * resampler.needs();
        assert!(resampler.process(&input[at..at + needs], &mut out));
        at += needs;
        whole.extend(out.iter().step_by(2));
    }
    let mut whole = whole.split_off(resampler.delay());
    whole.truncate(mulaw.len() * rate as usize / 8000);
    whole
}

#[cfg(test)]
mod tests {
    use harness::speech;

    use super::*;

    const RATE: u32 = 48_000;

    #[test]
    fn a_click_and_what_is_missing_are_found() {
        let said = speech::piece(speech::LONG[0], 500, 3000);
        let original = Original::new(&said, RATE);
        let mut heard = vec![0.0; 5_000];
        heard.extend_from_slice(&original.whole);
        let whole = original.judge(&heard, 0.0..0.3);
        assert!(whole.clicks.is_empty(), "{:?}", whole.clicks);
        assert!(whole.snr_db() > 34.0, "{}", whole.snr_db());
        let off = original
            .whole
            .iter()
            .zip(&whole.aligned)
            .map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f32::max) < 1e-3);
        heard[60_000] += 2.0 * original.click();
        assert_eq!(
            original.clicks(&heard),
            [59_999],
            "one, though it goes up and down"
        );
        heard[100_000..124_000].fill(0.0);
        let less = original.judge(&heard, 0.0..0.3);
        assert!(less.snr_db() < whole.snr_db() - 3.0, "{}", less.snr_db());
    }
}
