//! One WebSocket as its task uses it: a turn of reading hands on all messages that came together; what is
//! said is collected and written in one go. Holds no buffer while it is idle: what is read lies in one of
//! the thread's, what was written is let go.

use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio_rustls::rustls::ServerConnection;

use super::head::{self, Kind};
use super::reader::{Came, Reader};
use super::sealed::{HEADROOM, RECORD, Sealed};
use super::writer::{Within, Writer};
use super::{Broken, Message};
use crate::shards::Place;

/// Read at a time, bytes: what a stream sends in 2 s. One buffer a thread, not one a socket.
const SCRATCH: usize = 64 << 10;
/// How long the other side may take to answer a close.
const CLOSE_TIME: Duration = Duration::from_secs(1);

thread_local! {
    /// Taken for the length of a read, and put back.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Runs `f` with the thread's buffer for reading.
pub(super) fn with_buffer<R>(f: impl FnOnce(&mut [u8]) -> R) -> R {
    let mut buffer = BUFFER.take();
    buffer.resize(SCRATCH, 0);
    let result = f(&mut buffer);
    BUFFER.set(buffer);
    result
}

/// A WebSocket of ours.
#[derive(Debug)]
pub struct Socket {
    reader: Reader,
    read: OwnedReadHalf,
    writer: Arc<Writer>,
    rest: Rest,
    /// Of what was said `out_at` bytes are written.
    out_at: usize,
    /// Bytes written so far, as they were said.
    written: u64,
    /// Bytes that have left so far, as they are on the wire.
    sent: u64,
}

/// What a connection has beside its stream and its reader, wherever it is served.
#[derive(Debug)]
pub(super) struct Rest {
    /// Read by whoever made the handshake: a copy, since an empty slice would keep all of its buffer.
    pub(super) early: Vec<u8>,
    /// Said and not written yet.
    pub(super) out: Vec<u8>,
    /// Its place among the open connections, left with it.
    pub(super) place: Arc<Place>,
}

impl Rest {
    fn new(early: &[u8], place: Arc<Place>) -> Rest {
        Rest {
            early: early.to_vec(),
            out: Vec::new(),
            place,
        }
    }
}

/// All of a connection, outside of any runtime.
pub(super) struct Parts {
    pub(super) reader: Reader,
    pub(super) stream: std::net::TcpStream,
    pub(super) sealed: Option<Sealed>,
    pub(super) rest: Rest,
}

impl Socket {
    /// Takes a connection over after its handshake; `early` is what was already read of it.
    pub fn new(stream: TcpStream, early: &[u8], max_message: usize, place: Arc<Place>) -> Socket {
        Socket::of(Reader::new(max_message), stream, None, Rest::new(early, place))
    }

    /// The same under TLS, whose handshake is over as well.
    pub fn under_tls(
        stream: TcpStream,
        tls: ServerConnection,
        early: &[u8],
        max_message: usize,
        place: Arc<Place>,
    ) -> Socket {
        let (reader, sealed) = (Reader::new(max_message), Some(Sealed::new(tls)));
        Socket::of(reader, stream, sealed, Rest::new(early, place))
    }

    fn of(reader: Reader, stream: TcpStream, sealed: Option<Sealed>, rest: Rest) -> Socket {
        let (read, write) = stream.into_split();
        Socket {
            reader,
            read,
            writer: Arc::new(Writer::new(write, sealed)),
            rest,
            out_at: 0,
            written: 0,
            sent: 0,
        }
    }

    /// Puts a connection into the runtime that this is called in.
    pub(super) fn from_parts(parts: Parts) -> io::Result<Socket> {
        let stream = TcpStream::from_std(parts.stream)?;
        Ok(Socket::of(parts.reader, stream, parts.sealed, parts.rest))
    }

    /// Takes a connection out of its runtime.
    pub(super) fn into_parts(mut self) -> io::Result<Parts> {
        let writer = Arc::into_inner(self.writer).ok_or(ErrorKind::InvalidInput)?;
        let (half, sealed) = writer.into_parts();
        let halves = self.read.reunite(half).map_err(io::Error::other)?;
        self.rest.out.drain(..self.out_at);
        Ok(Parts {
            reader: self.reader,
            stream: halves.into_std()?,
            sealed,
            rest: self.rest,
        })
    }

    /// Its place among the open connections.
    pub fn place(&self) -> &Arc<Place> {
        &self.rest.place
    }

    /// What the other side said behind the message that the reading was stopped at comes with the next turn.
    pub fn read_on(&mut self) {
        self.rest.early = self.reader.take_rest();
    }

    /// The other side has shown who it is: messages of up to `max_message` bytes are taken, and what it said behind
    /// the one that the reading was stopped at comes with the next turn.
    pub fn proven(&mut self, max_message: usize) {
        self.reader.set_max_message(max_message);
        self.read_on();
    }

    /// Lets go of the connection without a word, also of what the kernel has for it: who may hear nothing more
    /// is not told what was said before, later.
    pub fn cut(self) {
        let _ = SockRef::from(self.writer.stream()).set_linger(Some(Duration::ZERO));
    }

    /// Says `code`, and does not leave to the kernel what the other side has not taken by the time that it has to
    /// answer.
    pub async fn dismiss(mut self, code: u16, why: &str) {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(why.as_bytes());
        payload.truncate(super::reader::MAX_CONTROL);
        self.say_goodbye(&payload).await;
        self.cut();
    }

    /// The writing half, for who has frames for it while this task sleeps.
    pub fn writer(&self) -> &Arc<Writer> {
        &self.writer
    }

    /// Hands on what has come since the last turn; one call of the kernel at most. Pings are answered.
    ///
    /// # Errors
    /// [`Broken`] with the code to close with.
    pub fn poll_turn<B>(
        &mut self,
        cx: &mut Context<'_>,
        on: impl FnMut(Message<'_>) -> ControlFlow<B>,
    ) -> Poll<Result<Came<B>, Broken>> {
        if self.has_more_to_write() && matches!(self.poll_flush(cx), Poll::Ready(Err(_))) {
            return Poll::Ready(Err(Broken::LOST));
        }
        let came = if self.rest.early.is_empty() {
            ready!(with_buffer(|buffer| self.poll_read(cx, buffer, on)))?
        } else {
            let mut early = std::mem::take(&mut self.rest.early);
            self.reader.take(&mut early, on)?
        };
        // Answered now, or as soon as there is room.
        if self.has_more_to_write() && matches!(self.poll_flush(cx), Poll::Ready(Err(_))) {
            return Poll::Ready(Err(Broken::LOST));
        }
        Poll::Ready(Ok(came))
    }

    fn poll_read<B>(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
        on: impl FnMut(Message<'_>) -> ControlFlow<B>,
    ) -> Poll<Result<Came<B>, Broken>> {
        let len = if self.writer.is_sealed() {
            ready!(self.poll_open(cx, buffer))?
        } else {
            ready!(self.poll_fresh(cx, buffer))?
        };
        Poll::Ready(self.reader.take(buffer.get_mut(..len).unwrap_or_default(), on))
    }

    /// Bytes as they came, at least one.
    fn poll_fresh(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, Broken>> {
        let mut fresh = ReadBuf::new(buffer);
        if ready!(Pin::new(&mut self.read).poll_read(cx, &mut fresh)).is_err() || fresh.filled().is_empty() {
            return Poll::Ready(Err(Broken::LOST));
        }
        Poll::Ready(Ok(fresh.filled().len()))
    }

    /// Bytes out of what came sealed, at least one. The lock is let go before anybody is told of them.
    fn poll_open(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Result<usize, Broken>> {
        if let Some(mut sealed) = self.writer.sealed() {
            match sealed.leftover(buffer) {
                Ok(left) if left.len == 0 => {}
                Ok(left) => return Poll::Ready(Ok(left.len)),
                Err(broken) => return Poll::Ready(Err(self.told(&mut sealed, broken))),
            }
        }
        loop {
            let room = buffer.get_mut(HEADROOM..).unwrap_or_default();
            let read = ready!(self.poll_fresh(cx, room))?;
            let Some(mut sealed) = self.writer.sealed() else {
                return Poll::Ready(Err(Broken::LOST));
            };
            match sealed.open(buffer, read) {
                Ok(opened) if opened.len == 0 => {}
                Ok(opened) => return Poll::Ready(Ok(opened.len)),
                Err(broken) => return Poll::Ready(Err(self.told(&mut sealed, broken))),
            }
        }
    }

    /// What is wrong, or that it is over, is told where it can be at once.
    fn told(&self, sealed: &mut Sealed, broken: Broken) -> Broken {
        let _ = sealed.send(Within(self.writer.stream()));
        broken
    }

    /// Says a text; written with the next flush.
    pub fn text(&mut self, text: &str) {
        head::put(&mut self.rest.out, Kind::Text, text.as_bytes());
    }

    /// Says bytes; written with the next flush.
    pub fn binary(&mut self, bytes: &[u8]) {
        head::put(&mut self.rest.out, Kind::Binary, bytes);
    }

    /// Says whole messages, which have their heads already; written with the next flush.
    pub fn framed(&mut self, messages: &[u8]) {
        self.rest.out.extend_from_slice(messages);
    }

    /// Asks whether the other side is there; written with the next flush.
    pub fn ping(&mut self) {
        head::put(&mut self.rest.out, Kind::Ping, &[]);
    }

    /// The end of a frame that somebody else began to write: before all that is said from here on.
    pub fn finish_frame(&mut self, rest: Vec<u8>) {
        // Somebody else writes only while everything of ours is written; what it sealed may wait, and leaves first.
        debug_assert_eq!(self.rest.out.len(), self.out_at);
        (self.rest.out, self.out_at) = (rest, 0);
    }

    /// Bytes said and not written; what is sealed and waits is one more.
    pub fn unwritten(&self) -> usize {
        let sealed = self.writer.sealed().is_some_and(|sealed| sealed.waits());
        self.rest.out.len() - self.out_at + usize::from(sealed)
    }

    /// Bytes written so far, as they were said: before TLS, and not what somebody else wrote.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Bytes that have left so far by this task, as they are on the wire: whether the other side takes anything.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    fn has_more_to_write(&self) -> bool {
        self.unwritten() > 0 || self.reader.has_ping()
    }

    /// Writes what has been said, then lets the memory go.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let rest = self.rest.out.get(self.out_at..).unwrap_or_default();
            let wrote = match self.writer.sealed() {
                None if rest.is_empty() => Ok(None),
                None => self.writer.stream().try_write(rest).map(|n| Some((n, n))),
                Some(mut sealed) => self.send_sealed(&mut sealed, rest),
            };
            match wrote {
                Ok(Some((said, sent))) => {
                    self.out_at += said;
                    self.written += said as u64;
                    self.sent += sent as u64;
                }
                Ok(None) => {
                    self.out_at = 0;
                    self.rest.out = Vec::new();
                    // All in one write, and nothing is piled up behind a peer that does not read.
                    while let Some(ping) = self.reader.take_ping() {
                        head::put(&mut self.rest.out, Kind::Pong, &ping);
                    }
                    if self.rest.out.is_empty() {
                        return Poll::Ready(Ok(()));
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ready!(self.writer.stream().poll_write_ready(cx))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// One step: bytes of `rest` that were sealed, and bytes that were sent; `None` where there is nothing to do.
    fn send_sealed(&self, sealed: &mut Sealed, rest: &[u8]) -> io::Result<Option<(usize, usize)>> {
        if sealed.waits() {
            return Ok(Some((0, sealed.send(Within(self.writer.stream()))?)));
        }
        match rest.get(..RECORD).unwrap_or(rest) {
            [] => Ok(None),
            record => Ok(Some((sealed.seal(record)?, 0))),
        }
    }

    /// Says `code`, and lets go of the connection when the other side has heard it.
    pub async fn close(mut self, code: u16, why: &str) {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(why.as_bytes());
        payload.truncate(super::reader::MAX_CONTROL);
        self.say_goodbye(&payload).await;
    }

    /// The other side has closed: it gets its own code back.
    pub async fn answer_close(mut self, code: Option<u16>) {
        let payload = code.map(u16::to_be_bytes);
        self.say_goodbye(payload.as_ref().map_or(&[], |code| &code[..]))
            .await;
    }

    async fn say_goodbye(&mut self, payload: &[u8]) {
        // Nothing may follow a close.
        while self.reader.take_ping().is_some() {}
        head::put(&mut self.rest.out, Kind::Close, payload);
        let closing = async {
            let mut flushed = poll_fn(|cx| self.poll_flush(cx)).await.is_ok();
            if flushed && self.seal_end() {
                flushed = poll_fn(|cx| self.poll_flush(cx)).await.is_ok();
            }
            if flushed {
                self.linger().await;
            }
        };
        let _ = tokio::time::timeout(CLOSE_TIME, closing).await;
    }

    /// Under TLS the end is said, or it could be anybody's; answers whether it was.
    fn seal_end(&self) -> bool {
        let sealed = self.writer.sealed();
        sealed.map(|mut sealed| sealed.seal_end()).is_some()
    }

    /// Ends our half and reads until the other side has ended its own: what lies unread when a connection
    /// is dropped makes the kernel reset it, and a reset overtakes the close frame.
    async fn linger(&mut self) {
        let _ = SockRef::from(self.writer.stream()).shutdown(Shutdown::Write);
        let mut unread = [0; 1024];
        while let Ok(1..) = self.read.read(&mut unread).await {}
    }
}
