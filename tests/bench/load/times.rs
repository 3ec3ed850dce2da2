//! Durations as they come, and the few that tell about all. Exact: each is kept.

use serde::{Deserialize, Serialize};

/// What a kept duration is counted in, ns: four bytes then reach seven minutes.
const UNIT: u64 = 100;

/// Durations.
#[derive(Debug)]
pub(crate) struct Times(Vec<u32>);

/// Some of them, milliseconds. All 0 where there are none.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quantiles {
    /// How many there are.
    pub(crate) count: u64,
    /// Half of them are at most that.
    pub(crate) p50: f64,
    /// 90 of 100.
    pub(crate) p90: f64,
    /// 99 of 100.
    pub(crate) p99: f64,
    /// 999 of 1000.
    pub(crate) p99_9: f64,
    /// All of them.
    pub(crate) max: f64,
}

impl Times {
    /// With room for so many: making room in the middle of a run would be measured.
    pub(crate) fn with_room(count: usize) -> Times {
        Times(Vec::with_capacity(count))
    }

    /// Keeps one, ns.
    #[inline]
    pub(crate) fn push(&mut self, time: u64) {
        self.0.push(u32::try_from(time / UNIT).unwrap_or(u32::MAX));
    }

    /// What tells about all.
    pub(crate) fn quantiles(mut self) -> Quantiles {
        self.0.sort_unstable();
        let count = self.0.len();
        // The smallest that so many of a thousand do not exceed.
        let at = |of_1000: usize| match (count * of_1000).div_ceil(1000) {
            0 => 0.0,
            rank => f64::from(self.0[rank - 1]) * UNIT as f64 / 1e6,
        };
        Quantiles {
            count: count as u64,
            p50: at(500),
            p90: at(900),
            p99: at(990),
            p99_9: at(999),
            max: at(1000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poll::MILLI;

    #[test]
    fn quantiles_are_of_what_was_kept() {
        let mut times = Times::with_room(1000);
        for ms in (1..=1000).rev() {
            times.push(ms * MILLI);
        }
        let found = times.quantiles();
        let expected = Quantiles {
            count: 1000,
            p50: 500.0,
            p90: 900.0,
            p99: 990.0,
            p99_9: 999.0,
            max: 1000.0,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn one_is_all_of_them_and_none_is_nothing() {
        let mut times = Times::with_room(0);
        times.push(1_250_000);
        let found = times.quantiles();
        assert_eq!(
            (found.count, found.p50, found.p99_9, found.max),
            (1, 1.25, 1.25, 1.25)
        );
        assert_eq!(Times::with_room(0).quantiles(), Quantiles::default());
    }

    #[test]
    fn what_is_too_long_is_the_longest() {
        let mut times = Times::with_room(0);
        times.push(u64::MAX);
        assert!(times.quantiles().max > 400_000.0);
    }
}
