//! The command line: `serve`, `simulate`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat, ServeArgs, problem};
use crate::{serve, simulate, tls};

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
    /// Plays Twilio's whole part against a relay.
    Simulate(Box<simulate::Args>),
}

/// Runs what the command line says: 0 done, 1 failed, 2 usage or configuration.
pub fn run() -> ExitCode {
    // clap itself exits 2 on a usage error and 0 after --help.
    let Cli { command } = Cli::parse();
    match command {
        Command::Serve(args) => serve_command(&args),
        Command::Simulate(args) => simulate_command(*args),
    }
}

/// The exit code of a failure after the start.
const FAILED: u8 = 1;

#[allow(clippy::print_stderr)] // before there is a log
fn serve_command(args: &ServeArgs) -> ExitCode {
    let env = |name: &str| std::env::var(name).ok();
    let config = match Config::load(args, &env, &|path| std::fs::read_to_string(path)) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::from(problem::EXIT_CODE);
        }
    };
    log_to_stderr(&config);
    for warning in &config.warnings {
        warn!("{warning}");
    }
    run_to_end(Builder::new_current_thread(), serve_until_told(config))
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
        Ok(runtime) => runtime.block_on(command),
        Err(error) => {
            eprintln!("the runtime could not be started: {error}");
            ExitCode::from(FAILED)
        }
    }
}

#[allow(clippy::print_stdout, clippy::print_stderr)] // the one line that the contract names
async fn serve_until_told(config: Config) -> ExitCode {
    let serving = match serve::bind(config, serve::Threads::AllCores).await {
        Ok(serving) => serving,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(FAILED);
        }
    };
    println!("listening on {}://{}", tls::SCHEME, serving.local());
    let stop = serving.stop();
    let signals = tokio::spawn(async move {
        let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            warn!("signals cannot be caught: the relay ends without goodbye");
            return;
        };
        let mut next = async || tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} };
        next().await;
        info!("told to stop; once more ends at once");
        stop.cancel();
        next().await;
        std::process::exit(0);
    });
    serving.run().await;
    signals.abort();
    ExitCode::SUCCESS
}

fn log_to_stderr(config: &Config) {
    let filter = EnvFilter::try_new(&config.log_level).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Json => log.json().init(),
        LogFormat::Text => log
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .init(),
    }
}
