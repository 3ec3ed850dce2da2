//! A plain `partyline.v1` listener, independent of the client crate: it takes what comes, in order, and
//! keeps it by call. It reads only while a story waits on it, so a story that does not wait is a listener
//! that does not read.

mod heard;
mod opens;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::call::Call;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::{ClientMessage, Subscribe};
use partyline_shared::protocol::codec;
use partyline_shared::protocol::server::{Level, ServerMessage};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

pub use heard::{Gap, Heard, Subscribed};

use crate::wait::{SOON, within};

/// What came.
#[derive(Debug, Clone)]
pub enum Item {
    /// A text message that the protocol knows.
    Text(Box<ServerMessage>),
    /// A frame; it does not say of which call, its `audio_id` does.
    Frame(AudioFrame),
    /// The end: the close code, or `None` for a connection lost without one.
    Closed(Option<u16>),
}

/// The listener.
pub struct Listener {
    socket: WebSocketStream<TcpStream>,
    ended: Option<Option<u16>>,
    audio: BTreeMap<u32, CallSid>,
    /// By call, as of the last message about it.
    pub calls: BTreeMap<CallSid, Call>,
    /// By call, what its subscription brought.
    pub heard: BTreeMap<CallSid, Heard>,
    /// Calls that were removed.
    pub removed: Vec<CallSid>,
    /// Every `levels`.
    pub levels: Vec<Vec<Level>>,
    /// Frames whose `audio_id` no `subscribed` had named.
    pub strays: Vec<AudioFrame>,
}

impl Listener {
    /// Says something.
    pub async fn say(&mut self, message: &ClientMessage) {
        self.say_text(codec::to_text(message)).await;
    }

    /// The same to a relay that may be gone; whether the socket took it.
    pub async fn try_say(&mut self, message: &ClientMessage) -> bool {
        let sent = self.socket.send(Message::text(codec::to_text(message)));
        within(SOON, "the relay to take a message", sent).await.is_ok()
    }

    /// Says any text.
    pub async fn say_text(&mut self, text: impl Into<String>) {
        let sent = self.socket.send(Message::text(text.into()));
        within(SOON, "the relay to take a message", sent)
            .await
            .expect("the socket takes a message");
    }

    /// Says several things in one write.
    pub async fn say_at_once(&mut self, messages: &[ClientMessage]) {
        for message in messages {
            let text = Message::text(codec::to_text(message));
            self.socket.feed(text).await.expect("it is kept until the flush");
        }
        let flushed = within(SOON, "the relay to take messages", self.socket.flush());
        flushed.await.expect("the socket takes messages");
    }

    /// Hears and reads a call from here on, waiting for `subscribed`.
    pub async fn subscribe(&mut self, call: &CallSid) -> Subscribed {
        let plain = Subscribe {
            call_sid: call.clone(),
            audio: true,
            after: None,
            replay_ms: 0,
            save: false,
            saved: None,
        };
        self.subscribe_with(plain).await
    }

    /// The same with all that can be said.
    pub async fn subscribe_with(&mut self, subscribe: Subscribe) -> Subscribed {
        let call = subscribe.call_sid.clone();
        self.say(&ClientMessage::Subscribe(subscribe)).await;
        let mine =
            |m: &ServerMessage| matches!(m, ServerMessage::Subscribed { call_sid, .. } if *call_sid == call);
        self.until(&format!("subscribed to {call}"), mine).await;
        self.heard(&call).subscribed.last().expect("it was kept").clone()
    }

    /// What was heard of a call.
    pub fn heard(&self, call: &CallSid) -> &Heard {
        self.heard
            .get(call)
            .unwrap_or_else(|| panic!("nothing was heard of {call}"))
    }

    /// The next thing that comes, kept as well as given.
    pub async fn next(&mut self, what: &str) -> Item {
        loop {
            if let Some(code) = self.ended {
                return Item::Closed(code);
            }
            let came = within(SOON, what, self.socket.next()).await;
            if let Some(item) = self.take(came) {
                return item;
            }
        }
    }

    /// Reads for so long, and answers pings; what else came, which is kept as well.
    pub async fn listens_for(&mut self, time: Duration) -> Vec<Item> {
        let mut came = Vec::new();
        let until = Instant::now() + time;
        while self.ended.is_none() {
            match timeout_at(until, self.socket.next()).await {
                Ok(message) => came.extend(self.take(message)),
                Err(_) => break,
            }
        }
        came
    }

    /// Keeps what came; `None` for what is not the protocol's.
    fn take(&mut self, came: Option<Result<Message, Error>>) -> Option<Item> {
        let item = match came {
            Some(Ok(Message::Text(text))) => match codec::from_server(&text) {
                Ok(Some(message)) => Item::Text(Box::new(message)),
                Ok(None) => panic!("the relay said a type that its own version does not know: {text}"),
                Err(e) => panic!("the relay said no message: {e}: {text}"),
            },
            Some(Ok(Message::Binary(bytes))) => match AudioFrame::parse(bytes) {
                Ok(Some(frame)) => Item::Frame(frame),
                odd => panic!("the relay sent no frame: {odd:?}"),
            },
            Some(Ok(Message::Close(frame))) => Item::Closed(frame.map(|f| f.code.into())),
            Some(Ok(_)) => return None,
            Some(Err(_)) | None => Item::Closed(None),
        };
        self.keep(&item);
        Some(item)
    }

    /// The next text message; frames before it are kept.
    pub async fn next_text(&mut self, what: &str) -> ServerMessage {
        self.until(what, |_| true).await
    }

    /// The next frame; messages before it are kept.
    pub async fn next_frame(&mut self, what: &str) -> AudioFrame {
        loop {
            match self.next(what).await {
                Item::Frame(frame) => return frame,
                Item::Text(_) => {}
                Item::Closed(code) => panic!("{what}: the relay closed with {code:?}"),
            }
        }
    }

    /// The first message from now on for which `wanted` holds.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&ServerMessage) -> bool) -> ServerMessage {
        let look = async {
            loop {
                match self.next(what).await {
                    Item::Text(message) if wanted(&message) => return *message,
                    Item::Closed(code) => panic!("{what}: the relay closed with {code:?}"),
                    _ => {}
                }
            }
        };
        within(SOON, what, look).await
    }

    /// Reads until what was kept so far is so.
    pub async fn until_so(&mut self, what: &str, so: impl Fn(&Listener) -> bool) {
        let look = async {
            while !so(self) {
                if let Item::Closed(code) = self.next(what).await {
                    panic!("{what}: the relay closed with {code:?}");
                }
            }
        };
        within(SOON, what, look).await;
    }

    /// Whether the relay has closed, as far as was read.
    pub fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Reads until the relay closes; the close code, or `None` when it went without one.
    pub async fn closed(&mut self) -> Option<u16> {
        let look = async {
            loop {
                if let Item::Closed(code) = self.next("the relay to close").await {
                    return code;
                }
            }
        };
        within(SOON, "the relay to close", look).await
    }

    /// Closes politely.
    pub async fn close(mut self) {
        let _ = self.socket.close(None).await;
        self.closed().await;
    }

    fn keep(&mut self, item: &Item) {
        match item {
            Item::Closed(code) => self.ended = Some(*code),
            Item::Frame(frame) => match self.audio.get(&frame.audio_id()) {
                Some(call) => {
                    let heard = self.heard.entry(call.clone()).or_default();
                    heard.frames.get_mut(frame.track()).push(frame.clone());
                }
                None => self.strays.push(frame.clone()),
            },
            Item::Text(message) => self.keep_message(message),
        }
    }

    fn keep_message(&mut self, message: &ServerMessage) {
        match message.clone() {
            ServerMessage::Calls { calls, .. } => {
                self.calls
                    .extend(calls.into_iter().map(|call| (call.call_sid.clone(), call)));
            }
            ServerMessage::Call { call } => {
                self.calls.insert(call.call_sid.clone(), *call);
            }
            ServerMessage::CallRemoved { call_sid } => {
                self.calls.remove(&call_sid);
                self.removed.push(call_sid);
            }
            ServerMessage::Levels { levels } => self.levels.push(levels),
            ServerMessage::Subscribed {
                call_sid,
                audio_id,
                journal,
                resumed,
                ..
            } => {
                self.audio.retain(|_, call| *call != call_sid);
                self.audio.extend(audio_id.map(|id| (id, call_sid.clone())));
                let heard = self.heard.entry(call_sid).or_default();
                heard.subscribed.push(Subscribed {
                    audio_id,
                    journal,
                    resumed,
                });
            }
            ServerMessage::Transcript { call_sid, line } => {
                self.heard.entry(call_sid).or_default().lines.push(line);
            }
            ServerMessage::Event { call_sid, event } => {
                self.heard.entry(call_sid).or_default().events.push(event);
            }
            ServerMessage::Gap {
                call_sid,
                track,
                from_chunk,
                to_chunk,
                reason,
            } => {
                let gap = Gap {
                    track,
                    from_chunk,
                    to_chunk,
                    reason,
                };
                self.heard.entry(call_sid).or_default().gaps.push(gap);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {

    use partyline_shared::track::Track;
    use tokio::net::TcpListener;
    use tokio_tungstenite::accept_hdr_async;
    use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

    use super::*;

    /// A relay that takes one listener and says these things in order; at `None` it waits for a message.
    async fn relay(script: Vec<Option<Message>>) -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            #[allow(clippy::result_large_err)] // tungstenite's type
            let agree = |request: &Request, mut response: Response| {
                let asked = request.headers().get("sec-websocket-protocol").unwrap();
                response
                    .headers_mut()
                    .insert("sec-websocket-protocol", asked.clone());
                Ok(response)
            };
            let mut socket = accept_hdr_async(stream, agree).await.unwrap();
            for step in script {
                match step {
                    Some(message) => socket.send(message).await.unwrap(),
                    None => drop(socket.next().await),
                }
            }
            while let Some(Ok(_)) = socket.next().await {}
        });
        addr
    }

    fn text(json: &str) -> Option<Message> {
        Some(Message::text(json))
    }

    fn close(code: u16) -> Option<Message> {
        use tokio_tungstenite::tungstenite::protocol::CloseFrame;
        Some(Message::Close(Some(CloseFrame {
            code: code.into(),
            reason: "".into(),
        })))
    }

    #[tokio::test]
    async fn what_comes_is_kept_by_call_and_track_in_order() {
        let frame = |id, chunk| AudioFrame::new(Track::Outbound, id, chunk, 0, &[chunk as u8]);
        let binary = |id, chunk| Some(Message::binary(frame(id, chunk).bytes().clone()));
        let addr = relay(vec![
            text(r#"{"type":"hello","protocol":"partyline.v1","relay":"1","node":"n","user":{"name":"a","role":"admin"},"time":"2026-11-22T09:00:00.000Z"}"#),
            text(r#"{"type":"calls","calls":[{"call_sid":"CA1","roles":{"inbound":"agent","outbound":"customer"},"status":"ringing","stream":"none"}],"more":true}"#),
            text(r#"{"type":"calls","calls":[],"more":false}"#),
            None,
            text(r#"{"type":"subscribed","call_sid":"CA1","audio_id":7,"journal":"j","resumed":false}"#),
            binary(7, 1),
            text(r#"{"type":"gap","call_sid":"CA1","track":"outbound","from_chunk":2,"to_chunk":3,"reason":"upstream"}"#),
            binary(7, 4),
            binary(9, 1),
            text(r#"{"type":"transcript","call_sid":"CA1","line":{"seq":5,"at":"2026-11-22T09:00:00.000Z","track":"inbound","text":"hi","final":true}}"#),
            close(4008),
        ])
        .await;
        let mut listener = Listener::connect(addr).await;
        let call = CallSid::parse("CA1").unwrap();
        assert!(listener.calls.contains_key(&call));
        let subscribed = listener.subscribe(&call).await;
        assert_eq!((subscribed.audio_id, subscribed.resumed), (Some(7), false));
        let first = listener.next_frame("the first frame").await;
        assert_eq!(first.chunk(), 1);
        listener
            .until_so("a line", |l| !l.heard(&call).lines.is_empty())
            .await;
        assert_eq!(listener.closed().await, Some(4008));
        let heard = listener.heard(&call);
        heard.assert_no_hole();
        assert_eq!(
            (heard.audio(Track::Outbound), heard.finals()),
            (vec![1, 4], vec!["hi"])
        );
        assert_eq!(
            (heard.after().journal.as_deref(), heard.after().transcript),
            (Some("j"), 5)
        );
        assert_eq!(listener.strays.len(), 1);
    }

    #[tokio::test]
    #[should_panic(expected = "hello: the relay closed with Some(1001)")]
    async fn an_end_where_a_message_was_due_is_said() {
        Listener::connect(relay(vec![close(1001)]).await).await;
    }
}
