//! Pumps one Media Streams socket through its [`Stream`] into its call. Reads on whatever listeners do:
//! Twilio throws audio away when it is not read.

mod streaming;

use std::cell::Cell;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use partyline_shared::id::CallSid;
use partyline_shared::protocol::close;
use partyline_shared::track::Track;
use partyline_shared::twilio::media::Start;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::{Span, debug, error_span, info, warn};

use super::gate::Gate;
use super::measure::Bytes;
use super::pass::Valid;
use super::seat::Seat;
use super::stream::{Fatal, Said, Stream, Wrong};
use crate::calls::call::{Accepted, Call};
use crate::calls::fanout::{Batch, Item};
use crate::calls::mirror::Deed;
use crate::calls::parties::customer_id;
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::stop::Stop;
use crate::ws::feed::Feed;
use crate::ws::reader::Came;
use crate::ws::socket::Socket;
use crate::ws::{Broken, Message};
use streaming::Streaming;

/// How long a socket may take to say `start`: Twilio says it at once, a hoarder of sockets never.
pub const START_TIME: Duration = Duration::from_secs(5);

thread_local! {
    /// Memory for what came together as it leaves: one a thread rather than one a stream, since what was used a
    /// moment ago lies near.
    static WIRE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

const LEAVES: &str = "the relay leaves";

/// How it is over.
#[derive(Debug, Clone, Copy)]
enum Over {
    /// Say this.
    Close(u16, &'static str),
    /// The peer has closed, with this code.
    Closed(Option<u16>),
    /// Nobody is there.
    Gone,
}

/// A stream that is not let in, whatever the reason.
const NOT_ACCEPTED: Over = Over::Close(close::POLICY, "this stream is not accepted");

/// Serves one stream until it ends or `stop` is called, if `gate` lets it in. A relay that drains takes no stream that
/// has not begun, and waits for one that has by its `token`.
pub async fn run(
    mut socket: Socket,
    gate: Gate,
    seat: Seat,
    token: TaskTrackerToken,
    registry: Arc<Registry>,
    stop: Stop,
) {
    let displaced = match &seat {
        Seat::Signed(..) => None,
        Seat::Unknown(seat) => Some(seat.displaced()),
    };
    let displaced = async {
        match displaced {
            Some(displaced) => displaced.await,
            None => std::future::pending().await,
        }
    };
    let mut pump = Pump {
        registry,
        gate,
        seat: Some(seat),
        stream: Stream::new(rand::random()),
        asked: None,
        call: None,
        items: Vec::new(),
        bytes: Bytes::default(),
        span: Span::current(),
        _token: token,
    };
    let started = tokio::select! {
        biased;
        () = stop.draining() => Err(Over::Close(close::GOING_AWAY, LEAVES)),
        started = timeout(START_TIME, pump.until_started(&mut socket)) => {
            started.unwrap_or(Err(Over::Close(close::POLICY, "no start within 5 s")))
        }
        () = displaced => Err(Over::Close(close::TOO_MANY, "too many connections without a start")),
    };
    let (socket, over) = match started {
        Err(over) => {
            // Nobody waits for its goodbye.
            drop(pump);
            (Ok(socket), over)
        }
        Ok(()) => match pump.in_media_loop(socket).await {
            Some((feed, over)) => (feed.into_socket(), over),
            None => return,
        },
    };
    match (socket, over) {
        (Ok(socket), Over::Close(code, why)) => socket.close(code, why).await,
        (Ok(socket), Over::Closed(code)) => socket.answer_close(code).await,
        (Err(_), _) | (_, Over::Gone) => {}
    }
}

struct Pump {
    registry: Arc<Registry>,
    gate: Gate,
    /// Until it has begun.
    seat: Option<Seat>,
    stream: Stream,
    /// Its start, while other relays are asked about its pass.
    asked: Option<(Start, Valid)>,
    call: Option<Arc<Call>>,
    /// Frames and gaps that came together; empty between two turns.
    items: Vec<Item>,
    /// Of its messages.
    bytes: Bytes,
    /// Its connection's, and its own once it has begun. Gone into where something is said, not for each frame.
    span: Span,
    /// While it is held the relay does not leave, unless it has to; let go when its call has been told of the end.
    _token: TaskTrackerToken,
}

impl Pump {
    async fn until_started(&mut self, socket: &mut Socket) -> Result<(), Over> {
        while self.call.is_none() {
            poll_fn(|cx| self.poll_turn(cx, socket)).await?;
            if let Some((start, pass)) = self.asked.take() {
                // What follows its start stays with the socket meanwhile.
                let first = self.gate.among_all(Now::take(), pass).await;
                first.map_err(|_| NOT_ACCEPTED)?;
                self.accept(start)?;
                socket.read_on();
            }
        }
        Ok(())
    }

    /// From its start to its end; gives the socket back, where there still is one.
    async fn in_media_loop(self, socket: Socket) -> Option<(Feed, Over)> {
        let place = socket.place().clone();
        let (done, over) = oneshot::channel();
        let feed = Feed::new(socket).ok()?;
        place.in_media_loop(Box::new(Streaming::new(self, feed, done)));
        over.await.ok()
    }

    /// Reads what has come; `Err` when the stream is over.
    fn poll_turn(&mut self, cx: &mut Context<'_>, socket: &mut Socket) -> Poll<Result<(), Over>> {
        let came = ready!(socket.poll_turn(cx, |message| self.take(message)));
        // Audio that came together with the start.
        self.hand_on(Instant::now());
        Poll::Ready(self.came(came))
    }

    /// Breaks where it is over, or, with nothing, where no more is to be read before others have been asked.
    fn take(&mut self, message: Message<'_>) -> ControlFlow<Option<Over>> {
        self.bytes.add(message.cost(), self.registry.metrics());
        match self.on_message(message) {
            Ok(()) if self.asked.is_some() => ControlFlow::Break(None),
            Ok(()) => ControlFlow::Continue(()),
            Err(over) => ControlFlow::Break(Some(over)),
        }
    }

    /// What a turn of reading came to.
    fn came(&mut self, came: Result<Came<Option<Over>>, Broken>) -> Result<(), Over> {
        match came {
            Ok(Came::All | Came::Stopped(None)) => Ok(()),
            Ok(Came::Stopped(Some(over))) => Err(over),
            Ok(Came::Close(code)) => {
                self.lost("the socket was closed without stop");
                Err(Over::Closed(code))
            }
            Err(Broken { code, why }) => {
                if code.is_some() {
                    self.bad(why);
                }
                self.lost(why);
                Err(code.map_or(Over::Gone, |code| Over::Close(code, why)))
            }
        }
    }

    fn on_message(&mut self, message: Message<'_>) -> Result<(), Over> {
        if let Some(seat) = &mut self.seat {
            let heard = seat.heard(message.cost());
            heard.map_err(|_| Over::Close(close::TOO_BIG, "too much was said before a start"))?;
        }
        match message {
            Message::Text(text) => self.on_text(text),
            Message::Binary(_) => {
                self.hand_on(Instant::now());
                self.bad("a binary message");
                Ok(())
            }
            Message::Ping | Message::Pong => Ok(()),
        }
    }

    /// What has come together leaves together, and before anything else that is said of the call.
    fn hand_on(&mut self, now: Instant) {
        if self.items.is_empty() {
            return;
        }
        if let Some(call) = &self.call {
            let mut wire = WIRE.take();
            let mut batch = Batch::new(&self.items, &mut wire);
            call.media(now, self.stream.audio_id(), &mut batch);
            WIRE.set(wire);
        }
        self.items.clear();
    }

    fn on_text(&mut self, text: &str) -> Result<(), Over> {
        let said = self.stream.on_text(text, &mut self.items);
        if !matches!(said, Ok(Said::Media)) {
            self.hand_on(Instant::now());
        }
        match said {
            Ok(Said::Media | Said::Nothing) => Ok(()),
            Ok(Said::Started(start)) => self.start(*start),
            Ok(Said::Stopped) => {
                if let Some(call) = self.call.take() {
                    self.span.in_scope(|| info!("stream stopped"));
                    call.stream_stopped(Now::take(), self.stream.audio_id());
                }
                Err(Over::Close(close::NORMAL, ""))
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
                // Whoever can open a socket can say it, so that a line for each would fill a disk.
                self.span.in_scope(|| debug!(%fault, "stream closed"));
                self.registry.metrics().messages_bad.add_one();
                if let Fatal::Format { start, .. } = &fault
                    && let Ok(pass) = self.gate.admit(Now::take(), start)
                {
                    pass.into_iter().for_each(|pass| self.gate.bring(pass));
                    self.refused(start, &fault.to_string());
                }
                Err(Over::Close(
                    fault.close_code(),
                    "the stream is not as Twilio's are",
                ))
            }
        }
    }

    fn start(&mut self, start: Start) -> Result<(), Over> {
        // First of all: a stream that is none of Twilio's does nothing to the call that it names.
        match self.gate.admit(Now::take(), &start) {
            Err(_) => Err(NOT_ACCEPTED),
            Ok(None) => self.accept(start),
            Ok(Some(pass)) => {
                self.asked = Some((start, pass));
                Ok(())
            }
        }
    }

    /// It is let in.
    fn accept(&mut self, start: Start) -> Result<(), Over> {
        let now = Now::take();
        let Ok(sid) = CallSid::parse(&start.call_sid) else {
            self.registry.metrics().streams_refused.add_one();
            warn!("stream refused: its callSid is no id");
            return Err(NOT_ACCEPTED);
        };
        let call = match self.registry.open(now, &sid) {
            Ok(call) => call,
            Err(why) => {
                self.registry.metrics().streams_refused.add_one();
                warn!(call = %sid, %why, "stream refused");
                return Err(NOT_ACCEPTED);
            }
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
        self.span = error_span!("stream", call = %sid, stream = %accepted.stream_sid);
        self.span.in_scope(|| info!("stream started"));
        call.accept_stream(now, self.stream.audio_id(), accepted);
        self.seat = None;
        self.call = Some(call);
        Ok(())
    }

    /// The stream named its call, and the call is told.
    fn refused(&self, start: &Start, why: &str) {
        let now = Now::take();
        let stream_sid = partyline_shared::id::is_id(&start.stream_sid).then(|| start.stream_sid.clone());
        let why = why.to_owned();
        self.registry.metrics().streams_refused.add_one();
        if let Ok(sid) = CallSid::parse(&start.call_sid) {
            // Where the call is one too many it is told of as such.
            let _ = self
                .registry
                .act(now, &sid, Deed::StreamRefused { stream_sid, why });
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
            self.span.in_scope(|| warn!(why, "stream lost"));
            call.stream_lost(Now::take(), self.stream.audio_id(), why);
        }
    }
}

/// Dropped without a word: the task was ended.
impl Drop for Pump {
    fn drop(&mut self) {
        self.bytes.tell(self.registry.metrics());
        self.lost("the relay ended it");
    }
}
