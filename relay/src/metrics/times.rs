//! How long things take: histograms of plain atomics, and a thread's own tally for what happens so often that all
//! cores would write the same line of memory. The clock is not read here: durations are handed in.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::family::{Family, Kind, Sample, Value};

/// Bounds of a histogram; what is longer than the last is counted beyond it.
const BOUNDS: usize = 12;

/// Upper bounds of the buckets, microseconds, ascending.
type Bounds = [u32; BOUNDS];

/// Between two reads of a stream. Twilio sends a frame a track every 20 ms, and 100 ms is what 999 of 1,000 gaps
/// have to stay under.
const READ_GAP: Bounds = [
    5_000, 10_000, 20_000, 25_000, 30_000, 40_000, 60_000, 80_000, 100_000, 200_000, 500_000, 2_000_000,
];
/// From a frame's arrival to the listeners' sockets: tens of microseconds, and never a frame's own 20 ms.
const FAN_OUT: Bounds = [
    20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000,
];
/// A webhook: 200 ms is what is promised, 15 s what Twilio waits.
const WEBHOOK: Bounds = [
    500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 2_000_000, 15_000_000,
];
/// Until a line of the audit is on disk: at 800 ms the disk counts as failing.
const AUDIT: Bounds = [
    200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 800_000,
];
/// There and back to Redis, once a second: within a data centre a millisecond; at 900 ms it counts as gone.
const REDIS: Bounds = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 300_000, 900_000,
];

/// Records of a tally that make it worth telling: two thirds of a second of one stream, much less of many.
const TELL: u32 = 64;

/// How long things took, of one kind.
#[derive(Debug)]
pub struct Histogram {
    bounds: Bounds,
    counts: [AtomicU64; BOUNDS + 1],
    micros: AtomicU64,
}

impl Histogram {
    fn new(bounds: Bounds) -> Histogram {
        Histogram {
            bounds,
            counts: Default::default(),
            micros: AtomicU64::new(0),
        }
    }

    /// One took so long.
    pub fn record(&self, took: Duration) {
        let micros = micros(took);
        if let Some(count) = self.counts.get(bucket(&self.bounds, micros)) {
            count.fetch_add(1, Relaxed);
        }
        self.micros.fetch_add(u64::from(micros), Relaxed);
    }

    /// How many so far.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|count| count.load(Relaxed)).sum()
    }

    pub(super) fn value(&self) -> Value {
        let bounds = self.bounds.iter().map(|bound| f64::from(*bound) / 1e6);
        let counts = self.counts.iter().map(|count| count.load(Relaxed));
        Value::Times {
            sum: self.micros.load(Relaxed) as f64 / 1e6,
            buckets: bounds.chain([f64::INFINITY]).zip(counts).collect(),
        }
    }
}

/// What one thread has recorded for a histogram and not told it.
#[derive(Debug)]
pub struct Tally {
    bounds: &'static Bounds,
    counts: [Cell<u32>; BOUNDS + 1],
    micros: Cell<u64>,
    records: Cell<u32>,
}

impl Tally {
    /// For [`Times::read_gap`].
    pub const fn read_gap() -> Tally {
        Tally::new(&READ_GAP)
    }

    /// For [`Times::fan_out`].
    pub const fn fan_out() -> Tally {
        Tally::new(&FAN_OUT)
    }

    const fn new(bounds: &'static Bounds) -> Tally {
        Tally {
            bounds,
            counts: [const { Cell::new(0) }; BOUNDS + 1],
            micros: Cell::new(0),
            records: Cell::new(0),
        }
    }

    /// One took so long; tells `histogram` now and then.
    pub fn record(&self, took: Duration, histogram: &Histogram) {
        let micros = micros(took);
        if let Some(count) = self.counts.get(bucket(self.bounds, micros)) {
            count.set(count.get() + 1);
        }
        self.micros.set(self.micros.get() + u64::from(micros));
        self.records.set(self.records.get() + 1);
        if self.records.get() >= TELL {
            self.tell(histogram);
        }
    }

    /// Tells what has not been told.
    pub fn tell(&self, histogram: &Histogram) {
        if self.records.take() == 0 {
            return;
        }
        for (mine, all) in self.counts.iter().zip(&histogram.counts) {
            let mine = mine.take();
            if mine > 0 {
                all.fetch_add(u64::from(mine), Relaxed);
            }
        }
        histogram.micros.fetch_add(self.micros.take(), Relaxed);
    }
}

/// An hour and more is as good as for ever.
fn micros(took: Duration) -> u32 {
    u32::try_from(took.as_micros()).unwrap_or(u32::MAX)
}

/// Most are in the first few: looking at one after the other is the fastest.
fn bucket(bounds: &Bounds, micros: u32) -> usize {
    bounds.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS)
}

/// The webhooks that are timed, by their names in paths.
#[derive(Debug)]
pub struct Webhooks([(&'static str, Histogram); 5]);

impl Webhooks {
    /// The one of this name.
    pub fn of(&self, kind: &str) -> Option<&Histogram> {
        let found = self.0.iter().find(|(name, _)| *name == kind);
        found.map(|(_, histogram)| histogram)
    }
}

/// Everything that is timed.
#[derive(Debug)]
pub struct Times {
    /// Between two reads of one live stream.
    pub read_gap: Histogram,
    /// From the moment that a media loop knew of frames to the one when they were in all listeners' sockets or
    /// mailboxes.
    pub fan_out: Histogram,
    /// From an entry of the audit to its line on disk.
    pub audit: Histogram,
    /// Webhooks that Twilio signed, from head to answer.
    pub webhooks: Webhooks,
    /// There and back to Redis.
    pub redis: Histogram,
}

impl Default for Times {
    fn default() -> Times {
        let kinds = ["voice", "notice", "status", "stream", "transcription"];
        Times {
            read_gap: Histogram::new(READ_GAP),
            fan_out: Histogram::new(FAN_OUT),
            audit: Histogram::new(AUDIT),
            webhooks: Webhooks(kinds.map(|kind| (kind, Histogram::new(WEBHOOK)))),
            redis: Histogram::new(REDIS),
        }
    }
}

impl Times {
    pub(super) fn families(&self) -> [Family; 5] {
        let one = |name, help, histogram: &Histogram| Family {
            name,
            help,
            kind: Kind::Histogram,
            samples: vec![Sample::new(Vec::new(), histogram.value())],
        };
        let kinds = self.webhooks.0.iter();
        let webhooks = kinds.map(|(kind, histogram)| Sample::new(vec![("kind", kind)], histogram.value()));
        [
            one(
                "media_read_gap_seconds",
                "Between two reads of one live stream; Twilio throws away what is not read within half a second",
                &self.read_gap,
            ),
            one(
                "fan_out_seconds",
                "From knowing that a stream has frames to having written them to all listeners' sockets, or left them for those that have no room",
                &self.fan_out,
            ),
            one(
                "audit_write_seconds",
                "From an entry of the audit to its line on disk",
                &self.audit,
            ),
            Family {
                name: "webhook_seconds",
                help: "Webhooks that Twilio signed, from head to answer",
                kind: Kind::Histogram,
                samples: webhooks.collect(),
            },
            one(
                "redis_round_trip_seconds",
                "There and back to Redis, asked once a second while the link is up",
                &self.redis,
            ),
        ]
    }
}
