//! One Media Streams socket, driven by hand: it says what a story wants, right or wrong, with Twilio's
//! own texts and headers.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use partyline_shared::audio::{FRAME_BYTES, FRAME_MS};
use partyline_shared::track::{PerTrack, Track};
use partyline_shared::twilio::media::write;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::twilio::{ACCOUNT, new_sid};
use crate::wait::{SOON, within};

/// When Twilio's first media comes, ms after the stream began; 57, 155 and 171 were seen.
pub const LEAD_IN_MS: u64 = 57;

/// How `chunk` is counted; nobody documents which of the two Twilio does on two tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunks {
    /// Each track its own.
    PerTrack,
    /// One over both.
    Global,
}

/// The socket.
pub struct MediaSocket {
    socket: WebSocketStream<TcpStream>,
    call: String,
    /// `MZ…`.
    pub stream: String,
    /// Tracks that `start` announces.
    pub tracks: Vec<Track>,
    /// How `chunk` is counted.
    pub chunks: Chunks,
    /// The next sequenceNumber after `start`, which is 1; a story that sets it skips or repeats.
    pub sequence: u64,
    /// The next `chunk` of each track; under [`Chunks::Global`] the inbound one counts both.
    pub chunk: PerTrack<u64>,
    /// The next timestamp that [`MediaSocket::play`] gives, ms.
    pub clock: PerTrack<u64>,
}

impl MediaSocket {
    /// Connects to /cable as Twilio does: no Origin, no subprotocol, no extensions.
    pub async fn open(relay: SocketAddr, call: &str) -> MediaSocket {
        Self::try_open(relay, call, &[])
            .await
            .unwrap_or_else(|e| panic!("/cable refused the stream: {e}"))
    }

    /// The same with more headers; an error where the relay refuses.
    ///
    /// # Errors
    /// What tungstenite says, with the HTTP answer where there is one.
    pub async fn try_open(
        relay: SocketAddr,
        call: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<MediaSocket, Error> {
        let mut request = format!("ws://{relay}/cable").into_client_request()?;
        request
            .headers_mut()
            .insert("user-agent", "Twilio.TmeWs/1.0".parse()?);
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse()?);
        }
        let stream = TcpStream::connect(relay).await.map_err(Error::Io)?;
        stream.set_nodelay(true).map_err(Error::Io)?;
        let (socket, _) = within(SOON, "the upgrade of /cable", client_async(request, stream)).await?;
        Ok(MediaSocket {
            socket,
            call: call.to_owned(),
            stream: new_sid("MZ"),
            tracks: Track::BOTH.to_vec(),
            chunks: Chunks::PerTrack,
            sequence: 2,
            chunk: PerTrack {
                inbound: 1,
                outbound: 1,
            },
            clock: PerTrack {
                inbound: LEAD_IN_MS,
                outbound: LEAD_IN_MS,
            },
        })
    }

    /// Says `connected`.
    pub async fn connected(&mut self) {
        self.raw_text(write::CONNECTED)
            .await
            .expect("the socket takes `connected`");
    }

    /// Says `start` with these custom parameters.
    pub async fn start(&mut self, parameters: &[(&str, &str)]) {
        let parameters: Vec<_> = parameters
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        let text = write::start(ACCOUNT, &self.stream, &self.call, &self.tracks, &parameters);
        self.raw_text(text).await.expect("the socket takes `start`");
    }

    /// Says one `media` with the next numbers.
    pub async fn media(&mut self, track: Track, timestamp_ms: u64, mulaw: &[u8]) {
        self.try_media(track, timestamp_ms, mulaw)
            .await
            .expect("the socket takes `media`");
    }

    /// The same; an error where the relay has closed.
    ///
    /// # Errors
    /// What tungstenite says.
    pub async fn try_media(&mut self, track: Track, timestamp_ms: u64, mulaw: &[u8]) -> Result<(), Error> {
        let counter = match self.chunks {
            Chunks::PerTrack => self.chunk.get_mut(track),
            Chunks::Global => &mut self.chunk.inbound,
        };
        let chunk = *counter;
        *counter += 1;
        let text = write::media(&self.stream, self.sequence, track, chunk, timestamp_ms, mulaw);
        self.sequence += 1;
        self.raw_text(text).await
    }

    /// Plays both tracks from their clocks on, frame by frame side by side, one step every `pace` on an
    /// absolute schedule: 20 ms is real time, 0 as fast as the relay takes it. A short last frame is sent
    /// short; a track that is empty stays silent.
    pub async fn play(&mut self, inbound: &[u8], outbound: &[u8], pace: Duration) {
        let begun = Instant::now();
        let steps = inbound.len().max(outbound.len()).div_ceil(FRAME_BYTES);
        for step in 0..steps {
            sleep_until(begun + pace * step as u32).await;
            for (track, audio) in [(Track::Inbound, inbound), (Track::Outbound, outbound)] {
                let Some(frame) = audio.chunks(FRAME_BYTES).nth(step) else {
                    continue;
                };
                let at = *self.clock.get(track);
                *self.clock.get_mut(track) = at + u64::from(FRAME_MS);
                self.media(track, at, frame).await;
            }
        }
    }

    /// Says `stop`.
    pub async fn stop(&mut self) {
        let text = write::stop(ACCOUNT, &self.stream, &self.call, self.sequence);
        self.sequence += 1;
        self.raw_text(text).await.expect("the socket takes `stop`");
    }

    /// Says `stop` and closes, as at the end of a call.
    pub async fn hang_up(mut self) {
        self.stop().await;
        self.close().await;
    }

    /// Closes politely and waits for the relay's half.
    pub async fn close(mut self) {
        let _ = self.socket.close(None).await;
        self.closed().await;
    }

    /// Vanishes: a reset, without a close frame.
    pub fn drop_abruptly(self) {
        self.socket
            .get_ref()
            .set_zero_linger()
            .expect("the socket can be reset");
    }

    /// Any text.
    ///
    /// # Errors
    /// What tungstenite says, e.g. because the relay has closed.
    pub async fn raw_text(&mut self, text: impl Into<String>) -> Result<(), Error> {
        self.send(Message::text(text.into())).await
    }

    /// A binary message, which Twilio never sends.
    ///
    /// # Errors
    /// As [`MediaSocket::raw_text`].
    pub async fn raw_binary(&mut self, bytes: impl Into<Bytes>) -> Result<(), Error> {
        self.send(Message::binary(bytes)).await
    }

    /// One text message in as many fragments as there are `pieces`.
    ///
    /// # Errors
    /// As [`MediaSocket::raw_text`].
    pub async fn raw_fragments(&mut self, pieces: impl ExactSizeIterator<Item = Bytes>) -> Result<(), Error> {
        let last = pieces.len().saturating_sub(1);
        for (at, piece) in pieces.enumerate() {
            let kind = if at == 0 { Data::Text } else { Data::Continue };
            let frame = Frame::message(piece, OpCode::Data(kind), at == last);
            within(
                SOON,
                "the relay to take a fragment",
                self.socket.feed(Message::Frame(frame)),
            )
            .await?;
        }
        self.socket.flush().await
    }

    /// The first fragment of a text message of which the rest may never come.
    ///
    /// # Errors
    /// As [`MediaSocket::raw_text`].
    pub async fn begin_fragment(&mut self, text: &str) -> Result<(), Error> {
        let piece = Bytes::copy_from_slice(text.as_bytes());
        self.send(Message::Frame(Frame::message(
            piece,
            OpCode::Data(Data::Text),
            false,
        )))
        .await
    }

    async fn send(&mut self, message: Message) -> Result<(), Error> {
        within(SOON, "the relay to take a message", self.socket.send(message)).await
    }

    /// Waits until the relay closes; the close code, or `None` when it went without one.
    pub async fn closed(&mut self) -> Option<u16> {
        let read = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(frame))) => return frame.map(|f| f.code.into()),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return None,
                }
            }
        };
        within(SOON, "the relay to close the stream", read).await
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;
    use tokio_tungstenite::accept_async;

    use super::*;

    /// A relay that takes one stream and gives back all it heard, and whether it ended politely.
    async fn relay() -> (SocketAddr, JoinHandle<(Vec<String>, bool)>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let heard = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = accept_async(stream).await.unwrap();
            let mut heard = Vec::new();
            loop {
                match socket.next().await {
                    Some(Ok(Message::Text(text))) => heard.push(text.to_string()),
                    Some(Ok(Message::Close(_))) => return (heard, true),
                    Some(Err(_)) | None => return (heard, false),
                    Some(Ok(_)) => {}
                }
            }
        });
        (addr, heard)
    }

    #[tokio::test]
    async fn a_stream_is_said_in_order_and_numbered() {
        let (addr, heard) = relay().await;
        let mut stream = MediaSocket::open(addr, "CA1").await;
        stream.connected().await;
        stream.start(&[("tenant", "acme")]).await;
        stream.chunks = Chunks::Global;
        stream.play(&[1; 170], &[2; 160], Duration::ZERO).await;
        stream.sequence += 5;
        stream.hang_up().await;
        let (heard, polite) = heard.await.unwrap();
        let json = |text: &String| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let numbers = |text| {
            let value = json(text);
            let of = |part: &serde_json::Value| part.as_str().unwrap_or("-").to_owned();
            [
                &value["event"],
                &value["sequenceNumber"],
                &value["media"]["chunk"],
                &value["media"]["timestamp"],
            ]
            .map(of)
            .join(" ")
        };
        let said: Vec<String> = heard.iter().map(numbers).collect();
        assert_eq!(
            said,
            [
                "connected - - -",
                "start 1 - -",
                "media 2 1 57",
                "media 3 2 57",
                "media 4 3 77",
                "stop 10 - -"
            ]
        );
        assert!(polite);
    }

    #[tokio::test]
    async fn fragments_are_one_message_and_a_drop_says_nothing() {
        let (addr, heard) = relay().await;
        let mut stream = MediaSocket::open(addr, "CA1").await;
        let pieces = ["{", "\"a\":", "1}"].map(|piece| Bytes::from_static(piece.as_bytes()));
        stream.raw_fragments(pieces.into_iter()).await.unwrap();
        stream.drop_abruptly();
        assert_eq!(heard.await.unwrap(), (vec!["{\"a\":1}".to_owned()], false));
    }
}
