//! What is wrong with a configuration: all of it at once, each with where it stands and how to fix it.

use std::fmt;

/// The exit code for a usage or configuration error.
pub const EXIT_CODE: u8 = 2;

/// What is wrong with one value, and what to write instead; the reader of a value does not know where it
/// stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    what: String,
    fix: String,
}

impl Fault {
    /// `what` is wrong; `fix` says what to do.
    pub fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Fault {
            what: what.into(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.fix)
    }
}

/// A fault and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `--retention`, `PARTYLINE_RETENTION`, `relay.toml line 3`, or what is missing.
    pub place: String,
    /// What is wrong there, and how to fix it.
    pub fault: Fault,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fault)
    }
}

/// Everything that is wrong with a configuration; never empty when it is returned as an error. Printed, it
/// is a heading and a line for each; end with [`EXIT_CODE`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them, in the order they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// Adds one.
    pub(super) fn add(&mut self, place: impl Into<String>, fault: Fault) {
        self.0.push(Problem {
            place: place.into(),
            fault,
        });
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.len() {
            1 => "the relay cannot start with this configuration:",
            _ => "the relay cannot start with this configuration, for several reasons:",
        })?;
        for problem in &self.0 {
            write!(f, "\n  {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
