//! What simulated networks do to the sound, faster than real time, as a table: `make sound` writes assets/sound.md. Its
//! tests hold the engine to what is aimed at. It measures what the player runs, and is no part of it.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `network` | what comes when, drawn from a seed |
//! | `play` | a call through a network onto a card, time as an argument |
//! | `judge`, `stoi` | what the card got against what was said: clicks, alignment, SNR · how well it is understood |
//! | `rows`, `clocks` | every network of the table · a working day on a card that is off |
//! | `goals`, `page` | what is aimed at · all of it as Markdown |
// What fails here cannot be measured; indices are the program's own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod clocks;
mod goals;
mod judge;
mod network;
mod page;
mod play;
mod rows;
mod stoi;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use clocks::Day;
use page::Page;
use rows::{Row, Run};

/// What simulated networks do to the sound.
#[derive(Debug, Parser)]
#[command(name = "soundcheck")]
struct Cli {
    /// Where the page goes; stdout has it as well
    #[arg(long)]
    out: Option<PathBuf>,
    /// Seconds of each call, at least 20
    #[arg(long, default_value_t = 60)]
    seconds: usize,
    /// Calls on each network
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Hours of the days on a card whose clock is off; 0 for none
    #[arg(long, default_value_t = 8.0)]
    hours: f64,
    /// Only networks whose name has this in it
    #[arg(long, default_value = "")]
    only: String,
    /// Without STOI, for which Python is needed
    #[arg(long)]
    no_stoi: bool,
}

/// What there is to do.
#[derive(Debug, Clone, Copy)]
enum Job {
    Day(f64),
    Call(network::Network, u64),
}

enum Done {
    Day(Box<Day>),
    Call(network::Network, Box<Run>),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let networks = rows::networks(cli.seconds).into_iter();
    let networks = networks.filter(|network| network.name.contains(&cli.only));
    let days = [200.0, -200.0].into_iter().filter(|_| cli.hours > 0.0);
    // The longest first.
    let mut jobs: Vec<Job> = days.map(Job::Day).collect();
    jobs.extend(networks.flat_map(|network| (1..=cli.seeds).map(move |seed| Job::Call(network, seed))));
    let done = rows::all(jobs.len(), |at| match jobs[at] {
        Job::Day(ppm) => Done::Day(Box::new(Day::of(ppm, cli.hours))),
        Job::Call(network, seed) => Done::Call(network, Box::new(Run::of(network, cli.seconds, seed))),
    });
    let (mut days, mut rows) = (Vec::new(), Vec::<Row>::new());
    for done in done {
        match done {
            Done::Day(day) => days.push(*day),
            Done::Call(network, run) => match rows.last_mut() {
                Some(row) if row.network.name == network.name => row.runs.push(*run),
                _ => rows.push(Row {
                    network,
                    runs: vec![*run],
                }),
            },
        }
    }
    if !cli.no_stoi {
        understand(&mut rows);
    }
    let goals = goals::all(&rows, &days);
    let page = Page {
        seconds: cli.seconds,
        seeds: cli.seeds,
        hours: cli.hours,
        rows: &rows,
        days: &days,
        goals: &goals,
    };
    let text = page.text();
    let _ = std::io::stdout().write_all(text.as_bytes());
    if let Some(out) = &cli.out {
        std::fs::write(out, &text).unwrap_or_else(|e| panic!("{} cannot be written: {e}", out.display()));
    }
    let missed = goals.iter().filter(|goal| !goal.is_met).count();
    if missed > 0 {
        eprintln!("make sound: {missed} goals are not met");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Fills in STOI.
fn understand(rows: &mut [Row]) {
    let runs = || rows.iter().flat_map(|row| &row.runs);
    let mut all = stoi::stoi(&runs().flat_map(|run| &run.pairs).collect::<Vec<_>>()).into_iter();
    for run in rows.iter_mut().flat_map(|row| &mut row.runs) {
        run.stoi = all.by_ref().take(run.pairs.len()).collect();
    }
}
