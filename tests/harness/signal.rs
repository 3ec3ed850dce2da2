//! How alike two signals are: what was said, as `sox` would play it, and what a card was given. Finds where
//! one lies in the other to a fraction of a sample, and says how much is left when it is taken away.

use std::ops::Range;

use crate::speech;

/// Above this, Hz, telephone speech has next to nothing, and resamplers differ by design.
const BAND: &str = "3400";
/// A window, a part of a second: 100 ms.
const WINDOWS_A_SECOND: usize = 10;
/// Windows more than this quieter than the loudest are pauses; what differs in them is nothing that one hears.
const PAUSE_DB: f64 = -35.0;
/// The place is searched at this fraction of the rate; the rest is found by descent.
const COARSE: usize = 4;
/// How far a window may lie from there if it is not found, and the first from where sound begins, s.
const FAR_S: f64 = 0.3;
/// What differs by more than this is another sound, dB.
pub const LIKE_DB: f64 = -10.0;
/// What has less than this part of a window's power is not what it is looked for.
const QUIET: f64 = 0.003;
/// What moves by more than this from window to window has jumped, ms.
const JUMP_MS: f64 = 1.0;
/// How far a window may lie from where the one before was, s.
const STRAY_S: f64 = 0.003;

/// µ-law as `sox` plays it at `rate`: the signal, and its part below 3.4 kHz.
pub fn as_played(mulaw: &[u8], rate: u32) -> (Vec<f32>, Vec<f32>) {
    let rate = rate.to_string();
    let from = [
        "-t", "ul", "-r", "8000", "-c", "1", "-", "-t", "f32", "-L", "-", "rate", "-v", &rate,
    ];
    let whole = floats(&speech::sox(&from, mulaw));
    let low = low(&whole, rate.parse().expect("a number"));
    (whole, low)
}

/// The part of a signal below 3.4 kHz, in place and phase as it was.
pub fn low(signal: &[f32], rate: u32) -> Vec<f32> {
    let bytes: Vec<u8> = signal.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let rate = rate.to_string();
    let band = format!("-{BAND}");
    let args = [
        "-t", "f32", "-L", "-r", &rate, "-c", "1", "-", "-t", "f32", "-L", "-", "sinc", &band,
    ];
    floats(&speech::sox(&args, &bytes))
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let samples = bytes.as_chunks().0.iter();
    samples.map(|&four| f32::from_le_bytes(four)).collect()
}

/// The largest step from one sample to the next.
pub fn largest_step(signal: &[f32]) -> f32 {
    steps(signal).fold(0.0, f32::max)
}

/// The step that all but one in a thousand are below.
pub fn usual_step(signal: &[f32]) -> f32 {
    let mut all: Vec<f32> = steps(signal).collect();
    all.sort_by(f32::total_cmp);
    all[all.len() * 999 / 1000]
}

fn steps(signal: &[f32]) -> impl Iterator<Item = f32> {
    signal.windows(2).map(|pair| (pair[1] - pair[0]).abs())
}

/// One window of the original, as it was found in what was heard.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// Where it begins in the original, samples.
    pub at: usize,
    /// How much later it was heard, samples.
    pub later: f64,
    /// What differs, against what was said, dB.
    pub rest_db: f64,
}

/// How one signal was found in the other.
#[derive(Debug)]
pub struct Comparison {
    rate: u32,
    /// Windows with speech in them, in order.
    pub windows: Vec<Found>,
}

impl Comparison {
    /// The median of what differs, dB.
    pub fn median_db(&self) -> f64 {
        let mut all: Vec<f64> = self.windows.iter().map(|found| found.rest_db).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    }

    /// By how much it was heard slower than said, as a share: 0.001 is a thousandth of its pitch.
    pub fn slower(&self) -> f64 {
        let count = self.windows.len() as f64;
        let mean = |of: &dyn Fn(&Found) -> f64| self.windows.iter().map(of).sum::<f64>() / count;
        let (at, later) = (mean(&|found| found.at as f64), mean(&|found| found.later));
        let both = mean(&|found| (found.at as f64 - at) * (found.later - later));
        let spread = mean(&|found| (found.at as f64 - at).powi(2));
        both / spread
    }

    /// By how much its pitch was lower than said, as a share: what half of the seconds say, so that time which was
    /// stretched here and there does not count.
    pub fn lower(&self) -> f64 {
        let second = self.rate as usize;
        let ends = self.windows.iter().enumerate().filter_map(|(n, first)| {
            let rest = self.windows[n..].iter();
            let last = rest.take_while(|window| window.at <= first.at + second).last()?;
            (last.at > first.at + second / 2)
                .then(|| (last.later - first.later) / (last.at - first.at) as f64)
        });
        let mut all: Vec<f64> = ends.collect();
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2)
            .copied()
            .expect("more than a second was heard")
    }

    /// Where something was left out or put in: at which second of the original, and how much longer it is, ms.
    pub fn jumps(&self) -> Vec<(f64, f64)> {
        let ms = 1000.0 / f64::from(self.rate);
        let moved = self.windows.windows(2).map(|pair| {
            let moved = (pair[1].later - pair[0].later) * ms;
            (pair[1].at as f64 * ms / 1000.0, moved)
        });
        moved.filter(|(_, moved)| moved.abs() > JUMP_MS).collect()
    }

    /// How much longer it took from the first window to the last than it was, ms.
    pub fn longer_ms(&self) -> f64 {
        let (first, last) = (&self.windows[0], &self.windows[self.windows.len() - 1]);
        (last.later - first.later) * 1000.0 / f64::from(self.rate)
    }
}

/// Looks for the windows of `said` in `heard`, both without what is above 3.4 kHz: the first near where sound
/// begins in both, each other one near where the one before was.
pub fn compare(said: &[f32], heard: &[f32], rate: u32) -> Comparison {
    let begin = first_sound(heard) - first_sound(said);
    find(said, heard, rate, |near| (near.unwrap_or(begin), FAR_S))
}

/// The same where it is known how much later each window was heard, at least and at most, s: seconds that are
/// missing in between then do not lead astray.
pub fn compare_within(said: &[f32], heard: &[f32], rate: u32, later: Range<f64>) -> Comparison {
    let middle = (later.start + later.end) / 2.0 * f64::from(rate);
    find(said, heard, rate, |_| (middle, (later.end - later.start) / 2.0))
}

/// `far` says where a window is looked for that is not where the one before was: around how much later, samples,
/// and how far from there, s.
fn find(said: &[f32], heard: &[f32], rate: u32, far: impl Fn(Option<f64>) -> (f64, f64)) -> Comparison {
    let size = rate as usize / WINDOWS_A_SECOND;
    let power = |window: &[f32]| window.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
    let loudest = said.chunks_exact(size).map(power).fold(0.0, f64::max);
    let floor = loudest * 10f64.powf(PAUSE_DB / 10.0);
    let (few_said, few_heard) = (thin(said), thin(heard));
    let mut near: Option<f64> = None;
    let mut windows = Vec::new();
    for (n, window) in said.chunks_exact(size).enumerate() {
        if power(window) < floor {
            continue;
        }
        let at = n * size;
        let few = &few_said[at / COARSE..(at + size) / COARSE];
        let look = |later: f64, stray: f64| {
            let middle = (at as i64 + later.round() as i64) / COARSE as i64;
            let stray = (stray * f64::from(rate)) as i64 / COARSE as i64;
            let place = likest(few, &few_heard, middle - stray..middle + stray + 1)?;
            let start = (place * COARSE as i64 - at as i64) as f64;
            let (later, rest) = descend(window, heard, at as f64, start);
            Some((later, 10.0 * (rest / power(window)).max(1e-15).log10()))
        };
        // A player may have left out some of a pause: then it is looked for farther away.
        let found = match near.and_then(|later| look(later, STRAY_S)) {
            Some(found) if found.1 < LIKE_DB => Some(found),
            other => {
                let (around, stray) = far(near);
                let both = other.into_iter().chain(look(around, stray));
                both.min_by(|a, b| a.1.total_cmp(&b.1))
            }
        };
        let Some((later, rest_db)) = found else {
            continue;
        };
        near = Some(later);
        windows.push(Found { at, later, rest_db });
    }
    assert!(!windows.is_empty(), "nothing was heard of what was said");
    Comparison { rate, windows }
}

/// Where the first sound is that is a hundredth as loud as the loudest.
fn first_sound(signal: &[f32]) -> f64 {
    let loudest = signal.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let first = signal.iter().position(|x| x.abs() > loudest / 100.0);
    first.unwrap_or(0) as f64
}

/// Every fourth sample: below 3.4 kHz nothing is lost.
fn thin(signal: &[f32]) -> Vec<f32> {
    signal.iter().step_by(COARSE).copied().collect()
}

/// Where in `heard`, among these places, is what is likest to this window.
fn likest(window: &[f32], heard: &[f32], places: Range<i64>) -> Option<i64> {
    let first = usize::try_from(places.start.max(0)).ok()?;
    let last = usize::try_from(places.end)
        .ok()?
        .min((heard.len() + 1).checked_sub(window.len())?);
    let power = |samples: &[f32]| samples.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
    let quiet = power(window) * QUIET;
    let mut own = power(heard.get(first..first + window.len())?);
    let mut likest: Option<(f64, usize)> = None;
    for place in first..last {
        let there = &heard[place..place + window.len()];
        if own > quiet {
            let both: f32 = window.iter().zip(there).map(|(a, b)| a * b).sum();
            let alike = f64::from(both) / own.sqrt();
            if likest.is_none_or(|(most, _)| alike >= most) {
                likest = Some((alike, place));
            }
        }
        let next = heard.get(place + window.len()).copied().unwrap_or_default();
        own += f64::from(next).powi(2) - f64::from(there[0]).powi(2);
    }
    likest.map(|(_, place)| place as i64)
}

/// The delay, near `later`, at which least is left; and how much that is.
fn descend(window: &[f32], heard: &[f32], at: f64, mut later: f64) -> (f64, f64) {
    // What is below 3.4 kHz is there in every fourth sample as well.
    let few = || window.iter().enumerate().step_by(COARSE);
    let rest = |later: f64| -> f64 {
        let there = few().map(|(n, said)| (said, between(heard, at + later + n as f64)));
        let rest = there.map(|(said, heard)| (f64::from(*said) - heard).powi(2));
        rest.sum::<f64>() * COARSE as f64
    };
    for _ in 0..4 {
        let (mut down, mut steep) = (0.0, 1e-12);
        for (n, said) in few() {
            let place = at + later + n as f64;
            let slope = between(heard, place + 0.5) - between(heard, place - 0.5);
            down += (f64::from(*said) - between(heard, place)) * slope;
            steep += slope * slope;
        }
        later += (down / steep).clamp(-4.0, 4.0);
    }
    (later, rest(later))
}

/// The signal between two of its samples, by the cubic through four of them.
fn between(signal: &[f32], place: f64) -> f64 {
    let floor = place.floor();
    let t = place - floor;
    let x = |by: i64| {
        let at = usize::try_from(floor as i64 + by).ok();
        f64::from(at.and_then(|at| signal.get(at)).copied().unwrap_or(0.0))
    };
    let (a, b, c, d) = (x(-1), x(0), x(1), x(2));
    b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 48_000;

    fn said() -> (Vec<f32>, Vec<f32>) {
        as_played(&speech::piece(speech::LONG[0], 500, 4000), RATE)
    }

    /// Played at another pace and some time later.
    fn played(signal: &[f32], pace: f64, later: f64) -> Vec<f32> {
        let count = (signal.len() as f64 / pace + later) as usize + 100;
        (0..count)
            .map(|n| between(signal, (n as f64 - later) * pace) as f32)
            .collect()
    }

    #[test]
    fn a_delay_is_found_to_a_fraction_of_a_sample() {
        let (_, low) = said();
        let heard = played(&low, 1.0, 20_000.3);
        let found = compare(&low, &heard, RATE);
        assert!(found.windows.len() > 15, "{}", found.windows.len());
        for window in &found.windows {
            assert!((window.later - 20_000.3).abs() < 0.05, "{window:?}");
        }
        assert!(found.median_db() < -60.0, "{}", found.median_db());
        assert!(found.slower().abs() < 1e-6 && found.longer_ms().abs() < 0.01);
    }

    #[test]
    fn seconds_that_are_missing_do_not_lead_astray() {
        let (_, low) = said();
        let mut heard = played(&low, 1.0, 2_000.0);
        heard[60_000..130_000].fill(0.0);
        let found = compare_within(&low, &heard, RATE, 0.0..1.0);
        let there = found.windows.iter().filter(|window| window.rest_db < -60.0);
        assert!(there.clone().count() > 8, "{found:?}");
        assert!(there.clone().any(|window| window.at > 130_000), "{found:?}");
        assert!(
            there
                .into_iter()
                .all(|window| (window.later - 2_000.0).abs() < 0.1)
        );
    }

    #[test]
    fn a_pitch_that_is_wrong_shows() {
        let (_, low) = said();
        let found = compare(&low, &played(&low, 0.998, 5_000.0), RATE);
        assert!((found.slower() - 0.002).abs() < 0.0002, "{}", found.slower());
        assert!((found.longer_ms() - 8.0).abs() < 1.0, "{}", found.longer_ms());
        assert!((found.lower() - 0.002).abs() < 0.0002, "{}", found.lower());
        // The windows are found all the same, and are not quite alike.
        assert!(
            (-40.0..-15.0).contains(&found.median_db()),
            "{}",
            found.median_db()
        );
    }

    #[test]
    fn time_that_is_stretched_is_no_pitch() {
        let (_, low) = said();
        let mut heard = played(&low, 1.0, 5_000.0);
        heard.drain(100_000..101_000);
        let found = compare(&low, &heard, RATE);
        assert!(found.lower().abs() < 1e-5, "{}", found.lower());
        assert!((found.longer_ms() + 20.8).abs() < 0.1, "{}", found.longer_ms());
    }

    #[test]
    fn another_voice_and_noise_are_not_the_same() {
        let (_, low) = said();
        let (_, other) = as_played(&speech::piece(speech::LONG[2], 500, 4000), RATE);
        assert!(compare(&low, &other, RATE).median_db() > -10.0);
        let quieter: Vec<f32> = low.iter().map(|x| x * 0.9).collect();
        let found = compare(&low, &quieter, RATE);
        assert!((found.median_db() + 20.0).abs() < 0.5, "{}", found.median_db());
    }

    #[test]
    fn a_click_stands_out() {
        let (mut whole, _) = said();
        let usual = usual_step(&whole);
        assert!(largest_step(&whole) < 4.0 * usual);
        whole[50_000] += 5.0 * usual;
        assert!(largest_step(&whole) > 4.0 * usual);
    }
}
