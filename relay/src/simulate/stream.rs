//! The stream's socket: opened as Twilio opens it, fed in real time, closed as Twilio closes it.

use std::io::ErrorKind;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::{Request, header};
use partyline_shared::track::Track;
use partyline_shared::twilio::media::write;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::sync::CancellationToken;

use super::form::Leg;
use super::http::{Client, HttpError, TOTAL, Wire, excerpt};
use super::schedule::Schedule;
use super::twiml::Stream;
use super::voice::{Frame, Program};
use super::{args::Chunks, sid};

/// How long a relay may take no media before the stream counts as broken. Twilio would drop audio long
/// before.
const WRITE: Duration = Duration::from_secs(10);
/// How long a relay may take to answer our close frame.
const CLOSE: Duration = Duration::from_secs(5);
/// Read and write buffers of the socket, bytes: we write messages of 400 and read next to nothing.
const BUFFER: usize = 4 << 10;
/// Most bytes waiting to be written; more than the largest start message.
const MAX_WAITING: usize = 256 << 10;

/// Why a stream failed, with Twilio's number for it.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// No connection.
    #[error("{0} (error 31902)")]
    Connect(#[from] HttpError),
    /// An answer other than 101.
    #[error("the handshake was answered {0}{1} (error 31920)")]
    Refused(u16, String),
    /// An answer that is none.
    #[error("the handshake failed: {0} (error 31920)")]
    Handshake(String),
    /// No answer.
    #[error("the handshake was not answered within {TOTAL:?} (error 31901)")]
    HandshakeTimeout,
    /// The relay closed.
    #[error("the relay closed the stream{0} (error 31921)")]
    Closed(String),
    /// The connection went.
    #[error("the stream broke: {0} (error 31903)")]
    Broken(String),
    /// The relay does not read.
    #[error("the relay took no media for {WRITE:?} (error 31930)")]
    Stalled,
    /// The relay spoke on a one-way stream.
    #[error("the relay sent a message, and on a one-way stream it may not (error 31951)")]
    Spoke,
    /// The relay did not answer the close frame.
    #[error("the relay did not close its side within {CLOSE:?} after `stop`")]
    NotClosed,
}

/// A stream on which `connected` and `start` are said.
pub(super) struct Open {
    socket: WebSocketStream<Wire>,
    /// `MZ…`.
    pub(super) sid: String,
    leg: Leg,
    schedule: Schedule,
    started: Instant,
    random: StdRng,
}

/// Opens the stream that the TwiML asks for.
///
/// # Errors
/// [`StreamError`], where the relay does not take it.
pub(super) async fn open(
    client: &Client,
    leg: &Leg,
    verb: &Stream,
    chunks: Chunks,
    program: &Program,
) -> Result<Open, StreamError> {
    let mut socket = timeout(TOTAL, handshake(client, verb))
        .await
        .map_err(|_| StreamError::HandshakeTimeout)??;
    let sid = sid::new("MZ");
    let start = write::start(&leg.account, &sid, &leg.sid, &verb.tracks, &verb.parameters);
    send(&mut socket, [write::CONNECTED.to_owned(), start]).await?;
    let mut random = StdRng::from_rng(&mut rand::rng());
    Ok(Open {
        socket,
        sid,
        leg: leg.clone(),
        schedule: Schedule::new(&verb.tracks, chunks, program.total(), &mut random),
        started: Instant::now(),
        random,
    })
}

async fn handshake(client: &Client, verb: &Stream) -> Result<WebSocketStream<Wire>, StreamError> {
    let failed = |e: http::Error| StreamError::Handshake(e.to_string());
    let mut request = Request::builder()
        // Only the path goes into the request line; the rest is what the library wants to see.
        .uri(format!("ws://{}{}", client.authority(), verb.url.path_and_query()))
        .header(header::HOST, client.authority())
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, generate_key())
        .header(header::USER_AGENT, "Twilio.TmeWs/1.0");
    if let Some(signature) = client.sign(&verb.url, None) {
        request = request.header("x-twilio-signature", signature);
    }
    let request = request.body(()).map_err(failed)?;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(MAX_WAITING);
    let stream = client.connect().await?;
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => {
            let body = answer.body().as_deref().unwrap_or_default();
            let body = excerpt(&String::from_utf8_lossy(body));
            Err(StreamError::Refused(answer.status().as_u16(), body))
        }
        Err(other) => Err(StreamError::Handshake(other.to_string())),
    }
}

impl Open {
    /// When the first sample is sent.
    pub(super) fn zero(&self) -> Instant {
        self.started + self.schedule.due(0)
    }

    /// Sends all media in real time, or until `stop`; then `stop`, and closes. Each frame is shown to `sent`
    /// before it leaves. Tells `ended` how many ms of audio there were, as soon as that is known.
    ///
    /// # Errors
    /// [`StreamError`], where the relay did not take all of it or broke the protocol.
    pub(super) async fn play(
        mut self,
        program: &Program,
        stop: &CancellationToken,
        sent: impl Fn(Track, u64, &Frame),
        ended: impl FnOnce(u64),
    ) -> Result<u64, StreamError> {
        let mut ticks = 0;
        let played = self.media(&mut ticks, program, stop, sent).await;
        let closed = match played {
            Ok(()) => self.close().await,
            Err(error) => Err(error),
        };
        ended(ticks * u64::from(partyline_shared::audio::FRAME_MS));
        closed.map(|()| self.schedule.sent())
    }

    async fn media(
        &mut self,
        ticks: &mut u64,
        program: &Program,
        stop: &CancellationToken,
        sent: impl Fn(Track, u64, &Frame),
    ) -> Result<(), StreamError> {
        loop {
            let due = self.started + self.schedule.due(*ticks);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = sleep_until(due) => {}
                message = self.socket.next() => {
                    heard(message)?;
                    continue;
                }
            }
            let Some(packets) = self.schedule.tick(*ticks, &mut self.random) else {
                return Ok(());
            };
            *ticks += 1;
            let mut messages = Vec::with_capacity(packets.len());
            for packet in packets {
                let frame = program.frame(packet.track, packet.frame, &mut self.random);
                sent(packet.track, packet.timestamp_ms, &frame);
                messages.push(write::media(
                    &self.sid,
                    packet.sequence,
                    packet.track,
                    packet.chunk,
                    packet.timestamp_ms,
                    &frame,
                ));
            }
            send(&mut self.socket, messages).await?;
        }
    }

    async fn close(&mut self) -> Result<(), StreamError> {
        let sequence = self.schedule.next_sequence();
        let stop = write::stop(&self.leg.account, &self.sid, &self.leg.sid, sequence);
        send(&mut self.socket, [stop]).await?;
        let closing = async {
            // The relay may close as soon as it reads `stop`; then there is nothing left to close.
            let _ = self.socket.close(None).await;
            while let Some(Ok(message)) = self.socket.next().await {
                if message.is_text() || message.is_binary() {
                    return Err(StreamError::Spoke);
                }
            }
            Ok(())
        };
        timeout(CLOSE, closing)
            .await
            .unwrap_or(Err(StreamError::NotClosed))
    }
}

/// What the relay may say while media flows: nothing but pings and pongs.
fn heard(message: Option<Result<Message, tungstenite::Error>>) -> Result<(), StreamError> {
    match message {
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(()),
        Some(Ok(Message::Text(_) | Message::Binary(_))) => Err(StreamError::Spoke),
        Some(Ok(Message::Close(frame))) => Err(StreamError::Closed(match frame {
            Some(frame) => format!(" with {} {:?}", frame.code, frame.reason.as_str()),
            None => String::new(),
        })),
        Some(Err(error)) => Err(StreamError::Broken(broke(&error))),
        None => Err(StreamError::Broken("it ended".into())),
    }
}

/// The libraries' words for a connection that broke off, with TLS and without, read like a fault of ours.
fn broke(error: &tungstenite::Error) -> String {
    match error {
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => "it was lost".to_owned(),
        tungstenite::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => "it was lost".to_owned(),
        error => error.to_string(),
    }
}

async fn send(
    socket: &mut WebSocketStream<Wire>,
    messages: impl IntoIterator<Item = String>,
) -> Result<(), StreamError> {
    let sending = async {
        for message in messages {
            socket.feed(Message::text(message)).await?;
        }
        socket.flush().await
    };
    match timeout(WRITE, sending).await {
        Ok(sent) => sent.map_err(|error| StreamError::Broken(broke(&error))),
        Err(_) => Err(StreamError::Stalled),
    }
}
