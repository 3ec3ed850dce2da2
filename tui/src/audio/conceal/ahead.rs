//! What leads to a frame that is known to come: its first period, again and again, so that it ends where the frame
//! begins.

use super::super::{Mono, SLOT};

/// The shortest and the longest period that is looked for, samples: 400 to 67 Hz.
const PERIODS: std::ops::RangeInclusive<usize> = 20..=120;

/// Over so many samples likeness is looked at: what is left of a frame behind the longest period.
const WINDOW: usize = SLOT - *PERIODS.end();

/// So like itself a frame has to be; else what was before is the better guess.
const LIKE: f32 = 0.5;

/// The way to a frame.
#[derive(Debug)]
pub(super) struct Ahead {
    frame: Mono,
    period: usize,
    /// What the period's end is off from its start.
    step: f32,
}

impl Ahead {
    /// The way to this one; `None` where it has no period, as at the start of a word.
    pub(super) fn to(frame: Mono) -> Option<Ahead> {
        let period = shortest(PERIODS, LIKE, |period| likeness(&frame, period))?;
        let at = |n: usize| frame.get(n).copied().unwrap_or_default();
        Some(Ahead {
            frame,
            period,
            step: at(0) - at(period),
        })
    }

    /// The `n`th sample of the slot before it.
    pub(super) fn sample(&self, n: usize) -> f32 {
        let before = SLOT.saturating_sub(n) % self.period;
        let at = (self.period - before) % self.period;
        let sample = self.frame.get(at).copied().unwrap_or_default();
        // Bent, so that one period follows the other without a step.
        sample + self.step * at as f32 / self.period as f32
    }
}

/// The shortest period that is as like as any, and liker than `least`; a multiple of it is about as like.
pub(super) fn shortest(
    periods: std::ops::RangeInclusive<usize>,
    least: f32,
    likeness: impl Fn(usize) -> f32,
) -> Option<usize> {
    let mut best = None;
    let (mut most, mut climbing) = (least, false);
    for period in periods {
        let like = likeness(period);
        // Up to the top of a hill by any step, to another hill only if that is higher.
        if like > most + if climbing { 0.0 } else { 0.01 } {
            (best, most, climbing) = (Some(period), like, true);
        } else {
            climbing = false;
        }
    }
    best
}

fn likeness(frame: &Mono, period: usize) -> f32 {
    let early = frame.get(..WINDOW).unwrap_or_default();
    let late = frame.get(period..period + WINDOW).unwrap_or_default();
    let (mut product, mut a, mut b) = (0.0, 1e-9, 1e-9);
    for (late, early) in late.iter().zip(early) {
        product += late * early;
        a += late * late;
        b += early * early;
    }
    product / f32::sqrt(a * b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_where_the_frame_begins() {
        for hz in [90.0, 133.0, 250.0] {
            let wave = |n: f32| (n * hz / 8000.0 * std::f32::consts::TAU).sin();
            let mut frame = [0.0; SLOT];
            for (n, sample) in frame.iter_mut().enumerate() {
                *sample = wave(n as f32);
            }
            let ahead = Ahead::to(frame).unwrap();
            for n in 0..SLOT {
                let meant = wave(n as f32 - SLOT as f32);
                // A period is a whole number of samples, so the further off, the less exact.
                let allowed = if n < SLOT / 2 { 0.5 } else { 0.2 };
                assert!((ahead.sample(n) - meant).abs() < allowed, "{hz} {n}");
            }
        }
        assert!(Ahead::to([0.0; SLOT]).is_none());
    }
}
