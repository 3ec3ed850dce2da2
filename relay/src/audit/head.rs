//! `FILE.head`, beside the audit: number and hash of the last line that is on disk, always the same bytes in the
//! same place. By it a line that was taken off the end is missed, and the chain goes on where the file was moved
//! away while no relay ran. It is written after its line and not synced, so it may lag and never leads. Its lock
//! keeps a second relay out, also while the audit itself is being moved.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::chain::{Hash, Link};
use super::error::OpenFailed;

/// Digits of a number: any has its place.
const DIGITS: usize = 20;
/// Number, space, 64 hex digits, line end.
const LENGTH: usize = DIGITS + 1 + 64 + 1;

/// Where the head of an audit is.
pub fn path_of(audit: &Path) -> PathBuf {
    let mut name = audit.as_os_str().to_owned();
    name.push(".head");
    PathBuf::from(name)
}

/// Reads the head of an audit; `None` where there is none, or none that can be understood.
///
/// # Errors
/// When it is there and cannot be read.
pub fn read(audit: &Path) -> io::Result<Option<Link>> {
    match std::fs::read(path_of(audit)) {
        Ok(bytes) => Ok(parse(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn parse(bytes: &[u8]) -> Option<Link> {
    let (seq, rest) = bytes.split_at_checked(DIGITS)?;
    let hash = rest.strip_prefix(b" ")?.strip_suffix(b"\n")?;
    Some(Link {
        seq: std::str::from_utf8(seq).ok()?.parse().ok()?,
        hash: Hash::parse(hash)?,
    })
}

fn written(link: Link) -> String {
    format!("{:0DIGITS$} {}\n", link.seq, link.hash)
}

/// The head of the audit that is being written; none where the audit is no ordinary file.
#[derive(Debug, Default)]
pub(super) struct Head {
    file: Option<(PathBuf, File)>,
}

impl Head {
    /// Opens and locks it.
    ///
    /// # Errors
    /// When it cannot be, or another relay has it.
    pub(super) fn open(audit: &Path) -> Result<Head, OpenFailed> {
        let path = path_of(audit);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(OpenFailed::io(&path))?;
        lock(&file, audit)?;
        Ok(Head {
            file: Some((path, file)),
        })
    }

    /// What it says.
    pub(super) fn link(&self) -> Option<Link> {
        let (_, file) = self.file.as_ref()?;
        let mut bytes = [0; LENGTH];
        file.read_exact_at(&mut bytes, 0).ok()?;
        parse(&bytes)
    }

    /// Says that this line is on disk. Where that cannot be written it lags, which is no loss.
    pub(super) fn note(&self, link: Link) {
        if let Some((_, file)) = &self.file
            && let Err(error) = file.write_all_at(written(link).as_bytes(), 0)
        {
            tracing::debug!(%error, "the audit's head lags");
        }
    }

    /// Whether it is still where it was opened: it may have been moved along with the audit.
    pub(super) fn is_in_place(&self) -> bool {
        self.file
            .as_ref()
            .is_none_or(|(path, file)| is_at(file, path).unwrap_or(false))
    }
}

/// Whether this is the file of that name.
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let (open, named) = (file.metadata()?, std::fs::metadata(path)?);
    Ok((open.dev(), open.ino()) == (named.dev(), named.ino()))
}

/// Keeps other relays out for as long as the file is open.
pub(super) fn lock(file: &File, audit: &Path) -> Result<(), OpenFailed> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(()),
        Err(error) if error == rustix::io::Errno::WOULDBLOCK => Err(OpenFailed::InUse {
            path: audit.to_owned(),
        }),
        Err(error) => Err(OpenFailed::io(audit)(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_was_written_and_nothing_else_is() {
        let hash = Hash::parse("5f".repeat(32).as_bytes()).unwrap();
        for seq in [0, 7, u64::MAX] {
            let text = written(Link { seq, hash });
            assert_eq!(text.len(), LENGTH);
            assert_eq!(parse(text.as_bytes()), Some(Link { seq, hash }));
            assert_eq!(parse(&text.as_bytes()[..LENGTH - 1]), None);
        }
        assert_eq!(parse(b""), None);
    }
}
