//! How loud: RMS in dBFS, from running sums, so that every reader can take the level over its own
//! interval without anything kept for it.

use super::g711::DECODE;

/// The quietest level reported, dBFS: below is silence.
pub const FLOOR_DB: f64 = -90.0;

/// Full scale, the sample that 0 dBFS means.
const FULL: f64 = 32768.0;

/// Every byte's sample squared; as wide as the sum, so that adding one is a single step.
static SQUARE: [u64; 256] = {
    let mut table = [0u64; 256];
    let mut byte = 0;
    #[allow(clippy::indexing_slicing)]
    while byte < 256 {
        let s = DECODE[byte] as i64;
        table[byte] = (s * s) as u64;
        byte += 1;
    }
    table
};

/// Squares and samples so far; the difference of two sums is the energy between them. A day of full
/// scale is 7·10¹⁷, so a u64 holds out for three weeks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Energy {
    /// Sum of squared samples.
    pub squares: u64,
    /// How many samples.
    pub samples: u64,
}

impl Energy {
    /// The energy of µ-law bytes.
    #[allow(clippy::indexing_slicing)] // a table of 256 has every u8
    #[inline]
    pub fn of(mulaw: &[u8]) -> Energy {
        let squares = mulaw.iter().map(|&b| SQUARE[usize::from(b)]).sum();
        Energy {
            squares,
            samples: mulaw.len() as u64,
        }
    }

    /// Adds what came after.
    pub fn add(&mut self, more: Energy) {
        self.squares = self.squares.wrapping_add(more.squares);
        self.samples = self.samples.wrapping_add(more.samples);
    }

    /// What came since `earlier`.
    pub fn since(self, earlier: Energy) -> Energy {
        Energy {
            squares: self.squares.wrapping_sub(earlier.squares),
            samples: self.samples.wrapping_sub(earlier.samples),
        }
    }

    /// RMS in dBFS, not under [`FLOOR_DB`]; `None` when there was no sample.
    pub fn dbfs(self) -> Option<f64> {
        if self.samples == 0 {
            return None;
        }
        let rms = (self.squares as f64 / self.samples as f64).sqrt();
        Some((20.0 * (rms / FULL).log10()).max(FLOOR_DB))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::g711::decode;

    #[test]
    fn full_scale_silence_and_nothing() {
        assert!(Energy::of(&[0x80, 0x00]).dbfs().unwrap() > -0.2);
        assert_eq!(Energy::of(&[0xff, 0x7f]).dbfs(), Some(FLOOR_DB));
        assert_eq!(Energy::default().dbfs(), None);
    }

    #[test]
    fn energy_is_the_sum_of_the_squares() {
        let every: Vec<u8> = (0..=255).collect();
        for bytes in (0..=every.len()).map(|n| &every[..n]) {
            let squares = bytes.iter().map(|b| i64::from(decode(*b)).pow(2) as u64).sum();
            let samples = bytes.len() as u64;
            assert_eq!(Energy::of(bytes), Energy { squares, samples });
        }
    }

    #[test]
    fn an_interval_is_the_difference_of_two_sums() {
        let mut sum = Energy::of(&[0x80; 160]);
        let before = sum;
        sum.add(Energy::of(&[0xff; 160]));
        assert_eq!(sum.since(before).dbfs(), Some(FLOOR_DB));
    }
}
