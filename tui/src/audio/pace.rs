//! What the resampler's ratio follows: the card's clock and nothing else. How deep the sound is buffered also
//! changes when the network, or the machine, gets more or less even; that is mended by stretching time, at the same
//! pitch, since a ratio that followed it would be heard as pitch before the delay is.
//!
//! So the depth is held where it is, its *anchor*. What jumps, or is stretched, takes the anchor with it; towards the
//! depth that is meant the anchor creeps.

use super::drift::Drift;
use super::jitter::Depth;

/// Of steps of 10 ms: how many the first anchor is the mean of, 2 s.
const FIRST: u32 = 200;

/// The depth moves by so much between two steps, s, when a slot was left out or waited for, and never by a clock:
/// more than half a slot.
const JUMP_S: f64 = 0.012;

/// What the depth is measured from moves by so much, s, when the fastest frame of the last seconds is forgotten; by
/// two clocks it moves by a tenth of that between two looks.
const BASE_JUMP_S: f64 = 0.001;

/// So near to what is meant the anchor stays, s.
const NEAR_S: f64 = 0.005;

/// How fast it creeps at most, of 1: 18 ms a minute, and a tenth of what the best ear tells apart.
const CREEP: f64 = 0.000_3;

/// From so far off it creeps as fast as it may, s; nearer it is slower.
const FAR_S: f64 = 0.020;

/// A step, s.
const STEP_S: f64 = 0.01;

/// The pace of one way to the card.
#[derive(Debug, Default)]
pub struct Pace {
    drift: Drift,
    anchor: Option<Anchor>,
}

#[derive(Debug)]
struct Anchor {
    at: f64,
    /// Depths that it is the mean of.
    of: u32,
    /// The depth at the last step.
    before: Depth,
}

impl Pace {
    /// The ratio, relative to the nominal one, for the next 10 ms; `None` where the depth says nothing about the
    /// card.
    pub fn step(&mut self, depth: Option<Depth>) -> f64 {
        let Some(now) = depth else {
            self.anchor = None;
            return self.drift.step(None);
        };
        let depth = now.is_s;
        let anchor = self.anchor.get_or_insert(Anchor {
            at: depth,
            of: 0,
            before: now,
        });
        let before = std::mem::replace(&mut anchor.before, now);
        let stretched = now.stretched_s - before.stretched_s;
        anchor.at += stretched;
        let (moved, base_moved) = (depth - before.is_s - stretched, now.base_s - before.base_s);
        if moved.abs() > JUMP_S {
            anchor.at += moved;
        } else if base_moved.abs() > BASE_JUMP_S {
            anchor.at -= base_moved;
        }
        if anchor.of < FIRST {
            anchor.of += 1;
            anchor.at += (depth - anchor.at) / f64::from(anchor.of);
            return self.drift.step(Some(0.0));
        }
        let off = now.meant_s - anchor.at;
        let creep = if off.abs() > NEAR_S {
            CREEP * (off / FAR_S).clamp(-1.0, 1.0)
        } else {
            0.0
        };
        anchor.at += creep * STEP_S;
        // Said to the ratio as well: by what lags behind, it would be learnt as the card's.
        self.drift.step(Some(depth - anchor.at)) + creep
    }

    /// The depth has changed by something that was no clock: where it is now is looked at anew.
    pub fn begin_anew(&mut self) {
        self.anchor = None;
    }

    /// By how much the card is slower than the network, as far as learnt, ppm.
    pub fn ppm(&self) -> f64 {
        self.drift.offset() * 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a card that is slower by `ppm` for so many seconds; `jump` is added to the depth halfway. Gives the
    /// ratio's largest distance from 1 before the jump and after it, and the last depth.
    fn run(pace: &mut Pace, ppm: f64, seconds: u32, (from, jump): (f64, f64), meant: f64) -> (f64, f64, f64) {
        let mut depth = from;
        let mut most = [0.0f64; 2];
        let steps = seconds * 100;
        for step in 0..steps {
            if step == steps / 2 {
                depth += jump;
            }
            // What a busy machine does to when the ring is looked at.
            let noise = f64::from(step * 7 % 11) * 0.0005 - 0.0025;
            let ratio = pace.step(Some(Depth {
                is_s: depth + noise,
                meant_s: meant,
                base_s: 0.0,
                stretched_s: 0.0,
            }));
            // A ratio above 1 makes more of the same input: the depth grows.
            depth += STEP_S * (ppm * 1e-6 + ratio - 1.0);
            let half = usize::from(step >= steps / 2);
            if let Some(most) = most.get_mut(half) {
                *most = most.max((ratio - 1.0).abs());
            }
        }
        let [before, after] = most;
        (before, after, depth)
    }

    #[test]
    fn what_was_left_out_or_is_meant_otherwise_is_no_clock() {
        let mut pace = Pace::default();
        let (before, after, _) = run(&mut pace, 0.0, 60, (0.080, -0.020), 0.070);
        assert!(before < 1.2 * CREEP && after < 1.2 * CREEP, "{before} {after}");
        let mut pace = Pace::default();
        let (_, _, depth) = run(&mut pace, 0.0, 3600, (0.080, 0.0), 0.055);
        assert!((0.055..0.063).contains(&depth), "{depth}");
        assert!(pace.ppm().abs() < 5.0, "{}", pace.ppm());
    }

    #[test]
    fn what_was_stretched_and_a_network_that_got_slower_are_no_clock() {
        let mut pace = Pace::default();
        let (mut depth, mut stretched_s, mut base_s) = (0.070, 0.0, 0.0);
        for step in 0..60_000 {
            if step >= 1_000 && step % 1_000 < 2 {
                // In two pieces, each less than a leap; out and in again.
                let by = if step % 2_000 < 2 { 0.009 } else { -0.009 };
                depth += by;
                stretched_s += by;
            }
            if step % 3_000 == 2_500 {
                // The fastest frame of the last seconds is forgotten, and all are measured from a later one.
                depth -= 0.050;
                base_s += 0.050;
            }
            if step % 3_000 == 2_600 {
                depth += 0.050;
                base_s -= 0.050;
            }
            let ratio = pace.step(Some(Depth {
                is_s: depth,
                meant_s: depth,
                base_s,
                stretched_s,
            }));
            depth += STEP_S * (ratio - 1.0);
            assert!((ratio - 1.0).abs() < 1.2 * CREEP, "{step}: {ratio}");
        }
        assert!(pace.ppm().abs() < 5.0, "{}", pace.ppm());
    }

    #[test]
    fn a_card_of_another_pace_is_followed() {
        for ppm in [-1000.0, -100.0, 300.0] {
            let mut pace = Pace::default();
            let (_, _, depth) = run(&mut pace, ppm, 600, (0.070, 0.0), 0.070);
            assert!((pace.ppm() - ppm).abs() < 40.0, "{ppm}: {}", pace.ppm());
            assert!((depth - 0.070).abs() < 0.010, "{ppm}: {depth}");
            // Paused, and what was learnt stays.
            assert_eq!(pace.step(None), 1.0 - pace.ppm() * 1e-6);
        }
    }
}
