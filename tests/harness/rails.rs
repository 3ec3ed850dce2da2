//! What is left of a Rails application while people move: its Action Cable in Puma, by `tests/rails/config.ru`, on the
//! story's Redis; and one who hears in Redis what such an application would.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::program::Program;
use crate::wait::{SOON, within};

/// What Puma says once it serves; its address is behind it.
const READY: &str = "* Listening on http://";

/// Ruby loads half of Rails, on a machine that does other things too.
const STARTS: Duration = Duration::from_secs(60);

/// A server of Rails'; it is killed when dropped.
pub struct Rails {
    _program: Program,
    addr: SocketAddr,
}

impl Rails {
    /// Starts one with this channel prefix, and waits until it serves.
    pub async fn start(redis: &str, prefix: &str) -> Rails {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("rails/config.ru");
        let config = config.display().to_string();
        let args = ["--bind", "tcp://127.0.0.1:0", "--threads", "1:16", &config];
        let env = [("REDIS_URL", redis), ("CHANNEL_PREFIX", prefix)];
        let program = Program::start(Path::new("puma"), args, &env);
        let line = program.line(STARTS, READY, |line| line.starts_with(READY)).await;
        let addr = line.trim_start_matches(READY).parse();
        Rails {
            _program: program,
            addr: addr.unwrap_or_else(|e| panic!("no address in {line:?}: {e}")),
        }
    }

    /// Where browsers connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// A connection that is subscribed to channels, as a server of Rails' is.
pub struct Subscribed(BufReader<TcpStream>);

impl Subscribed {
    /// Subscribes, and waits until Redis says so.
    pub async fn to(redis: SocketAddr, channels: &[String]) -> Subscribed {
        let stream = TcpStream::connect(redis).await.expect("redis-server accepts");
        let mut one = Subscribed(BufReader::new(stream));
        let mut said = format!("*{}\r\n$9\r\nSUBSCRIBE\r\n", channels.len() + 1);
        for channel in channels {
            said.push_str(&format!("${}\r\n{channel}\r\n", channel.len()));
        }
        let written = one.0.get_mut().write_all(said.as_bytes()).await;
        written.expect("redis-server reads");
        for channel in channels {
            let [kind, name] = one.three().await;
            assert_eq!((&*kind, &name), ("subscribe", channel));
        }
        one
    }

    /// The next message: its channel, and its payload as it is.
    pub async fn next(&mut self, what: &str) -> (String, String) {
        let [channel, payload] = within(SOON, what, self.three()).await;
        (channel, payload)
    }

    /// The next payload of a channel whose name has this in it, as JSON.
    pub async fn next_of(&mut self, part: &str) -> Value {
        loop {
            let (channel, payload) = self.next(part).await;
            if channel.contains(part) {
                return serde_json::from_str(&payload).expect("JSON");
            }
        }
    }

    /// Whether nothing comes for so long.
    pub async fn is_silent(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.three()).await.is_err()
    }

    /// What stands first and second in `subscribe channel count`, second and third in `message channel payload`.
    async fn three(&mut self) -> [String; 2] {
        assert_eq!(self.line().await, "*3");
        let kind = self.text().await;
        let channel = self.text().await;
        if kind == "message" {
            return [channel, self.text().await];
        }
        self.line().await;
        [kind, channel]
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.expect("redis-server writes");
        line.trim_end().to_owned()
    }

    async fn text(&mut self) -> String {
        let head = self.line().await;
        let length: usize = head.strip_prefix('$').expect("a text").parse().expect("a length");
        let mut bytes = vec![0; length + 2];
        self.0.read_exact(&mut bytes).await.expect("redis-server writes");
        bytes.truncate(length);
        String::from_utf8(bytes).expect("UTF-8")
    }
}
