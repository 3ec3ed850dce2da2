//! Sealed messages over a socket. What is ready together goes in one piece: `u16 length | sealed`, and sealed in it
//! `u16 length | message`, again and again. Each piece has its number in the seal, so that none can be left out, put
//! in, turned round or said again.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::SILENCE;
use super::pair::Sealed;

/// Longest piece on the wire, bytes: Noise's own limit, and what two bytes can say.
const MAX_PIECE: usize = 65_535;

/// Bytes of a seal.
const TAG: usize = 16;

/// Longest message, bytes: one piece holds it. A list of a hundred sound cards is half of that; a frame is 185.
pub const MAX_MESSAGE: usize = MAX_PIECE - TAG - 2;

/// How long a goodbye may take.
const LAST_WORD: Duration = Duration::from_millis(200);

/// Bytes read at once: a second of two tracks.
const READ: usize = 20 << 10;

/// The link is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// The other end, or somebody between, has closed it.
    #[error("the connection was closed")]
    Closed,
    /// Nothing was said, or nothing was taken, for two seconds.
    #[error("nothing came for 2 s")]
    Silent,
    /// What came was not sealed by the other end, or cannot be read.
    #[error("what came was not the other end's")]
    Broken,
}

/// Both halves of a socket whose ends have met.
pub fn split<S: AsyncRead + AsyncWrite>(
    stream: S,
    sealed: Sealed,
) -> (Reader<ReadHalf<S>>, Writer<WriteHalf<S>>) {
    let (from, to) = tokio::io::split(stream);
    let sealed = Arc::new(sealed);
    let reader = Reader {
        from,
        sealed: sealed.clone(),
        number: 0,
        came: BytesMut::new(),
        opened: Bytes::new(),
        patience: SILENCE,
    };
    let writer = Writer {
        to,
        sealed,
        number: 0,
        plain: Vec::new(),
        piece: Vec::new(),
        patience: SILENCE,
    };
    (reader, writer)
}

/// What comes.
pub struct Reader<R> {
    from: R,
    sealed: Arc<Sealed>,
    number: u64,
    /// Read, and not a whole piece yet.
    came: BytesMut,
    /// What is left of the last piece.
    opened: Bytes,
    /// Silence of this length is the end.
    patience: Duration,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// The next message. Cancelling it loses nothing.
    ///
    /// # Errors
    /// [`Cut`].
    pub async fn next(&mut self) -> Result<Bytes, Cut> {
        loop {
            if self.opened.has_remaining() {
                let length = usize::from(self.opened.try_get_u16().map_err(|_| Cut::Broken)?);
                if length > self.opened.len() {
                    return Err(Cut::Broken);
                }
                return Ok(self.opened.split_to(length));
            }
            if self.open()? {
                continue;
            }
            self.came.reserve(READ);
            let read = timeout(self.patience, self.from.read_buf(&mut self.came));
            match read.await {
                Err(_) => return Err(Cut::Silent),
                Ok(Err(_) | Ok(0)) => return Err(Cut::Closed),
                Ok(Ok(_)) => {}
            }
        }
    }

    /// Opens the next piece, if all of it is there.
    fn open(&mut self) -> Result<bool, Cut> {
        let Some((head, rest)) = self.came.split_first_chunk::<2>() else {
            return Ok(false);
        };
        let length = usize::from(u16::from_be_bytes(*head));
        let Some(piece) = rest.get(..length) else {
            return Ok(false);
        };
        let mut plain = vec![0; length];
        let opened = self.sealed.read_message(self.number, piece, &mut plain);
        plain.truncate(opened.map_err(|_| Cut::Broken)?);
        self.number += 1;
        self.came.advance(2 + length);
        self.opened = plain.into();
        Ok(true)
    }
}

/// What is said.
pub struct Writer<W> {
    to: W,
    sealed: Arc<Sealed>,
    number: u64,
    plain: Vec<u8>,
    piece: Vec<u8>,
    /// So long nothing may be taken.
    patience: Duration,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// Adds a message to the piece, where there is room for it; one that no piece has room for is left out. Gives
    /// whether it is settled.
    pub fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let before = self.plain.len();
        self.plain.extend([0; 2]);
        write(&mut self.plain);
        let length = self.plain.len() - before - 2;
        let fits = self.plain.len() <= MAX_PIECE - TAG;
        if !fits {
            self.plain.truncate(before);
            return before == 0;
        }
        if let Some(head) = self.plain.get_mut(before..before + 2) {
            head.copy_from_slice(&(length as u16).to_be_bytes());
        }
        true
    }

    /// Whether a message waits.
    pub fn waits(&self) -> bool {
        !self.plain.is_empty()
    }

    /// Sends what was added.
    ///
    /// # Errors
    /// [`Cut`]; also where nobody takes a byte for two seconds.
    pub async fn flush(&mut self) -> Result<(), Cut> {
        if self.plain.is_empty() {
            return Ok(());
        }
        self.piece.resize(2 + self.plain.len() + TAG, 0);
        let Some((head, body)) = self.piece.split_first_chunk_mut::<2>() else {
            return Err(Cut::Broken);
        };
        let length = self.sealed.write_message(self.number, &self.plain, body);
        *head = (length.map_err(|_| Cut::Broken)? as u16).to_be_bytes();
        self.number += 1;
        self.plain.clear();
        let mut left = &self.piece[..];
        while !left.is_empty() {
            match timeout(self.patience, self.to.write(left)).await {
                Err(_) => return Err(Cut::Silent),
                Ok(Err(_) | Ok(0)) => return Err(Cut::Closed),
                Ok(Ok(count)) => left = left.get(count..).unwrap_or_default(),
            }
        }
        Ok(())
    }

    /// Says that no more comes.
    pub async fn close(&mut self) {
        let _ = timeout(LAST_WORD, self.to.shutdown()).await;
    }
}

#[cfg(test)]
mod tests;
