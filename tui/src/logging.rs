//! Error output while a screen is up: into a file of bounded size, so that nothing a library prints tears the
//! picture. It goes where it went before when the guard is gone.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::stdio::{dup2_stderr, stderr};

/// Longest log, bytes: it begins anew then. Enough for days of a sound card that fails, and read in one go.
const MAX_LOG: u64 = 1 << 20;

/// The guard.
#[derive(Debug)]
#[must_use = "error output goes back when this is dropped"]
pub struct Diverted {
    before: OwnedFd,
    log: File,
}

impl Diverted {
    /// Sends error output to `log`, which only this user can read, or to nowhere. One that cannot be opened is
    /// nowhere too: that there is no log is no reason not to work.
    ///
    /// # Errors
    /// Where the system has no descriptors left.
    pub fn begin(log: Option<&Path>) -> io::Result<Diverted> {
        let file = match log.map(open) {
            Some(Ok(file)) => file,
            _ => OpenOptions::new().write(true).open("/dev/null")?,
        };
        let before = rustix::io::fcntl_dupfd_cloexec(stderr(), 3)?;
        let diverted = Diverted { before, log: file };
        diverted.trim();
        dup2_stderr(&diverted.log)?;
        Ok(diverted)
    }

    /// Where error output went before: for what is ours.
    ///
    /// # Errors
    /// Where the system has no descriptors left.
    pub fn before(&self) -> io::Result<File> {
        self.before.try_clone().map(File::from)
    }

    /// Begins anew where it has become too long.
    pub fn trim(&self) {
        if self.log.metadata().is_ok_and(|log| log.len() > MAX_LOG) {
            // It is appended to, so what is written next is at the beginning.
            let _ = self.log.set_len(0);
        }
    }
}

impl Drop for Diverted {
    fn drop(&mut self) {
        let _ = dup2_stderr(&self.before);
    }
}

fn open(path: &Path) -> io::Result<File> {
    // A FIFO that nobody reads would be waited for.
    let no_wait = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(no_wait)
        .open(path)?;
    if file.metadata()?.file_type().is_fifo() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// In one test, since there is one error output.
    #[test]
    fn error_output_goes_into_the_log_and_back() {
        let path = std::env::temp_dir().join(format!("partyline-log-{}", std::process::id()));
        let print = |text: &str| rustix::io::write(stderr(), text.as_bytes()).unwrap();
        let log = || std::fs::read_to_string(&path).unwrap();
        let diverted = Diverted::begin(Some(&path)).unwrap();
        print("ALSA lib says something\n");
        assert!(log().contains("ALSA lib says something\n"));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        print(&"x".repeat(2 << 20));
        diverted.trim();
        print("afterwards\n");
        assert!(log().contains("afterwards\n") && log().len() < 1000);
        drop(diverted);
        print("");
        let length = log().len();
        let again = Diverted::begin(Some(&path)).unwrap();
        print("another time\n");
        drop(again);
        assert!(
            log().len() > length && log().contains("afterwards\n"),
            "it is kept"
        );
        let nowhere = Diverted::begin(Some(Path::new("/nonexistent/log"))).unwrap();
        print("nobody reads this\n");
        drop(nowhere);
        std::fs::remove_file(&path).unwrap();
    }
}
