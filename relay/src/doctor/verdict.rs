//! What a look came to: good, doubtful or bad, about what, and what to do. One line, whatever is in it.

use partyline_shared::text::is_unsafe;

/// How it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// As it should be.
    Ok,
    /// It works, or could not be looked at: worth a word.
    Warn,
    /// It does not work.
    Fail,
}

/// One line of the doctor's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How it looks.
    pub mark: Mark,
    /// About what.
    what: String,
    /// What was found.
    found: String,
    /// What to do; empty where there is nothing, or where what was found says it.
    fix: String,
}

impl Verdict {
    /// As it should be.
    pub(super) fn ok(what: &str, found: impl Into<String>) -> Verdict {
        Verdict::told(Mark::Ok, what, found)
    }

    /// Worth a word.
    pub(super) fn warn(what: &str, found: impl Into<String>, fix: impl Into<String>) -> Verdict {
        Verdict {
            fix: fix.into(),
            ..Verdict::told(Mark::Warn, what, found)
        }
    }

    /// It does not work.
    pub(super) fn fail(what: &str, found: impl Into<String>, fix: impl Into<String>) -> Verdict {
        Verdict {
            fix: fix.into(),
            ..Verdict::told(Mark::Fail, what, found)
        }
    }

    /// What was found says what to do.
    pub(super) fn told(mark: Mark, what: &str, found: impl Into<String>) -> Verdict {
        Verdict {
            mark,
            what: what.to_owned(),
            found: found.into(),
            fix: String::new(),
        }
    }

    /// The line, with signs or, where a terminal has no such letters, with words.
    pub fn line(&self, signs: bool) -> String {
        let mark = match (self.mark, signs) {
            (Mark::Ok, true) => "✓",
            (Mark::Warn, true) => "!",
            (Mark::Fail, true) => "✗",
            (Mark::Ok, false) => "ok  ",
            (Mark::Warn, false) => "warn",
            (Mark::Fail, false) => "fail",
        };
        let Verdict { what, found, fix, .. } = self;
        let fix = if fix.is_empty() {
            String::new()
        } else {
            format!("; {fix}")
        };
        let line = format!("{mark} {what}: {found}{fix}");
        // Of what others answer, nothing acts on a terminal.
        line.chars().filter(|c| !is_unsafe(*c)).collect()
    }
}
