//! A relay as small as can be, over real sockets: answers with given TwiML, takes the stream, remembers all
//! that came in the order it came, and tells a listener of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::id::CallSid;
use partyline_shared::line::Line;
use partyline_shared::protocol::client::ClientMessage;
use partyline_shared::protocol::server::{ServerMessage, User};
use partyline_shared::protocol::{PROTOCOL, codec};
use partyline_shared::time::UtcTime;
use partyline_shared::track::{PerTrack, Track};
use partyline_shared::twilio::callback::{TranscriptionCallback, TranscriptionEvent};
use partyline_shared::twilio::form::Form;
use partyline_shared::twilio::media;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, broadcast};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Message, Role};
use tokio_util::task::AbortOnDropHandle;

/// The stream's number for listeners.
const AUDIO: u32 = 7;
const PATIENCE: Duration = Duration::from_secs(10);

/// What came.
#[derive(Debug, Clone)]
pub(super) enum Seen {
    Post {
        head: String,
        path: String,
        form: Form,
    },
    Upgrade {
        head: String,
        path: String,
    },
    /// A listener asked for the call.
    Subscribed,
    Text(String),
    Closed {
        code: Option<u16>,
    },
}

/// How it behaves.
#[derive(Clone, Default)]
pub(super) struct Habits {
    /// What the voice webhook is answered with.
    pub(super) twiml: String,
    /// Media messages after which it closes the stream.
    pub(super) closes_after: Option<usize>,
    /// Which frame of all no listener gets.
    pub(super) loses_frame: Option<usize>,
}

#[derive(Clone)]
struct Shared {
    habits: Habits,
    seen: Arc<Mutex<Vec<Seen>>>,
    news: Arc<Notify>,
    live: broadcast::Sender<Message>,
}

pub(super) struct StandIn {
    pub(super) url: String,
    shared: Shared,
    _accepting: AbortOnDropHandle<()>,
}

impl StandIn {
    pub(super) async fn new(habits: Habits) -> StandIn {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Shared {
            habits,
            seen: Arc::default(),
            news: Arc::default(),
            live: broadcast::channel(1000).0,
        };
        let accepting = tokio::spawn({
            let shared = shared.clone();
            async move {
                while let Ok((socket, _)) = listener.accept().await {
                    tokio::spawn(shared.clone().serve(socket));
                }
            }
        });
        StandIn {
            url,
            shared,
            _accepting: AbortOnDropHandle::new(accepting),
        }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// The forms posted to `path`, in order.
    pub(super) fn posted(&self, path: &str) -> Vec<Form> {
        let forms = self.seen().into_iter().filter_map(|seen| match seen {
            Seen::Post { path: to, form, .. } if to == path => Some(form),
            _ => None,
        });
        forms.collect()
    }

    pub(super) fn texts(&self) -> Vec<String> {
        let texts = self.seen().into_iter().filter_map(|seen| match seen {
            Seen::Text(text) => Some(text),
            _ => None,
        });
        texts.collect()
    }

    /// Waits until something that came satisfies `is`.
    pub(super) async fn until(&self, what: &str, is: impl Fn(&Seen) -> bool) {
        let came = async {
            loop {
                let news = self.shared.news.notified();
                if self.seen().iter().any(&is) {
                    return;
                }
                news.await;
            }
        };
        assert!(timeout(PATIENCE, came).await.is_ok(), "{what} did not come");
    }
}

impl Shared {
    fn note(&self, seen: Seen) {
        self.seen.lock().unwrap().push(seen);
        self.news.notify_waiters();
    }

    async fn serve(self, mut socket: TcpStream) {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
            if socket.read_buf(&mut bytes).await.unwrap() == 0 {
                return;
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        if let Some(key) = header(&head, "sec-websocket-key") {
            let protocol = match header(&head, "sec-websocket-protocol") {
                Some(protocol) => format!("Sec-WebSocket-Protocol: {protocol}\r\n"),
                None => String::new(),
            };
            let accept = derive_accept_key(key.as_bytes());
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n{protocol}\r\n"
            );
            socket.write_all(answer.as_bytes()).await.unwrap();
            let socket = WebSocketStream::from_raw_socket(socket, Role::Server, None).await;
            self.note(Seen::Upgrade {
                head,
                path: path.clone(),
            });
            match path.as_str() {
                "/listen" => self.listen(socket).await,
                _ => self.stream(socket).await,
            }
            return;
        }
        let length: usize = header(&head, "content-length").map_or(0, |v| v.parse().unwrap());
        while bytes.len() < end + length {
            socket.read_buf(&mut bytes).await.unwrap();
        }
        let form = Form::parse(&bytes[end..]);
        let answer = match path.split('?').next().unwrap() {
            "/twilio/voice" => self.habits.twiml.clone(),
            "/twilio/notice" => "<Response><Say>Notice.</Say></Response>".to_owned(),
            _ => String::new(),
        };
        if path == "/twilio/transcription" {
            self.tell_line(&form);
        }
        self.note(Seen::Post { head, path, form });
        let status = if answer.is_empty() {
            "204 No Content"
        } else {
            "200 OK"
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
        socket.write_all(answer.as_bytes()).await.unwrap();
    }

    async fn stream(self, mut socket: WebSocketStream<TcpStream>) {
        let mut chunks = PerTrack::<u32>::default();
        let mut frames = 0;
        while let Some(Ok(message)) = socket.next().await {
            match message {
                Message::Text(text) => {
                    self.note(Seen::Text(text.to_string()));
                    let Some(media) = media::Message::parse(&text).unwrap().media else {
                        continue;
                    };
                    frames += 1;
                    let track = Track::parse(&media.track.unwrap()).unwrap();
                    *chunks.get_mut(track) += 1;
                    let mut audio = Vec::new();
                    media::decode_payload(&media.payload, &mut audio).unwrap();
                    let at = media.timestamp.unwrap() as u32;
                    let frame = AudioFrame::new(track, AUDIO, *chunks.get(track), at, &audio);
                    if self.habits.loses_frame != Some(frames) {
                        let _ = self.live.send(Message::binary(frame.bytes().clone()));
                    }
                    if self.habits.closes_after == Some(frames) {
                        socket.close(None).await.unwrap();
                    }
                }
                Message::Close(frame) => {
                    let code = frame.map(|f| f.code.into());
                    self.note(Seen::Closed { code });
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn tell_line(&self, form: &Form) {
        let Some(TranscriptionCallback { call_sid, event, .. }) = TranscriptionCallback::read(form) else {
            panic!("no transcription callback: {form:?}");
        };
        if let TranscriptionEvent::Content {
            track,
            text,
            is_final,
            confidence,
        } = event
        {
            let line = Line {
                seq: 1,
                at: UtcTime::from_unix_ms(0),
                start_ms: None,
                end_ms: None,
                track,
                text,
                is_final,
                confidence,
                engine: None,
                hole_ms: None,
            };
            let told = codec::to_text(&ServerMessage::Transcript { call_sid, line });
            let _ = self.live.send(Message::text(told));
        }
    }

    async fn listen(self, mut socket: WebSocketStream<TcpStream>) {
        let mut live = self.live.subscribe();
        let hello = ServerMessage::Hello {
            protocol: PROTOCOL.into(),
            relay: "0".into(),
            node: "n".into(),
            user: User {
                name: "a".into(),
                role: "admin".into(),
                allow: vec![],
            },
            features: vec![],
            time: UtcTime::from_unix_ms(0),
        };
        socket.send(Message::text(codec::to_text(&hello))).await.unwrap();
        loop {
            let answer = tokio::select! {
                biased;
                Ok(news) = live.recv() => news,
                said = socket.next() => match said {
                    Some(Ok(Message::Text(text))) => match codec::from_client(&text).unwrap() {
                        Some(ClientMessage::Subscribe(asked)) => {
                            self.note(Seen::Subscribed);
                            subscribed(asked.call_sid)
                        }
                        Some(ClientMessage::Ping { id }) => {
                            Message::text(codec::to_text(&ServerMessage::Pong { id, time: None }))
                        }
                        other => panic!("{other:?}"),
                    },
                    _ => return,
                },
            };
            if socket.send(answer).await.is_err() {
                return;
            }
        }
    }
}

fn subscribed(call_sid: CallSid) -> Message {
    Message::text(codec::to_text(&ServerMessage::Subscribed {
        call_sid,
        audio_id: Some(AUDIO),
        journal: "j".into(),
        resumed: false,
        zero_at: None,
    }))
}

/// A header's value out of a request's head.
pub(super) fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}
