//! Something in a relay's place that says what a story wants: a listener may trust no relay. HTTP is written by
//! hand, so that also what no server would say can be said.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use partyline_shared::protocol::PROTOCOL;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::wait::{SOON, within};

/// Listeners that may wait to be talked to.
const PEERS: usize = 16;

/// Longest request head, bytes.
const MAX_HEAD: usize = 16 << 10;

/// The impostor; nobody is taken any more when it is dropped.
pub struct Impostor {
    addr: SocketAddr,
    says: Arc<Mutex<Says>>,
    peers: mpsc::Receiver<Peer>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Says {
    /// Whole HTTP answers by path, without its query.
    answers: HashMap<String, Vec<u8>>,
    /// Whole answers to the next upgrades.
    refusals: VecDeque<Vec<u8>>,
}

/// A listener on /listen.
pub struct Peer {
    socket: WebSocketStream<TcpStream>,
}

impl Impostor {
    /// Takes connections on a free port.
    pub async fn start() -> Impostor {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("a bound port");
        let says = Arc::new(Mutex::new(Says::default()));
        let (found, peers) = mpsc::channel(PEERS);
        let shared = says.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone(), found.clone()));
            }
        });
        Impostor {
            addr,
            says,
            peers,
            accepting,
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// What is answered at `path`, from now on.
    pub fn answer(&self, path: &str, status: &str, body: &Value) {
        let answer = http(status, "content-type: application/json\r\n", &body.to_string());
        self.says.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    /// The same, as bytes of HTTP; see [`http()`].
    pub fn answer_whole(&self, path: &str, answer: Vec<u8>) {
        self.says.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    /// The next upgrade gets these bytes instead; see [`http()`].
    pub fn refuse(&self, answer: Vec<u8>) {
        self.says.lock().unwrap().refusals.push_back(answer);
    }

    /// The next listener.
    pub async fn peer(&mut self) -> Peer {
        let peer = within(SOON, "a listener on /listen", self.peers.recv()).await;
        peer.expect("listeners are taken")
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// An HTTP answer; `status` is the number and the words behind it, `header` whole lines.
pub fn http(status: &str, header: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{header}connection: close\r\n\r\n{body}").into()
}

async fn serve(mut stream: TcpStream, says: Arc<Mutex<Says>>, found: mpsc::Sender<Peer>) {
    let Some(head) = head(&mut stream).await else {
        return;
    };
    let path = head.split([' ', '?']).nth(1).unwrap_or_default();
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key")
            .then(|| value.trim())
    });
    let answer = {
        let mut says = says.lock().unwrap();
        match key {
            Some(_) => says.refusals.pop_front(),
            None => says
                .answers
                .get(path)
                .cloned()
                .or_else(|| Some(http("404 Not Found", "", ""))),
        }
    };
    if let Some(answer) = answer {
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
        return;
    }
    let accept = derive_accept_key(key.unwrap_or_default().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-accept: {accept}\r\nsec-websocket-protocol: {PROTOCOL}\r\n\r\n"
    );
    if stream.write_all(answer.as_bytes()).await.is_ok() {
        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        let _ = found.send(Peer { socket }).await;
    }
}

async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

impl Peer {
    /// Says a message.
    pub async fn say(&mut self, message: &Value) {
        self.say_text(message.to_string()).await;
    }

    /// Says any text; whether the listener still took it.
    pub async fn say_text(&mut self, text: impl Into<String>) -> bool {
        let sent = self.socket.send(Message::text(text.into()));
        within(SOON, "the listener to take a message", sent).await.is_ok()
    }

    /// Sends bytes.
    pub async fn send(&mut self, bytes: Bytes) {
        let sent = self.socket.send(Message::binary(bytes));
        within(SOON, "the listener to take bytes", sent)
            .await
            .expect("the listener takes bytes");
    }

    /// The next message that is no ping; pings are answered. `None` at the end.
    pub async fn hear(&mut self) -> Option<Value> {
        loop {
            let Message::Text(text) = self.socket.next().await?.ok()? else {
                continue;
            };
            let message: Value = serde_json::from_str(&text).expect("listeners say JSON");
            if message["type"] != "ping" {
                return Some(message);
            }
            let pong = json!({"type": "pong", "id": message["id"], "time": null});
            self.say_text(pong.to_string()).await;
        }
    }

    /// The next message of that type; others are skipped.
    pub async fn hear_a(&mut self, kind: &str) -> Value {
        let hear = async {
            loop {
                match self.hear().await {
                    Some(message) if message["type"] == kind => return message,
                    Some(_) => {}
                    None => panic!("the listener went without: {kind}"),
                }
            }
        };
        within(SOON, &format!("{kind} from the listener"), hear).await
    }

    /// Closes with a code and a reason of at most 123 bytes.
    pub async fn close(mut self, code: u16, reason: &str) {
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: reason.into(),
        };
        let _ = self.socket.close(Some(frame)).await;
        let _ = within(SOON, "the listener's close", async {
            while self.hear().await.is_some() {}
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http as client;

    #[tokio::test]
    async fn what_is_to_be_answered_is_answered() {
        let impostor = Impostor::start().await;
        impostor.answer("/api", "418 odd", &json!({"a": 1}));
        let answer = client::get(impostor.addr, "/api?q=1").await.expect(418);
        assert_eq!(answer.json()["a"], 1);
        client::get(impostor.addr, "/other").await.expect(404);
    }

    #[tokio::test]
    async fn a_listener_is_refused_or_talked_to() {
        let mut impostor = Impostor::start().await;
        impostor.refuse(http("503 later", "", "no"));
        let addr = impostor.addr;
        let refused = crate::Listener::open(addr, None).await;
        assert!(refused.is_err());
        let listener = tokio::spawn(async move { crate::Listener::connect(addr).await.closed().await });
        let mut peer = impostor.peer().await;
        peer.say(&json!({"type":"hello","protocol":PROTOCOL,"relay":"0","node":"n","user":{"name":"a","role":"admin"},
            "time":"2026-11-22T09:00:00.000Z"})).await;
        peer.say(&json!({"type":"calls","calls":[]})).await;
        peer.close(4001, "go").await;
        assert_eq!(listener.await.unwrap(), Some(4001));
    }
}
