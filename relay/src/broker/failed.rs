//! What can go wrong with what is asked of Redis. Redis quotes what was sent, and names the user: so of its own words
//! nothing is printed but the code.

use std::fmt;

use redis::{RedisError, Value};

/// Why something asked of Redis came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failed {
    /// The link was down: nothing was sent.
    #[error("the link to Redis is down")]
    Down,
    /// No answer in time. It may have been done, or be done yet.
    #[error("Redis did not answer in time")]
    Late,
    /// The connection broke before the answer. It may have been done.
    #[error("the link to Redis broke")]
    Broken,
    /// Redis says no.
    #[error("Redis refuses: {0}")]
    Refused(Refusal),
}

/// What Redis said no by.
#[derive(Clone)]
pub struct Refusal {
    code: String,
    said: String,
}

/// A write was asked of a Redis that only follows another.
const READ_ONLY: &str = "READONLY";
/// What is there is of another kind than what was asked for.
const WRONG_TYPE: &str = "WRONGTYPE";
/// A script is not known by this hash.
const NO_SCRIPT: &str = "NOSCRIPT";

impl Refusal {
    fn of(code: &str, said: Option<&str>) -> Refusal {
        Refusal {
            code: code.to_owned(),
            said: said.unwrap_or_default().to_owned(),
        }
    }

    /// The first word of it: `NOPERM`, `OOM`, `ERR`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The rest. It may quote what was sent, so it is for tests, not for logs.
    pub fn said(&self) -> &str {
        &self.said
    }

    /// Whether a key has another kind of value than ours.
    pub(crate) fn is_wrong_type(&self) -> bool {
        self.code == WRONG_TYPE
    }

    pub(super) fn is_no_script(&self) -> bool {
        self.code == NO_SCRIPT
    }

    /// Whether another server has to be asked.
    pub(super) fn is_read_only(&self) -> bool {
        self.code == READ_ONLY
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)
    }
}

/// An answer, or the no that it is.
pub(super) fn answer(value: Value) -> Result<Value, Failed> {
    match value {
        Value::ServerError(error) => Err(Failed::Refused(Refusal::of(error.code(), error.details()))),
        value => Ok(value),
    }
}

impl From<RedisError> for Failed {
    fn from(error: RedisError) -> Failed {
        match error.code() {
            Some(code) => Failed::Refused(Refusal::of(code, error.detail())),
            None if error.is_timeout() => Failed::Late,
            None => Failed::Broken,
        }
    }
}
