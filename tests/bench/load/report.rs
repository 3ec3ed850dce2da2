//! What a run found, as one JSON object: the load program writes it, whoever compares runs reads it.

use serde::{Deserialize, Serialize};

use super::Args;
use super::times::Quantiles;

/// A run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    /// What was asked for.
    pub(crate) config: Args,
    /// Frames of all calls and tracks.
    pub(crate) frames_planned: u64,
    /// Those that were sent.
    pub(crate) frames_sent: u64,
    /// Frames sent that a listener should have had, over all listeners that read.
    pub(crate) expected: u64,
    /// Those that came whole, each once.
    pub(crate) delivered: u64,
    /// Those that did not. One that came corrupt is missing too.
    pub(crate) missing: u64,
    /// Those that came again.
    pub(crate) duplicated: u64,
    /// Messages with a wrong byte in them.
    pub(crate) corrupt: u64,
    /// Those that came after one that was sent later.
    pub(crate) out_of_order: u64,
    /// Those of a call that was not asked for.
    pub(crate) misrouted: u64,
    /// Times that the relay told a listener of audio that it lost.
    pub(crate) gaps_told: u64,
    /// From just before a frame's write to just after the listener's read; frames sent in the window.
    pub(crate) latency_ms: Quantiles,
    /// How late the frames themselves were sent; where that is much, the rest is not to be trusted.
    pub(crate) send_lag_ms: Quantiles,
    /// Listeners that came in the middle.
    pub(crate) late: Late,
    /// The steady part of the run.
    pub(crate) window: Window,
    /// What the relay cost; `None` without its process number.
    pub(crate) server: Option<Server>,
    /// What this program cost in the window, percent of a core.
    pub(crate) own_cpu_percent: f64,
    /// The first things that went wrong, in words.
    pub(crate) errors: Vec<String>,
}

/// Late listeners.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Late {
    /// From the beginning of the connection to the first frame, once for each that had one.
    pub(crate) first_frame_ms: Quantiles,
}

/// After the warm-up, before the end.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Window {
    /// How long it was.
    pub(crate) seconds: f64,
    /// Frames sent in it.
    pub(crate) frames_sent: u64,
    /// Frames that came in it.
    pub(crate) delivered: u64,
}

/// What the relay's process cost in the window, by the kernel's books.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Server {
    /// CPU for each frame that came in, µs, by the scheduler's nanoseconds (threads that ended are left out).
    pub(crate) cpu_us_per_frame_in: f64,
    /// The same for each frame delivered.
    pub(crate) cpu_us_per_delivered: f64,
    /// CPU for each frame that came in, µs, by user and system time in ticks.
    pub(crate) cpu_us_per_frame_in_ticks: f64,
    /// The same for each frame delivered.
    pub(crate) cpu_us_per_delivered_ticks: f64,
    /// Percent of a core.
    pub(crate) cpu_percent: f64,
    /// Times that a thread waited for something.
    pub(crate) ctx_voluntary: u64,
    /// Times that a thread's core was given to another.
    pub(crate) ctx_involuntary: u64,
    /// Threads at the end.
    pub(crate) threads: u64,
    /// Memory by stages.
    pub(crate) rss_kb: Rss,
    /// Memory for each call without listeners, kB.
    pub(crate) rss_kb_per_call: f64,
    /// Memory for each listener before there is audio, kB.
    pub(crate) rss_kb_per_listener: f64,
    /// Memory for each connection that listens to nothing, kB.
    pub(crate) rss_kb_per_idle_listener: f64,
}

/// Resident memory, kB; the kernel's own buffers are not in it.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Rss {
    /// Before anything.
    pub(crate) start: u64,
    /// With all calls' streams open.
    pub(crate) after_calls: u64,
    /// With their listeners.
    pub(crate) after_listeners: u64,
    /// With the idle ones.
    pub(crate) after_idle: u64,
    /// After the last frame.
    pub(crate) end: u64,
    /// The most ever, since the process began.
    pub(crate) peak: u64,
}

impl Report {
    /// The run in a line, for people.
    pub(crate) fn line(&self) -> String {
        let Report {
            frames_sent,
            expected,
            delivered,
            missing,
            duplicated,
            corrupt,
            out_of_order,
            misrouted,
            latency_ms,
            send_lag_ms,
            own_cpu_percent,
            ..
        } = self;
        let server = self.server.as_ref().map_or(String::new(), |server| {
            let Server {
                cpu_percent,
                cpu_us_per_delivered,
                rss_kb,
                ..
            } = server;
            format!(
                "; server {cpu_percent:.1} % = {cpu_us_per_delivered:.2} µs/delivered, {} to {} kB",
                rss_kb.start, rss_kb.end
            )
        });
        format!(
            "{frames_sent} sent, {delivered} of {expected} delivered, {missing} missing, {duplicated} double, \
             {corrupt} corrupt, {out_of_order} out of order, {misrouted} misrouted; \
             latency {:.3} ms, p99 {:.3}, max {:.3}; lag p99 {:.3}{server}; own {own_cpu_percent:.1} %",
            latency_ms.p50, latency_ms.p99, latency_ms.max, send_lag_ms.p99
        )
    }

    /// Whether every frame came, whole, once, in order and to the right listener, but for so many missing.
    pub(crate) fn is_right(&self, may_miss: u64) -> bool {
        let wrong = self.duplicated + self.corrupt + self.out_of_order + self.misrouted;
        wrong == 0 && self.missing <= may_miss && self.frames_sent == self.frames_planned
    }
}
