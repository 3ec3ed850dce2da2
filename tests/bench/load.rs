//! Plays Twilio on one side of a relay and its listeners on the other, over real sockets, and checks every byte,
//! order and time. One thread over epoll: what it costs itself is taken from the relay's machine. Only loopback.

mod books;
mod call;
mod conn;
mod found;
mod hear;
mod kind;
mod ledger;
mod payload;
mod pump;
mod report;
mod schedule;
mod send;
mod times;
mod webhook;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::poll::{MILLI, SECOND, now, raise_descriptors};
use books::{Books, peak_kb, resident_kb, tick_us};
use call::Call;
use conn::Role;
use kind::Kind;
use ledger::Account;
use pump::Pump;
use report::{Late, Report, Rss, Server, Window};
use schedule::PERIOD;

/// How long connections may take to be what they were meant to be.
const SETUP: u64 = 30 * SECOND;
/// After each stage, before memory is looked at: what the relay does after an answer has been done by then.
const CALM: u64 = 200 * MILLI;
/// Once all has come: how long doubles are waited for.
const DOUBLES: u64 = 100 * MILLI;
/// The part of the run in which late listeners come.
const LATE: std::ops::Range<f64> = 0.1..0.8;

/// What to load a relay with.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct Args {
    /// Where the relay listens, on this machine
    #[arg(long, value_name = "ADDR")]
    pub(crate) relay: SocketAddr,
    /// Where listeners connect, where that is another relay, which shares calls with the first
    #[arg(long, value_name = "ADDR")]
    #[serde(default)]
    pub(crate) listen_relay: Option<SocketAddr>,
    /// Where Twilio's streams go
    #[arg(long, default_value = "/cable")]
    pub(crate) ingest_path: String,
    /// Where listeners go
    #[arg(long, default_value = "/listen")]
    pub(crate) listen_path: String,
    /// Where those go that speak Action Cable
    #[arg(long, default_value = "/cable")]
    #[serde(default)]
    pub(crate) cable_path: String,
    /// Asks this voice webhook about every call first
    #[arg(long, value_name = "PATH")]
    pub(crate) voice_path: Option<String>,
    #[arg(long, default_value_t = 1)]
    pub(crate) calls: usize,
    #[arg(long, default_value_t = 2, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=2))]
    pub(crate) tracks: usize,
    /// Native listeners of each call
    #[arg(long, default_value_t = 1)]
    pub(crate) listeners: usize,
    /// Listeners of each call that speak Action Cable, beside those
    #[arg(long, default_value_t = 0)]
    #[serde(default)]
    pub(crate) cable_listeners: usize,
    /// Connections that listen to nothing
    #[arg(long, default_value_t = 0)]
    pub(crate) idle: usize,
    /// Listeners that never read; in turn of every call, as the late ones
    #[arg(long, default_value_t = 0)]
    pub(crate) slow: usize,
    /// Listeners that come at some time in the run
    #[arg(long, default_value_t = 0)]
    pub(crate) late: usize,
    /// A call's tracks follow each other at once; else they are 10 ms apart
    #[arg(long)]
    pub(crate) together: bool,
    /// How long there is audio
    #[arg(long, default_value_t = 10.0)]
    pub(crate) seconds: f64,
    /// How much of that is not measured
    #[arg(long, default_value_t = 2.0)]
    pub(crate) warmup: f64,
    /// The relay's process: its time and memory are reported
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// Other processes that the audio goes through: their time is reported with the relay's
    #[arg(long, value_name = "PID")]
    #[serde(default)]
    pub(crate) also_pid: Vec<u32>,
    /// The listeners' bearer token
    #[arg(long)]
    #[serde(skip)]
    pub(crate) token: Option<String>,
    /// Frames that may be missing
    #[arg(long, default_value_t = 0)]
    pub(crate) max_missing: u64,
    /// When late listeners come
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Quiet before the audio
    #[arg(long, default_value_t = 500)]
    pub(crate) settle_ms: u64,
    /// How long the last frames are waited for
    #[arg(long, default_value_t = 2000)]
    pub(crate) drain_ms: u64,
}

/// Runs, reports, and says by its exit code how it was: 1 for audio that is not right, 2 for what cannot be
/// measured.
pub(crate) fn run(args: Args) -> ExitCode {
    raise_descriptors();
    if let Err(why) = args.check() {
        eprintln!("load: {why}");
        return ExitCode::from(2);
    }
    match measure(args) {
        Ok((report, whole)) => {
            let json = serde_json::to_string_pretty(&report).expect("a report has no keys but names");
            let _ = writeln!(io::stdout(), "{json}");
            eprintln!("load: {}", report.line());
            for error in &report.errors {
                eprintln!("load: {error}");
            }
            match (whole, report.is_right(report.config.max_missing)) {
                (true, true) => ExitCode::SUCCESS,
                (true, false) => ExitCode::from(1),
                (false, _) => ExitCode::from(2),
            }
        }
        Err(e) => {
            eprintln!("load: {e}");
            ExitCode::from(2)
        }
    }
}

impl Args {
    fn check(&self) -> Result<(), &'static str> {
        let relays = [Some(self.relay), self.listen_relay];
        if relays.iter().flatten().any(|relay| !relay.ip().is_loopback()) {
            return Err("--relay: only a relay on this machine may be loaded");
        }
        if self.calls == 0 || !(0.1..=3600.0).contains(&self.seconds) {
            return Err("--calls or --seconds: nothing, or more than an hour, is no run");
        }
        if !(0.0..self.seconds).contains(&self.warmup) {
            return Err("--warmup: it has to be less than --seconds");
        }
        Ok(())
    }

    /// Frames of one track.
    fn frames(&self) -> u32 {
        (self.seconds * SECOND as f64 / PERIOD as f64).round() as u32
    }

    fn pid(&self) -> Option<String> {
        self.pid.map(|pid| pid.to_string())
    }

    /// The books of all processes together.
    fn books(&self) -> Option<Books> {
        let pids = self.pid.iter().chain(&self.also_pid);
        let books = pids.map(|pid| Books::open(&pid.to_string()));
        books.reduce(|all, more| all.with(&more))
    }
}

/// A bracket of the steady part.
struct Bracket {
    at: u64,
    server: Option<Books>,
    own: Books,
}

impl Bracket {
    fn now(args: &Args) -> Bracket {
        Bracket {
            at: now(),
            server: args.books(),
            own: Books::open("self"),
        }
    }
}

/// The stages of a run. Gives the report, and whether all connections were what they were meant to be.
fn measure(args: Args) -> io::Result<(Report, bool)> {
    let run = payload::mixed(now() ^ u64::from(std::process::id()) << 40);
    let resident = || args.pid().map_or(0, |pid| resident_kb(&pid));
    let mut rss = Rss {
        start: resident(),
        ..Rss::default()
    };
    if args.pid.is_some() && rss.start == 0 {
        return Err(io::Error::other("--pid: no such process"));
    }
    let mut calls: Vec<Call> = (0..args.calls).map(|number| Call::new(run, number)).collect();
    if let Some(path) = &args.voice_path {
        for (number, call) in calls.iter_mut().enumerate() {
            webhook::ask(args.relay, path, number, call).map_err(io::Error::other)?;
        }
    }
    let mut pump = Pump::new(&args, run, calls)?;
    for call in 0..args.calls {
        pump.connect(Role::Ingest(call));
    }
    pump.set_up(SETUP)?;
    pump.turn_for(CALM)?;
    rss.after_calls = resident();
    for at in 0..args.calls * args.listeners {
        pump.connect_listener(at % args.calls, Kind::Native);
    }
    for at in 0..args.calls * args.cable_listeners {
        pump.connect_listener(at % args.calls, Kind::Cable);
    }
    pump.set_up(SETUP)?;
    pump.turn_for(CALM)?;
    rss.after_listeners = resident();
    for _ in 0..args.idle {
        pump.connect(Role::Idle);
    }
    pump.set_up(SETUP)?;
    pump.turn_for(CALM)?;
    rss.after_idle = resident();
    for at in 0..args.slow {
        pump.connect(Role::Slow(at % args.calls));
    }
    pump.set_up(SETUP)?;
    pump.turn_for(args.settle_ms * MILLI)?;

    let begin = now() + PERIOD;
    let at = |seconds: f64| begin + (seconds * SECOND as f64) as u64;
    let late = (0..args.late).map(|number| {
        let chance = payload::mixed(payload::mixed(args.seed) ^ number as u64) as f64 / u64::MAX as f64;
        let part = LATE.start + chance * (LATE.end - LATE.start);
        (at(args.seconds * part), number % args.calls)
    });
    pump.begin(begin, at(args.warmup)..at(args.seconds), late.collect());
    pump.turn_until(at(args.warmup))?;
    let before = Bracket::now(&args);
    pump.turn_until(at(args.seconds))?;
    let after = Bracket::now(&args);
    // The stops go out in the period after the last frames.
    pump.turn_for(2 * PERIOD)?;
    if pump.drain(now() + args.drain_ms * MILLI)? {
        pump.turn_for(DOUBLES)?;
    }
    rss.end = resident();
    rss.peak = args.pid().map_or(0, |pid| peak_kb(&pid));

    let Account { expected, delivered } = pump.account();
    let found = pump.close();
    let seconds = (after.at - before.at) as f64 / SECOND as f64;
    let server = before.server.zip(after.server).map(|(before, after)| {
        let spent = after.since(&before);
        server(
            &args,
            &spent,
            rss,
            found.window_sent,
            found.window_delivered,
            seconds,
        )
    });
    let own = after.own.since(&before.own).cpu as f64 / SECOND as f64;
    let report = Report {
        frames_planned: u64::from(args.frames()) * (args.calls * args.tracks) as u64,
        frames_sent: found.sent,
        expected,
        delivered,
        missing: expected - delivered,
        duplicated: found.duplicated,
        corrupt: found.corrupt,
        out_of_order: found.out_of_order,
        misrouted: found.misrouted,
        gaps_told: found.gaps_told,
        latency_ms: found.latency.quantiles(),
        send_lag_ms: found.lag.quantiles(),
        late: Late {
            first_frame_ms: found.first_frame.quantiles(),
        },
        window: Window {
            seconds,
            frames_sent: found.window_sent,
            delivered: found.window_delivered,
        },
        server,
        own_cpu_percent: 100.0 * own / seconds,
        errors: found.errors,
        config: args,
    };
    Ok((report, found.failed == 0))
}

fn server(args: &Args, spent: &Books, rss: Rss, sent: u64, delivered: u64, seconds: f64) -> Server {
    let per = |all: f64, count: u64| if count == 0 { 0.0 } else { all / count as f64 };
    let grown = |after: u64, before: u64, count: usize| per(after as f64 - before as f64, count as u64);
    let exact = spent.cpu as f64 / 1e3;
    let ticks = spent.ticks as f64 * tick_us();
    Server {
        cpu_us_per_frame_in: per(exact, sent),
        cpu_us_per_delivered: per(exact, delivered),
        cpu_us_per_frame_in_ticks: per(ticks, sent),
        cpu_us_per_delivered_ticks: per(ticks, delivered),
        cpu_percent: exact / seconds / 1e4,
        ctx_voluntary: spent.voluntary,
        ctx_involuntary: spent.involuntary,
        threads: spent.threads,
        rss_kb: rss,
        rss_kb_per_call: grown(rss.after_calls, rss.start, args.calls),
        rss_kb_per_listener: grown(
            rss.after_listeners,
            rss.after_calls,
            args.calls * (args.listeners + args.cable_listeners),
        ),
        rss_kb_per_idle_listener: grown(rss.after_idle, rss.after_listeners, args.idle),
    }
}
