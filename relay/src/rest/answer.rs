//! What Twilio's REST API answers, and why there is no answer. Twilio's words may hold phone numbers: no text
//! here shows them by itself.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use partyline_shared::text::clean;
use serde::Deserialize;
use serde_json::Value;

use crate::fetch::Place;

/// Twilio's code for a call that is not in progress.
pub const NOT_IN_PROGRESS: u64 = 21220;
/// Twilio's code for what it does not know, or knows no longer.
pub const NOT_FOUND: u64 = 20404;
/// Longest wait that an answer may ask for: past it nobody remembers what was wanted.
const MAX_WAIT: Duration = Duration::from_secs(3600);
/// Characters of Twilio's words that are kept: an explanation, no page.
const MAX_WORDS: usize = 300;

/// What was answered with 2xx.
#[derive(Clone, PartialEq)]
pub struct Answer {
    /// 200, 201 or 204.
    pub status: StatusCode,
    /// The whole answer; null where there is none.
    pub json: Value,
}

/// Holds phone numbers.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, …)", self.status)
    }
}

/// Why nothing came of a request; each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// Nobody there, or nobody to be trusted, or no HTTP: where, and why.
    #[error("Twilio's API at {0}: {1}; see that this machine reaches it, or correct --twilio-api")]
    Unanswered(String, String),
    /// Too slow.
    #[error("Twilio's API at {0} did not answer in time; see that this machine reaches it")]
    TooSlow(String),
    /// Twilio's own word.
    #[error("{0}")]
    Refused(Refused),
    /// No JSON.
    #[error("{0} answered {1} and no JSON: that is not Twilio's API; correct --twilio-api")]
    NotTwilio(String, u16),
    /// Nothing that HTTP can carry.
    #[error("that cannot be asked of Twilio's API: an account or path has a character that none may have")]
    Request,
}

/// A refusal by Twilio.
#[derive(Clone, PartialEq, Eq)]
pub struct Refused {
    /// HTTP's, 400 to 599.
    pub status: u16,
    /// Twilio's number for what is wrong, 21220 for one.
    pub code: Option<u64>,
    /// Twilio's words, one line; a phone number may stand in them.
    pub message: String,
    /// When asking again is of use, by its own word.
    pub retry_after: Option<Duration>,
}

impl Refused {
    /// Account and token are no pair.
    pub fn is_credentials(&self) -> bool {
        self.status == 401 || self.code == Some(20003)
    }

    /// There is no such thing, or no longer.
    pub fn is_unknown(&self) -> bool {
        self.status == 404 || self.code == Some(NOT_FOUND)
    }

    /// Too much was asked: again later.
    pub fn is_too_many(&self) -> bool {
        self.status == 429 || self.code == Some(20429)
    }

    /// Twilio's fault, which may pass.
    pub fn is_theirs(&self) -> bool {
        self.status >= 500
    }

    fn mend(&self) -> &'static str {
        if self.is_credentials() {
            "the account and its auth token are no pair: compare both with Twilio's console"
        } else if self.status == 403 {
            "the account may not do that: see its state in Twilio's console"
        } else if self.is_unknown() {
            "the account has no such thing, or no longer"
        } else if self.is_too_many() {
            "the account has asked too much at once"
        } else if self.code == Some(NOT_IN_PROGRESS) {
            "the call is not in progress"
        } else if self.is_theirs() {
            "the fault is Twilio's, and may pass: see status.twilio.com"
        } else {
            "Twilio explains the code at twilio.com/docs/api/errors"
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Twilio's API answered {}", self.status)?;
        if let Some(code) = self.code {
            write!(f, " (error {code})")?;
        }
        write!(f, ": {}", self.mend())
    }
}

/// Without Twilio's words.
impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refused({}, {:?})", self.status, self.code)
    }
}

/// The body of a refusal.
#[derive(Deserialize)]
struct Words {
    code: Option<u64>,
    #[serde(default)]
    message: String,
}

impl Answer {
    /// Takes an answer apart.
    pub(super) fn read(
        place: &Place,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Answer, Failed> {
        let strange = || Failed::NotTwilio(place.to_string(), status.as_u16());
        if status.is_success() {
            let json = match body {
                [] => Value::Null,
                body => serde_json::from_slice(body).map_err(|_| strange())?,
            };
            return Ok(Answer { status, json });
        }
        // Whoever stands before Twilio says some things without JSON; a redirect is nobody's we know.
        let words = serde_json::from_slice::<Words>(body).ok();
        let plain = matches!(status.as_u16(), 401 | 429 | 500..);
        let (code, message) = match words {
            Some(words) => (words.code, words.message),
            None if plain => (None, String::new()),
            None => return Err(strange()),
        };
        Err(Failed::Refused(Refused {
            status: status.as_u16(),
            code,
            message: clean(&message).chars().take(MAX_WORDS).collect(),
            retry_after: retry_after(headers),
        }))
    }

    /// A text of the answer.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.json.get(name)?.as_str()
    }

    /// A list in the answer, empty where there is none.
    pub fn list(&self, name: &str) -> &[Value] {
        self.json
            .get(name)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

/// Seconds; the other form, a date, is not Twilio's.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    let seconds = seconds.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_WAIT))
}
