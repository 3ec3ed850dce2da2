//! How long a media loop takes for its streams: between two reads of one, and from news of frames to their last
//! write. Costs a look at the clock a turn; what is measured is told to the relay's counters a few at a time, since
//! all loops write those.

use std::time::Instant;

use crate::metrics::{Metrics, Tally};

/// Bytes of one stream that make it worth telling: 2 s of two tracks.
const TELL_BYTES: u64 = 64 << 10;

thread_local! {
    /// Of all streams of this loop: what was used a moment ago lies near.
    static READ_GAP: Tally = const { Tally::read_gap() };
    static FAN_OUT: Tally = const { Tally::fan_out() };
}

/// One stream's.
#[derive(Debug, Default)]
pub(super) struct Clock {
    read: Option<Instant>,
}

impl Clock {
    /// What the loop knew of since `woken` has been read and handed on.
    pub(super) fn read(&mut self, woken: Instant, metrics: &Metrics) {
        let now = Instant::now();
        let times = &metrics.times;
        if let Some(before) = self.read.replace(now) {
            READ_GAP.with(|tally| tally.record(now.saturating_duration_since(before), &times.read_gap));
        }
        FAN_OUT.with(|tally| tally.record(now.saturating_duration_since(woken), &times.fan_out));
    }
}

/// A stream of this loop is over: nothing of it is to be missing.
pub(super) fn tell(metrics: &Metrics) {
    READ_GAP.with(|tally| tally.tell(&metrics.times.read_gap));
    FAN_OUT.with(|tally| tally.tell(&metrics.times.fan_out));
}

/// Bytes that were read, told when they are many.
#[derive(Debug, Default)]
pub(super) struct Bytes(u64);

impl Bytes {
    pub(super) fn add(&mut self, bytes: usize, metrics: &Metrics) {
        self.0 += bytes as u64;
        if self.0 >= TELL_BYTES {
            self.tell(metrics);
        }
    }

    pub(super) fn tell(&mut self, metrics: &Metrics) {
        metrics.stream_read_bytes.add(std::mem::take(&mut self.0));
    }
}
