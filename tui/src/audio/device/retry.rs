//! How long to wait between two tries of a device that cannot be opened. Pure: chance is an argument. The waits
//! differ by chance, so that the programs of a machine whose sound server was restarted do not all come to it in
//! one moment, and again half a second later.

use std::time::Duration;

/// The middle of the waits at first, as after a cable was pulled by mistake.
const SOON: Duration = Duration::from_millis(500);

/// So many tries are soon; after ten seconds nobody is waiting for that cable.
const SOON_TRIES: u32 = 20;

/// The middle of the waits later. A failed try costs a few ms; with the longest wait a device that is back plays
/// within 2 s.
const LATER: Duration = Duration::from_secs(1);

/// Counts tries that failed, in a row.
#[derive(Debug, Default)]
pub(super) struct Retry {
    tries: u32,
}

impl Retry {
    /// One more has failed: how long to wait, from half of the middle to one and a half. `dice` is drawn evenly from
    /// 0 to 1.
    pub(super) fn next(&mut self, dice: f64) -> Duration {
        let middle = if self.tries < SOON_TRIES { SOON } else { LATER };
        self.tries = self.tries.saturating_add(1);
        middle.mul_f64(0.5 + dice.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_differ_stay_short_and_never_end() {
        let mut retry = Retry::default();
        let ms = |wait: Duration| wait.as_millis();
        assert_eq!([0.0, 0.5, 1.0].map(|dice| ms(retry.next(dice))), [250, 500, 750]);
        for _ in 3..SOON_TRIES {
            assert_eq!(ms(retry.next(0.5)), 500);
        }
        for _ in 0..10_000 {
            assert_eq!(
                [0.0, 0.5, 1.0].map(|dice| ms(retry.next(dice))),
                [500, 1000, 1500]
            );
        }
        let mut retry = Retry { tries: u32::MAX };
        assert_eq!(ms(retry.next(0.5)), 1000, "for ever");
    }
}
