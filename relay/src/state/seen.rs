//! `FILE.seen`, beside the state: what has acted and may not act again, as digests. Appended to, and rewritten
//! without what is over at each start and when it has grown. A record that a crash tore is left out.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::file::{MODE, beside};
use crate::twilio::marks::{Kind, Mark};

/// How the file begins.
const BEGINS: &[u8] = b"partyline seen 1\n";
/// Kind, id, end.
const RECORD: usize = 1 + 16 + 8;
/// Records kept: as many as are remembered without a restart. The newest stay.
const MAX_RECORDS: usize = 700_000;
/// Bytes past which the file is rewritten: twice what may be kept, 35 MB.
const MAX_LENGTH: u64 = (2 * MAX_RECORDS * RECORD) as u64;

/// The file.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Log {
    /// Reads what is beside the state, and writes it anew without what was over at `now_ms`.
    pub(super) fn open(state: &Path, now_ms: i64) -> io::Result<(Log, Vec<Mark>)> {
        let path = beside(state, "seen");
        let marks = read(&path, now_ms)?;
        let (file, length) = rewrite(&path, &marks)?;
        Ok((Log { path, file, length }, marks))
    }

    /// Only reads it.
    pub(super) fn marks(state: &Path, now_ms: i64) -> io::Result<Vec<Mark>> {
        read(&beside(state, "seen"), now_ms)
    }

    /// Adds some.
    pub(super) fn append(&mut self, marks: &[Mark], now_ms: i64) -> io::Result<()> {
        if self.length > MAX_LENGTH {
            let kept = read(&self.path, now_ms)?;
            (self.file, self.length) = rewrite(&self.path, &kept)?;
        }
        let bytes: Vec<u8> = marks.iter().flat_map(record).collect();
        if let Err(error) = self.file.write_all(&bytes) {
            // Half a record would make nonsense of all that follow.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }
}

fn record(mark: &Mark) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    let kind = match mark.kind {
        Kind::Answer => b'a',
        Kind::Callback => b'c',
        Kind::Pass => b'p',
    };
    let whole = [&[kind][..], &mark.id, &mark.until_ms.to_be_bytes()].concat();
    record.copy_from_slice(&whole);
    record
}

fn mark(record: &[u8]) -> Option<Mark> {
    let (kind, rest) = record.split_first()?;
    let (id, end) = rest.split_first_chunk()?;
    let kind = match kind {
        b'a' => Kind::Answer,
        b'c' => Kind::Callback,
        b'p' => Kind::Pass,
        _ => return None,
    };
    let until_ms = i64::from_be_bytes(end.try_into().ok()?);
    Some(Mark {
        kind,
        id: *id,
        until_ms,
    })
}

/// What is not over, the newest last; nothing where there is no file of ours.
fn read(path: &Path, now_ms: i64) -> io::Result<Vec<Mark>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(MAX_LENGTH * 2).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // A header that is cut off had no record behind it yet.
    if BEGINS.starts_with(&bytes) {
        return Ok(Vec::new());
    }
    let records = bytes
        .strip_prefix(BEGINS)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "that is no file of a relay"))?;
    let marks = records.chunks_exact(RECORD).filter_map(mark);
    let mut marks: Vec<Mark> = marks.filter(|mark| mark.until_ms > now_ms).collect();
    marks.drain(..marks.len().saturating_sub(MAX_RECORDS));
    Ok(marks)
}

fn rewrite(path: &Path, marks: &[Mark]) -> io::Result<(File, u64)> {
    let new = beside(path, "new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .mode(MODE)
        .open(&new)?;
    let mut bytes = BEGINS.to_vec();
    bytes.extend(marks.iter().flat_map(record));
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    Ok((file, bytes.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_more_than_are_kept_the_newest_are_read() {
        let path = std::env::temp_dir().join(format!("partyline-seen-{}-most", std::process::id()));
        let made = |n: u8| Mark {
            kind: Kind::Pass,
            id: [n; 16],
            until_ms: 100,
        };
        let whole = [
            BEGINS.to_vec(),
            record(&made(1)).to_vec(),
            record(&made(2)).repeat(MAX_RECORDS - 1),
        ]
        .concat();
        fs::write(&path, &whole).unwrap();
        let marks = read(&path, 0).unwrap();
        assert_eq!((marks.len(), marks[0]), (MAX_RECORDS, made(1)));
        fs::write(&path, [whole, record(&made(3)).to_vec()].concat()).unwrap();
        let marks = read(&path, 0).unwrap();
        assert_eq!(
            (marks.len(), marks[0]),
            (MAX_RECORDS, made(2)),
            "the oldest has gone"
        );
        assert_eq!(marks.last(), Some(&made(3)));
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_is_not_over_is_there_at_the_next_start_also_after_a_torn_record() {
        let state = std::env::temp_dir().join(format!("partyline-seen-{}", std::process::id()));
        let path = beside(&state, "seen");
        let _ = fs::remove_file(&path);
        let made = |kind, n: u8, until_ms| Mark {
            kind,
            id: [n; 16],
            until_ms,
        };
        let marks = [
            made(Kind::Answer, 1, 100),
            made(Kind::Callback, 2, 50),
            made(Kind::Pass, 3, 100),
        ];
        let (mut log, none) = Log::open(&state, 0).unwrap();
        assert!(none.is_empty());
        log.append(&marks[..2], 0).unwrap();
        log.append(&marks[2..], 0).unwrap();
        let mut torn = OpenOptions::new().append(true).open(&path).unwrap();
        torn.write_all(&record(&marks[0])[..RECORD - 1]).unwrap();
        assert_eq!(Log::open(&state, 0).unwrap().1, marks);
        let (_, left) = Log::open(&state, 50).unwrap();
        assert_eq!(left, [marks[0], marks[2]]);
        assert_eq!(
            fs::metadata(&path).unwrap().len() as usize,
            BEGINS.len() + 2 * RECORD
        );
        fs::write(&path, "something else").unwrap();
        assert!(Log::open(&state, 0).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "something else");
        fs::remove_file(&path).unwrap();
    }
}
