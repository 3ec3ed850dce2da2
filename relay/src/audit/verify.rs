//! Reads audits back, as a stream in bounded memory, and names the first line that is not as it was written: altered,
//! put in, out of place, or with a line missing before it. Writes nothing and takes no lock, so the file of a
//! running relay can be read as well.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::book::{NEW_CHAIN, OTHER_FILE};
use super::chain::{Hash, Line, Link, MAX_LINE, Unsound};
use super::head;

/// What sound files come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Lines, of all files.
    pub lines: u64,
    /// The last of them; `None` where there is none.
    pub last: Option<Link>,
    /// The last file ends with a line that is being written, or was torn by a crash; the relay cuts it off.
    pub torn: bool,
    /// There was a head to show that nothing is missing at the end.
    pub headed: bool,
}

/// The first line that is bad.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: line {line} is bad: {why}", file.display())]
pub struct Bad {
    /// In which file.
    pub file: PathBuf,
    /// Its place in that file, from 1.
    pub line: u64,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// By itself.
    #[error("{0}")]
    Unsound(#[from] Unsound),
    /// It does not belong there.
    #[error("seq {found} does not follow {before}: lines were removed, put in or swapped")]
    Order {
        /// Its number.
        found: u64,
        /// The number of the line before it.
        before: u64,
    },
    /// The line before it is another than the one that was there.
    #[error("it does not follow from the line before it, of which one was rewritten")]
    Unlinked,
    /// It is not what a file begins with.
    #[error("a file begins with a line that says so: lines before this one were removed")]
    Beginning,
    /// There is a line that the head knows and the file has not.
    #[error("the file ends before seq {0}, which was written: lines were removed from its end")]
    Ending(u64),
    /// The head knows another line of that number.
    #[error("it is not the line that was written with this seq")]
    Replaced,
    /// It has no line end, and no crash explains that.
    #[error("it is not whole: its end is missing")]
    Torn,
}

/// Why files could not be verified.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// They are not as they were written.
    #[error(transparent)]
    Bad(#[from] Bad),
    /// They cannot be read.
    #[error("{} cannot be read: {error}", file.display())]
    Io {
        /// Which.
        file: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// One line after the other; no I/O.
#[derive(Debug, Default)]
pub struct Checker {
    last: Option<Link>,
    lines: u64,
    /// The next line is a file's first.
    first: bool,
    head: Option<Link>,
}

impl Checker {
    /// A file begins; `head` is what is known of its end, where it is the last.
    pub fn begin_file(&mut self, head: Option<Link>) {
        self.first = true;
        self.head = head;
    }

    /// Takes the next line, without its line end.
    ///
    /// # Errors
    /// Why it is bad.
    pub fn line(&mut self, bytes: &[u8]) -> Result<(), Why> {
        let line = Line::read(bytes)?;
        let first = std::mem::take(&mut self.first);
        if let Some(last) = self.last {
            if line.seq != last.seq.saturating_add(1) {
                return Err(Why::Order {
                    found: line.seq,
                    before: last.seq,
                });
            }
            if line.prev != last.hash {
                return Err(Why::Unlinked);
            }
        }
        if first && !begins_file(&line) {
            return Err(Why::Beginning);
        }
        if let Some(head) = self.head {
            let replaced = line.seq == head.seq && line.hash != head.hash;
            let unlinked = line.seq.checked_sub(1) == Some(head.seq) && line.prev != head.hash;
            if replaced || unlinked {
                return Err(if replaced { Why::Replaced } else { Why::Unlinked });
            }
        }
        self.last = Some(line.link());
        self.lines += 1;
        Ok(())
    }

    /// The file is over.
    ///
    /// # Errors
    /// When the head knows of a line that did not come.
    pub fn end_file(&self) -> Result<(), Why> {
        match self.head {
            Some(head) if self.last.is_none_or(|last| last.seq < head.seq) => Err(Why::Ending(head.seq)),
            _ => Ok(()),
        }
    }
}

/// Whether a relay begins a file with this.
fn begins_file(line: &Line) -> bool {
    let begins = |how: &str| line.reason.as_ref().is_some_and(|reason| reason.starts_with(how));
    let new = line.seq == 1 && line.prev == Hash::NONE && begins(NEW_CHAIN);
    line.event == "started" && (new || line.seq > 1 && begins(OTHER_FILE))
}

/// Reads files in the order in which they were written: the chain goes on from each to the next.
///
/// # Errors
/// The first line that is bad, or a file that cannot be read.
pub fn verify(files: &[impl AsRef<Path>]) -> Result<Verified, Failed> {
    let mut checker = Checker::default();
    let (mut torn, mut headed) = (false, false);
    for (n, path) in files.iter().enumerate() {
        let path = path.as_ref();
        let failed = |error| Failed::Io {
            file: path.to_owned(),
            error,
        };
        let is_last = n + 1 == files.len();
        // Before the file: a relay that goes on writing makes the file longer than its head says, not shorter.
        let head = if is_last {
            head::read(path).map_err(failed)?
        } else {
            None
        };
        headed = head.is_some();
        checker.begin_file(head);
        let file = File::open(path).map_err(failed)?;
        torn = read_file(&mut checker, BufReader::new(file), path)?;
    }
    Ok(Verified {
        lines: checker.lines,
        last: checker.last,
        torn,
        headed,
    })
}

/// Gives whether the file ends with a torn line that may be one.
fn read_file(checker: &mut Checker, mut file: impl BufRead, path: &Path) -> Result<bool, Failed> {
    let mut number = 0;
    let mut line = Vec::new();
    let mut torn = false;
    let bad = |line, why| {
        Failed::Bad(Bad {
            file: path.to_owned(),
            line,
            why,
        })
    };
    loop {
        line.clear();
        let most = MAX_LINE as u64 + 2;
        let read = file.by_ref().take(most).read_until(b'\n', &mut line);
        let read = read.map_err(|error| Failed::Io {
            file: path.to_owned(),
            error,
        })?;
        if read == 0 {
            break;
        }
        number += 1;
        match line.strip_suffix(b"\n") {
            Some(whole) => checker.line(whole).map_err(|why| bad(number, why))?,
            None if line.len() > MAX_LINE => return Err(bad(number, Unsound::Long.into())),
            None => torn = true,
        }
    }
    if torn {
        // Only where the head shows that all lines that were ever whole are there.
        let whole = checker.head.is_some() && checker.end_file().is_ok();
        return if whole {
            Ok(true)
        } else {
            Err(bad(number, Why::Torn))
        };
    }
    checker.end_file().map_err(|why| bad(number + 1, why))?;
    Ok(false)
}
