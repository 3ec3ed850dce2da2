//! The tokens file on disk. It is replaced whole, under a lock, so that two who add at once lose nothing, a
//! reader never sees half of it, and a full disk leaves the old one. Nobody but its owner may read or write it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};

use super::edit::{self, NotEdited};
use super::{Fault, Token, text};
use crate::stamp::Stamp;

/// The file's mode: hashes are no tokens, but who can write them can let anybody in.
pub const MODE: u32 = 0o600;
/// The largest file that is read, bytes: 16 MiB are over 50,000 tokens. A wrong path may name anything.
const MAX_FILE: u64 = 16 << 20;

/// Why a tokens file cannot be used; it prints as a line for each reason.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It is not there, or not ours to read or write.
    #[error("{}: it cannot be {doing}: {error}; {fix}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        doing: &'static str,
        /// What the system said.
        error: io::Error,
        /// What to do.
        fix: &'static str,
    },
    /// Others than its owner may read or write it.
    #[error("{0}: others may read or write it (mode {mode:04o}); run `chmod 600 {0}`", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// No plain file, or larger than a list of tokens can be.
    #[error("{}: it is {what}; name a file that `partyline-relay token add` has made", path.display())]
    NoList {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// Its text is wrong.
    #[error("{}", faults.iter().map(|f| format!("{} {f}", path.display())).collect::<Vec<_>>().join("\n"))]
    Faults {
        /// The file.
        path: PathBuf,
        /// All that is wrong, from top to bottom.
        faults: Vec<Fault>,
    },
    /// It is right, but not written as this program writes it.
    #[error("{}: its tokens are not written as [[token]] and keys below, so it cannot be changed here; edit it by hand", path.display())]
    Form {
        /// The file.
        path: PathBuf,
    },
}

impl Unusable {
    /// Whether the file's content, form or mode is at fault, rather than the disk.
    pub fn is_configuration(&self) -> bool {
        !matches!(self, Unusable::Io { .. })
    }

    /// Each reason on its own: a log has one line an event.
    pub fn reasons(&self) -> Vec<String> {
        self.to_string().lines().map(str::to_owned).collect()
    }
}

/// Reads all tokens.
///
/// # Errors
/// [`Unusable`], with all that is wrong.
pub fn read(path: &Path) -> Result<Vec<Token>, Unusable> {
    read_stamped(path).map(|(tokens, _)| tokens)
}

/// The same, and what the file looked like before it was read: a change meanwhile is then seen later.
pub(in crate::access) fn read_stamped(path: &Path) -> Result<(Vec<Token>, Stamp), Unusable> {
    let failed = |error: io::Error| {
        let fix = match error.kind() {
            io::ErrorKind::NotFound => "make it with `partyline-relay token add`",
            _ => "name a file that this user can read",
        };
        Unusable::Io {
            path: path.to_owned(),
            doing: "read",
            error,
            fix,
        }
    };
    // What is no plain file is told rather than waited for: a pipe may have no writer.
    let mut options = OpenOptions::new();
    let nonblock = OFlags::NONBLOCK.bits().cast_signed();
    let file = options
        .read(true)
        .custom_flags(nonblock)
        .open(path)
        .map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    private(path, &meta)?;
    let text = content(path, &file, &meta).map_err(failed)??;
    match text::read(&text) {
        Ok(tokens) => Ok((tokens, Stamp::of(&meta))),
        Err(faults) => Err(Unusable::Faults {
            path: path.to_owned(),
            faults,
        }),
    }
}

fn private(path: &Path, meta: &fs::Metadata) -> Result<(), Unusable> {
    match meta.mode() & 0o7777 {
        mode if mode & 0o077 != 0 && meta.is_file() => Err(Unusable::Open {
            path: path.to_owned(),
            mode,
        }),
        _ => Ok(()),
    }
}

fn content(path: &Path, file: &File, meta: &fs::Metadata) -> io::Result<Result<String, Unusable>> {
    let no_list = |what| {
        Ok(Err(Unusable::NoList {
            path: path.to_owned(),
            what,
        }))
    };
    if !meta.is_file() {
        return no_list("no plain file");
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return no_list("too large for a list of tokens");
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Ok(text)),
        Err(_) => no_list("not written in UTF-8"),
    }
}

/// What a change of the file came to.
#[derive(Debug)]
pub struct Changed<T> {
    /// What the change gave.
    pub value: T,
    /// The mode that the file had, where others could read or write it until now.
    pub was_open: Option<u32>,
}

/// Adds a token; makes the file, and its folder, where there is none. Gives the tokens that have the same name.
///
/// # Errors
/// [`Unusable`]; the file is then as it was.
pub fn add(path: &Path, token: &Token) -> Result<Changed<Vec<Token>>, Unusable> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| not_written(path, error))?;
    }
    change(path, true, |old| {
        let mut same = text::read(old).map_err(NotEdited::Faults)?;
        same.retain(|known| known.name == token.name);
        Ok((edit::with(old, token)?, same))
    })
}

/// Removes the tokens that are meant, and gives them; where there are none, the file stays as it is.
///
/// # Errors
/// [`Unusable`]; the file is then as it was.
pub fn remove(path: &Path, meant: impl Fn(&Token) -> bool) -> Result<Changed<Vec<Token>>, Unusable> {
    change(path, false, |old| edit::without(old, &meant))
}

fn not_written(path: &Path, error: io::Error) -> Unusable {
    let fix = match error.kind() {
        io::ErrorKind::NotFound => "make it with `partyline-relay token add`",
        io::ErrorKind::StorageFull => "make room on that disk",
        _ => "name a file in a folder that this user can write to",
    };
    Unusable::Io {
        path: path.to_owned(),
        doing: "written",
        error,
        fix,
    }
}

fn change<T>(
    path: &Path,
    make: bool,
    edit: impl FnOnce(&str) -> Result<(String, T), NotEdited>,
) -> Result<Changed<T>, Unusable> {
    let failed = |error| not_written(path, error);
    let (locked, path_of) = lock(path, make).map_err(failed)?;
    let meta = locked.metadata().map_err(failed)?;
    let was_open = private(path, &meta).err().map(|_| meta.mode() & 0o7777);
    let old = content(path, &locked, &meta).map_err(failed)??;
    let (new, value) = edit(&old).map_err(|not| match not {
        NotEdited::Faults(faults) => Unusable::Faults {
            path: path.to_owned(),
            faults,
        },
        NotEdited::Form => Unusable::Form {
            path: path.to_owned(),
        },
    })?;
    if new != old || was_open.is_some() {
        replace(&path_of, &meta, &new).map_err(failed)?;
    }
    Ok(Changed { value, was_open })
}

/// Opens the file and waits until nobody else changes it. The lock is on the file itself, which its holder
/// replaces: who then gets the lock of what is no longer there tries again.
fn lock(path: &Path, make: bool) -> io::Result<(File, PathBuf)> {
    loop {
        let mut options = OpenOptions::new();
        let nonblock = OFlags::NONBLOCK.bits().cast_signed();
        options.read(true).custom_flags(nonblock);
        if make {
            options.append(true).create(true).mode(MODE);
        }
        let file = options.open(path)?;
        // A link is followed: what it names is replaced, not the link.
        let real = fs::canonicalize(path)?;
        flock(&file, FlockOperation::LockExclusive)?;
        let (held, named) = (file.metadata()?, fs::metadata(&real));
        if named.is_ok_and(|named| (named.dev(), named.ino()) == (held.dev(), held.ino())) {
            return Ok((file, real));
        }
    }
}

fn replace(path: &Path, old: &fs::Metadata, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut drawn = [0; 8];
    getrandom::fill(&mut drawn).map_err(io::Error::other)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{:016x}", u64::from_ne_bytes(drawn)));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(&beside)?;
    let written = (|| {
        file.set_permissions(Permissions::from_mode(MODE))?;
        let ours = file.metadata()?;
        if (ours.uid(), ours.gid()) != (old.uid(), old.gid()) {
            // The relay that reads it may run as another user than who adds to it.
            fchown(&file, Some(old.uid()), Some(old.gid()))?;
        }
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        match File::open(folder)?.sync_all() {
            // Some file systems have no such thing for folders; the new file is in its place all the same.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            synced => synced,
        }
    })();
    if written.is_err() {
        // Gone already where the rename was done; there is nothing better to do where it fails.
        let _ = fs::remove_file(&beside);
    }
    written
}
