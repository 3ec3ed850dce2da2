//! The listener's program: its exit code and its last word.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use partyline::cli::Cli;
use partyline::commands;
use partyline::failure::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return end(&Failure::Failed(format!("the system gives no threads: {error}"))),
    };
    let result = runtime.block_on(commands::run(cli));
    // A writer that waits for a reader of its pipe is not waited for.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => end(&failure),
    }
}

fn end(failure: &Failure) -> ExitCode {
    if *failure != Failure::Unread {
        // Where stderr is closed nobody is left to be told.
        let _ = writeln!(std::io::stderr(), "partyline: {failure}");
    }
    failure.code()
}
