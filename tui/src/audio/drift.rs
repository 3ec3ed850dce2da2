//! How much faster or slower the card's clock runs than the network's: from how deep the sound is buffered to
//! the resampler's ratio. No clock: it is stepped every 10 ms of sound.

/// The step, seconds.
const STEP_S: f64 = 0.01;

/// How much of a step's news is believed: an average over a second.
const SMOOTH: f64 = 0.01;

/// Ratio for each second too deep.
const SHARE: f64 = 0.02;

/// And for each second of that, every second.
///
/// Just so much that a real offset is learnt in some minutes, without swinging: with more, a machine that is busy
/// for one minute would be taken for a card of another pace.
const GATHER: f64 = 0.0001;

/// Cards are off by so much at most; quartz is ten times better.
const MAX_GATHERED: f64 = 0.003;

/// The ratio leaves 1 by so much at most: a twelfth of a semitone, which nobody hears.
pub const MAX_NUDGE: f64 = 0.005;

/// The controller.
#[derive(Debug, Clone, Copy, Default)]
pub struct Drift {
    smooth: Option<f64>,
    gathered: f64,
}

impl Drift {
    /// One that takes both clocks for the same.
    pub fn new() -> Self {
        Drift::default()
    }

    /// The ratio, relative to the nominal one, for the next 10 ms. `excess_s` is how much too deep the buffer
    /// is, seconds; `None` where that says nothing: what was learnt of the clocks stays.
    pub fn step(&mut self, excess_s: Option<f64>) -> f64 {
        let Some(excess) = excess_s.filter(|excess| excess.is_finite()) else {
            self.smooth = None;
            return 1.0 - self.gathered;
        };
        let before = self.smooth.unwrap_or(excess);
        let smooth = before + (excess - before) * SMOOTH;
        self.smooth = Some(smooth);
        let gathered = self.gathered + smooth * STEP_S * GATHER;
        self.gathered = gathered.clamp(-MAX_GATHERED, MAX_GATHERED);
        1.0 - (smooth * SHARE + self.gathered).clamp(-MAX_NUDGE, MAX_NUDGE)
    }

    /// What was learnt: by how much the card is slower than the network, of 1.
    pub fn offset(&self) -> f64 {
        self.gathered
    }
}

#[cfg(test)]
mod tests;
