//! What one run gave, as `bench load` says it on stdout, or the yardstick in its own words. Figures that a run does
//! not have (no PID was given, nobody was idle) are absent, never zero.

use serde::Deserialize;
use serde_json::Value;

/// A distribution, ms; absent where nothing came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Spread {
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) p99_9: Option<f64>,
    pub(crate) max: Option<f64>,
}

/// What the kernel's books say of the server, over the steady part of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Books {
    /// CPU, µs.
    pub(crate) cpu_us_per_frame_in: Option<f64>,
    /// CPU, µs.
    pub(crate) cpu_us_per_delivered: Option<f64>,
    /// Times that a thread waited and was woken, over the steady part.
    pub(crate) ctx_voluntary: Option<f64>,
    /// Times that a thread was put off its core, over the steady part.
    pub(crate) ctx_involuntary: Option<f64>,
    /// Resident kB that came with each call.
    pub(crate) rss_kb_per_call: Option<f64>,
    /// Resident kB that came with each idle listener.
    pub(crate) rss_kb_per_idle_listener: Option<f64>,
    /// Resident kB, as stages of the run.
    pub(crate) rss_kb: Stages,
}

/// Resident kB at a few moments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Stages {
    /// Before anything.
    pub(crate) start: Option<f64>,
    /// After the last frame.
    pub(crate) end: Option<f64>,
    /// The most that was seen.
    pub(crate) peak: Option<f64>,
}

/// The steady part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub(crate) struct Window {
    pub(crate) seconds: f64,
}

/// What was asked for, as far as a figure depends on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
pub(crate) struct Config {
    pub(crate) calls: u32,
}

/// One run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Sample {
    pub(crate) config: Config,
    pub(crate) window: Window,
    pub(crate) delivered: u64,
    pub(crate) missing: u64,
    pub(crate) corrupt: u64,
    pub(crate) misrouted: u64,
    pub(crate) out_of_order: u64,
    pub(crate) duplicated: u64,
    /// From just before a frame's write to just after a listener's read.
    pub(crate) latency_ms: Spread,
    /// How late the load itself was; where this is large, nothing else is worth much.
    pub(crate) send_lag_ms: Spread,
    pub(crate) server: Books,
}

impl Sample {
    /// Reads what `bench load` printed, or says what is wrong with it.
    pub(crate) fn ours(printed: &str) -> Result<Sample, String> {
        let sample: Sample =
            serde_json::from_str(printed).map_err(|e| format!("no report of a load: {e}"))?;
        Ok(sample.without_nothing())
    }

    /// Reads what the yardstick's `loadgen` printed, or says what is wrong with it.
    pub(crate) fn yardstick(printed: &str) -> Result<Sample, String> {
        let wrong = |e| format!("no report of the yardstick's: {e}");
        let all: Value = serde_json::from_str(printed).map_err(wrong)?;
        let mut sample: Sample = serde_json::from_value(all.clone()).map_err(wrong)?;
        // Its other figure counts in ticks of 10 ms.
        let server = |name: &str| all["server"][name].as_f64();
        sample.server.cpu_us_per_delivered = server("us_per_delivered_frame_schedstat");
        sample.server.cpu_us_per_frame_in = server("us_per_ingested_frame_schedstat");
        Ok(sample.without_nothing())
    }

    /// Where no frame was delivered none had a cost or a time.
    fn without_nothing(mut self) -> Sample {
        if self.delivered == 0 {
            self.latency_ms = Spread::default();
            self.server.cpu_us_per_delivered = None;
        }
        self
    }

    /// Frames that came but not as they were sent: the one thing that no machine's load excuses.
    pub(crate) fn wrong(&self) -> u64 {
        self.corrupt + self.misrouted + self.out_of_order + self.duplicated
    }

    /// Context switches a second, of all threads.
    pub(crate) fn switches(&self) -> Option<f64> {
        let both = self.server.ctx_voluntary? + self.server.ctx_involuntary?;
        (self.window.seconds > 0.0).then(|| both / self.window.seconds)
    }

    /// Resident kB of a call: with its stream open, or after its last frame, whichever is more.
    pub(crate) fn kb_per_call(&self) -> Option<f64> {
        let Stages { start, end, .. } = self.server.rss_kb;
        let grown = (end? - start?) / f64::from(self.config.calls.max(1));
        Some(grown.max(self.server.rss_kb_per_call?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What both programs print, as far as it is read here; the rest of `server` differs.
    fn printed(server: &str) -> String {
        format!(
            r#"{{"config":{{"calls":10,"kind":"native"}},"window":{{"seconds":4.0,"frames_sent":3}},"expected":40001,
                "delivered":40000,"missing":1,"corrupt":1,"misrouted":1,"out_of_order":1,"duplicated":1,
                "latency_ms":{{"p50":0.1,"p99":0.3,"p99_9":1.8,"max":5.5}},"send_lag_ms":{{"count":0,"p99":null}},
                "server":{{{server},"ctx_voluntary":100,"ctx_involuntary":20,"rss_kb_per_call":12.0,
                           "rss_kb":{{"start":1000,"end":1140,"peak":2000}}}}}}"#
        )
    }

    #[test]
    fn a_load_is_read() {
        let sample = Sample::ours(&printed(
            r#""cpu_us_per_delivered":9.5,"cpu_us_per_frame_in":19.0"#,
        ))
        .unwrap();
        let books = &sample.server;
        assert_eq!(
            (books.cpu_us_per_delivered, books.cpu_us_per_frame_in),
            (Some(9.5), Some(19.0))
        );
        assert_eq!((sample.latency_ms.p99, sample.send_lag_ms.p99), (Some(0.3), None));
        assert_eq!((sample.missing, sample.wrong()), (1, 4));
        assert_eq!(
            (sample.switches(), sample.kb_per_call()),
            (Some(30.0), Some(14.0))
        );
    }

    #[test]
    fn the_yardsticks_words_become_ours() {
        let theirs = r#""us_per_delivered_frame_schedstat":27.9,"us_per_ingested_frame_schedstat":55.8,
                        "us_per_delivered_frame":27.0"#;
        let sample = Sample::yardstick(&printed(theirs)).unwrap();
        let books = &sample.server;
        assert_eq!(
            (books.cpu_us_per_delivered, books.cpu_us_per_frame_in),
            (Some(27.9), Some(55.8))
        );
        assert_eq!(sample.server.rss_kb.peak, Some(2_000.0));
    }

    #[test]
    fn what_is_no_report_is_told() {
        assert!(Sample::ours("").unwrap_err().contains("no report of a load"));
        assert!(
            Sample::ours(r#"{"delivered":1}"#)
                .unwrap_err()
                .contains("missing field")
        );
    }

    #[test]
    fn what_nobody_heard_has_neither_cost_nor_time() {
        let nobody = printed(r#""cpu_us_per_delivered":0,"cpu_us_per_frame_in":19.0"#);
        let sample = Sample::ours(&nobody.replace("40000", "0")).unwrap();
        assert_eq!(
            (sample.server.cpu_us_per_delivered, sample.latency_ms.p50),
            (None, None)
        );
        assert_eq!(sample.server.cpu_us_per_frame_in, Some(19.0));
        assert_eq!(
            (Sample::default().switches(), Sample::default().kb_per_call()),
            (None, None)
        );
    }
}
