//! The rounds as Markdown. Figures come in, text goes out; nothing is measured here.

use std::fmt::Write as _;

use super::case::{Case, Scene, Who};
use super::goals::{self, Figure, GOALS, Outcome, Round};
use super::machine::Machine;
use super::sample::Sample;
use super::stats::{Range, agree, ratio};

/// How far our ratio may be from the yardstick's.
const AGREEMENT: f64 = 0.1;

/// All that is told of a series of rounds.
pub(crate) struct Report<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) rounds: &'a [Round],
    /// The rounds that ran for the sake of more pairs of delays; they are among `rounds`.
    pub(crate) extra: usize,
    /// Each run's steady part, s.
    pub(crate) seconds: u64,
    /// A first look: nothing that goals are judged by.
    pub(crate) is_quick: bool,
    /// Runs that gave nothing, and why.
    pub(crate) failed: &'a [String],
}

impl Report<'_> {
    /// The whole page.
    pub(crate) fn page(&self) -> String {
        let mut page = String::from(
            "# What it costs\n\nWritten by `make bench`; by hand nothing is changed here. A frame is 20 ms of one track. The *floor* is a bare epoll \
             program that finds a frame's payload and writes the same bytes; what it needs, the kernel needs. *Node ws* is the relay that people would write \
             otherwise. Ratios are of one round, in which all ran one after the other, and then the median of the rounds is taken.\n\n\
             ![CPU for a delivered frame, and the time from frame in to frame out](bench.svg)\n\n",
        );
        page.push_str(&self.goals());
        page.push_str("\n## Figures\n\nMedians of the rounds; CPU with its range. Loads are calls × tracks × listeners of each call, tracks 10 ms apart unless together.\n\n");
        page.push_str(&self.figures());
        if let Some(table) = self.yardstick() {
            let _ = write!(
                page,
                "\n## Beside the yardstick\n\nThe same loads in the same rounds by another load program and another floor.\n\n{table}"
            );
        }
        page.push_str("\n## Machine\n\n| what | which |\n| --- | --- |\n");
        for (what, which) in &self.machine.0 {
            let _ = writeln!(page, "| {what} | {} |", cell(which));
        }
        let _ = writeln!(
            page,
            "| rounds | {} of {} s a run{} |",
            self.rounds.len() - self.extra,
            self.seconds,
            self.more()
        );
        for failed in self.failed {
            let _ = writeln!(page, "| failed run | {} |", cell(failed));
        }
        page
    }

    fn more(&self) -> String {
        let mut more = String::new();
        if self.extra > 0 {
            let _ = write!(
                more,
                ", and {} of 200×2×1 alone for more pairs of delays",
                self.extra
            );
        }
        if self.is_quick {
            more.push_str("; a first look (`--quick`), by which no goal is judged");
        }
        more
    }

    /// What is aimed at, and what came of it.
    pub(crate) fn goals(&self) -> String {
        let mut table = String::from("| what | measured (range) | goal | met |\n| --- | --- | --- | --- |\n");
        for goal in &GOALS {
            let outcome = goal.outcome(self.rounds);
            let met = match outcome.is_met {
                Some(true) => "yes",
                Some(false) => "**no**",
                None => "–",
            };
            let _ = writeln!(
                table,
                "| {} | {} | {} | {met} |",
                outcome.what,
                measured(&outcome),
                outcome.goal
            );
        }
        table
    }

    fn figures(&self) -> String {
        let mut table = String::from(
            "| load | who | µs a delivered frame | µs a frame in | p50 ms | p99 ms | p99.9 ms | max ms | switches/s | RSS MB | missing | runs |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
        );
        for scene in Scene::ALL {
            for &who in scene.contestants() {
                let case = Case::ours(scene, who);
                let samples: Vec<&Sample> = self.rounds.iter().filter_map(|round| round.get(&case)).collect();
                if samples.is_empty() {
                    continue;
                }
                let median = |figure: Figure, decimals| plain(over(&samples, figure), decimals);
                let _ = writeln!(
                    table,
                    "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                    scene.title(),
                    who.name(),
                    ranged(over(&samples, goals::cpu), 1, ""),
                    median(|sample| sample.server.cpu_us_per_frame_in, 1),
                    median(|sample| sample.latency_ms.p50, 2),
                    median(goals::p99, 2),
                    median(|sample| sample.latency_ms.p99_9, 2),
                    median(|sample| sample.latency_ms.max, 1),
                    median(Sample::switches, 0),
                    median(|sample| sample.server.rss_kb.peak.map(|kb| kb / 1024.0), 1),
                    samples.iter().map(|sample| sample.missing).sum::<u64>(),
                    samples.len(),
                );
            }
        }
        table
    }

    /// Ratios by two instruments; `None` where there was only one.
    fn yardstick(&self) -> Option<String> {
        let mut table = String::from(
            "| load | | ours | the yardstick's | apart | within 10 % |\n| --- | --- | --- | --- | --- | --- |\n",
        );
        let mut is_empty = true;
        for scene in Scene::ALL {
            let (relay, floor) = (
                Case::yardstick(scene, Who::Relay),
                Case::yardstick(scene, Who::Floor),
            );
            let (our_relay, our_floor) = (Case::ours(scene, Who::Relay), Case::ours(scene, Who::Floor));
            let figure =
                |case: Case, figure: Figure| Range::of(&self.each(|round| figure(round.get(&case)?)));
            let pair = |of: Case, to: Case| {
                Range::of(
                    &self.each(|round| ratio(goals::cpu(round.get(&of)?)?, goals::cpu(round.get(&to)?)?)),
                )
            };
            for (what, decimals, ours, theirs) in [
                (
                    "CPU to the floor",
                    2,
                    pair(our_relay, our_floor),
                    pair(relay, floor),
                ),
                (
                    "µs, relay",
                    1,
                    figure(our_relay, goals::cpu),
                    figure(relay, goals::cpu),
                ),
                (
                    "µs, floor",
                    1,
                    figure(our_floor, goals::cpu),
                    figure(floor, goals::cpu),
                ),
                (
                    "p99 ms, relay",
                    2,
                    figure(our_relay, goals::p99),
                    figure(relay, goals::p99),
                ),
            ] {
                let Some((ours, theirs)) = ours.zip(theirs) else {
                    continue;
                };
                is_empty = false;
                let apart = ratio(ours.median - theirs.median, theirs.median);
                let apart = apart.map_or("–".to_owned(), |apart| format!("{:+.0} %", apart * 100.0));
                let agree = agree(ours.median, theirs.median, AGREEMENT);
                let _ = writeln!(
                    table,
                    "| {} | {what} | {} | {} | {apart} | {} |",
                    scene.title(),
                    ranged(Some(ours), decimals, ""),
                    ranged(Some(theirs), decimals, ""),
                    if agree { "yes" } else { "**no**" }
                );
            }
        }
        (!is_empty).then_some(table)
    }

    fn each(&self, figure: impl Fn(&Round) -> Option<f64>) -> Vec<f64> {
        self.rounds.iter().filter_map(figure).collect()
    }
}

/// The range of a figure over runs.
pub(crate) fn over(samples: &[&Sample], figure: Figure) -> Option<Range> {
    let values: Vec<f64> = samples.iter().filter_map(|sample| figure(sample)).collect();
    Range::of(&values)
}

fn measured(outcome: &Outcome) -> String {
    let Some(range) = outcome.measured else {
        return match outcome.discarded {
            0 => "not measured".to_owned(),
            discarded => format!("not measured: all {discarded} discarded"),
        };
    };
    // Frames are counted, everything else is measured.
    let decimals = if outcome.what.starts_with("frames") { 0 } else { 2 };
    let mut text = ranged(Some(range), decimals, outcome.unit);
    if outcome.discarded > 0 {
        let _ = write!(
            text,
            ", {} of {} discarded",
            outcome.discarded,
            outcome.discarded + range.count
        );
    }
    text
}

fn ranged(range: Option<Range>, decimals: usize, unit: &str) -> String {
    range.map_or(
        "–".to_owned(),
        |Range {
             median, low, high, ..
         }| { format!("{median:.decimals$}{unit} ({low:.decimals$} to {high:.decimals$})") },
    )
}

fn plain(range: Option<Range>, decimals: usize) -> String {
    range.map_or("–".to_owned(), |range| format!("{:.decimals$}", range.median))
}

/// Text that came from a program, in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests;
