//! The networks of the table, and what became of a call on each of them.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use partyline::audio::player::Stats;

use super::judge::Original;
use super::network::{Holds, Network};
use super::play::{Moment, Played, two_people};
use super::stoi::Pair;

/// How much later than it was said a window may be heard, s: more than the longest delay that is meant.
const LATER: std::ops::Range<f64> = 0.0..0.5;

/// And where all is held back at times.
const LATER_HELD: std::ops::Range<f64> = 0.0..1.5;

/// So near to its target the delay is at it, ms: what the middle of a second's frames may be off by.
const AT_TARGET_MS: u32 = 20;

/// For so long after a stall it is looked at when the delay is back, µs.
const BACK_US: u64 = 15_000_000;

/// Every network, in the order of the table; a stall is in the middle of so many seconds.
pub(crate) fn networks(seconds: usize) -> [Network; 11] {
    let even = Network::EVEN;
    let stall = Holds::Stall(seconds as u64 * 1_000_000 / 2);
    [
        even,
        Network {
            name: "0 to 30 ms",
            most_us: 30_000,
            ..even
        },
        Network {
            name: "0 to 80 ms",
            most_us: 80_000,
            ..even
        },
        Network {
            name: "bursts of 500 ms",
            holds: Holds::Bursts,
            ..even
        },
        Network {
            name: "a stall of 5 s",
            holds: stall,
            ..even
        },
        Network {
            name: "1 % missing",
            missing: 0.01,
            ..even
        },
        Network {
            name: "1 % missing, 0 to 30 ms",
            missing: 0.01,
            most_us: 30_000,
            ..even
        },
        Network {
            name: "5 % missing",
            missing: 0.05,
            ..even
        },
        Network {
            name: "5 % missing, 0 to 30 ms",
            missing: 0.05,
            most_us: 30_000,
            ..even
        },
        Network {
            name: "card 200 ppm fast, 0 to 30 ms",
            card_ppm: 200.0,
            most_us: 30_000,
            ..even
        },
        Network {
            name: "card 200 ppm slow, 0 to 30 ms",
            card_ppm: -200.0,
            most_us: 30_000,
            ..even
        },
    ]
}

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// How long it was, s.
    pub(crate) seconds: usize,
    /// How it went.
    pub(crate) stats: Stats,
    /// Clicks of both sides.
    pub(crate) clicks: usize,
    /// Segmental signal-to-noise ratio, the mean of both sides, dB.
    pub(crate) snr_db: f64,
    /// How far the delay of the least delayed frames was from its target in the last third of the call, the mean, ms;
    /// not a number where there was no delay.
    pub(crate) off_ms: f64,
    /// When the delay was back at its target, s after a stall.
    pub(crate) back_s: Option<f64>,
    /// Both sides, for whoever compares them by ear's rules.
    pub(crate) pairs: Vec<Pair>,
    /// What that says.
    pub(crate) stoi: Vec<f64>,
}

/// A network, and its calls.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The network.
    pub(crate) network: Network,
    /// A call for each seed.
    pub(crate) runs: Vec<Run>,
}

impl Run {
    /// A call of so many seconds.
    pub(crate) fn of(network: Network, seconds: usize, seed: u64) -> Run {
        let said = two_people(seconds, seed);
        let played = Played::of(&said, network, seed);
        let later = if network.holds == Holds::Never {
            LATER
        } else {
            LATER_HELD
        };
        let (mut clicks, mut snr_db, mut pairs) = (0, 0.0, Vec::new());
        for (said, heard) in [&said.outbound, &said.inbound].into_iter().zip(&played.sides) {
            let original = Original::new(said, played.rate);
            let side = original.judge(heard, later.clone());
            for at in &side.clicks {
                let second = *at as f64 / f64::from(played.rate);
                eprintln!("{}, seed {seed}: a click at {second:.3} s", network.name);
            }
            clicks += side.clicks.len();
            snr_db += side.snr_db() / 2.0;
            pairs.push(Pair::new(&original.whole, &side.aligned, played.rate));
        }
        let off_ms = off_ms(&played.moments, network);
        let stats = played.stats();
        let (all, playback) = (stats.all, stats.playback);
        eprintln!(
            "{}, seed {seed}: p95 {} ms, {} ms concealed, {} ms stretched, {} ms dropped, {:+.0} ms from its target, {snr_db:.1} dB",
            network.name,
            all.p95_ms,
            playback.concealed_ms,
            playback.stretched_ms,
            playback.dropped_ms,
            off_ms,
        );
        Run {
            seconds,
            stats,
            clicks,
            snr_db,
            off_ms,
            back_s: network
                .stall_ends()
                .map(|ends_us| back_s(&played.moments, ends_us)),
            pairs,
            stoi: Vec::new(),
        }
    }
}

/// How far the delay was from its target in the last third of these moments, the mean, ms.
pub(crate) fn off_ms(moments: &[Moment], network: Network) -> f64 {
    let last = moments.get(moments.len() * 2 / 3..).unwrap_or_default();
    let off = last.iter().filter_map(|moment| {
        let playback = &moment.stats.playback;
        Some(f64::from(playback.delay_ms?) - f64::from(playback.target_ms))
    });
    let (sum, count) = off.fold((0.0, 0u32), |(sum, count), off| (sum + off, count + 1));
    sum / f64::from(count) + network.mean_late_ms()
}

/// How long after this moment the delay was away from its target for the last time, s.
pub(crate) fn back_s(moments: &[Moment], from_us: u64) -> f64 {
    let away = moments.iter().rev().find(|moment| {
        let playback = &moment.stats.playback;
        let off = playback
            .delay_ms
            .map_or(u32::MAX, |delay| delay.abs_diff(playback.target_ms));
        (from_us..from_us + BACK_US).contains(&moment.at_us) && off > AT_TARGET_MS
    });
    away.map_or(0.0, |moment| (moment.at_us - from_us) as f64 / 1e6)
}

/// Does all of these, as many at once as the machine has cores; gives what they gave in their order.
pub(crate) fn all<T: Send>(count: usize, run: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(count) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Relaxed);
                    if at >= count {
                        return;
                    }
                    let gave = run(at);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((at, gave));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, gave)| gave).collect()
}
