//! One WebSocket as a media loop reads it: no runtime, no waker. It says nothing but the answers to pings; to say
//! more it becomes a [`Socket`] again.

use std::io::{self, ErrorKind, Read, Write};
use std::ops::ControlFlow;

use mio::event::Source;

use super::head::{self, Kind};
use super::reader::{Came, Reader};
use super::sealed::{HEADROOM, RECORD, Sealed};
use super::socket::{Parts, Rest, Socket, with_buffer};
use super::{Broken, Message};

/// A WebSocket of ours that is read and hardly written.
#[derive(Debug)]
pub struct Feed {
    reader: Reader,
    stream: mio::net::TcpStream,
    /// Where TLS is spoken.
    sealed: Option<Sealed>,
    rest: Rest,
    /// There may be more to read: asking is worth a call of the kernel.
    more: bool,
    /// Its other side has ended: what it said before is read to the end.
    closing: bool,
}

impl Feed {
    /// Takes a socket out of its runtime. Its writing half must not have been given away.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn new(socket: Socket) -> io::Result<Feed> {
        let parts = socket.into_parts()?;
        Ok(Feed {
            reader: parts.reader,
            stream: mio::net::TcpStream::from_std(parts.stream),
            sealed: parts.sealed,
            rest: parts.rest,
            more: true,
            closing: false,
        })
    }

    /// Puts it into the runtime that this is called in.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn into_socket(self) -> io::Result<Socket> {
        Socket::from_parts(Parts {
            reader: self.reader,
            stream: self.stream.into(),
            sealed: self.sealed,
            rest: self.rest,
        })
    }

    /// The socket itself, to be waited for.
    pub fn source(&mut self) -> &mut dyn Source {
        &mut self.stream
    }

    /// The kernel has news of it, which where `closing` are its end.
    pub fn on_ready(&mut self, closing: bool) {
        self.more = true;
        self.closing |= closing;
    }

    /// Hands on what has come since the last turn; one call of the kernel at most. `None` when there is nothing until
    /// the kernel has news again. Pings are answered.
    ///
    /// # Errors
    /// [`Broken`] with the code to close with.
    pub fn turn<B>(
        &mut self,
        on: impl FnMut(Message<'_>) -> ControlFlow<B>,
    ) -> Result<Option<Came<B>>, Broken> {
        self.flush()?;
        if !self.more {
            return Ok(None);
        }
        let came = if self.rest.early.is_empty() {
            match with_buffer(|buffer| self.read(buffer, on))? {
                None => return Ok(None),
                Some(came) => came,
            }
        } else {
            self.reader.take(&mut std::mem::take(&mut self.rest.early), on)?
        };
        self.flush()?;
        Ok(Some(came))
    }

    fn read<B>(
        &mut self,
        buffer: &mut [u8],
        on: impl FnMut(Message<'_>) -> ControlFlow<B>,
    ) -> Result<Option<Came<B>>, Broken> {
        let len = match self.sealed.is_some() {
            false => self.fresh(buffer)?,
            true => self.open(buffer)?,
        };
        match len {
            Some(len) => {
                let came = self.reader.take(buffer.get_mut(..len).unwrap_or_default(), on)?;
                Ok(Some(came))
            }
            None => Ok(None),
        }
    }

    /// Bytes as they came, at least one.
    fn fresh(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Broken> {
        let read = loop {
            match self.stream.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        match read {
            Ok(n @ 1..) => {
                // Less than there is room for was all, and more of it is news. Where the end was news before, none
                // comes again; and some systems have news only for who was told that there is nothing.
                self.more = !cfg!(unix) || self.closing || n == buffer.len();
                Ok(Some(n))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.more = false;
                Ok(None)
            }
            Ok(0) | Err(_) => Err(Broken::LOST),
        }
    }

    /// Bytes out of what came sealed; none where no record was whole.
    fn open(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Broken> {
        if let Some(sealed) = &mut self.sealed {
            match sealed.leftover(buffer) {
                Ok(left) if left.len == 0 => {}
                Ok(left) => return Ok(Some(left.len)),
                Err(broken) => return Err(self.told(broken)),
            }
        }
        let Some(read) = self.fresh(buffer.get_mut(HEADROOM..).unwrap_or_default())? else {
            return Ok(None);
        };
        let Some(sealed) = &mut self.sealed else {
            return Ok(None);
        };
        match sealed.open(buffer, read) {
            Ok(opened) => {
                self.more |= opened.more;
                Ok(Some(opened.len))
            }
            Err(broken) => Err(self.told(broken)),
        }
    }

    /// What is wrong, or that it is over, is told where it can be at once.
    fn told(&mut self, broken: Broken) -> Broken {
        if let Some(sealed) = &mut self.sealed {
            let _ = sealed.send(&mut self.stream);
        }
        broken
    }

    /// Answers the newest ping. What finds no room waits for the next turn: room is news.
    fn flush(&mut self) -> Result<(), Broken> {
        loop {
            if self.rest.out.is_empty() && !self.waits() {
                let Some(ping) = self.reader.take_ping() else {
                    return Ok(());
                };
                head::put(&mut self.rest.out, Kind::Pong, &ping);
            }
            match self.write() {
                Ok(n) => drop(self.rest.out.drain(..n)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => return Err(Broken::LOST),
            }
        }
    }
    /// Whether something sealed has not been sent.
    fn waits(&self) -> bool {
        self.sealed.as_ref().is_some_and(Sealed::waits)
    }

    /// One step of writing; answers how many bytes of what was said are done with.
    fn write(&mut self) -> io::Result<usize> {
        let Some(sealed) = &mut self.sealed else {
            return self.stream.write(&self.rest.out);
        };
        if sealed.waits() {
            sealed.send(&mut self.stream)?;
            return Ok(0);
        }
        let said = &self.rest.out;
        sealed.seal(said.get(..RECORD).unwrap_or(said))
    }
}
