//! Who was given a token, by a file that has the hash of each and never a token itself. The file is people's:
//! they may read it, comment it and change it by hand, so whatever is wrong in it is told with its line.
//! What reads and writes the disk is `file`; all else here is text and tables.

mod edit;
pub mod file;
mod made;
mod table;
mod text;

#[cfg(test)]
mod tests;

use std::fmt;

use partyline_shared::time::UtcTime;

use super::fingerprint::HASH;
use super::grant::{Right, Role};

pub use made::Made;
pub(super) use made::looks_like_one;
pub(super) use table::Table;
pub use text::{MAX_NAME, is_customer, is_name};

/// One token as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Short, public, unique in the file; given to the record, and to `remove --id`.
    pub id: String,
    /// Whose it is. Several tokens may have one name: each device its own, or the new beside the old.
    pub name: String,
    /// What the bearer is.
    pub role: Role,
    /// The customers whose calls it is for.
    pub customers: Vec<String>,
    /// Rights given by name.
    pub allow: Vec<Right>,
    /// When it ends; `None` for never.
    pub expires: Option<UtcTime>,
    /// Whether it may stand in a URL, for clients that can send nothing else.
    pub in_url: bool,
    /// When it was made.
    pub created: Option<UtcTime>,
    /// SHA-256 of the token's text.
    pub(super) hash: [u8; HASH],
}

impl Token {
    /// Whether it has ended by `now`.
    pub fn is_over(&self, now: UtcTime) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }
}

impl fmt::Debug for Token {
    /// The public id only: the rest is nobody's business in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// One thing that is wrong in a tokens file. It names keys and lines and never shows a value, which may be a
/// token that was pasted there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}; {fix}")]
pub struct Fault {
    /// From 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
    /// What to write instead.
    pub fix: String,
}
