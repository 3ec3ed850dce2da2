//! `partyline-relay config`: what `serve` would make of flags, environment and file, without serving. Nothing that it
//! says has a secret in it.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Subcommand;

use crate::config::{Config, ServeArgs, problem};
use crate::serve;

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(super) enum Args {
    /// Reads all that serve reads, and says what is wrong with it
    ///
    /// Takes the flags and the environment of serve. Exits 0 where serve would start, else 2.
    Check(Box<ServeArgs>),
    /// Shows every setting with where it came from, as a file that --config takes
    ///
    /// Takes the flags and the environment of serve. Tokens are not shown; phone numbers are.
    Print(Box<ServeArgs>),
}

#[allow(clippy::print_stderr)] // a command's output
pub(super) fn run(args: Args) -> ExitCode {
    let (args, is_print) = match args {
        Args::Check(args) => (args, false),
        Args::Print(args) => (args, true),
    };
    let env = |name: &str| std::env::var(name).ok();
    let (config, problems) = Config::inspect(&args, &env, &|path| std::fs::read_to_string(path));
    let wrong = if is_print {
        Vec::new()
    } else {
        serve::examine(&config)
    };
    if !problems.is_empty() || !wrong.is_empty() {
        if problems.is_empty() {
            eprintln!("the relay cannot start with what this configuration names:");
        } else {
            eprintln!("{problems}");
        }
        for line in wrong {
            eprintln!("  {line}");
        }
        return ExitCode::from(problem::EXIT_CODE);
    }
    let text = if is_print {
        config.print()
    } else {
        for warning in &config.warnings {
            eprintln!("warning: {warning}");
        }
        "ok: the relay would start\n".to_owned()
    };
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("it could not be shown: {error}");
            ExitCode::from(super::FAILED)
        }
        // Also where the reader has had enough.
        _ => ExitCode::SUCCESS,
    }
}
