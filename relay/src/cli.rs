//! The command line: `serve`, `config`, `doctor`, `simulate`, `token`, `audit`, `twilio`.

mod audit;
mod config;
mod doctor;
#[cfg(test)]
mod tests;
mod token;
mod twilio;

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Parser, Subcommand};
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use crate::config::{Config, ServeArgs, problem};
use crate::stop::Stop;
use crate::{log, notify, serve, simulate};

/// Takes a company's calls from Twilio and hands them to whoever may listen.
#[derive(Debug, Parser)]
#[command(name = "partyline-relay", version, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the relay.
    Serve(Box<ServeArgs>),
    /// Looks at the configuration that `serve` would have.
    #[command(subcommand)]
    Config(config::Args),
    /// Says what is wrong with a relay of this configuration, and how to mend it
    ///
    /// Takes the flags and the environment of serve. A line a verdict; exits 0 where nothing failed, else 1.
    Doctor(Box<ServeArgs>),
    /// Plays Twilio's whole part against a relay.
    Simulate(Box<simulate::Args>),
    /// Who may listen: adds, lists and removes tokens.
    #[command(subcommand)]
    Token(token::Args),
    /// Looks at the record of who heard what.
    Audit(audit::AuditArgs),
    /// Points numbers and applications of Twilio's here.
    #[command(subcommand)]
    Twilio(twilio::TwilioArgs),
}

/// Runs what the command line says: 0 done, 1 failed, 2 usage or configuration.
pub fn run() -> ExitCode {
    // clap itself exits 2 on a usage error and 0 after --help.
    let Cli { command } = Cli::try_parse().unwrap_or_else(|error| unquoted(error).exit());
    match command {
        Command::Serve(args) => serve_command(*args),
        Command::Config(args) => config::run(args),
        Command::Doctor(args) => run_to_end(Builder::new_current_thread(), doctor::run(*args)),
        Command::Simulate(args) => simulate_command(*args),
        Command::Token(args) => token::run(args),
        Command::Audit(args) => audit::run(&args),
        Command::Twilio(args) => twilio::run(args),
    }
}

/// A usage error that does not repeat what was no flag: an auth token that lost its flag is kept out of the
/// system's journal.
fn unquoted(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(arg)) = error.get(ContextKind::InvalidArg)
        && error.kind() == clap::error::ErrorKind::UnknownArgument
    {
        let shown = match arg.split_once('=') {
            Some((flag, _)) if arg.starts_with('-') => flag.to_owned(),
            None if arg.starts_with('-') => arg.clone(),
            _ => "…".to_owned(),
        };
        error.insert(ContextKind::InvalidArg, ContextValue::String(shown));
    }
    error
}

/// The exit code of a failure after the start.
const FAILED: u8 = 1;

/// The configuration of this process, as its files are now.
fn load(args: &ServeArgs) -> Result<Config, problem::Problems> {
    let env = |name: &str| std::env::var(name).ok();
    Config::load(args, &env, &|path| std::fs::read_to_string(path))
}

#[allow(clippy::print_stderr)] // before there is a log
fn serve_command(args: ServeArgs) -> ExitCode {
    let config = match load(&args) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::from(problem::EXIT_CODE);
        }
    };
    log::start(config.log_format, &config.log_level);
    notify::start();
    for warning in &config.warnings {
        warn!("{warning}");
    }
    run_to_end(Builder::new_current_thread(), serve_until_told(config, args))
}

#[allow(clippy::print_stderr)] // a command's errors
fn simulate_command(args: simulate::Args) -> ExitCode {
    run_to_end(Builder::new_multi_thread(), async move {
        match simulate::run(args).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(if error.is_usage() {
                    problem::EXIT_CODE
                } else {
                    FAILED
                })
            }
        }
    })
}

#[allow(clippy::print_stderr)] // before there is a log
fn run_to_end(mut runtime: Builder, command: impl Future<Output = ExitCode>) -> ExitCode {
    match runtime.enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(command);
            // A disk or a name server that does not answer is not waited for: nobody needs its answer any more.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            eprintln!("the runtime could not be started: {error}");
            ExitCode::from(FAILED)
        }
    }
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // the one line that the contract names
async fn serve_until_told(config: Config, args: ServeArgs) -> ExitCode {
    // Before anybody is told that there is a relay: a signal that comes at once would end it without goodbye.
    let signals = catch_signals();
    let mut serving = match serve::bind(config, serve::Threads::AllCores).await {
        Ok(serving) => serving,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(if error.is_configuration() {
                problem::EXIT_CODE
            } else {
                FAILED
            });
        }
    };
    serving.reload_by(move || load(&args));
    let stop = serving.stop();
    match signals {
        Ok(signals) => drop(tokio::spawn(stop_when_told(signals, stop))),
        Err(error) => warn!(%error, "signals cannot be caught: the relay ends without goodbye"),
    }
    println!("listening on {}://{}", serving.scheme(), serving.local());
    notify::ready();
    serving.run().await;
    ExitCode::SUCCESS
}

/// SIGTERM and SIGINT. SIGHUP is caught as well, and taken by who looks after files; SIGXFSZ comes where a file may not
/// grow any more, and would end the relay with all its calls: whoever writes is told by an error.
fn catch_signals() -> std::io::Result<[Signal; 2]> {
    for caught in [
        SignalKind::hangup(),
        SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()),
    ] {
        // What was caught once stays so.
        drop(signal(caught)?);
    }
    Ok([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?])
}

/// At the first signal the relay drains, the second ends it at once.
async fn stop_when_told([mut term, mut int]: [Signal; 2], stop: Stop) {
    let mut next = async || tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} };
    next().await;
    info!("told to stop; once more ends at once");
    stop.drain();
    next().await;
    info!("told to stop once more: ending at once");
    std::process::exit(0);
}
