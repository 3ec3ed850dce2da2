//! The audit's file: found as it was left, locked, appended to, cut back. Knows where lines end and what the last
//! one is; what goes into a line is not its business. It cuts nothing that is a whole line.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::chain::{BEGINS, Line, Link, MAX_LINE};
use super::error::OpenFailed;
use super::head;

/// Room below which nobody may begin to listen, bytes: for the ends of what is being heard, and so that a full
/// disk is told by more than the one line that did not fit.
const SPARE: u64 = 16 << 10;

/// How much is read at once where the file's end is looked for, bytes: two lines and what is torn.
const BLOCK: usize = 4 * MAX_LINE;

/// What the book needs of a file; tests have one that fails when told.
pub(super) trait Disk {
    /// Appends these bytes, or fails having appended any part of them.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Comes back when everything is on the disk itself.
    fn sync(&mut self) -> io::Result<()>;
    /// Takes off what is beyond this length.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// The real one.
#[derive(Debug)]
pub(super) struct FileDisk {
    path: PathBuf,
    file: File,
    /// An ordinary file, that has a length and can be cut.
    ordinary: bool,
}

/// How a file was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where its last whole line ends, bytes: what follows is torn.
    pub(super) length: u64,
    /// How many bytes are torn.
    pub(super) torn: u64,
    /// The last line is whole but for its line end.
    pub(super) unended: bool,
    /// The last whole line.
    pub(super) last: Last,
}

/// The last whole line of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// There is none.
    None,
    /// It is sound.
    Sound(Link),
    /// It was altered.
    Unsound,
}

impl FileDisk {
    /// Opens, or makes with mode 0600, and locks; the file is not changed.
    ///
    /// # Errors
    /// When it cannot be opened, is another relay's or no audit.
    pub(super) fn open(path: &Path) -> Result<(FileDisk, Found), OpenFailed> {
        let failed = OpenFailed::io(path);
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(&failed)?;
        head::lock(&file, path)?;
        let metadata = file.metadata().map_err(&failed)?;
        let ordinary = metadata.is_file();
        let length = if ordinary { metadata.len() } else { 0 };
        if length == 0 && ordinary {
            sync_folder(path);
        }
        if ordinary && metadata.mode() & 0o077 != 0 {
            let path = path.display();
            tracing::warn!(%path, "others may read the audit: chmod 600 keeps it to the relay");
        }
        let found = find(&file, length).map_err(&failed)?;
        let found = found.ok_or_else(|| OpenFailed::Foreign {
            path: path.to_owned(),
        })?;
        let disk = FileDisk {
            path: path.to_owned(),
            file,
            ordinary,
        };
        Ok((disk, found))
    }

    /// Whether it is the file that its name leads to.
    pub(super) fn is_in_place(&self) -> bool {
        head::is_at(&self.file, &self.path).unwrap_or(false)
    }

    /// Whether it is still there and as long as it was left.
    pub(super) fn is_as_left(&self, length: u64) -> bool {
        !self.ordinary
            || self
                .file
                .metadata()
                .is_ok_and(|now| now.nlink() > 0 && now.len() == length)
    }

    /// Whether there is hardly any room. What cannot be asked has room: writing tells.
    pub(super) fn is_short(&self) -> bool {
        self.ordinary
            && rustix::fs::fstatvfs(&self.file)
                .is_ok_and(|fs| fs.f_blocks > 0 && fs.f_bavail.saturating_mul(fs.f_frsize) < SPARE)
    }

    /// Lets another handle of the same file have it.
    pub(super) fn unlock(&self) {
        // What cannot be unlocked is found locked by who opens it next.
        let _ = rustix::fs::flock(&self.file, rustix::fs::FlockOperation::Unlock);
    }
}

impl Disk for FileDisk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(rustix::fs::fdatasync(&self.file)?)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if self.ordinary {
            self.file.set_len(length)
        } else {
            Ok(())
        }
    }
}

/// A new name is on disk when its folder is; some file systems do not have that, and need it not.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        tracing::debug!(%error, "the audit's folder cannot be synced");
    }
}

/// How a file of this length was left; `None` where it is no audit.
pub(super) fn find(file: &File, length: u64) -> io::Result<Option<Found>> {
    let mut first = vec![0; BEGINS.len().min(usize::try_from(length).unwrap_or(usize::MAX))];
    file.read_exact_at(&mut first, 0)?;
    let end = last_line_end(file, length)?;
    // A crash may leave zeros for what was to be the first line.
    let zeros = end == 0 && first.iter().all(|byte| *byte == 0);
    if !BEGINS.starts_with(&first) && !zeros {
        return Ok(None);
    }
    let last = match whole_before(file, end)? {
        None => Last::None,
        Some(line) => Line::read(&line).map_or(Last::Unsound, |line| Last::Sound(line.link())),
    };
    let mut found = Found {
        length: end,
        torn: length - end,
        unended: false,
        last,
    };
    if (1..=MAX_LINE as u64).contains(&found.torn) {
        let mut torn = vec![0; found.torn as usize];
        file.read_exact_at(&mut torn, end)?;
        if let Ok(line) = Line::read(&torn) {
            found = Found {
                length,
                torn: 0,
                unended: true,
                last: Last::Sound(line.link()),
            };
        }
    }
    Ok(Some(found))
}

/// Where the last line end before `end` is over; 0 where there is none.
fn last_line_end(file: &File, mut end: u64) -> io::Result<u64> {
    let mut block = vec![0; BLOCK];
    while end > 0 {
        let begin = end.saturating_sub(BLOCK as u64);
        let part = block.get_mut(..(end - begin) as usize).unwrap_or_default();
        file.read_exact_at(part, begin)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

/// The line that ends at `end`, without its line end. A line that is too long comes without its beginning, and is
/// unsound as it is.
fn whole_before(file: &File, end: u64) -> io::Result<Option<Vec<u8>>> {
    let Some(last) = end.checked_sub(1) else {
        return Ok(None);
    };
    let begin = last.saturating_sub(MAX_LINE as u64 + 1);
    let mut line = vec![0; (last - begin) as usize];
    file.read_exact_at(&mut line, begin)?;
    let starts = line
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    line.drain(..starts);
    Ok(Some(line))
}
