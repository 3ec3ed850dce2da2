//! How unevenly frames come: each one's delay against the least delayed of the last seconds. Only
//! differences count, so neither clock has to be right.

use super::MAX_TARGET_US;

/// How many arrivals are looked at: 8 s of both tracks.
const WINDOW: usize = 800;

/// Arrivals between two looks at all of them: 100 ms of both tracks.
const EVERY: usize = 10;

/// So many arrivals after a start say little yet: half a second of both tracks.
const WARM: usize = 50;

/// A frame by so much faster than all before it, while the window is still warming up, shows that those came
/// out of a backlog, µs: they are forgotten.
const BACKLOG_US: i64 = 5_000;

/// The share of frames that are to be in time by their own delay, of a thousand; the margin is for the rest.
const IN_TIME: usize = 995;

/// In this time what was needed once is forgotten to a third, µs: delay is given back far more slowly than
/// taken, or every second burst would be heard.
const FALL_US: i64 = 30_000_000;

/// Stalls that are no further apart than this, µs, are how the connection is; one alone says nothing of it.
const AGAIN_US: i64 = 30_000_000;

/// A frame that is missing is known of with the next one, so that it is waited for in vain until then; what takes longer
/// than this, µs, is a break, and not how the connection is.
const MISSED_US: i64 = 100_000;

/// What is assumed of a connection that nothing is known of, µs.
pub(super) const ASSUMED_US: i64 = 20_000;

/// The spread of arrivals; a delay is `arrival - place on the media clock`, µs, with any zero.
#[derive(Debug)]
pub(super) struct Spread {
    /// The last delays, a ring once it is full.
    seen: Vec<i64>,
    /// Where the next one goes.
    at: usize,
    /// To sort in, so that nothing is allocated.
    scratch: Vec<i64>,
    since_look: usize,
    looked_us: i64,
    /// The least delay of the window.
    base: Option<i64>,
    /// The delay up to which frames are waited for.
    edge: i64,
    /// `edge - base`, kept over a break.
    allowed: i64,
    /// When the last stall ended.
    stalled_us: Option<i64>,
}

impl Spread {
    /// Nothing is known.
    pub(super) fn new() -> Self {
        Spread {
            seen: Vec::with_capacity(WINDOW),
            at: 0,
            scratch: Vec::with_capacity(WINDOW),
            since_look: 0,
            looked_us: 0,
            base: None,
            edge: 0,
            allowed: ASSUMED_US,
            stalled_us: None,
        }
    }

    /// The media clock or the way changed: delays from now on have nothing to do with those before.
    pub(super) fn clear(&mut self) {
        self.allowed = self.allowance();
        self.base = None;
        self.restart();
    }

    fn restart(&mut self) {
        self.seen.clear();
        self.at = 0;
        self.since_look = 0;
    }

    /// The least delay; `None` before the first frame.
    pub(super) fn base(&self) -> Option<i64> {
        self.base
    }

    /// How much later than the least delayed a frame may come, µs.
    pub(super) fn allowance(&self) -> i64 {
        self.base.map_or(self.allowed, |base| (self.edge - base).max(0))
    }

    /// A frame came.
    pub(super) fn on_arrival(&mut self, now_us: i64, delay: i64) {
        let Some(base) = self.base else {
            self.base = Some(delay);
            self.edge = delay.saturating_add(self.allowed);
            self.looked_us = now_us;
            self.push(delay);
            return;
        };
        let warming = self.seen.len() < WARM;
        if warming && delay < base - BACKLOG_US {
            self.restart();
        }
        if delay < base {
            self.base = Some(delay);
            if warming {
                self.edge = delay.saturating_add(self.allowed);
            }
        }
        self.push(delay);
        self.since_look += 1;
        if self.since_look >= EVERY && self.seen.len() >= WARM {
            self.since_look = 0;
            self.look(now_us);
        }
    }

    /// A frame was waited for in vain, and came with this delay.
    pub(super) fn on_late(&mut self, delay: i64) {
        self.edge = self.edge.max(delay).min(self.most());
    }

    /// A frame is known to be missing with this delay, and was waited for until then.
    pub(super) fn on_missed(&mut self, delay: i64) {
        let waited = self.base.map_or(i64::MAX, |base| delay - base);
        if waited <= MISSED_US {
            self.edge = self.edge.max(delay);
        }
    }

    /// What is later than this nobody waits for; it would only take longer to be forgotten.
    fn most(&self) -> i64 {
        self.base
            .map_or(i64::MAX, |base| base.saturating_add(MAX_TARGET_US))
    }

    /// Nothing came for long, and then what follows, later than the least delayed by so much; after
    /// [`Spread::clear`].
    pub(super) fn on_stall(&mut self, now_us: i64, late: i64) {
        let before = self.stalled_us.replace(now_us);
        if before.is_some_and(|before| now_us - before < AGAIN_US) {
            self.allowed = self.allowed.max(late.min(MAX_TARGET_US));
        }
    }

    fn push(&mut self, delay: i64) {
        match self.seen.get_mut(self.at) {
            Some(old) => *old = delay,
            None => self.seen.push(delay),
        }
        self.at = (self.at + 1) % WINDOW;
    }

    fn look(&mut self, now_us: i64) {
        self.scratch.clear();
        self.scratch.extend_from_slice(&self.seen);
        let least = self.scratch.iter().copied().min();
        let rank = self.scratch.len() * IN_TIME / 1000;
        if rank >= self.scratch.len() {
            return;
        }
        let (_, &mut needed, _) = self.scratch.select_nth_unstable(rank);
        let past = (now_us - self.looked_us).clamp(0, FALL_US);
        self.looked_us = now_us;
        self.base = least;
        if needed >= self.edge {
            self.edge = needed;
        } else {
            // An edge is at most hours away from what is needed, so the product fits.
            self.edge -= (self.edge - needed).saturating_mul(past) / FALL_US;
        }
        self.edge = self.edge.min(self.most());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two frames every 20 ms, with these delays in turn.
    fn pace(spread: &mut Spread, from_s: i64, seconds: i64, delays: &[i64]) {
        for n in 0..seconds * 100 {
            let delay = delays[n as usize % delays.len()];
            spread.on_arrival(from_s * 1_000_000 + n * 10_000, delay);
        }
    }

    #[test]
    fn an_even_pace_needs_less_and_less() {
        let mut spread = Spread::new();
        assert_eq!(spread.allowance(), ASSUMED_US);
        pace(&mut spread, 0, 30, &[70_000]);
        assert_eq!(spread.base(), Some(70_000));
        assert!((6_000..9_000).contains(&spread.allowance()), "{spread:?}");
        pace(&mut spread, 30, 200, &[70_000]);
        assert!(spread.allowance() < 400, "{spread:?}");
    }

    #[test]
    fn unevenness_is_allowed_for_at_once_and_forgotten_slowly() {
        let mut spread = Spread::new();
        pace(&mut spread, 0, 10, &[0]);
        pace(&mut spread, 10, 1, &[0, 50_000]);
        assert_eq!(spread.allowance(), 50_000);
        spread.on_late(90_000);
        assert_eq!(spread.allowance(), 90_000);
        pace(&mut spread, 11, 10, &[0]);
        assert!((50_000..85_000).contains(&spread.allowance()));
    }

    #[test]
    fn what_nobody_waits_for_is_not_remembered_for_longer() {
        let mut spread = Spread::new();
        pace(&mut spread, 0, 10, &[0]);
        spread.on_late(9_000_000);
        assert_eq!(spread.allowance(), MAX_TARGET_US);
        pace(&mut spread, 10, 30, &[0]);
        assert!(spread.allowance() < 160_000, "{spread:?}");
        pace(&mut spread, 40, 2, &[0, 3_000_000]);
        assert_eq!(spread.allowance(), MAX_TARGET_US);
        pace(&mut spread, 42, 40, &[0]);
        assert!(spread.allowance() < 160_000, "{spread:?}");
    }

    #[test]
    fn a_backlog_is_no_unevenness() {
        let mut spread = Spread::new();
        for n in 0..50 {
            spread.on_arrival(n, -20_000 * n);
        }
        pace(&mut spread, 1, 5, &[-980_000, -985_000]);
        assert_eq!(spread.base(), Some(-985_000));
        assert!(spread.allowance() <= ASSUMED_US + BACKLOG_US, "{spread:?}");
    }

    #[test]
    fn a_frame_that_is_missing_is_waited_for_until_the_next_one_and_a_break_is_not() {
        let mut spread = Spread::new();
        pace(&mut spread, 0, 200, &[0]);
        assert!(spread.allowance() < 400, "{spread:?}");
        spread.on_missed(20_000);
        assert_eq!(spread.allowance(), 20_000);
        spread.on_missed(8_000_000);
        assert_eq!(spread.allowance(), 20_000);
        pace(&mut spread, 200, 200, &[0]);
        assert!(spread.allowance() < 400, "{spread:?}");
    }

    #[test]
    fn a_way_that_got_longer_is_the_measure_after_a_while() {
        let mut spread = Spread::new();
        pace(&mut spread, 0, 10, &[0]);
        pace(&mut spread, 10, 1, &[100_000]);
        assert_eq!((spread.base(), spread.allowance()), (Some(0), 100_000));
        pace(&mut spread, 11, 10, &[100_000]);
        assert_eq!((spread.base(), spread.allowance()), (Some(100_000), 0));
    }
}
