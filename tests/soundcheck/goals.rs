//! What is aimed at, of figures that were measured elsewhere; and the same of a few seconds in every `make test`, so that
//! an engine that gets worse is noticed there.

use super::clocks::Day;
use super::rows::{Row, Run};

/// At 0 to 30 ms 95 of 100 frames are heard sooner than that, ms.
const P95_MS: u32 = 100;

/// In the last third of a call the delay is so near to its target, ms, in the mean: in a pause it changes by a frame of
/// 20 ms, between them by what nobody hears.
const NEAR_MS: f64 = 15.0;

/// In a call of so many seconds it has come there: both people of these talk nearly all the time.
const SETTLES_S: usize = 45;

/// How well at least it is understood where one in a hundred is missing.
const STOI: f64 = 0.97;

/// After a stall the delay is at its target in so many s.
const BACK_S: f64 = 2.0;

/// At the end of a day the delay is so near to its target, ms: what the middle of a second's frames may be off by.
const DAY_MS: f64 = 10.0;

/// The card's clock is known to so many ppm.
const LEARNT_PPM: f64 = 20.0;

/// A goal.
#[derive(Debug, Clone)]
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) aim: String,
    pub(crate) found: String,
    pub(crate) is_met: bool,
}

impl Goal {
    fn new(what: impl Into<String>, aim: impl Into<String>, found: impl ToString, is_met: bool) -> Goal {
        Goal {
            what: what.into(),
            aim: aim.into(),
            found: found.to_string(),
            is_met,
        }
    }
}

/// All goals that these say something about.
pub(crate) fn all(rows: &[Row], days: &[Day]) -> Vec<Goal> {
    let mut goals = Vec::new();
    for row in rows {
        goals.extend(of(row));
    }
    for day in days {
        let (off, end) = (day.off_ms(), &day.end.playback);
        let name = format!("card {:+.0} ppm, at the end of the day", day.ppm);
        let aim = format!("delay within {DAY_MS} ms of its target");
        goals.push(Goal::new(
            &name,
            aim,
            format!("{off:+.0} ms"),
            off.abs() <= DAY_MS,
        ));
        let learnt = (day.end.drift_ppm + day.ppm).abs();
        let aim = format!("its clock known to {LEARNT_PPM} ppm");
        goals.push(Goal::new(
            &name,
            aim,
            format!("{learnt:.0} ppm"),
            learnt <= LEARNT_PPM,
        ));
        let (dry, jumped) = (end.underruns, day.jumped_ms());
        let found = format!("{dry}, {jumped} ms, {:.2} of a click", day.step);
        let is_met = dry == 0 && jumped == 0 && day.step < 1.0;
        goals.push(Goal::new(&name, "no underrun, no jump, no click", found, is_met));
    }
    goals
}

fn of(row: &Row) -> Vec<Goal> {
    let (network, runs) = (row.network, &row.runs);
    let clicks: usize = runs.iter().map(|run| run.clicks).sum();
    let underruns: u64 = runs.iter().map(|run| run.stats.playback.underruns).sum();
    let concealed: u64 = runs.iter().map(|run| run.stats.playback.concealed_ms).sum();
    let mut goals = vec![Goal::new(
        network.name,
        "no click, no underrun",
        format!("{clicks}, {underruns}"),
        clicks == 0 && underruns == 0,
    )];
    if network.missing == 0.0 && network.most_us <= 30_000 && network.stall_ends().is_none() {
        let p95 = runs
            .iter()
            .map(|run| run.stats.all.p95_ms)
            .max()
            .unwrap_or_default();
        if network.holds == super::network::Holds::Never {
            goals.push(Goal::new(
                network.name,
                format!("p95 under {P95_MS} ms, nothing concealed"),
                format!("{p95} ms, {concealed} ms"),
                p95 < P95_MS && concealed == 0,
            ));
            if runs.iter().all(|run| run.seconds >= SETTLES_S) {
                let off = runs.iter().map(|run| run.off_ms);
                let worst = off.max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or_default();
                let aim = format!("delay within {NEAR_MS} ms of its target");
                let found = format!("{worst:+.0} ms");
                goals.push(Goal::new(network.name, aim, found, worst.abs() <= NEAR_MS));
            }
        }
    }
    if network.missing == 0.01 {
        let stoi = runs
            .iter()
            .flat_map(|run: &Run| &run.stoi)
            .copied()
            .reduce(f64::min);
        if let Some(least) = stoi {
            let aim = format!("STOI at least {STOI}, of each side of each call");
            goals.push(Goal::new(network.name, aim, format!("{least:.3}"), least >= STOI));
        }
    }
    if let Some(back) = runs.iter().filter_map(|run| run.back_s).reduce(f64::max) {
        let aim = format!("at its target within {BACK_S} s");
        goals.push(Goal::new(
            network.name,
            aim,
            format!("{back:.1} s"),
            back <= BACK_S,
        ));
    }
    goals
}

#[cfg(test)]
mod tests;
