//! Why a command could not do what was asked: each with its exit code, each saying what to do next. A
//! text that came from a relay has been cleaned before it gets in here.

use std::process::ExitCode;

/// Why a command ended otherwise than well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The command line or the configuration cannot be meant so.
    #[error("{0}")]
    Usage(String),
    /// The relay does not let us.
    #[error("not authorised: {0}")]
    NotAuthorised(String),
    /// The relay has no such call, or none that we may know of.
    #[error("no such call: {0} (`partyline calls --all` lists those that there are)")]
    NoSuchCall(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
    /// Whoever read our output has gone. That is how `| head` ends, and nothing went wrong.
    #[error("the reader of the output has gone")]
    Unread,
}

impl Failure {
    /// The exit code (contract 2).
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Unread => 0,
            Failure::Failed(_) => 1,
            Failure::Usage(_) => 2,
            Failure::NotAuthorised(_) => 3,
            Failure::NoSuchCall(_) => 4,
        })
    }
}
