//! The names of things. An id that came over a wire is checked once, here, and is then safe to log,
//! to put into a path and to compare.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest id accepted, in bytes. Twilio's are 34; providers that speak its protocol use UUIDs (36).
pub const MAX_ID: usize = 64;

/// Why a text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to {MAX_ID} characters out of A-Z a-z 0-9 - _")]
pub struct BadId;

/// Twilio's CallSid: the one name of a call on every wire (`CA` and 32 hex digits in production;
/// anything that [`MAX_ID`] and its alphabet allow is taken, since other providers send UUIDs).
/// Cloning is a reference count.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallSid(Arc<str>);

impl CallSid {
    /// Checks length and alphabet.
    ///
    /// # Errors
    /// [`BadId`] when `text` is empty, too long, or has any other character.
    pub fn parse(text: &str) -> Result<Self, BadId> {
        if is_id(text) {
            Ok(CallSid(text.into()))
        } else {
            Err(BadId)
        }
    }

    /// The id as it is on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` is an id by length and alphabet.
pub fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

impl TryFrom<String> for CallSid {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        Self::parse(&text)
    }
}

impl From<CallSid> for String {
    fn from(sid: CallSid) -> String {
        sid.as_str().to_owned()
    }
}

impl Borrow<str> for CallSid {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for CallSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CallSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_characters_make_an_id() {
        for good in [
            "CA22222222222222222222222222222222",
            "TEST123",
            "a",
            "3f1c-9_b",
            &"a".repeat(MAX_ID),
        ] {
            assert_eq!(CallSid::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a/b", "\u{1b}[2J", "é", &"a".repeat(MAX_ID + 1)] {
            assert_eq!(CallSid::parse(bad), Err(BadId), "{bad:?}");
        }
    }
}
