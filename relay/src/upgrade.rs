//! HTTP to WebSocket, with limits: the only place where hyper meets tungstenite. With hyper in front,
//! the handshake's checks are ours.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::metrics::Held;
use crate::respond::{Answer, Refusal};
use crate::tls::Stream;

/// Read at a time, bytes: two media messages. The library's default of 128 KiB is allocated for every idle
/// socket, and what is read at a time is zeroed before: 4 KiB cost a tenth of all instructions a frame.
const READ_BUFFER: usize = 1 << 10;
/// Written out when it is reached, bytes; doors flush before.
const WRITE_BUFFER: usize = 32 << 10;
/// Most that may wait to be written, bytes: one page of the list of calls and something more.
const MAX_WRITE_BUFFER: usize = 1 << 20;
/// Bytes read without a whole message, beyond the largest message: heads of 64 fragments. Fragments
/// without content would get past every limit of size.
const FRAGMENT_HEADS: usize = 64 * 14;
/// How long the other side may take to answer a close.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// A WebSocket of ours.
pub type Socket = WebSocketStream<Metered<Stream>>;

/// What a handshake has to become.
pub struct Handshake {
    upgrade: OnUpgrade,
    max_message: usize,
    held: Option<Arc<Held>>,
}

/// Why a socket ended that did not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Broken {
    /// The close code that says it; `None` where nobody is there to be told.
    pub code: Option<u16>,
    /// For a person.
    pub why: &'static str,
}

/// Checks an upgrade request and makes the answer 101, with `subprotocol` where one was agreed.
///
/// # Errors
/// A [`Refusal`] with 426 or 400 where it is no WebSocket handshake of version 13.
pub fn accept(
    request: &mut Request<Incoming>,
    subprotocol: Option<HeaderValue>,
    max_message: usize,
) -> Result<(Answer, Handshake), Refusal> {
    let headers = request.headers();
    if request.method() != Method::GET
        || !has_token(headers, &CONNECTION, "upgrade")
        || !has_token(headers, &UPGRADE, "websocket")
    {
        let message = "this path is a WebSocket: connect with a WebSocket client";
        return Err(Refusal::new(
            StatusCode::UPGRADE_REQUIRED,
            "upgrade_required",
            message,
        ));
    }
    if headers
        .get(SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != "13")
    {
        let message = "this relay speaks WebSocket version 13";
        return Err(Refusal::new(
            StatusCode::UPGRADE_REQUIRED,
            "upgrade_required",
            message,
        ));
    }
    let key = headers
        .get(SEC_WEBSOCKET_KEY)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    if STANDARD.decode(key).map_or(0, |key| key.len()) != 16 {
        return Err(Refusal::bad_request(
            "Sec-WebSocket-Key is not 16 bytes in base64",
        ));
    }
    let mut answer = Answer::new(Full::new(Bytes::new()));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let accept_key = HeaderValue::from_str(&derive_accept_key(key)).map_err(|_| Refusal::not_found())?;
    let out = answer.headers_mut();
    out.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    out.insert(UPGRADE, HeaderValue::from_static("websocket"));
    out.insert(SEC_WEBSOCKET_ACCEPT, accept_key);
    if let Some(subprotocol) = subprotocol {
        out.insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
    }
    let held = request.extensions().get().cloned();
    Ok((
        answer,
        Handshake {
            upgrade: hyper::upgrade::on(request),
            max_message,
            held,
        },
    ))
}

/// Whether a comma-separated header names `token`, in any case.
pub fn has_token(headers: &HeaderMap, name: &http::HeaderName, token: &str) -> bool {
    offered(headers, name).any(|offered| offered.eq_ignore_ascii_case(token))
}

/// The tokens of a comma-separated header, in order.
pub fn offered<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .map(str::trim)
}

impl Handshake {
    /// Waits for the 101 to be on its way and takes the socket over; `None` where it went meanwhile.
    pub async fn socket(self) -> Option<Socket> {
        let upgraded = self.upgrade.await.ok()?;
        let parts = upgraded.downcast::<TokioIo<Stream>>().ok()?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_write_buffer_size(MAX_WRITE_BUFFER)
            .max_message_size(Some(self.max_message))
            .max_frame_size(Some(self.max_message));
        let limit = self.max_message + READ_BUFFER + FRAGMENT_HEADS;
        let read = parts.read_buf.to_vec();
        let stream = Metered {
            inner: parts.io.into_inner(),
            _held: self.held,
            written: 0,
            unread: 0,
            ahead: read.len(),
            drained: false,
            limit,
        };
        Some(WebSocketStream::from_partially_read(stream, read, Role::Server, Some(config)).await)
    }
}

/// The next message of a socket; `Ok(None)` when the other side closed it properly.
///
/// # Errors
/// [`Broken`] with the code to close with.
pub async fn next(socket: &mut Socket) -> Result<Option<Message>, Broken> {
    std::future::poll_fn(|cx| poll_next(socket, cx)).await
}

/// The same as a poll, for who waits for several things.
///
/// # Errors
/// As [`next`].
pub fn poll_next(socket: &mut Socket, cx: &mut Context<'_>) -> Poll<Result<Option<Message>, Broken>> {
    // The library zeroes its read buffer and tries the socket each time it is asked: not asked in vain, a
    // frame in and a frame out cost three such rounds less.
    let stream = socket.get_mut();
    if stream.drained && stream.inner.poll_read_ready(cx).is_pending() {
        return Poll::Pending;
    }
    let polled = socket.poll_next_unpin(cx);
    let stream = socket.get_mut();
    stream.drained = polled.is_pending();
    polled.map(|next| match next {
        Some(Ok(Message::Close(_))) | None => Ok(None),
        Some(Ok(message)) => {
            stream.became(message.len());
            // The library has its pong ready and sends it when it is asked for the next message.
            stream.drained &= !matches!(message, Message::Ping(_));
            Ok(Some(message))
        }
        Some(Err(error)) => Err(broken(&error)),
    })
}

fn broken(error: &Error) -> Broken {
    let (code, why) = match error {
        Error::Capacity(_) => (Some(1009), "a message was too big"),
        Error::Utf8(_) => (Some(1007), "a text message was not UTF-8"),
        Error::Protocol(
            tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
        ) => (None, "the connection was lost"),
        Error::Protocol(_) => (Some(1002), "a frame broke WebSocket's rules"),
        Error::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<TooFragmented>()) => {
            (Some(1009), "a message came in too many fragments")
        }
        _ => (None, "the connection was lost"),
    };
    Broken { code, why }
}

/// Says `code`, and lets go of the connection when the other side has heard it.
pub async fn close(mut socket: Socket, code: u16, why: &'static str) {
    let frame = CloseFrame {
        code: CloseCode::from(code),
        reason: why.into(),
    };
    let closing = async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            linger(socket.into_inner().inner).await;
        }
    };
    let _ = tokio::time::timeout(CLOSE_TIME, closing).await;
}

/// The other side has closed, or is gone: its close is answered where it can be.
pub async fn finish(mut socket: Socket) {
    let closing = async {
        // The library has its answer ready and sends it when it is asked for the next message.
        while let Some(Ok(_)) = socket.next().await {}
        linger(socket.into_inner().inner).await;
    };
    let _ = tokio::time::timeout(CLOSE_TIME, closing).await;
}

/// Ends our half and reads until the other side has ended its own: what lies unread when a connection is
/// dropped makes the kernel reset it, and a reset overtakes the close frame.
async fn linger(mut stream: Stream) {
    let _ = stream.shutdown().await;
    let mut unread = [0; 1024];
    while let Ok(1..) = stream.read(&mut unread).await {}
}

/// A connection that counts what is read without becoming a message.
#[derive(Debug)]
pub struct Metered<T> {
    inner: T,
    /// Its place among the open connections.
    _held: Option<Arc<Held>>,
    /// Bytes read since the last message.
    unread: usize,
    /// Most of those.
    limit: usize,
    /// Bytes read that have not become messages, or more where messages came in fragments.
    ahead: usize,
    /// Nothing can come but from the socket.
    drained: bool,
    /// Bytes written so far.
    written: u64,
}

impl<T> Metered<T> {
    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// A message of `len` bytes has been read. Its head is taken to be the shortest there is, so `ahead` is
    /// never too low: when it is 0, nothing lies in the library's buffer.
    fn became(&mut self, len: usize) {
        const MASK: usize = 4;
        let head = match len {
            0..126 => 2,
            126..=0xffff => 4,
            _ => 10,
        };
        self.unread = 0;
        self.ahead = self.ahead.saturating_sub(head + MASK + len);
        self.drained = self.ahead == 0;
    }
}

#[derive(Debug, thiserror::Error)]
#[error("too many bytes without a message")]
struct TooFragmented;

impl<T: AsyncRead + Unpin> AsyncRead for Metered<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unread > self.limit {
            return Poll::Ready(Err(io::Error::other(TooFragmented)));
        }
        let before = out.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, out);
        let read = out.filled().len() - before;
        self.unread += read;
        self.ahead += read;
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Metered<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            self.written += written as u64;
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
