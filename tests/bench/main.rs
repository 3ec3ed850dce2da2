//! What a delivered frame costs. `bench load` drives any relay over sockets and checks every byte; `bench floor`
//! is the least that a relay can do on this kernel; `bench rounds` runs both, and others, in turn. Programs and no
//! tests: they report what they find.
//!
//! Whatever is measured here pays for waking us up, so load and floor are one thread over epoll, and touch a frame
//! once.
#![cfg(target_os = "linux")]
// What fails here cannot be measured; indices are the program's own, and a payload's length is checked.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod floor;
mod load;
mod poll;
mod rounds;
mod ws;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a delivered frame costs.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays Twilio and the listeners against a relay, and reports what arrived, when, and at what cost
    Load(Box<load::Args>),
    /// The least a relay can do: one read for an arrival, one send for each listener
    Floor(floor::Args),
    /// Everyone who can carry a load in turn, again and again: tables and a plot
    Rounds(rounds::Args),
}

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Load(args) => load::run(*args),
        Command::Floor(args) => floor::run(&args),
        Command::Rounds(args) => rounds::run(&args),
    }
}
