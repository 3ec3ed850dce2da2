//! Bytes to the terminal without ever waiting for it: what it has no room for waits here, and while it does
//! nothing new is drawn. A terminal that stands still holds up neither the sound nor what is known of the calls.

use std::io;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::terminal::Terminal;
use crate::terminal::tty::Tty;

/// Most bytes that may wait; a picture of the largest screen is a third of it.
const MAX_WAITING: usize = 1 << 20;

/// See the module.
#[derive(Default)]
pub(super) struct Output {
    waiting: Vec<u8>,
    room: Option<AsyncFd<Tty>>,
}

impl Output {
    /// Writes, or keeps what there is no room for; whether there was room to keep it.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) fn push(&mut self, terminal: &Terminal, bytes: &[u8]) -> io::Result<bool> {
        if self.waiting.len().saturating_add(bytes.len()) > MAX_WAITING {
            return Ok(false);
        }
        self.waiting.extend_from_slice(bytes);
        self.write(terminal)?;
        Ok(true)
    }

    /// Whether all was written.
    pub(super) fn is_done(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What waits belongs to a picture that is no longer there.
    pub(super) fn forget(&mut self) {
        self.waiting.clear();
        self.room = None;
    }

    /// Waits for room and uses it. Cancelling it loses nothing.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(super) async fn go_on(&mut self, terminal: &Terminal) -> io::Result<()> {
        // Only now, since who waits for room is woken whenever there is some.
        if self.room.is_none() {
            self.room = Some(room(terminal.tty().again()?)?);
        }
        if let Some(room) = &self.room {
            room.writable().await?.clear_ready();
        }
        self.write(terminal)
    }

    fn write(&mut self, terminal: &Terminal) -> io::Result<()> {
        while !self.waiting.is_empty() {
            let written = terminal.write(&self.waiting)?;
            if written == 0 {
                return Ok(());
            }
            self.waiting.drain(..written);
        }
        self.room = None;
        Ok(())
    }
}

// What replaces it is unsafe, for fear of descriptors that are closed meanwhile; this one is owned.
#[allow(deprecated)]
fn room(tty: Tty) -> io::Result<AsyncFd<Tty>> {
    AsyncFd::with_interest(tty, Interest::WRITABLE)
}
