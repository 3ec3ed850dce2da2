//! A listener's socket: hello, subscribe, and then all that comes goes into the ledger.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::{HeaderName, Request, header};
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::{ClientMessage, Subscribe};
use partyline_shared::protocol::server::{ErrorCode, ServerMessage};
use partyline_shared::protocol::{MAX_MESSAGE, PROTOCOL, codec};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::task::AbortOnDropHandle;

use super::{Ledger, Lost};
use crate::simulate::error::CallError;
use crate::simulate::http::{Client, HttpError, Wire, excerpt};

/// For the handshake, for `hello`, for `subscribed`, for a pong.
const ANSWER: Duration = Duration::from_secs(10);
/// For the last frames and lines after the call's final status. A relay waits half a second for a
/// transcription callback that is missing in between, and a loaded machine takes its time.
const SETTLE: Duration = Duration::from_secs(10);
/// Read buffer, bytes: a track's frame is 176.
const BUFFER: usize = 8 << 10;

/// Why the check could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] HttpError),
    /// An answer other than 101.
    #[error("/listen was answered {0}{1}: who may listen needs a token, give --token-file")]
    Refused(u16, String),
    /// The connection failed.
    #[error("/listen: {0}")]
    Broken(String),
    /// The relay closed it.
    #[error("the relay closed the listener's connection{0}")]
    Closed(String),
    /// The relay did not let us hear the call.
    #[error("the call cannot be subscribed: {0}")]
    NotSubscribed(String),
    /// The token may not hear.
    #[error(
        "this token is a source's, which publishes and hears nothing; check with an admin's, which may do both"
    )]
    Deaf,
    /// Something did not come.
    #[error("{0} did not come within {ANSWER:?}")]
    Missing(&'static str),
}

impl From<tungstenite::Error> for ListenError {
    fn from(error: tungstenite::Error) -> Self {
        ListenError::Broken(error.to_string())
    }
}

impl From<Lost> for CallError {
    fn from(lost: Lost) -> Self {
        CallError::Lost(lost)
    }
}

/// A connection that has said hello.
pub(crate) struct Listener {
    socket: WebSocketStream<Wire>,
}

/// What came.
enum Came {
    Message(ServerMessage),
    Frame(AudioFrame),
    Nothing,
}

impl Listener {
    /// Connects and waits for `hello`.
    ///
    /// # Errors
    /// [`ListenError`].
    pub(crate) async fn open(client: &Client, bearer: Option<&str>) -> Result<Self, ListenError> {
        let socket = within("the handshake of /listen", connect(client, bearer)).await?;
        let mut listener = Listener { socket };
        let hello = async {
            loop {
                if let Came::Message(ServerMessage::Hello { user, .. }) = listener.next().await? {
                    return Ok(user.role);
                }
            }
        };
        let role = within("hello", hello).await?;
        if role == "source" {
            return Err(ListenError::Deaf);
        }
        Ok(listener)
    }

    /// Subscribes to the call, which the relay has just been told of, and then keeps the ledger.
    ///
    /// # Errors
    /// [`ListenError`].
    pub(crate) async fn follow(
        mut self,
        call: &CallSid,
        ledger: Arc<Ledger>,
    ) -> Result<Following, ListenError> {
        let mut refused = None;
        let subscribed = within("subscribed", self.subscribe(call, &mut refused)).await;
        let audio_id = subscribed.map_err(|e| refused.map_or(e, ListenError::NotSubscribed))?;
        let (finish, finishing) = oneshot::channel();
        let pump = self.pump(call.clone(), audio_id, ledger.clone(), finishing);
        Ok(Following {
            ledger,
            finish,
            pump: AbortOnDropHandle::new(tokio::spawn(pump)),
        })
    }

    /// The stream's number, where one is live. `refused` is what the relay said against it last.
    async fn subscribe(
        &mut self,
        call: &CallSid,
        refused: &mut Option<String>,
    ) -> Result<Option<u32>, ListenError> {
        let subscribe = ClientMessage::Subscribe(Subscribe {
            call_sid: call.clone(),
            audio: true,
            after: None,
            replay_ms: 0,
            save: false,
            saved: None,
        });
        self.say(&subscribe).await?;
        loop {
            let Came::Message(message) = self.next().await? else {
                continue;
            };
            match message {
                ServerMessage::Subscribed {
                    call_sid, audio_id, ..
                } if call_sid == *call => {
                    return Ok(audio_id);
                }
                // Another relay of the same group may hear of the call a moment later.
                ServerMessage::Call { call: news } if news.call_sid == *call && refused.is_some() => {
                    *refused = None;
                    self.say(&subscribe).await?;
                }
                ServerMessage::Error { code, message, re } if re.as_deref() == Some(call.as_str()) => {
                    *refused = Some(message.clone());
                    if code != ErrorCode::NoSuchCall {
                        return Err(ListenError::NotSubscribed(message));
                    }
                }
                _ => {}
            }
        }
    }

    async fn pump(
        mut self,
        call: CallSid,
        mut audio: Option<u32>,
        ledger: Arc<Ledger>,
        finish: oneshot::Receiver<()>,
    ) -> Result<(), ListenError> {
        tokio::pin!(finish);
        let mut finishing = false;
        loop {
            let came = tokio::select! {
                came = self.next() => came?,
                // What was sent before the pong has come before it.
                _ = &mut finish, if !finishing => {
                    finishing = true;
                    self.say(&ClientMessage::Ping { id: 1 }).await?;
                    continue;
                }
            };
            match came {
                Came::Frame(frame) if Some(frame.audio_id()) == audio => ledger.heard(&frame),
                Came::Message(ServerMessage::Subscribed {
                    call_sid, audio_id, ..
                }) if call_sid == call => {
                    audio = audio_id;
                }
                Came::Message(ServerMessage::Transcript { call_sid, line }) if call_sid == call => {
                    ledger.read(&line);
                }
                Came::Message(ServerMessage::Gap { call_sid, .. }) if call_sid == call => ledger.gap(),
                Came::Message(ServerMessage::Ping { id }) => self.say(&ClientMessage::Pong { id }).await?,
                Came::Message(ServerMessage::Pong { .. }) if finishing => return Ok(()),
                Came::Message(ServerMessage::Unsubscribed { call_sid }) if call_sid == call => {
                    return Err(ListenError::NotSubscribed(
                        "the relay ended the subscription".into(),
                    ));
                }
                _ => {}
            }
        }
    }

    async fn say(&mut self, message: &ClientMessage) -> Result<(), ListenError> {
        let sending = self.socket.send(Message::text(codec::to_text(message)));
        within("room for a message to /listen", async { Ok(sending.await?) }).await
    }

    async fn next(&mut self) -> Result<Came, ListenError> {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => match codec::from_server(&text) {
                Ok(message) => Ok(message.map_or(Came::Nothing, Came::Message)),
                Err(bad) => Err(ListenError::Broken(bad.to_string())),
            },
            Some(Ok(Message::Binary(bytes))) => match AudioFrame::parse(bytes) {
                Ok(frame) => Ok(frame.map_or(Came::Nothing, Came::Frame)),
                Err(bad) => Err(ListenError::Broken(bad.to_string())),
            },
            Some(Ok(Message::Close(frame))) => Err(ListenError::Closed(match frame {
                Some(frame) => format!(" with {} {:?}", frame.code, frame.reason.as_str()),
                None => String::new(),
            })),
            Some(Ok(_)) => Ok(Came::Nothing),
            Some(Err(error)) => Err(error.into()),
            None => Err(ListenError::Closed(String::new())),
        }
    }
}

/// A subscription that keeps the ledger.
pub(crate) struct Following {
    ledger: Arc<Ledger>,
    finish: oneshot::Sender<()>,
    pump: AbortOnDropHandle<Result<(), ListenError>>,
}

impl Following {
    /// Waits for what is still on its way, and closes the account.
    ///
    /// # Errors
    /// [`ListenError`] outside where the listener failed, [`Lost`] inside where something did not arrive.
    pub(crate) async fn settle(self) -> Result<Result<(), Lost>, ListenError> {
        let Following {
            ledger,
            finish,
            mut pump,
        } = self;
        let settled = async {
            while !ledger.is_settled() {
                ledger.arrived.notified().await;
            }
        };
        tokio::select! {
            // Not an error by itself: the ledger says what is missing.
            _ = timeout(SETTLE, settled) => {}
            ended = &mut pump => {
                over(ended)?;
                return Ok(ledger.close());
            }
        }
        let _ = finish.send(());
        within("the last pong of /listen", async { over(pump.await) }).await?;
        Ok(ledger.close())
    }
}

fn over(pump: Result<Result<(), ListenError>, tokio::task::JoinError>) -> Result<(), ListenError> {
    pump.unwrap_or_else(|fault| Err(ListenError::Broken(fault.to_string())))
}

async fn within<T>(
    what: &'static str,
    work: impl Future<Output = Result<T, ListenError>>,
) -> Result<T, ListenError> {
    timeout(ANSWER, work)
        .await
        .unwrap_or(Err(ListenError::Missing(what)))
}

async fn connect(client: &Client, bearer: Option<&str>) -> Result<WebSocketStream<Wire>, ListenError> {
    const PROTOCOLS: HeaderName = header::SEC_WEBSOCKET_PROTOCOL;
    let mut request = Request::builder()
        .uri(format!("ws://{}/listen", client.authority()))
        .header(header::HOST, client.authority())
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, generate_key())
        .header(PROTOCOLS, PROTOCOL)
        .header(
            header::USER_AGENT,
            concat!("partyline-simulate/", env!("CARGO_PKG_VERSION")),
        );
    if let Some(token) = bearer {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(()).map_err(|e| ListenError::Broken(e.to_string()))?;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let stream = client.connect().await?;
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(answer)) => {
            let body = answer.body().as_deref().unwrap_or_default();
            let body = excerpt(&String::from_utf8_lossy(body));
            Err(ListenError::Refused(answer.status().as_u16(), body))
        }
        Err(other) => Err(other.into()),
    }
}
