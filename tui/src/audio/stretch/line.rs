//! One track's samples: those played last, and behind them those that wait. Edits in place; who calls keeps to the
//! bounds, and what does not fit changes nothing.

use super::{FADE, MOST, PAST, SPARE};

/// Samples in all.
const ALL: usize = PAST + MOST + SPARE;

/// Samples are held to this: above all that sounds, and sums of them stay finite.
const LOUDEST: f32 = 8.0;

/// One track.
#[derive(Debug)]
pub(super) struct Line([f32; ALL]);

impl Default for Line {
    fn default() -> Self {
        Line([0.0; ALL])
    }
}

impl Line {
    /// All of it, what was played last first.
    pub(super) fn all(&self) -> &[f32] {
        &self.0
    }

    /// Puts samples at a place; what is no number is silence.
    pub(super) fn write(&mut self, at: usize, samples: &[f32]) {
        let to = self.0.get_mut(at..).unwrap_or_default();
        for (to, &from) in to.iter_mut().zip(samples) {
            *to = if from.is_nan() {
                0.0
            } else {
                from.clamp(-LOUDEST, LOUDEST)
            };
        }
    }

    /// Takes samples from a place.
    pub(super) fn read(&self, at: usize, out: &mut [f32]) {
        let from = self.0.get(at..).unwrap_or_default();
        for (out, from) in out.iter_mut().zip(from) {
            *out = *from;
        }
    }

    /// Moves what lies before `end` to the front by so many samples.
    pub(super) fn shift(&mut self, samples: usize, end: usize) {
        if samples <= end && end <= ALL {
            self.0.copy_within(samples..end, 0);
        }
    }

    /// Leaves out `lag` samples at `at`: over `fade` samples what lies there becomes what lies `lag` later.
    pub(super) fn leave_out(&mut self, at: usize, lag: usize, fade: usize, end: usize) {
        if at + lag + fade > end || end > ALL {
            return;
        }
        let (early, late) = self.0.split_at_mut(at + lag);
        // Where the fade is longer than the lag it would read what it wrote; it never is.
        let early = early.get_mut(at..).unwrap_or_default();
        for (n, (early, late)) in early.iter_mut().zip(late.iter()).take(fade).enumerate() {
            *early += (*late - *early) * share(n, fade);
        }
        self.0.copy_within(at + lag + fade..end, at + fade);
    }

    /// Puts in `lag` samples at `at`: over `fade` samples what lies there becomes what lies `lag` earlier.
    pub(super) fn put_in(&mut self, at: usize, lag: usize, fade: usize, end: usize) {
        if at < lag || at + fade > end || end + lag > ALL || fade > FADE {
            return;
        }
        let mut old = [0.0; FADE];
        self.read(at, &mut old);
        self.0.copy_within(at..end, at + lag);
        let (past, new) = self.0.split_at_mut(at);
        let past = past.get(at - lag..).unwrap_or_default();
        for (new, past) in new.iter_mut().zip(past) {
            *new = *past;
        }
        for (n, (new, old)) in new.iter_mut().zip(old).take(fade).enumerate() {
            *new = old + (*new - old) * share(n, fade);
        }
    }
}

/// How much of the new there is in the `n`th sample of a cross-fade.
fn share(n: usize, fade: usize) -> f32 {
    (n + 1) as f32 / (fade + 1) as f32
}
