//! What the other ear hears of a side, as in a room: low tones, a little later, and quieter. Without it a voice on
//! one ear alone seems to sit inside the head, which tires. One track; whose it is is the mixer's business.

use partyline_shared::audio::SAMPLE_RATE;

/// The head's shadow begins about here, Hz.
const CUT_HZ: f32 = 700.0;

/// How loud the other ear hears it, against the near one: -10 dB.
pub const FAR: f32 = 0.316_227_77;

/// What the near ear gives up of the low tones, so that both together are as loud as without: 1 - √(1 - [`FAR`]²).
pub const GIVEN: f32 = 0.051_316_7;

/// Smaller than this is nothing: far below the last bit of any card, and far from the slow numbers near zero.
const NOTHING: f32 = 1e-9;

/// A filter of one pole, and its last word: together 0.3 ms late, as the way around a head is from a loudspeaker
/// half to the side.
#[derive(Debug, Clone, Copy)]
pub struct Cross {
    share: f32,
    low: f32,
}

impl Default for Cross {
    fn default() -> Self {
        Cross {
            share: 1.0 - (-std::f32::consts::TAU * CUT_HZ / SAMPLE_RATE as f32).exp(),
            low: 0.0,
        }
    }
}

impl Cross {
    /// The low tones of this sample for the near ear, and for the far one those of the sample before.
    pub fn next(&mut self, sample: f32) -> (f32, f32) {
        let before = self.low;
        self.low += (sample - self.low) * self.share;
        if self.low.abs() < NOTHING {
            self.low = 0.0;
        }
        (self.low, before)
    }
}
