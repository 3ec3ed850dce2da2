//! A sender's timestamps as places on the media clock, in slots of 20 ms. They wrap; places do not.

use super::SLOT_MS;

/// Timestamps as places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// The newest timestamp as it came, and without its wrap.
    pub(super) stamp: u32,
    pub(super) ms: i64,
    /// The place of ms 0.
    pub(super) zero: i64,
}

impl Clock {
    /// Milliseconds without the wrap.
    pub(super) fn ms(self, stamp: u32) -> i64 {
        self.ms
            .saturating_add(i64::from(stamp.wrapping_sub(self.stamp) as i32))
    }

    /// In slots, to the nearest.
    pub(super) fn place(self, ms: i64) -> i64 {
        let slot = SLOT_MS as i64;
        self.zero
            .saturating_add(ms.saturating_add(slot / 2).div_euclid(slot))
    }
}
