//! Rounds: every load on everyone who can carry it, one after the other and each in a new process, again and again,
//! so that a machine that changes its mind does it to all. What comes out is a table of goals, one of figures, and a plot.

mod case;
mod figures;
mod goals;
mod machine;
mod options;
mod plot;
mod report;
mod sample;
mod stage;
mod stats;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use harness::binaries;

use case::{Case, Scene, Who, of_a_round};
use goals::{DELAY, Round};
use machine::Machine;
pub(crate) use options::Args;
use report::Report;
use sample::Sample;
use stage::Stage;

/// Rounds that are run for more pairs of delays at most, for each pair that is wanted: a machine on which every
/// second pair is discarded is still one to measure on.
const EXTRA: usize = 2;

/// Runs them all. Goals that are missed are told and no failure; frames that came wrong are.
pub(crate) fn run(args: &Args) -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    match runtime.block_on(measure(args)) {
        Ok(code) => code,
        Err(why) => {
            eprintln!("bench rounds: {why}");
            ExitCode::from(2)
        }
    }
}

async fn measure(args: &Args) -> Result<ExitCode, String> {
    let mut cases = of_a_round(&args.scenes(), !args.no_node, args.yardstick().is_some());
    let stage = Arc::new(Stage::new(args.seconds(), args.yardstick()));
    if let Some(why) = stage.lacks(&cases) {
        return Err(why);
    }
    let mut failed = Vec::new();
    if !Stage::has_redis() && cases.iter().any(|case| case.who == Who::Two) {
        cases.retain(|case| case.who != Who::Two);
        let why = "what crosses Redis was not measured: redis-server is not installed";
        eprintln!("bench rounds: {why}");
        failed.push(why.to_owned());
    }
    let node = (!args.no_node).then(|| stage.node());
    let redis = (cases.iter().any(|case| case.who == Who::Two)).then_some(stage::REDIS);
    let machine = Machine::look(&binaries::path(binaries::RELAY), node, redis);
    let mut series = Series {
        stage,
        rounds: Vec::new(),
        failed,
        wrong: 0,
    };
    for _ in 0..args.rounds() {
        series.round(&cases).await;
    }
    let pair = [Who::Relay, Who::Floor].map(|who| Case::ours(Scene::TwoHundred, who));
    let mut extra = 0;
    let wants_pairs = pair.iter().all(|case| cases.contains(case));
    while wants_pairs && DELAY.counted(&series.rounds) < args.pairs() && extra < EXTRA * args.pairs() {
        extra += 1;
        series.round(&pair).await;
    }
    let report = Report {
        machine: &machine,
        rounds: &series.rounds,
        extra,
        seconds: args.seconds(),
        is_quick: args.quick,
        failed: &series.failed,
    };
    let mut out = std::io::stdout();
    let _ = out
        .write_all(report.goals().as_bytes())
        .and_then(|()| out.flush());
    if let Some(folder) = &args.out {
        write(folder, "bench.md", &report.page())?;
        write(folder, "bench.svg", &figures::plot(&report).svg())?;
    }
    if series.wrong > 0 {
        eprintln!(
            "bench rounds: {} frames came corrupt, misrouted, twice or out of order",
            series.wrong
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Rounds so far.
struct Series {
    stage: Arc<Stage>,
    rounds: Vec<Round>,
    /// Runs that gave nothing, and why.
    failed: Vec<String>,
    /// Frames that came, but not as they were sent.
    wrong: u64,
}

impl Series {
    /// Runs each case once. Who begins changes from round to round, so that nobody always runs after the same one.
    async fn round(&mut self, cases: &[Case]) {
        let number = self.rounds.len() + 1;
        let mut order = cases.to_vec();
        order.rotate_left((number - 1) % cases.len().max(1));
        let mut round = Round::new();
        for case in order {
            let name = format!("{} {} {}", case.scene.name(), case.judge.name(), case.who.name());
            let stage = self.stage.clone();
            // A task of its own: what fails in it fails alone.
            let ran = tokio::spawn(async move { stage.run(case).await }).await;
            match ran.unwrap_or_else(|e| Err(e.to_string())) {
                Ok(sample) => {
                    eprintln!("round {number}, {name}: {}", words(&sample));
                    self.wrong += sample.wrong();
                    round.insert(case, sample);
                }
                Err(why) => {
                    eprintln!("round {number}, {name}: {why}");
                    self.failed.push(format!("round {number}, {name}: {why}"));
                }
            }
        }
        self.rounds.push(round);
    }
}

/// A run in a line, for whoever watches.
fn words(sample: &Sample) -> String {
    let mut words = Vec::new();
    words.extend(goals::cpu(sample).map(|cpu| format!("{cpu:.1} µs a delivered frame")));
    words.extend(goals::p99(sample).map(|p99| format!("p99 {p99:.2} ms")));
    words.push(format!("{} missing", sample.missing));
    words.extend(
        sample
            .send_lag_ms
            .p99
            .map(|lag| format!("load late by p99 {lag:.2} ms")),
    );
    words.join(", ")
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = folder.join(name);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
    written.map_err(|e| format!("{}: {e}", path.display()))?;
    eprintln!("{}", path.display());
    Ok(())
}
