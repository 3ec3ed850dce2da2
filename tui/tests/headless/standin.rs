//! A relay that says what a test tells it to say.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::protocol::client::{ClientMessage, Subscribe};
use partyline_shared::protocol::{PROTOCOL, codec};
use partyline_shared::track::Track;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

use super::program::DEADLINE;

pub(crate) struct StandIn {
    pub(crate) url: String,
    peers: mpsc::Receiver<Peer>,
    pub(crate) say: Arc<Mutex<Say>>,
}

/// What it answers to HTTP.
#[derive(Default)]
pub(crate) struct Say {
    /// Status, further header lines and body by path and query.
    pub(crate) answers: HashMap<String, (u16, String)>,
    /// Refusals of the next upgrades: status, further header line.
    pub(crate) refusals: VecDeque<(u16, &'static str)>,
    /// Request heads as they came.
    pub(crate) heads: Vec<String>,
}

pub(crate) struct Peer(pub(crate) WebSocketStream<TcpStream>);

impl StandIn {
    pub(crate) async fn start() -> StandIn {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (found, peers) = mpsc::channel(100);
        let say = Arc::new(Mutex::new(Say::default()));
        let shared = say.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone(), found.clone()));
            }
        });
        StandIn { url, peers, say }
    }

    pub(crate) fn answer(&self, path: &str, status: u16, body: &str) {
        self.say
            .lock()
            .unwrap()
            .answers
            .insert(path.to_owned(), (status, body.to_owned()));
    }

    pub(crate) fn refuse(&self, status: u16, header: &'static str) {
        self.say.lock().unwrap().refusals.push_back((status, header));
    }

    pub(crate) async fn peer(&mut self) -> Peer {
        timeout(DEADLINE, self.peers.recv())
            .await
            .expect("a connection to /listen")
            .unwrap()
    }
}

/// An address at which nobody listens, and that nobody else is given while the socket is held.
pub(crate) fn nobody() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    (socket, url)
}

async fn serve(mut stream: TcpStream, say: Arc<Mutex<Say>>, found: mpsc::Sender<Peer>) {
    let head = head(&stream).await;
    let path = head.split(' ').nth(1).unwrap_or("").to_owned();
    say.lock().unwrap().heads.push(head.clone());
    let refusal = if path == "/listen" {
        say.lock().unwrap().refusals.pop_front()
    } else {
        None
    };
    if path == "/listen" && refusal.is_none() {
        #[allow(clippy::result_large_err)] // the shape that the callback has to have
        let with_protocol = |_: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            response
                .headers_mut()
                .insert("sec-websocket-protocol", PROTOCOL.parse().unwrap());
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, with_protocol)
            .await
            .unwrap();
        let _ = found.send(Peer(socket)).await;
        return;
    }
    let mut consumed = vec![0; head.len()];
    stream.read_exact(&mut consumed).await.unwrap();
    let (status, header, body) = match refusal {
        Some((status, header)) => (status, header, String::new()),
        None => {
            let known = say.lock().unwrap().answers.get(&path).cloned();
            let (status, body) = known.unwrap_or((404, String::new()));
            (status, "", body)
        }
    };
    let answer = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{header}connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
}

/// Looks at the request's head without taking it.
async fn head(stream: &TcpStream) -> String {
    let mut bytes = [0; 4096];
    loop {
        let n = stream.peek(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes[..n]).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            return text[..end + 4].to_owned();
        }
        assert!(n > 0, "a request head");
        tokio::task::yield_now().await;
    }
}

pub(crate) const HELLO: &str = r#"{"type":"hello","protocol":"partyline.v1","relay":"0.1.0","node":"n","user":{"name":"a","role":"admin"},"time":"2026-11-22T09:00:00.000Z"}"#;

impl Peer {
    pub(crate) async fn say(&mut self, text: impl Into<String>) {
        self.0.send(Message::text(text.into())).await.unwrap();
    }

    /// hello, and a list of one live call or none.
    pub(crate) async fn greet(&mut self, calls: &str) {
        self.say(HELLO).await;
        self.say(format!(r#"{{"type":"calls","calls":[{calls}],"more":false}}"#))
            .await;
    }

    pub(crate) async fn subscribed(&mut self, audio_id: u32) {
        self.say(format!(
            r#"{{"type":"subscribed","call_sid":"CA1","audio_id":{audio_id},"journal":"j","resumed":false,"zero_at":"2026-11-22T09:00:00.000Z"}}"#
        ))
        .await;
    }

    pub(crate) async fn frame(&mut self, frame: &AudioFrame) {
        self.0.send(Message::binary(frame.bytes().clone())).await.unwrap();
    }

    /// The next message that is no ping; pings are answered.
    pub(crate) async fn hear(&mut self) -> ClientMessage {
        loop {
            let message = timeout(DEADLINE, self.0.next())
                .await
                .expect("a message of the client")
                .unwrap()
                .unwrap();
            let Message::Text(text) = message else { continue };
            match codec::from_client(text.as_str()).unwrap().unwrap() {
                ClientMessage::Ping { id } => self.say(format!(r#"{{"type":"pong","id":{id}}}"#)).await,
                other => return other,
            }
        }
    }

    pub(crate) async fn subscribe(&mut self) -> Subscribe {
        match self.hear().await {
            ClientMessage::Subscribe(subscribe) => subscribe,
            other => panic!("subscribe should come, not {other:?}"),
        }
    }

    /// The call is over; answers what is asked until the client leaves.
    pub(crate) async fn end_call(mut self) {
        self.say(format!(r#"{{"type":"call","call":{}}}"#, call("CA1", true)))
            .await;
        while let Ok(Some(Ok(message))) = timeout(DEADLINE, self.0.next()).await {
            if let Message::Text(text) = message
                && let Some(ClientMessage::Ping { id }) = codec::from_client(text.as_str()).unwrap()
            {
                self.say(format!(r#"{{"type":"pong","id":{id}}}"#)).await;
            }
        }
    }

    pub(crate) async fn close(mut self, code: u16) {
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: "".into(),
        };
        let _ = self.0.close(Some(frame)).await;
        // A socket that is dropped with something unread takes back what it has said last.
        while let Ok(Some(Ok(_))) = timeout(DEADLINE, self.0.next()).await {}
    }
}

pub(crate) fn call(sid: &str, ended: bool) -> String {
    let (status, end) = if ended {
        ("completed", "\"2026-11-22T09:01:00.000Z\"")
    } else {
        ("in-progress", "null")
    };
    format!(
        r#"{{"call_sid":"{sid}","customer_id":"7","from":"+1555\u001b[2J","to":"client:a","agent":"client:a","roles":{{"inbound":"customer","outbound":"agent"}},"status":"{status}","stream":"live","started_at":"2026-11-22T09:00:00.000Z","ended_at":{end}}}"#
    )
}

pub(crate) fn line(seq: u64, text: &str, is_final: bool) -> String {
    format!(
        r#"{{"seq":{seq},"at":"2026-11-22T09:00:05.000Z","track":"inbound","text":"{text}","final":{is_final}}}"#
    )
}

pub(crate) fn frame(track: Track, chunk: u32, byte: u8) -> AudioFrame {
    AudioFrame::new(track, 7, chunk, chunk * 20, &[byte; 160])
}
