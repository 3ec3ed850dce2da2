//! The state on disk: a line that says whose file it is, then a call a line. Replaced whole, so that a reader and a
//! crash find the old one or the new one; nobody but its owner reads it, since phone numbers stand in it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use partyline_shared::protocol::codec::to_text;
use rustix::fs::{FlockOperation, flock};
use tracing::warn;

use super::entry::{Entry, Erased, Kept};
use crate::calls::life::FORGOTTEN;
use crate::clock::Now;

/// How the file begins.
const BEGINS: &str = "partyline state 1\n";
/// What every version of it begins with.
const EVERY_VERSION: &str = "partyline state ";
/// Nobody else's: numbers stand in it.
pub(super) const MODE: u32 = 0o600;
/// Largest file read, bytes: 50,000 calls.
pub(super) const MAX_FILE: u64 = 32 << 20;
/// Most calls taken of a file: five times as many as are usually followed at once.
pub(super) const MAX_ENTRIES: usize = 50_000;

/// What stands in a file.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub(super) entries: Vec<Entry>,
    pub(super) erased: Vec<Erased>,
}

/// Why the state cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    /// The system's word.
    #[error("--state {}: it cannot be {doing}: {error}; {}", path.display(), mend(error))]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// Why not.
        error: io::Error,
    },
    /// Another program's file would be lost.
    #[error("--state {}: it is no state file of a relay, and stays as it is; name another file, or remove that one", .0.display())]
    Foreign(PathBuf),
    /// A later version's, which knows more.
    #[error("--state {}: a later version of this program wrote it; start that one, or name another file", .0.display())]
    Later(PathBuf),
    /// Two relays would overwrite one another.
    #[error("--state {}: another relay uses it; give each relay a file of its own", .0.display())]
    InUse(PathBuf),
}

impl OpenFailed {
    /// Whether what the relay was told is wrong, rather than the disk.
    pub fn is_configuration(&self) -> bool {
        match self {
            OpenFailed::Io { error, .. } => error.kind() == io::ErrorKind::InvalidData,
            _ => true,
        }
    }

    /// Whether the disk has no room, which may pass.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, OpenFailed::Io { error, .. } if no_room(error))
    }

    pub(super) fn io(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> OpenFailed {
        move |error| OpenFailed::Io {
            path: path.to_owned(),
            doing,
            error,
        }
    }
}

/// Neither here, nor by this user's share, nor by what the process may write.
fn no_room(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn mend(error: &io::Error) -> &'static str {
    match error.kind() {
        _ if no_room(error) => "make room on its disk",
        // The file beside it is meant: of its own it is said otherwise.
        io::ErrorKind::InvalidData => "remove FILE.seen, or name another file",
        _ => "name a file in a folder that this user may write to",
    }
}

/// Where the state is kept.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    /// Keeps other relays out; the file itself is another one after each write.
    _lock: File,
}

impl Store {
    /// Locks the place and reads what is there.
    pub(super) fn open(path: PathBuf) -> Result<(Store, Left), OpenFailed> {
        let lock = beside(&path, "lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(MODE)
            .open(lock)
            .map_err(OpenFailed::io(&path, "locked"))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(OpenFailed::InUse(path)),
            Err(error) => return Err(OpenFailed::io(&path, "locked")(error.into())),
        }
        let left = read(&path)?;
        Ok((Store { path, _lock: lock }, left))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts another text in its place.
    pub(super) fn write(&self, text: &str) -> Result<(), OpenFailed> {
        let path = &self.path;
        let new = beside(path, "new");
        let write = || {
            // Left by a relay that was killed meanwhile; whatever it is, it is not written through.
            match fs::remove_file(&new) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(MODE)
                .open(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, path)?;
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            // Some file systems do not sync folders, and need it not.
            let _ = File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all());
            Ok(())
        };
        write()
            .inspect_err(|_| drop(fs::remove_file(&new)))
            .map_err(OpenFailed::io(path, "written"))
    }
}

/// The file's text.
pub(super) fn text<'e>(entries: impl Iterator<Item = &'e Entry>, erased: &[Erased]) -> String {
    let mut text = BEGINS.to_owned();
    let lines = entries.map(to_text).chain(erased.iter().map(to_text));
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Whether a relay would take this file; one that is not there yet is fine. Changes nothing.
///
/// # Errors
/// [`OpenFailed`].
pub fn look(path: &Path) -> Result<(), OpenFailed> {
    read(path).map(drop)
}

fn read(path: &Path) -> Result<Left, OpenFailed> {
    let failed = |error| OpenFailed::io(path, "read")(error);
    let meta = match path.metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Left::default()),
        Err(error) => return Err(failed(error)),
    };
    // Before it is opened, which for a pipe would wait.
    if !meta.is_file() || meta.len() > MAX_FILE {
        return Err(OpenFailed::Foreign(path.to_owned()));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(failed)?;
    // A header that is cut off had no call behind it yet.
    if BEGINS.as_bytes().starts_with(&bytes) {
        return Ok(Left::default());
    }
    let text = String::from_utf8_lossy(&bytes);
    let Some(lines) = text.strip_prefix(BEGINS) else {
        return Err(if text.starts_with(EVERY_VERSION) {
            OpenFailed::Later(path.to_owned())
        } else {
            OpenFailed::Foreign(path.to_owned())
        });
    };
    let day = i64::try_from(FORGOTTEN.as_millis()).unwrap_or(i64::MAX);
    let too_old = Now::take().wall.plus_ms(day.saturating_neg());
    // A broken line costs the memory of one call: a relay that does not start would cost all of them.
    let (mut left, mut broken) = (Left::default(), 0_usize);
    for line in lines.lines() {
        let entry = match serde_json::from_str(line) {
            Ok(Kept::Call(entry)) => *entry,
            // No call comes back after that.
            Ok(Kept::Erased(erased)) if erased.erased_at < too_old => continue,
            Ok(Kept::Erased(erased)) if left.erased.len() < MAX_ENTRIES => {
                left.erased.push(erased);
                continue;
            }
            Ok(Kept::Erased(_)) | Err(_) => {
                broken += 1;
                continue;
            }
        };
        match entry.ended_at {
            Some(at) if entry.paused && at < too_old => {}
            None if left.entries.len() < MAX_ENTRIES => left.entries.push(entry),
            Some(_) if entry.paused && left.entries.len() < MAX_ENTRIES => left.entries.push(entry),
            _ => broken += 1,
        }
    }
    if broken > 0 {
        warn!(broken, path = %path.display(), "the state file has lines that are none; they are left out");
    }
    Ok(left)
}

/// A file of ours beside another.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
