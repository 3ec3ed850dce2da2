//! What the monitor costs, measured from outside: the real programs, a real terminal, over a minute each. Figures
//! and no tests: a machine that does something else as well is no reason to fail. Prints a Markdown table.
//!
//! `figures [SECONDS] [idle] [quiet] [listening] [keys] [delay]`: a minute, and all of them, unless said.
#![cfg(target_os = "linux")]
// What fails here cannot be measured.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod cost;
mod delay;
mod keys;
mod screens;

use std::io::Write;
use std::time::Duration;

/// Over how long, unless said.
const MINUTE: Duration = Duration::from_secs(60);

/// A line of the table: what was measured, what was found, and what is aimed at.
pub(crate) struct Row {
    what: String,
    found: String,
    goal: &'static str,
}

#[tokio::main]
async fn main() {
    let mut time = MINUTE;
    let mut wanted = Vec::new();
    for arg in std::env::args().skip(1) {
        match arg.parse() {
            Ok(seconds) => time = Duration::from_secs(seconds),
            Err(_) => wanted.push(arg),
        }
    }
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    say("| what | measured | goal |\n| --- | --- | --- |");
    if wants("idle") {
        put(&[screens::idle(time).await]);
    }
    if wants("quiet") {
        put(&[screens::quiet(time).await]);
    }
    if wants("listening") {
        put(&[
            screens::listening(time, false).await,
            screens::listening(time, true).await,
        ]);
    }
    if wants("keys") {
        put(&keys::measure(time).await);
    }
    if wants("delay") {
        put(&[delay::measure(time).await]);
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split(' ').take(3).collect();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let seconds = time.as_secs();
    say(&format!(
        "\n{seconds} s each, {cores} cores, load {}",
        load.join(" ")
    ));
}

fn put(rows: &[Row]) {
    for Row { what, found, goal } in rows {
        say(&format!("| {what} | {found} | {goal} |"));
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
