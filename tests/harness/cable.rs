//! Action Cable's clients: the real ones, in Node, side by side in one process; and one by hand, which says and reads
//! what a story wants.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::packages;
use crate::wait::{SOON, within};

/// The four that a story runs side by side.
pub const CLIENTS: [&str; 4] = ["rails61", "rails72", "rails81", "anycable"];

/// What all clients offer that Rails has.
pub const OFFERED: &str = "actioncable-v1-json, actioncable-unsupported";

/// The real clients of one process.
pub struct Clients {
    _child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    /// All that they told so far, in order.
    pub told: Vec<Value>,
}

impl Clients {
    /// Starts these, which connect with their first subscription; `query` begins with `?`, or is empty.
    pub fn start(relay: SocketAddr, query: &str, names: &[&str]) -> Clients {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cable/clients.js");
        let mut child = Command::new("node")
            .arg(script)
            .arg(format!("ws://{relay}/cable{query}"))
            .args(names)
            .current_dir(packages::node("cable"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|e| panic!("node cannot be run ({e}); tests/install.sh test installs it"));
        let stdin = child.stdin.take().expect("stdin is a pipe");
        let stdout = child.stdout.take().expect("stdout is a pipe");
        Clients {
            _child: child,
            stdin,
            stdout: BufReader::new(stdout).lines(),
            told: Vec::new(),
        }
    }

    /// Has each of them do something with a subscription: `subscribe`, `unsubscribe`, or `again` for a second object.
    pub async fn all(&mut self, what: &str, channel: &str, params: Value) {
        let line = json!({ "do": what, "channel": channel, "params": params }).to_string() + "\n";
        let written = self.stdin.write_all(line.as_bytes());
        written.await.expect("the clients take a line");
    }

    /// Reads on until `so` holds of all that was told.
    pub async fn until(&mut self, limit: Duration, what: &str, so: impl Fn(&[Value]) -> bool) {
        let read = async {
            while !so(&self.told) {
                let line = self.stdout.next_line().await.expect("lines of text");
                let line = line.unwrap_or_else(|| panic!("the clients ended without: {what}"));
                self.told.push(serde_json::from_str(&line).expect("JSON"));
            }
        };
        within(limit, what, read).await;
    }

    /// Reads on until each of `names` has told at least so many of `what` on `channel`.
    pub async fn each(&mut self, names: &[&str], what: &str, channel: &str, count: usize) {
        let title = format!("{count} {what} on {channel} of each");
        let all = |told: &[Value]| {
            names
                .iter()
                .all(|name| of(told, name, what, channel).len() >= count)
        };
        self.until(SOON, &title, all).await;
    }

    /// What one told of a kind on a channel.
    pub fn of(&self, client: &str, what: &str, channel: &str) -> Vec<&Value> {
        of(&self.told, client, what, channel)
    }

    /// Messages that one received on a channel.
    pub fn received(&self, client: &str, channel: &str) -> Vec<&Value> {
        let told = self.of(client, "received", channel);
        told.into_iter().map(|told| &told["message"]).collect()
    }

    /// How often one said a command about an identifier in which `part` stands.
    pub fn said(&self, client: &str, command: &str, part: &str) -> usize {
        said(&self.told, client, command, part)
    }

    /// How often one still asked for it after it had told `what` of a channel for the last time.
    pub fn asks_on(&self, client: &str, part: &str, what: &str, channel: &str) -> usize {
        let last = self.told.iter().rposition(|told| is(told, client, what, channel));
        let last = last.unwrap_or_else(|| panic!("{client} never told {what} of {channel}"));
        said(&self.told[last..], client, "subscribe", part)
    }
}

fn of<'t>(told: &'t [Value], client: &str, what: &str, channel: &str) -> Vec<&'t Value> {
    let of = |told: &&Value| is(told, client, what, channel);
    told.iter().filter(of).collect()
}

fn is(told: &Value, client: &str, what: &str, channel: &str) -> bool {
    told["client"] == client && told["what"] == what && told["channel"] == channel
}

fn said(told: &[Value], client: &str, command: &str, part: &str) -> usize {
    let about = |told: &&Value| {
        told["client"] == client
            && told["what"] == "said"
            && told["command"] == command
            && told["identifier"].as_str().is_some_and(|id| id.contains(part))
    };
    told.iter().filter(about).count()
}

/// A client by hand. It reads only while a story waits on it.
pub struct Cable {
    socket: WebSocketStream<TcpStream>,
    /// The subprotocol that was agreed on.
    pub agreed: Option<String>,
}

impl Cable {
    /// Connects to `path`, with these headers, offering `protocols`; `receive_buffer` narrows the kernel's, bytes.
    ///
    /// # Errors
    /// What tungstenite says, with the HTTP answer where there is one.
    pub async fn open(
        relay: SocketAddr,
        path: &str,
        protocols: &str,
        headers: &[(&'static str, &str)],
        receive_buffer: Option<u32>,
    ) -> Result<Cable, Error> {
        let mut request = format!("ws://{relay}{path}").into_client_request()?;
        let offered = (!protocols.is_empty()).then_some(("sec-websocket-protocol", protocols));
        for (name, value) in headers.iter().copied().chain(offered) {
            request.headers_mut().insert(name, value.parse()?);
        }
        let socket = TcpSocket::new_v4().map_err(Error::Io)?;
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes).map_err(Error::Io)?;
        }
        let stream = socket.connect(relay).await.map_err(Error::Io)?;
        let (socket, answer) = within(SOON, "the upgrade of /cable", client_async(request, stream)).await?;
        let agreed = answer.headers().get("sec-websocket-protocol");
        Ok(Cable {
            socket,
            agreed: agreed.map(|name| name.to_str().unwrap_or_default().to_owned()),
        })
    }

    /// One that is welcome, by this query and these headers.
    pub async fn welcome(relay: SocketAddr, query: &str, headers: &[(&'static str, &str)]) -> Cable {
        let opened = Cable::open(relay, &format!("/cable{query}"), OFFERED, headers, None).await;
        let mut cable = opened.unwrap_or_else(|e| panic!("/cable refused: {e}"));
        assert_eq!(cable.next("welcome").await, json!({ "type": "welcome" }));
        cable
    }

    /// Says a command about an identifier.
    pub async fn say(&mut self, command: &str, identifier: &str) {
        let said = json!({ "command": command, "identifier": identifier });
        self.say_text(&said.to_string()).await;
    }

    /// Says any text.
    pub async fn say_text(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    /// Says anything.
    pub async fn send(&mut self, message: Message) {
        let sent = within(SOON, "the relay to take a message", self.socket.send(message));
        sent.await.expect("the socket takes a message");
    }

    /// Subscribes and waits for the confirmation; what comes before that is left out.
    pub async fn subscribe(&mut self, identifier: &str) {
        self.say("subscribe", identifier).await;
        let confirmed = json!({ "identifier": identifier, "type": "confirm_subscription" });
        while self.next("a confirmation").await != confirmed {}
    }

    /// The next that is no ping: a message, or the close code as a number, or null for a connection lost without one.
    pub async fn next(&mut self, what: &str) -> Value {
        loop {
            let next = self.any(what).await;
            if next["type"] != "ping" {
                return next;
            }
        }
    }

    /// The same with pings.
    pub async fn any(&mut self, what: &str) -> Value {
        loop {
            match within(SOON, what, self.socket.next()).await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).expect("JSON"),
                Some(Ok(Message::Close(frame))) => return json!(frame.map(|frame| u16::from(frame.code))),
                Some(Err(_)) | None => return Value::Null,
                Some(Ok(_)) => {}
            }
        }
    }
}

/// `CallStreamChannel` of a call, as Rails' client spells it.
pub fn stream_of(call: &impl std::fmt::Display) -> String {
    format!(r#"{{"channel":"CallStreamChannel","call_id":"{call}"}}"#)
}

/// `TwilioMediaChannel` of a call.
pub fn media_of(call: &impl std::fmt::Display) -> String {
    format!(r#"{{"channel":"TwilioMediaChannel","call_sid":"{call}"}}"#)
}
