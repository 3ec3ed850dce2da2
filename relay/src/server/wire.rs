//! What HTTP reads and writes: the connection's stream, which is let go of abruptly where a guest is cut, or does not read. Left to
//! itself, the kernel would keep what somebody does not read for as long as they like.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio_util::either::Either;

use crate::limits::guests::Visit;
use crate::tls::Stream;

/// The stream of a visit.
#[derive(Debug)]
pub(crate) struct Wire {
    /// There until it is taken over.
    io: Option<TokioIo<Stream>>,
    visit: Arc<Visit>,
    /// What was to be written last found no room.
    blocked: bool,
}

impl Wire {
    pub(crate) fn new(stream: Stream, visit: Arc<Visit>) -> Wire {
        Wire {
            io: Some(TokioIo::new(stream)),
            visit,
            blocked: false,
        }
    }

    /// The stream, for who speaks something else on it from here on.
    pub(crate) fn into_stream(mut self) -> Option<Stream> {
        self.io.take().map(TokioIo::into_inner)
    }

    fn io(self: Pin<&mut Self>) -> io::Result<Pin<&mut TokioIo<Stream>>> {
        let io = self.get_mut().io.as_mut();
        io.map(Pin::new).ok_or_else(|| ErrorKind::NotConnected.into())
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let abrupt = self.visit.ends_abruptly(self.blocked);
        if let Some(io) = self.io.as_ref().filter(|_| abrupt) {
            // A reset, and nothing more is sent; where that fails nobody is there any more.
            let stream = match io.inner() {
                Either::Left(stream) => stream,
                Either::Right(tls) => tls.get_ref().0,
            };
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl Read for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        self.io()?.poll_read(cx, into)
    }
}

impl Write for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut *this).io()?.poll_write(cx, bytes);
        this.blocked = written.is_pending();
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io()?.poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.as_ref().is_some_and(|io| io.is_write_vectored())
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut *this).io()?.poll_write_vectored(cx, parts);
        this.blocked = written.is_pending();
        written
    }
}
