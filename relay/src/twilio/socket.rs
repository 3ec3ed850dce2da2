//! Pumps one Media Streams socket through its [`Stream`] into its call. Reads on whatever listeners do:
//! Twilio throws audio away when it is not read.

use std::sync::Arc;
use std::time::Duration;

use partyline_shared::id::CallSid;
use partyline_shared::protocol::close;
use partyline_shared::track::Track;
use partyline_shared::twilio::media::Start;
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::stream::{Fatal, Said, Stream, Wrong};
use crate::calls::call::{Accepted, Call};
use crate::calls::fanout::Item;
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::upgrade::{self, Broken, Socket};

/// How long a socket may take to say `start`: Twilio says it at once, a hoarder of sockets never.
pub const START_TIME: Duration = Duration::from_secs(5);

/// What is to be said to the peer when it is over; `None` where it has closed, or is gone.
type Goodbye = Option<(u16, &'static str)>;

/// Serves one stream until it ends or `stop` is called.
pub async fn run(mut socket: Socket, registry: Arc<Registry>, stop: CancellationToken) {
    let mut pump = Pump {
        registry,
        stream: Stream::new(rand::random()),
        call: None,
        items: Vec::new(),
    };
    let stopped = stop.cancelled();
    tokio::pin!(stopped);
    let started = tokio::select! {
        biased;
        () = &mut stopped => Err(Some((close::GOING_AWAY, "the relay leaves"))),
        started = timeout(START_TIME, pump.until_started(&mut socket)) => {
            started.unwrap_or(Err(Some((close::POLICY, "no start within 5 s"))))
        }
    };
    let goodbye = match started {
        Err(goodbye) => goodbye,
        Ok(()) => tokio::select! {
            biased;
            () = &mut stopped => {
                pump.lost("the relay leaves");
                Some((close::GOING_AWAY, "the relay leaves"))
            }
            goodbye = pump.until_over(&mut socket) => goodbye,
        },
    };
    match goodbye {
        Some((code, why)) => upgrade::close(socket, code, why).await,
        None => upgrade::finish(socket).await,
    }
}

struct Pump {
    registry: Arc<Registry>,
    stream: Stream,
    call: Option<Arc<Call>>,
    /// Frames and gaps of one message; kept for its memory.
    items: Vec<Item>,
}

impl Pump {
    async fn until_started(&mut self, socket: &mut Socket) -> Result<(), Goodbye> {
        loop {
            self.next(socket).await?;
            if self.call.is_some() {
                return Ok(());
            }
        }
    }

    async fn until_over(&mut self, socket: &mut Socket) -> Goodbye {
        loop {
            if let Err(goodbye) = self.next(socket).await {
                return goodbye;
            }
        }
    }

    /// Reads one message; `Err` when the stream is over.
    async fn next(&mut self, socket: &mut Socket) -> Result<(), Goodbye> {
        match upgrade::next(socket).await {
            Ok(Some(Message::Text(text))) => self.on_text(&text),
            Ok(Some(Message::Binary(_))) => {
                self.bad("a binary message");
                Ok(())
            }
            Ok(Some(_)) => Ok(()),
            Ok(None) => {
                self.lost("the socket was closed without stop");
                Err(None)
            }
            Err(Broken { code, why }) => {
                if code.is_some() {
                    self.bad(why);
                }
                self.lost(why);
                Err(code.map(|code| (code, why)))
            }
        }
    }

    fn on_text(&mut self, text: &str) -> Result<(), Goodbye> {
        match self.stream.on_text(text, &mut self.items) {
            Ok(Said::Media) => {
                if let Some(call) = &self.call {
                    call.media(
                        std::time::Instant::now(),
                        self.stream.audio_id(),
                        self.items.drain(..),
                    );
                }
                Ok(())
            }
            Ok(Said::Nothing) => Ok(()),
            Ok(Said::Started(start)) => self.start(*start),
            Ok(Said::Stopped) => {
                if let Some(call) = self.call.take() {
                    info!(call = %call.sid(), "stream stopped");
                    call.stream_stopped(Now::take(), self.stream.audio_id());
                }
                Err(Some((1000, "")))
            }
            // Digits may be a card's: that one was pressed is told, which one is not.
            Ok(Said::Digit(_)) => {
                self.note(json!({ "dtmf": true }));
                Ok(())
            }
            Ok(Said::Mark(name)) => {
                self.note(json!({ "name": name }));
                Ok(())
            }
            Err(Wrong::Skip(why)) => {
                self.bad(&why.to_string());
                Ok(())
            }
            Err(Wrong::Fatal(fault)) => {
                warn!(%fault, "stream closed");
                self.registry.metrics().messages_bad.add_one();
                if let Fatal::Format { start, .. } = &fault {
                    self.refused(start, &fault.to_string());
                }
                Err(Some((fault.close_code(), "the stream is not as Twilio's are")))
            }
        }
    }

    fn start(&mut self, start: Start) -> Result<(), Goodbye> {
        let now = Now::take();
        let refused = Err(Some((close::POLICY, "this stream is not accepted")));
        let Ok(sid) = CallSid::parse(&start.call_sid) else {
            self.registry.metrics().streams_refused.add_one();
            warn!("stream refused: its callSid is no id");
            return refused;
        };
        let Ok(call) = self.registry.open(now, &sid) else {
            self.registry.metrics().streams_refused.add_one();
            warn!(call = %sid, "stream refused: too many calls");
            return refused;
        };
        let tracks: Vec<Track> = start
            .tracks
            .iter()
            .filter_map(|track| Track::parse(track))
            .collect();
        let id = |text: String| partyline_shared::id::is_id(&text).then_some(text);
        let accepted = Accepted {
            stream_sid: id(start.stream_sid).unwrap_or_default(),
            account_sid: id(start.account_sid),
            customer_id: start
                .custom_parameters
                .get("customer_id")
                .and_then(|c| customer_id(c)),
            tracks: if tracks.is_empty() {
                vec![Track::Inbound]
            } else {
                tracks
            },
        };
        info!(call = %sid, stream = %accepted.stream_sid, "stream started");
        call.accept_stream(now, self.stream.audio_id(), accepted);
        self.call = Some(call);
        Ok(())
    }

    /// The stream named its call, and the call is told.
    fn refused(&self, start: &Start, why: &str) {
        let now = Now::take();
        let call = CallSid::parse(&start.call_sid)
            .ok()
            .and_then(|sid| self.registry.open(now, &sid).ok());
        match call {
            Some(call) => {
                let stream =
                    partyline_shared::id::is_id(&start.stream_sid).then_some(start.stream_sid.as_str());
                call.stream_refused(now, stream, why);
            }
            None => self.registry.metrics().streams_refused.add_one(),
        }
    }

    fn bad(&self, why: &str) {
        self.registry.metrics().messages_bad.add_one();
        match &self.call {
            Some(call) => call.bad_message(Now::take(), why),
            None => debug!(why, "bad message before start"),
        }
    }

    fn note(&self, detail: serde_json::Value) {
        if let Some(call) = &self.call {
            call.mark(Now::take(), detail);
        }
    }

    fn lost(&mut self, why: &str) {
        if let Some(call) = self.call.take() {
            warn!(call = %call.sid(), why, "stream lost");
            call.stream_lost(Now::take(), self.stream.audio_id(), why);
        }
    }
}

/// Dropped without a word: the task was ended.
impl Drop for Pump {
    fn drop(&mut self) {
        self.lost("the relay ended it");
    }
}

/// A customer's id as an operator writes one; what is longer than 128 characters or has controls is none.
pub(super) fn customer_id(text: &str) -> Option<String> {
    let cleaned = partyline_shared::text::clean(text).trim().to_owned();
    (!cleaned.is_empty() && cleaned.chars().count() <= MAX_CUSTOMER_ID).then_some(cleaned)
}

/// Longest customer id, characters: it has to fit a TwiML parameter of 500 with its name.
const MAX_CUSTOMER_ID: usize = 128;
