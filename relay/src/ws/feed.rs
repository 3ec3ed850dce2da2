//! One WebSocket as a media loop reads it: no runtime, no waker. It says nothing but the answers to pings; to say
//! more it becomes a [`Socket`] again.

use std::io::{self, ErrorKind, Read};
use std::ops::ControlFlow;

use mio::event::Source;

use super::head::{self, Kind};
use super::reader::{Came, Reader};
use super::socket::{Rest, Socket, with_buffer};
use super::{Broken, Message};

/// A WebSocket of ours that is read and hardly written.
#[derive(Debug)]
pub struct Feed {
    reader: Reader,
    stream: mio::net::TcpStream,
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
        let (reader, stream, rest) = socket.into_parts()?;
        Ok(Feed {
            reader,
            stream: mio::net::TcpStream::from_std(stream),
            rest,
            more: true,
            closing: false,
        })
    }

    /// Puts it into the runtime that this is called in.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn into_socket(self) -> io::Result<Socket> {
        Socket::from_parts(self.reader, self.stream.into(), self.rest)
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
                Ok(Some(
                    self.reader.take(buffer.get_mut(..n).unwrap_or_default(), on)?,
                ))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.more = false;
                Ok(None)
            }
            Ok(0) | Err(_) => Err(Broken::LOST),
        }
    }

    /// Answers the newest ping. What finds no room waits for the next turn: room is news.
    fn flush(&mut self) -> Result<(), Broken> {
        loop {
            if self.rest.out.is_empty() {
                let Some(ping) = self.reader.take_ping() else {
                    return Ok(());
                };
                head::put(&mut self.rest.out, Kind::Pong, &ping);
            }
            match io::Write::write(&mut self.stream, &self.rest.out) {
                Ok(n) => drop(self.rest.out.drain(..n)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => return Err(Broken::LOST),
            }
        }
    }
}
