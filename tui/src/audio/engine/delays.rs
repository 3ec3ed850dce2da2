//! How long audio takes from the relay's message to the card: every frame's delay, counted by the millisecond,
//! so that an hour costs no more than a minute. No clock: delays are handed in.

use serde::{Deserialize, Serialize};

/// Delays that are told apart, ms; what took longer is counted as this.
const LONGEST_MS: usize = 2_000;

/// Delays that "now" is the middle of: a second of two tracks.
const RECENT: usize = 100;

/// What part of the delays was below what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// Frames measured.
    pub frames: u64,
    /// What they took in the mean, ms.
    pub mean_ms: u32,
    /// Half of them took at most so long, ms.
    pub p50_ms: u32,
    /// All but one in twenty.
    pub p95_ms: u32,
    /// The longest, at most 2,000.
    pub max_ms: u32,
}

#[derive(Debug)]
struct Histogram(Box<[u32]>);

impl Histogram {
    fn new() -> Histogram {
        Histogram(vec![0; LONGEST_MS + 1].into())
    }

    fn add(&mut self, ms: u32) {
        if let Some(count) = self.0.get_mut((ms as usize).min(LONGEST_MS)) {
            *count = count.saturating_add(1);
        }
    }

    fn spread(&self) -> Spread {
        let frames: u64 = self.0.iter().map(|count| u64::from(*count)).sum();
        let below = |share: u64| {
            let mut seen = 0;
            let at = self.0.iter().position(|count| {
                seen += u64::from(*count);
                seen * 100 >= frames * share && seen > 0
            });
            at.unwrap_or_default() as u32
        };
        let all: u64 = (0..).zip(&self.0).map(|(ms, count)| ms * u64::from(*count)).sum();
        Spread {
            frames,
            mean_ms: (all + frames / 2).checked_div(frames).unwrap_or_default() as u32,
            p50_ms: below(50),
            p95_ms: below(95),
            max_ms: below(100),
        }
    }
}

/// The delays of one heard call.
#[derive(Debug)]
pub struct Delays {
    all: Histogram,
    settled: Histogram,
    recent: Vec<u32>,
    at: usize,
}

impl Default for Delays {
    fn default() -> Self {
        Delays::new()
    }
}

impl Delays {
    /// Nothing was measured yet.
    pub fn new() -> Delays {
        Delays {
            all: Histogram::new(),
            settled: Histogram::new(),
            recent: Vec::with_capacity(RECENT),
            at: 0,
        }
    }

    /// A frame took so long; `settled` when what is learnt in the first seconds was learnt.
    pub fn add(&mut self, us: u64, settled: bool) {
        let ms = u32::try_from(us.div_ceil(1000)).unwrap_or(u32::MAX);
        self.all.add(ms);
        if settled {
            self.settled.add(ms);
        }
        match self.recent.get_mut(self.at) {
            Some(old) => *old = ms,
            None => self.recent.push(ms),
        }
        self.at = (self.at + 1) % RECENT;
    }

    /// The middle of the last second's.
    pub fn now_ms(&self) -> Option<u32> {
        let mut recent = self.recent.clone();
        recent.sort_unstable();
        recent.get(recent.len() / 2).copied()
    }

    /// All, and those since it has settled.
    pub fn spreads(&self) -> (Spread, Spread) {
        (self.all.spread(), self.settled.spread())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_what_was_measured() {
        let mut delays = Delays::new();
        assert_eq!((delays.now_ms(), delays.spreads().0), (None, Spread::default()));
        for ms in 1..=100u64 {
            delays.add(ms * 1000, ms > 50);
        }
        let (all, settled) = delays.spreads();
        assert_eq!(
            (all.frames, all.mean_ms, all.p50_ms, all.p95_ms, all.max_ms),
            (100, 51, 50, 95, 100)
        );
        assert_eq!((settled.frames, settled.p50_ms, settled.max_ms), (50, 75, 100));
        for _ in 0..80 {
            delays.add(7_900, true);
        }
        assert_eq!(delays.now_ms(), Some(8), "what was is forgotten");
        delays.add(9_000_000, true);
        assert_eq!(delays.spreads().1.max_ms, 2_000);
    }
}
