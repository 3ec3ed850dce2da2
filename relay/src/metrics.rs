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
            /// Signed sockets of streams that have not said `start`.
            pub streams_waiting: std::sync::Arc<Gauge>,
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
    /// TCP connections closed because they came past the proxy, where only it is served.
    connections_unproxied,
    /// HTTP requests answered, of every kind.
    requests,
    /// Requests refused for who asked or from where (401, 403).
    requests_refused,
    /// Requests refused because they were too many (429): tokens that failed, requests of one token.
    requests_throttled,
    /// Sockets that showed neither signature nor token and had to wait for others like them.
    sockets_waited,
    /// Such sockets refused because there were too many.
    sockets_refused,
    /// Tokens and tickets shown that are none.
    tokens_wrong,
    /// Tickets not given, because there are too many.
    tickets_refused,
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
    /// Webhooks and handshakes refused for having no signature.
    signatures_missing,
    /// Webhooks and handshakes refused because their signature does not match.
    signatures_wrong,
    /// Webhooks refused because no token of their account is known.
    signatures_without_token,
    /// Webhooks and streams refused because their call or handshake is another account's.
    accounts_mixed,
    /// Webhooks that had been seen before and got the same answer again.
    webhooks_replayed,
    /// Webhooks forgotten before their 24 hours were over, for lack of room.
    webhooks_forgotten,
    /// Streams refused for showing no pass.
    passes_missing,
    /// Streams refused for a pass that is none, or another call's.
    passes_forged,
    /// Streams refused for a pass that was over.
    passes_late,
    /// Streams refused for a pass that had been shown before.
    passes_used,
    /// Streams refused because too many passes are to be remembered.
    passes_too_many,
    /// Calls from outside that nobody takes: no dial.
    dials_without_taker,
    /// Dials refused for naming nobody.
    dials_without_to,
    /// Dials refused because what they name cannot be dialled.
    dials_undialable,
    /// Dials refused by dial_allow.
    dials_not_allowed,
    /// Dials refused for want of a number to show.
    dials_without_caller_id,
    /// Dials refused because no rule is for them.
    dials_without_rule,
    /// Dials refused because their account had too many.
    dials_refused_account,
    /// Dials refused because their caller had too many.
    dials_refused_caller,
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
    /// Lines of the audit that are on disk; partner of `audit_lost`.
    audit_written,
    /// Entries that could neither be written nor kept until they can be.
    audit_lost,
    /// Times that the audit's disk did not take what was to be written.
    audit_failures,
    /// Listeners refused because they could not be put on record.
    audit_refused,
    /// Listeners let in without being on record, as --audit-fail open wants it.
    audit_unrecorded,
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
