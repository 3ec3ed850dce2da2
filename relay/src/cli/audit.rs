//! `audit verify`: whether files of the audit are as they were written. Reads only.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::audit::verify::{Failed, Verified, verify};
use crate::config::problem;

/// What can be done with an audit.
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Checks that no line was altered, removed, put in or swapped, and names the first one that was.
    Verify {
        /// Files in the order in which they were written, the newest last: audit.jsonl.1 audit.jsonl
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

/// Exits 0 when all is as it was written, 1 when it is not, 2 when a file cannot be read.
#[allow(clippy::print_stdout, clippy::print_stderr)] // what was asked for
pub(super) fn run(args: &AuditArgs) -> ExitCode {
    let AuditCommand::Verify { files } = &args.command;
    match verify(files) {
        Ok(verified) => {
            println!("{}", told(&verified));
            if verified.torn {
                eprintln!(
                    "the last line is not whole: it is being written, or a crash tore it; the relay cuts it off when it starts"
                );
            }
            if !verified.headed {
                eprintln!(
                    "without FILE.head beside it, whether lines are missing at the end shows only in the hash above"
                );
            }
            ExitCode::SUCCESS
        }
        Err(failed) => {
            eprintln!("{failed}");
            match failed {
                Failed::Bad(_) => ExitCode::from(super::FAILED),
                Failed::Io { .. } => ExitCode::from(problem::EXIT_CODE),
            }
        }
    }
}

fn told(verified: &Verified) -> String {
    let lines = verified.lines;
    match verified.last {
        Some(last) => format!(
            "ok: {lines} lines, last seq {}, last hash {}",
            last.seq, last.hash
        ),
        None => "ok: 0 lines".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::*;
    use crate::audit::{Audit, OnFailure, head};

    fn verify_by_command(file: &Path) -> ExitCode {
        let file = file.to_str().unwrap();
        let cli = super::super::Cli::try_parse_from(["partyline-relay", "audit", "verify", file]);
        match cli.unwrap().command {
            super::super::Command::Audit(args) => run(&args),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_exit_code_says_whether_a_file_is_sound_bad_or_none() {
        let file = std::env::temp_dir().join(format!("partyline-verify-{}.jsonl", std::process::id()));
        assert_eq!(verify_by_command(&file), ExitCode::from(2), "there is none");
        let metrics = std::sync::Arc::default();
        let audit = Audit::open(file.clone(), "n1".into(), OnFailure::Refuse, metrics).unwrap();
        assert_eq!(verify_by_command(&file), ExitCode::SUCCESS);
        let text = std::fs::read_to_string(&file).unwrap();
        let other = file.with_extension("altered");
        std::fs::write(&other, text.replace("n1", "n2")).unwrap();
        assert_eq!(verify_by_command(&other), ExitCode::from(1));
        let none = super::super::Cli::try_parse_from(["partyline-relay", "audit", "verify"]);
        assert_eq!(none.err().map(|usage| usage.exit_code()), Some(2));
        drop(audit);
        std::fs::remove_file(&other).unwrap();
        std::fs::remove_file(&file).unwrap();
        std::fs::remove_file(head::path_of(&file)).unwrap();
    }
}
