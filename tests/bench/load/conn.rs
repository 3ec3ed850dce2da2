//! One WebSocket of a client's, without waiting: connect, ask for the upgrade, write what the kernel takes and keep
//! the rest, cut what arrives into messages. What is said over it is not known here.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use base64_simd::STANDARD;
use socket2::{Domain, Protocol, Socket, Type};

use super::kind::Kind;
use crate::ws;

/// Most bytes that wait for the kernel, per connection: 2 s of a relay that does not read two tracks. What comes
/// after is not sent, and counted.
const MAX_BACKLOG: usize = 80 << 10;
/// The receive buffer of a listener that does not read, bytes, about the least that the kernel allows.
const NARROW_BUFFER: usize = 4 << 10;
/// Its segments, bytes. With loopback's 64 kB the relay's side would buffer megabytes: the whole run.
const NARROW_SEGMENT: u32 = 536;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The stream of that call.
    Ingest(usize),
    /// Has that ledger.
    Listener(usize),
    /// Asks for nothing.
    Idle,
    /// Asks for that call and reads no further.
    Slow(usize),
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Not begun.
    Waiting,
    Connecting,
    /// The upgrade was asked for.
    Upgrading,
    /// A call was asked for.
    Subscribing,
    Open,
    /// Said its last: the relay's end of it is no surprise.
    Stopped,
    Closed,
}

pub(super) struct Conn {
    pub(super) role: Role,
    /// What it speaks, where it listens.
    pub(super) kind: Kind,
    pub(super) state: State,
    /// When it was begun, ns.
    pub(super) begun: u64,
    /// Comes late, and has had no frame yet.
    pub(super) waits: bool,
    socket: Option<TcpStream>,
    /// Of the handshake.
    key: String,
    /// What came of a message so far.
    pub(super) rest: Vec<u8>,
    backlog: Vec<u8>,
}

impl Conn {
    pub(super) fn new(role: Role, kind: Kind) -> Conn {
        Conn {
            role,
            kind,
            state: State::Waiting,
            begun: 0,
            waits: false,
            socket: None,
            key: String::new(),
            rest: Vec::new(),
            backlog: Vec::new(),
        }
    }

    /// Begins to connect.
    pub(super) fn open(&mut self, relay: SocketAddr) -> io::Result<&TcpStream> {
        let socket = Socket::new(Domain::for_address(relay), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if let Role::Slow(_) = self.role {
            socket.set_recv_buffer_size(NARROW_BUFFER)?;
            socket.set_tcp_mss(NARROW_SEGMENT)?;
        }
        match socket.connect(&relay.into()) {
            Err(e) if e.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
                return Err(e);
            }
            _ => {}
        }
        self.state = State::Connecting;
        Ok(self.socket.insert(socket.into()))
    }

    pub(super) fn socket(&self) -> Option<&TcpStream> {
        self.socket.as_ref()
    }

    /// Ends it.
    pub(super) fn close(&mut self) {
        self.state = State::Closed;
        self.socket = None;
    }

    /// Asks for the upgrade, with more headers, each with its line's end. `random` makes the key.
    pub(super) fn upgrade(
        &mut self,
        host: SocketAddr,
        path: &str,
        more: &str,
        random: [u8; 16],
    ) -> io::Result<()> {
        self.key = STANDARD.encode_to_string(random);
        self.state = State::Upgrading;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n{more}\r\n",
            self.key
        );
        self.write(request.as_bytes()).map(|_| ())
    }

    /// Takes the answer to that out of [`Conn::rest`]: whether it is whole, or why it is no upgrade.
    pub(super) fn upgraded(&mut self) -> Result<bool, String> {
        let Some(end) = ws::head_end(&self.rest) else {
            return if self.rest.len() < ws::MAX_HEAD {
                Ok(false)
            } else {
                Err("an endless head".to_owned())
            };
        };
        let head = String::from_utf8_lossy(&self.rest[..end]).into_owned();
        let status = head.lines().next().unwrap_or_default();
        if status.split(' ').nth(1) != Some("101") {
            return Err(format!("not upgraded: {status}"));
        }
        if ws::header(&head, "sec-websocket-accept") != Some(&ws::accept(&self.key)) {
            return Err("upgraded with a wrong Sec-WebSocket-Accept".to_owned());
        }
        self.rest.drain(..end);
        Ok(true)
    }

    /// Writes all or keeps the rest; false when there is no room for it. Then nothing of it was written.
    #[inline]
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let Some(socket) = &mut self.socket else {
            return Ok(false);
        };
        let mut taken = 0;
        if self.backlog.is_empty() {
            taken = match socket.write(bytes) {
                Ok(taken) => taken,
                Err(e) if e.kind() == ErrorKind::WouldBlock => 0,
                Err(e) => return Err(e),
            };
        } else if self.backlog.len() + bytes.len() > MAX_BACKLOG {
            return Ok(false);
        }
        self.backlog.extend_from_slice(&bytes[taken..]);
        Ok(true)
    }

    /// Whether something waits for the kernel.
    #[inline]
    pub(super) fn is_behind(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Writes of what waits as much as the kernel takes.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if let (Some(socket), false) = (&mut self.socket, self.backlog.is_empty()) {
            match socket.write(&self.backlog) {
                Ok(taken) => drop(self.backlog.drain(..taken)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// One read; `None` when there was nothing.
    #[inline]
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(socket) = &mut self.socket else {
            return Ok(None);
        };
        match socket.read(buffer) {
            Ok(count) => Ok(Some(count)),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(None),
            Err(e) => Err(e),
        }
    }
}
