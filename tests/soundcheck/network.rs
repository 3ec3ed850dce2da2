//! Networks between the relay and the ear, drawn from a seed: what is sent every 20 ms, and when it comes. All goes
//! through one TCP connection, so nothing ever comes before what was sent earlier. No clock: times are µs since the
//! call began.

use std::collections::VecDeque;

use partyline_shared::track::{PerTrack, Track};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

/// Between two frames of a track, µs.
pub(crate) const FRAME_US: u64 = 20_000;

/// How long the fastest message takes, µs.
const WAY_US: u64 = 20_000;

/// Frames that are missing in a row: how many of twenty such gaps are one, two and three long.
const RUNS: [(u32, u32); 3] = [(1, 12), (2, 5), (3, 3)];

/// So many frames of a track say what a network is like.
const MANY: u32 = 20_000;

/// A network holds everything back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Never.
    Never,
    /// For 500 ms, at some moment of every ten seconds.
    Bursts,
    /// For 5 s, once, from this moment on, µs.
    Stall(u64),
}

/// How long a burst is held, µs.
const BURST_US: u64 = 500_000;
/// There is one in each of these, µs.
const BURST_EVERY_US: u64 = 10_000_000;
/// How long a stall lasts, µs.
const STALL_US: u64 = 5_000_000;

/// A network, and the card at its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Network {
    /// For people.
    pub(crate) name: &'static str,
    /// Each message is late by 0 to so many µs.
    pub(crate) most_us: u64,
    /// When all is held back.
    pub(crate) holds: Holds,
    /// The share of frames that never reached the relay.
    pub(crate) missing: f64,
    /// By how much the card's clock is fast, ppm.
    pub(crate) card_ppm: f64,
}

impl Network {
    /// One that does nothing to what it carries.
    pub(crate) const EVEN: Network = Network {
        name: "even",
        most_us: 0,
        holds: Holds::Never,
        missing: 0.0,
        card_ppm: 0.0,
    };

    /// Until when, µs, it holds back what is sent at this moment.
    fn held_until(&self, sent_us: u64, seed: u64) -> Option<u64> {
        let (from, long) = match self.holds {
            Holds::Never => return None,
            Holds::Stall(from) => (from, STALL_US),
            Holds::Bursts => {
                let period = sent_us / BURST_EVERY_US;
                let mut rng = SmallRng::seed_from_u64(seed ^ (period << 32));
                let from = rng.random_range(0..BURST_EVERY_US - BURST_US);
                (period * BURST_EVERY_US + from, BURST_US)
            }
        };
        (from..from + long).contains(&sent_us).then_some(from + long)
    }

    /// By how much a frame is later than the least delayed one, in the mean, ms.
    pub(crate) fn mean_late_ms(&self) -> f64 {
        let late = Wire::new(*self, MANY, 0).filter_map(|event| match event.what {
            What::Frame(_, n) => Some((event.at_us - WAY_US - u64::from(n + 1) * FRAME_US) as f64),
            What::Missed(..) => None,
        });
        late.sum::<f64>() / f64::from(2 * MANY) / 1000.0
    }

    /// When a stall ends, µs.
    pub(crate) fn stall_ends(&self) -> Option<u64> {
        match self.holds {
            Holds::Stall(from) => Some(from + STALL_US + WAY_US),
            _ => None,
        }
    }
}

/// What comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// This frame of the track, from 0.
    Frame(Track, u32),
    /// These will not come: the first, and the last.
    Missed(Track, u32, u32),
}

/// Something comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    /// When, µs.
    pub(crate) at_us: u64,
    /// What.
    pub(crate) what: What,
}

/// So many frames of two tracks on their way through a network, in the order in which they come.
pub(crate) struct Wire {
    network: Network,
    seed: u64,
    rng: SmallRng,
    frames: u32,
    next: u32,
    /// When the last message came.
    last_us: u64,
    /// Frames of each track that go on missing, and the first of them.
    gaps: PerTrack<(u32, Option<u32>)>,
    ready: VecDeque<Event>,
}

impl Wire {
    pub(crate) fn new(network: Network, frames: u32, seed: u64) -> Wire {
        Wire {
            network,
            seed,
            rng: SmallRng::seed_from_u64(seed),
            frames,
            next: 0,
            last_us: 0,
            gaps: PerTrack::default(),
            ready: VecDeque::new(),
        }
    }

    /// When the last of them was sent, µs.
    pub(crate) fn ends_us(&self) -> u64 {
        u64::from(self.frames) * FRAME_US
    }

    fn send(&mut self, track: Track, n: u32) {
        if self.is_missing(track, n) {
            return;
        }
        // What is 20 ms long is sent at its end.
        let sent_us = u64::from(n + 1) * FRAME_US;
        let late_us = self.rng.random_range(0..=self.network.most_us);
        let held_us = self.network.held_until(sent_us, self.seed).unwrap_or(sent_us);
        let at_us = self.last_us.max(held_us + WAY_US + late_us);
        self.last_us = at_us;
        // As the relay says it: when the next one comes.
        if let Some(from) = self.gaps.get_mut(track).1.take() {
            let what = What::Missed(track, from, n - 1);
            self.ready.push_back(Event { at_us, what });
        }
        let what = What::Frame(track, n);
        self.ready.push_back(Event { at_us, what });
    }

    fn is_missing(&mut self, track: Track, n: u32) -> bool {
        let share = self.network.missing;
        let all: u32 = RUNS.iter().map(|(_, of)| of).sum();
        let long: u32 = RUNS.iter().map(|(run, of)| run * of).sum();
        let mean = f64::from(long) / f64::from(all);
        let (more, from) = self.gaps.get_mut(track);
        if *more == 0 && from.is_none() {
            if share == 0.0 || !self.rng.random_bool(share / (mean * (1.0 - share))) {
                return false;
            }
            let mut drawn = self.rng.random_range(0..all);
            for (run, of) in RUNS {
                if drawn < of {
                    *more = run;
                    break;
                }
                drawn -= of;
            }
            *from = Some(n);
        }
        let missing = *more > 0;
        *more = more.saturating_sub(1);
        missing
    }
}

impl Iterator for Wire {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        while self.ready.is_empty() && self.next < self.frames {
            let n = self.next;
            self.next += 1;
            for track in Track::BOTH {
                self.send(track, n);
            }
        }
        self.ready.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(network: Network) -> Vec<Event> {
        let events: Vec<Event> = Wire::new(network, 50_000, 7).collect();
        assert!(
            events.is_sorted_by_key(|event| event.at_us),
            "one overtook another"
        );
        events
    }

    #[test]
    fn what_is_missing_is_as_much_as_it_should_be_and_is_told_with_the_next() {
        let missing = Network {
            missing: 0.05,
            ..Network::EVEN
        };
        let (mut frames, mut missed, mut longest) = (0, 0, 0);
        let events = all(missing);
        for pair in events.windows(2) {
            match pair[0].what {
                What::Frame(..) => frames += 1,
                What::Missed(track, from, to) => {
                    missed += to - from + 1;
                    longest = longest.max(to - from + 1);
                    assert_eq!(pair[1].what, What::Frame(track, to + 1));
                }
            }
        }
        let share = f64::from(missed) / f64::from(missed + frames);
        assert!((share - 0.05).abs() < 0.005, "{share}");
        assert_eq!(longest, 3);
    }

    #[test]
    fn what_is_held_comes_at_once() {
        let at = |n: u32, events: &[Event]| {
            let of = events
                .iter()
                .find(|event| event.what == What::Frame(Track::Outbound, n));
            of.map(|event| event.at_us / 1000)
        };
        let stall = all(Network {
            holds: Holds::Stall(1_000_000),
            ..Network::EVEN
        });
        assert_eq!(
            [at(48, &stall), at(49, &stall), at(298, &stall)],
            [Some(1000), Some(6020), Some(6020)]
        );
        assert_eq!(at(299, &stall), Some(6020));
        let bursts = all(Network {
            holds: Holds::Bursts,
            ..Network::EVEN
        });
        let held = bursts
            .windows(2)
            .filter(|pair| pair[1].at_us > pair[0].at_us + 400_000)
            .count();
        assert_eq!(held, 100, "one in ten seconds");
        let uneven = all(Network {
            most_us: 80_000,
            ..Network::EVEN
        });
        let late = uneven.iter().map(|event| match event.what {
            What::Frame(_, n) => event.at_us - u64::from(n + 1) * FRAME_US - WAY_US,
            What::Missed(..) => 0,
        });
        let late: Vec<u64> = late.collect();
        assert!(late.iter().all(|late| *late <= 80_000));
        assert!(late.iter().any(|late| *late > 75_000));
    }
}
