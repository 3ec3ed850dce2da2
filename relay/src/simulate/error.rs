//! Why a simulation did not go as it should.

use std::fmt;
use std::path::PathBuf;

use partyline_shared::audio::wav::BadWav;
use partyline_shared::id::CallSid;

use super::check::Lost;
use super::http::HttpError;
use super::notes::Problems;
use super::script::BadScript;
use super::stream::StreamError;
use super::twiml::BadTwiml;

/// Why the command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A flag's value is not usable.
    #[error("{flag}: {why}")]
    Flag {
        /// Which flag.
        flag: &'static str,
        /// What is wrong and what would be right.
        why: String,
    },
    /// A file that a flag names cannot be read.
    #[error("{flag}: {} cannot be read: {source}", path.display())]
    File {
        /// Which flag.
        flag: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A recording is none.
    #[error("{flag}: {}: {source}", path.display())]
    Wav {
        /// Which flag.
        flag: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: BadWav,
    },
    /// A script is none.
    #[error("--script: {}: {source}", path.display())]
    Script {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: BadScript,
    },
    /// Something of a call went wrong.
    #[error(transparent)]
    Calls(Failures),
    /// A second Ctrl-C.
    #[error("interrupted before the calls had ended")]
    Interrupted,
}

impl Error {
    /// Whether the command was used wrongly (exit code 2), rather than that something failed (1).
    pub fn is_usage(&self) -> bool {
        !matches!(self, Error::Calls(_) | Error::Interrupted)
    }
}

/// The calls that failed, each with its reason.
#[derive(Debug)]
pub struct Failures {
    /// Them.
    pub failed: Vec<(CallSid, CallError)>,
    /// How many there were in all.
    pub played: u32,
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Reasons told; a hundred calls to a relay that is down fail alike.
        const TOLD: usize = 10;
        write!(f, "{} of {} calls failed", self.failed.len(), self.played)?;
        for (call, why) in self.failed.iter().take(TOLD) {
            write!(f, "\n  {call}: {why}")?;
        }
        if self.failed.len() > TOLD {
            write!(f, "\n  and {} more", self.failed.len() - TOLD)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failures {}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The voice webhook was not answered with 200.
    #[error("voice webhook: {0}")]
    Webhook(HttpError),
    /// It was answered with what Twilio does not take.
    #[error("voice webhook: {0}")]
    Twiml(#[from] BadTwiml),
    /// The relay does not take a source's call, or not its audio.
    #[error("{0}")]
    Api(HttpError),
    /// What it answered is no answer to that.
    #[error("POST /api/v1/call_streams was answered without a call_sid")]
    NoSid,
    /// The relay does not take the call.
    #[error("the relay refused the call: {0}")]
    Refused(String),
    /// The call went through without anything for a listener to hear.
    #[error(
        "the relay connected the call without <Start><Stream>: it is draining or full, and nothing was \
         streamed"
    )]
    NotStreamed,
    /// The stream could not be opened or broke.
    #[error("stream: {0}")]
    Stream(#[from] StreamError),
    /// The listener of `--check` could not listen.
    #[error("--check: {0}")]
    Listen(#[from] super::check::ListenError),
    /// Not all that was sent arrived.
    #[error("--check: {0}")]
    Lost(Lost),
    /// The call went on, but something was not answered as it should be.
    #[error("{0}")]
    Problems(Problems),
}
