//! The terminal's device, opened anew by its name, so that it can be read and written without waiting while
//! those who share stdin and stdout with us notice nothing of it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{isatty, tcgetwinsize, ttyname};

use crate::failure::Failure;

/// What a terminal is taken for that does not say how large it is.
const USUAL: (u16, u16) = (80, 24);

/// The device.
#[derive(Debug)]
pub struct Tty(OwnedFd);

impl Tty {
    /// The terminal that stdin and stdout are.
    ///
    /// # Errors
    /// [`Failure::Failed`] where one of them is none, saying what works without.
    pub fn open() -> Result<Tty, Failure> {
        if !isatty(stdout()) || !isatty(stdin()) {
            return Err(Failure::Failed(
                "the monitor needs a terminal to draw on and to read keys from, and stdin or stdout is none; \
                 without one there are `partyline calls`, `listen`, `transcript` and `events`"
                    .to_owned(),
            ));
        }
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        // The name may belong to somebody else, or to another file system; the other way needs a session.
        let named = ttyname(stdout(), Vec::new()).and_then(|name| open(name, flags, Mode::empty()));
        let fd = named.or_else(|_| open("/dev/tty", flags, Mode::empty()));
        fd.map(Tty)
            .map_err(|e| Failure::Failed(format!("the terminal cannot be opened: {e}")))
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        match tcgetwinsize(&self.0) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
            _ => USUAL,
        }
    }

    /// Reads what is there; [`io::ErrorKind::WouldBlock`] for nothing, 0 for a terminal that is gone.
    ///
    /// # Errors
    /// As the system says.
    pub fn read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| {
            rustix::io::read(&self.0, &mut *bytes)
        })?)
    }

    /// Writes as much as there is room for, possibly nothing.
    ///
    /// # Errors
    /// As the system says: the terminal is gone.
    pub fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match rustix::io::retry_on_intr(|| rustix::io::write(&self.0, bytes)) {
            Ok(written) => Ok(written),
            Err(rustix::io::Errno::AGAIN) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes all of it, waiting so long for room and no longer. Only for who is about to come or go.
    ///
    /// # Errors
    /// As the system says; [`io::ErrorKind::TimedOut`].
    pub fn write_within(&self, mut bytes: &[u8], wait: Duration) -> io::Result<()> {
        let end = Instant::now() + wait;
        loop {
            bytes = bytes.get(self.write(bytes)?..).unwrap_or_default();
            if bytes.is_empty() {
                return Ok(());
            }
            let left = end.saturating_duration_since(Instant::now());
            let time = Timespec::try_from(left).map_err(io::Error::other)?;
            let mut fds = [PollFd::new(&self.0, PollFlags::OUT)];
            if left.is_zero() || poll(&mut fds, Some(&time)) == Ok(0) {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }

    /// Another handle of the same.
    ///
    /// # Errors
    /// As the system says.
    pub fn again(&self) -> io::Result<Tty> {
        self.0.try_clone().map(Tty)
    }
}

impl AsFd for Tty {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Tty {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
