//! How many samples to leave out or to put in so that nobody hears the join: the distance at which both tracks
//! together are most like themselves. The louder track counts for more, by its energy.

use partyline_shared::track::PerTrack;

use super::{LAGS, WINDOW};

/// Under this a window is quiet, as the mean of its samples' squares: -45 dBFS. Any join does there.
const QUIET: f32 = 3.2e-5;

/// The longest lag may be so much less like and is taken all the same: fewer joins are better.
const LONGER: f32 = 0.02;

/// Sums that are made at once.
const LANES: usize = 8;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    /// Samples.
    pub(super) lag: usize,
    /// How like both ends are, at most 1; 1 where nothing is to be heard.
    pub(super) likeness: f32,
}

/// Looks at what lies at `at` against what lies later (`ahead`) or earlier.
pub(super) fn find(lines: &PerTrack<&[f32]>, at: usize, ahead: bool) -> Found {
    let longest = *LAGS.end();
    let window = |line: &'_ [f32]| energy(part(line, at));
    let here = window(lines.inbound) + window(lines.outbound);
    if here < QUIET * WINDOW as f32 {
        let far = if ahead {
            at + longest
        } else {
            at.saturating_sub(longest)
        };
        let there = energy(part(lines.inbound, far)) + energy(part(lines.outbound, far));
        if there < QUIET * WINDOW as f32 {
            return Found {
                lag: longest,
                likeness: 1.0,
            };
        }
    }
    let mut best = (
        f32::MIN,
        Found {
            lag: longest,
            likeness: 0.0,
        },
    );
    for lag in LAGS {
        let there = if ahead { at + lag } else { at.saturating_sub(lag) };
        let (mut product, mut energies) = (0.0, 0.0);
        for line in [lines.inbound, lines.outbound] {
            let (a, b) = (part(line, at), part(line, there));
            product += dot(a, b);
            energies += energy(b);
        }
        let likeness = product / (here * energies).sqrt().max(f32::MIN_POSITIVE);
        let worth = likeness + LONGER * lag as f32 / longest as f32;
        if worth > best.0 {
            best = (worth, Found { lag, likeness });
        }
    }
    best.1
}

fn part(line: &[f32], at: usize) -> &[f32] {
    line.get(at..at + WINDOW).unwrap_or_default()
}

fn energy(samples: &[f32]) -> f32 {
    dot(samples, samples)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(period: f32, amplitude: f32) -> Vec<f32> {
        (0..600)
            .map(|n| amplitude * (n as f32 * std::f32::consts::TAU / period).sin())
            .collect()
    }

    #[test]
    fn a_lag_is_whole_periods_of_the_louder_track() {
        let (loud, faint) = (tone(57.0, 0.5), tone(90.0, 0.02));
        for ahead in [true, false] {
            let lines = PerTrack {
                inbound: &loud[..],
                outbound: &faint[..],
            };
            let found = find(&lines, 200, ahead);
            assert!(found.lag.is_multiple_of(57), "{found:?}");
            assert!(found.likeness > 0.98, "{found:?}");
        }
    }

    #[test]
    fn in_silence_the_longest_lag_does() {
        let faint = tone(57.0, 0.002);
        let lines = PerTrack {
            inbound: &faint[..],
            outbound: &faint[..],
        };
        let found = find(&lines, 200, true);
        assert_eq!((found.lag, found.likeness), (160, 1.0));
    }
}
