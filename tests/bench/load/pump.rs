//! The one loop: opens what is to be opened, has sent what is due, reads what has come. What a message means is in
//! `hear`, what is sent in `send`.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;

use super::Args;
use super::call::{self, Call};
use super::conn::{Conn, Role, State};
use super::found::Found;
use super::kind::Kind;
use super::ledger::{Account, Ledger};
use super::payload::{Codec, mixed};
use super::schedule::Schedule;
use crate::poll::{MILLI, Poll, Ready, now};
use crate::ws;

/// Connections that are on their way at once: fewer than a listening socket queues.
const AT_ONCE: usize = 64;
/// Begun in one turn, so that frames which are due do not wait for connections.
const PER_TURN: usize = 16;
/// Bytes read at once: more than a listener has waiting after a stall of seconds.
const READ: usize = 256 << 10;
/// How often a wait looks whether it is over.
const LOOK: u64 = 5 * MILLI;

pub(super) struct Pump<'a> {
    pub(super) args: &'a Args,
    pub(super) codec: Codec,
    poll: Poll,
    pub(super) conns: Vec<Conn>,
    pub(super) ledgers: Vec<Ledger>,
    pub(super) calls: Vec<Call>,
    /// Frames sent of each call's tracks, call by call.
    pub(super) sent: Vec<u32>,
    /// To be begun, in order.
    queue: VecDeque<usize>,
    /// The same at a time, the earliest first.
    late: VecDeque<(u64, usize)>,
    pub(super) on_their_way: usize,
    pub(super) schedule: Option<Schedule>,
    /// The steady part, ns.
    pub(super) window: Range<u64>,
    pub(super) found: Found,
    random: u64,
    pub(super) message: Vec<u8>,
    buffer: Vec<u8>,
    ready: Vec<Ready>,
}

impl<'a> Pump<'a> {
    pub(super) fn new(args: &'a Args, run: u64, calls: Vec<Call>) -> io::Result<Pump<'a>> {
        let frames = args.frames() as usize * args.calls * args.tracks;
        // Late listeners have less, and there are few: what is reserved and not touched costs nothing.
        let listeners = args.listeners + args.cable_listeners + args.late;
        Ok(Pump {
            args,
            codec: Codec::new(run),
            poll: Poll::new()?,
            conns: Vec::new(),
            ledgers: Vec::new(),
            sent: vec![0; args.calls * args.tracks],
            calls,
            queue: VecDeque::new(),
            late: VecDeque::new(),
            on_their_way: 0,
            schedule: None,
            window: 0..0,
            found: Found::with_room(frames, frames * listeners),
            random: run,
            message: Vec::with_capacity(1 << 10),
            buffer: vec![0; READ],
            ready: Vec::new(),
        })
    }

    /// Will open one more.
    pub(super) fn connect(&mut self, role: Role) {
        self.connect_as(role, Kind::Native);
    }

    fn connect_as(&mut self, role: Role, kind: Kind) {
        self.queue.push_back(self.conns.len());
        self.conns.push(Conn::new(role, kind));
    }

    /// Will open one more listener of that call.
    pub(super) fn connect_listener(&mut self, call: usize, kind: Kind) {
        let (tracks, frames) = (self.args.tracks, self.args.frames());
        self.ledgers.push(Ledger::new(call, tracks, frames));
        self.connect_as(Role::Listener(self.ledgers.len() - 1), kind);
    }

    /// Sends from `begin` on; late listeners come at their time, to their call.
    pub(super) fn begin(&mut self, begin: u64, window: Range<u64>, mut late: Vec<(u64, usize)>) {
        let Args {
            calls,
            tracks,
            together,
            ..
        } = *self.args;
        self.schedule = Some(Schedule::new(calls, tracks, together, self.args.frames(), begin));
        self.window = window;
        late.sort_unstable();
        for (at, call) in late {
            self.connect_listener(call, Kind::Native);
            let conn = self.queue.pop_back().expect("it was put there");
            self.conns[conn].waits = true;
            self.late.push_back((at, conn));
        }
    }

    /// Turns until all connections are what they were meant to be.
    pub(super) fn set_up(&mut self, limit: u64) -> io::Result<()> {
        let until = now() + limit;
        while !self.queue.is_empty() || self.on_their_way > 0 {
            if now() > until {
                let left = self.queue.len() + self.on_their_way;
                return Err(io::Error::other(format!(
                    "{left} connections are not open after 30 s"
                )));
            }
            self.turn(now() + LOOK)?;
        }
        match self.found.failed {
            0 => Ok(()),
            failed => Err(io::Error::other(format!(
                "{failed} connections failed: {}",
                self.found.errors.join("; ")
            ))),
        }
    }

    pub(super) fn turn_for(&mut self, time: u64) -> io::Result<()> {
        self.turn_until(now() + time)
    }

    pub(super) fn turn_until(&mut self, until: u64) -> io::Result<()> {
        while now() < until {
            self.turn(until)?;
        }
        Ok(())
    }

    /// Turns until all that was sent has come; false when it has not by then.
    pub(super) fn drain(&mut self, until: u64) -> io::Result<bool> {
        loop {
            let Account { expected, delivered } = self.account();
            if expected == delivered || now() >= until {
                return Ok(expected == delivered);
            }
            self.turn_for(4 * LOOK)?;
        }
    }

    /// What all listeners should have, and have.
    pub(super) fn account(&self) -> Account {
        let mut all = Account::default();
        for ledger in &self.ledgers {
            let tracks = self.args.tracks;
            let account = ledger.account(&self.sent[ledger.call * tracks..][..tracks]);
            all.expected += account.expected;
            all.delivered += account.delivered;
        }
        all
    }

    /// Ends all connections.
    pub(super) fn close(self) -> Found {
        self.found
    }

    /// One turn, until something was done or that time has come.
    fn turn(&mut self, until: u64) -> io::Result<()> {
        let more = self.open_some();
        let mut due = self.send_due();
        let mut wake = until.min(due);
        if let Some((at, _)) = self.late.front() {
            wake = wake.min(*at);
        }
        let mut ready = std::mem::take(&mut self.ready);
        self.poll.wait(if more { 0 } else { wake }, &mut ready)?;
        for ready in &ready {
            self.is_ready(ready);
            if due <= now() {
                due = self.send_due();
            }
        }
        self.ready = ready;
        Ok(())
    }

    /// Begins some connections; whether more could be begun at once.
    fn open_some(&mut self) -> bool {
        while self.late.front().is_some_and(|(at, _)| *at <= now()) {
            self.queue.extend(self.late.pop_front().map(|(_, conn)| conn));
        }
        for _ in 0..PER_TURN {
            if self.on_their_way >= AT_ONCE {
                return false;
            }
            let Some(at) = self.queue.pop_front() else {
                return false;
            };
            self.on_their_way += 1;
            self.conns[at].begun = now();
            let relay = self.relay_of(at);
            let opened = self.conns[at].open(relay);
            let watched = opened.and_then(|socket| self.poll.add(socket, at as u64, true));
            if let Err(e) = watched {
                self.fails(at, &e.to_string());
            }
        }
        true
    }

    /// Where a connection goes.
    fn relay_of(&self, at: usize) -> SocketAddr {
        let Args {
            relay, listen_relay, ..
        } = self.args;
        match self.conns[at].role {
            Role::Ingest(_) => *relay,
            _ => listen_relay.unwrap_or(*relay),
        }
    }

    fn is_ready(&mut self, ready: &Ready) {
        let at = ready.token as usize;
        if ready.writable {
            let done = if self.conns[at].state == State::Connecting {
                self.connected(at)
            } else {
                self.conns[at].flush()
            };
            if let Err(e) = done.and_then(|()| self.watch(at)) {
                return self.fails(at, &e.to_string());
            }
        }
        if ready.readable {
            self.read(at);
        }
    }

    /// Asks for room to write only where something waits for it.
    fn watch(&self, at: usize) -> io::Result<()> {
        let conn = &self.conns[at];
        match conn.socket() {
            Some(socket) => self.poll.change(socket, at as u64, conn.is_behind()),
            None => Ok(()),
        }
    }

    /// Whoever has heard enough is not read any more.
    pub(super) fn turns_deaf(&mut self, at: usize) -> io::Result<()> {
        self.conns[at]
            .socket()
            .map_or(Ok(()), |socket| self.poll.remove(socket))
    }

    fn connected(&mut self, at: usize) -> io::Result<()> {
        if let Some(error) = self.conns[at]
            .socket()
            .and_then(|socket| socket.take_error().transpose())
        {
            return Err(error?);
        }
        let random = u128::from(self.random()) << 64 | u128::from(self.random());
        let relay = self.relay_of(at);
        let Args {
            ingest_path,
            listen_path,
            cable_path,
            token,
            ..
        } = self.args;
        let conn = &mut self.conns[at];
        if let Role::Ingest(_) = conn.role {
            return conn.upgrade(
                relay,
                ingest_path,
                "User-Agent: Twilio.TmeWs/1.0\r\n",
                random.to_ne_bytes(),
            );
        }
        let mut more = format!("Sec-WebSocket-Protocol: {}\r\n", conn.kind.protocols());
        if let Some(token) = token {
            more.push_str(&format!("Authorization: Bearer {token}\r\n"));
        }
        let path = match conn.kind {
            Kind::Native => listen_path,
            Kind::Cable => cable_path,
        };
        conn.upgrade(relay, path, &more, random.to_ne_bytes())
    }

    #[inline]
    fn read(&mut self, at: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        let count = self.conns[at].read(&mut buffer);
        let now = now();
        match count {
            Ok(Some(0)) => self.fails(at, "ended by the relay"),
            Ok(Some(count)) => self.arrived(at, &buffer[..count], now),
            Ok(None) => {}
            Err(e) => self.fails(at, &e.to_string()),
        }
        self.buffer = buffer;
    }

    /// Writes a message of our own making.
    pub(super) fn say(&mut self, at: usize, op: u8, payload: &[u8]) {
        let key = (self.random() as u32).to_ne_bytes();
        self.write(at, &ws::message(op, payload, Some(key)));
    }

    /// Whether it was taken.
    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) -> bool {
        let conn = &mut self.conns[at];
        let behind = conn.is_behind();
        let written = match conn.write(bytes) {
            // Only who has just fallen behind asks for room.
            Ok(taken) if conn.is_behind() == behind => Ok(taken),
            Ok(taken) => self.watch(at).map(|()| taken),
            Err(e) => Err(e),
        };
        written.unwrap_or_else(|e| {
            self.fails(at, &e.to_string());
            false
        })
    }

    #[inline]
    pub(super) fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(1);
        mixed(self.random)
    }

    /// The upgrade is through: says what the role says first.
    pub(super) fn upgraded(&mut self, at: usize) {
        let call = match self.conns[at].role {
            Role::Ingest(call) => {
                self.say(at, ws::TEXT, call::CONNECTED.as_bytes());
                let start = self.calls[call].start(self.args.tracks);
                self.say(at, ws::TEXT, start.as_bytes());
                return self.is_open(at);
            }
            Role::Idle => return self.is_open(at),
            Role::Listener(ledger) => self.ledgers[ledger].call,
            Role::Slow(call) => call,
        };
        self.conns[at].state = State::Subscribing;
        let subscribe = self.conns[at].kind.subscribe(&self.calls[call].call_sid);
        self.say(at, ws::TEXT, subscribe.as_bytes());
    }

    /// It is what it was meant to be.
    pub(super) fn is_open(&mut self, at: usize) {
        if self.conns[at].state != State::Closed {
            self.on_their_way -= 1;
            self.conns[at].state = State::Open;
        }
    }
}
