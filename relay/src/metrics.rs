//! Every counter, with its unit; those that come in pairs say so. A leaf: it counts what it is told.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One counter; only ever grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add_one(&self) {
        self.add(1);
    }

    /// `n` more.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// How many there are now; falls by itself when the [`Held`] is dropped.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// How many there are.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// One more, unless there are `limit` already.
    pub fn try_hold(self: &std::sync::Arc<Self>, limit: u64) -> Option<Held> {
        let more = |n: u64| (n < limit).then_some(n + 1);
        self.0.fetch_update(Relaxed, Relaxed, more).ok()?;
        Some(Held(self.clone()))
    }
}

/// One of those that a [`Gauge`] counts.
#[derive(Debug)]
#[must_use = "it is counted only while this is held"]
pub struct Held(std::sync::Arc<Gauge>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Relaxed);
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// All counters of one relay.
        #[derive(Debug, Default)]
        pub struct Metrics {
            $($(#[$doc])* pub $name: Counter,)*
            /// Connections of every kind that are open.
            pub connections: std::sync::Arc<Gauge>,
            /// Listener sockets that are open.
            pub listeners: std::sync::Arc<Gauge>,
        }

        impl Metrics {
            /// Name and value of each counter, as they stand.
            pub fn totals(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.get()),)*]
            }
        }
    };
}

counters! {
    /// TCP connections accepted.
    connections_accepted,
    /// TCP connections refused because there were too many.
    connections_refused,
    /// HTTP requests answered, of every kind.
    requests,
    /// Requests refused for who asked or from where (401, 403).
    requests_refused,
    /// Streams accepted; partner of `streams_ended`.
    streams_started,
    /// Streams over, by `stop` or lost; partner of `streams_started`.
    streams_ended,
    /// Streams refused after their upgrade.
    streams_refused,
    /// Media frames of at most 20 ms taken from streams; partner of `frames_late`.
    frames_in,
    /// Frames that came for an ended call or a replaced stream, dropped.
    frames_late,
    /// Frames of 20 ms that never reached the relay.
    frames_missing,
    /// Frames sent to listeners; partner of `frames_lost`.
    frames_out,
    /// Frames that a slow listener lost.
    frames_lost,
    /// Messages of streams that were none.
    messages_bad,
    /// Listener sockets opened; partner of `listeners_closed`.
    listeners_opened,
    /// Listener sockets closed, for whatever reason.
    listeners_closed,
    /// Listeners closed because they could not take their lines or wrote nothing for too long.
    listeners_too_slow,
    /// Listeners refused because there were too many.
    listeners_refused,
    /// Callbacks taken from Twilio.
    callbacks,
    /// Callbacks without a call, or of a kind not known.
    callbacks_ignored,
    /// Calls begun; partner of `calls_ended`.
    calls_started,
    /// Calls over; as many as were started or revived, in the end.
    calls_ended,
    /// Calls that were over and that a new stream brought back.
    calls_revived,
    /// Calls that could not be followed because there were too many.
    calls_refused,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_has_a_limit_and_falls_by_itself() {
        let gauge = std::sync::Arc::new(Gauge::default());
        let one = gauge.try_hold(1);
        assert!(one.is_some() && gauge.try_hold(1).is_none());
        drop(one);
        assert_eq!(gauge.get(), 0);
    }
}
