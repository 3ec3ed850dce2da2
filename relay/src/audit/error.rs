//! What can go wrong with the audit, and what to do then.

use std::io;
use std::path::PathBuf;

/// Why an entry is not on record. Who was about to listen must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuditFailed {
    /// The disk did not take it, or has hardly any room.
    #[error("the audit cannot be written: see to its disk, listening is possible again by itself then")]
    Disk,
    /// The disk did not answer in time.
    #[error("the audit's disk takes too long: try again")]
    Slow,
    /// Too many wait to be written.
    #[error("too many wait for the audit: try again")]
    Busy,
}

/// Why the audit's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    /// The system says no.
    #[error("the audit {path} cannot be opened: {error}; name a file that this user can write with --audit")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Two chains in one file would tangle.
    #[error(
        "the audit {path} is another relay's, which runs: give each relay a file of its own with --audit"
    )]
    InUse {
        /// Which file.
        path: PathBuf,
    },
    /// It was not written by a relay, and is left alone.
    #[error("{path} is not an audit of a relay: name a new file with --audit")]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// The audit's thread is gone or does not answer.
    #[error("the audit's disk takes too long")]
    Slow,
}

impl OpenFailed {
    pub(super) fn io(path: &std::path::Path) -> impl Fn(io::Error) -> OpenFailed {
        move |error| OpenFailed::Io {
            path: path.to_owned(),
            error,
        }
    }
}
