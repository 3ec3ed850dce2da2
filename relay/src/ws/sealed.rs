//! TLS under a WebSocket whose handshake is over: bytes in, bytes out, no socket. So a media loop, which has no
//! runtime, reads it as a task does, and a frame is sealed by whoever has it, in the order in which frames come.
//! What is opened lies in the buffer that it was read into.

use std::io::{self, ErrorKind, Read, Write};

use tokio_rustls::rustls::ServerConnection;

use super::Broken;

/// Bytes before what was read, so that what becomes of it fits in front: a record whose beginning came earlier
/// opens to more than was read now. The largest is 16 KiB with 2,053 bytes of wrapping.
pub(super) const HEADROOM: usize = 20 << 10;

/// Bytes sealed while nothing sealed waits: one record. What is sealed waits outside of every count of ours, so it
/// is little.
pub(super) const RECORD: usize = 16 << 10;

/// What came is no TLS of this connection's.
const UNREADABLE: Broken = Broken {
    code: None,
    why: "what came could not be decrypted",
};

/// A connection's TLS.
#[derive(Debug)]
pub(super) struct Sealed(Box<ServerConnection>);

/// What was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Opened {
    /// Bytes at the beginning of the buffer; none where no record was whole.
    pub(super) len: usize,
    /// Asking again without reading gives more, or the end.
    pub(super) more: bool,
}

impl Sealed {
    /// One whose handshake is over.
    pub(super) fn new(connection: ServerConnection) -> Sealed {
        Sealed(Box::new(connection))
    }

    /// What was opened before and not taken; goes to the beginning of `buffer`.
    ///
    /// # Errors
    /// [`Broken`] where the other side has said that this was all; that we say so too waits for [`Sealed::send`].
    pub(super) fn leftover(&mut self, buffer: &mut [u8]) -> Result<Opened, Broken> {
        match self.0.reader().read(buffer) {
            Ok(0) => Err(self.over()),
            Ok(len) => Ok(Opened { len, more: true }),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Opened { len: 0, more: false }),
            Err(_) => Err(Broken::LOST),
        }
    }

    /// Opens the `read` bytes that lie in `buffer` behind [`HEADROOM`]; what was in them goes to its beginning. To be
    /// called with nothing left over.
    ///
    /// # Errors
    /// [`Broken`] where they are not the other side's, or it has said that this was all. What is to be told it waits
    /// for [`Sealed::send`].
    pub(super) fn open(&mut self, buffer: &mut [u8], read: usize) -> Result<Opened, Broken> {
        let end = HEADROOM + read;
        let (mut at, mut len) = (HEADROOM, 0);
        while at < end {
            let mut fresh = buffer.get(at..end).unwrap_or_default();
            let took = self.0.read_tls(&mut fresh).map_err(|_| UNREADABLE)?;
            at += took;
            let state = self.0.process_new_packets().map_err(|_| UNREADABLE)?;
            let room = buffer.get_mut(len..at).unwrap_or_default();
            let waits = state.plaintext_bytes_to_read();
            // No record opens to more than it was.
            let room = room.get_mut(..waits).ok_or(UNREADABLE)?;
            if waits > 0 {
                self.0.reader().read_exact(room).map_err(|_| Broken::LOST)?;
                len += waits;
            }
            // Behind the other side's end nothing counts.
            if state.peer_has_closed() || took == 0 {
                return match len {
                    0 => Err(self.over()),
                    _ => Ok(Opened { len, more: true }),
                };
            }
        }
        Ok(Opened { len, more: false })
    }

    /// The other side's end is answered by ours, so that it does not take it for cut off by somebody else.
    fn over(&mut self) -> Broken {
        self.seal_end();
        Broken::LOST
    }

    /// Seals what is said next; answers how many bytes of it. They wait for [`Sealed::send`].
    ///
    /// # Errors
    /// None of the network's: the connection says nothing any more.
    pub(super) fn seal(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.writer().write(bytes)
    }

    /// Says that nothing follows.
    pub(super) fn seal_end(&mut self) {
        self.0.send_close_notify();
    }

    /// Whether something sealed has not been sent.
    pub(super) fn waits(&self) -> bool {
        self.0.wants_write()
    }

    /// Sends what is sealed, as far as there is room; answers how many bytes went.
    ///
    /// # Errors
    /// `WouldBlock` where none did; anything else where nobody is there any more.
    pub(super) fn send(&mut self, mut to: impl Write) -> io::Result<usize> {
        let mut sent = 0;
        while self.0.wants_write() {
            match self.0.write_tls(&mut to) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => sent += n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock && sent > 0 => break,
                Err(error) => return Err(error),
            }
        }
        Ok(sent)
    }
}

#[cfg(test)]
mod tests;
