//! The floor: a relay that does nothing but what no relay can leave out. One thread, one read for an arrival, one
//! send for each listener. No parser, no rights, no queue: what a listener cannot take at once it does not get.

mod fault;
mod frame;

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::ExitCode;

use crate::poll::{Poll, Ready, SECOND, now, raise_descriptors};
use crate::ws;
use fault::{Does, Fault, Faulty};
use frame::{FRAME, Finder};

/// Bytes read at once: more than one connection has waiting, even after a stall.
const READ: usize = 64 << 10;
/// The listening socket's token; connections have their index.
const LISTENER: u64 = u64::MAX - 1;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Port on 127.0.0.1; 0 picks one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Ends by itself after that many seconds
    #[arg(long, default_value_t = 600)]
    max_secs: u64,
    /// Does one frame in fifty wrong, to see that it is noticed
    #[arg(long, hide = true)]
    fault: Option<Fault>,
}

/// Serves until the time is over.
pub(crate) fn run(args: &Args) -> ExitCode {
    raise_descriptors();
    match Floor::open(args).and_then(|mut floor| floor.serve(now() + args.max_secs * SECOND)) {
        Ok(lost) => {
            eprintln!("floor: {lost} frames not taken at once");
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("floor: {e}");
            ExitCode::from(2)
        }
    }
}

/// What a connection turned out to be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    /// Its request is not whole.
    New,
    /// Audio comes from it, of that call once it has started.
    Ingest(Option<usize>),
    /// It hears that call once it has subscribed.
    Listener(Option<usize>),
}

struct Conn {
    socket: TcpStream,
    part: Part,
    /// What came of a message so far.
    rest: Vec<u8>,
    /// What the kernel did not take of a frame; less than one.
    tail: Vec<u8>,
}

struct Floor {
    poll: Poll,
    door: TcpListener,
    /// By token; one is taken out while it is worked on, so that the others can be reached.
    conns: Vec<Option<Conn>>,
    free: Vec<usize>,
    /// CallSids, and who hears them.
    sids: HashMap<Vec<u8>, usize>,
    calls: Vec<Vec<usize>>,
    finder: Finder,
    faulty: Option<Faulty>,
    /// Frames that a listener had no room for.
    lost: u64,
}

impl Floor {
    fn open(args: &Args) -> io::Result<Floor> {
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))?;
        door.set_nonblocking(true)?;
        let poll = Poll::new()?;
        poll.add(&door, LISTENER, false)?;
        let mut out = io::stdout();
        writeln!(out, "listening on http://{}", door.local_addr()?)?;
        out.flush()?;
        Ok(Floor {
            poll,
            door,
            conns: Vec::new(),
            free: Vec::new(),
            sids: HashMap::new(),
            calls: Vec::new(),
            finder: Finder::new(),
            faulty: args.fault.map(Faulty::new),
            lost: 0,
        })
    }

    fn serve(&mut self, until: u64) -> io::Result<u64> {
        let mut ready: Vec<Ready> = Vec::new();
        let mut buffer = vec![0; READ];
        while now() < until {
            self.poll.wait(until, &mut ready)?;
            for ready in &ready {
                if ready.token == LISTENER {
                    self.admit()?;
                } else {
                    self.arrival(ready.token as usize, &mut buffer);
                }
            }
        }
        Ok(self.lost)
    }

    fn admit(&mut self) -> io::Result<()> {
        while let Ok((socket, _)) = self.door.accept() {
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            let at = self.free.pop().unwrap_or_else(|| {
                self.conns.push(None);
                self.conns.len() - 1
            });
            self.poll.add(&socket, at as u64, false)?;
            self.conns[at] = Some(Conn {
                socket,
                part: Part::New,
                rest: Vec::new(),
                tail: Vec::new(),
            });
        }
        Ok(())
    }

    fn arrival(&mut self, at: usize, buffer: &mut [u8]) {
        let Some(mut conn) = self.conns[at].take() else {
            return;
        };
        let alive = match conn.socket.read(buffer) {
            Ok(0) => false,
            Ok(count) if conn.part == Part::New => handshake(&mut conn, &buffer[..count]),
            Ok(count) => self.messages(at, &mut conn, &mut buffer[..count]),
            Err(e) => e.kind() == ErrorKind::WouldBlock,
        };
        if alive {
            self.conns[at] = Some(conn);
            return;
        }
        if let Part::Listener(Some(call)) = conn.part {
            self.calls[call].retain(|listener| *listener != at);
        }
        self.free.push(at);
    }

    /// Reads whole messages; false when it is over.
    fn messages(&mut self, at: usize, conn: &mut Conn, arrived: &mut [u8]) -> bool {
        let mut joined = std::mem::take(&mut conn.rest);
        let bytes = if joined.is_empty() {
            arrived
        } else {
            joined.extend_from_slice(arrived);
            &mut joined[..]
        };
        let mut begin = 0;
        loop {
            let frame = match ws::Frame::at(bytes, begin) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(_) => return false,
            };
            begin = frame.payload.end;
            let payload = &mut bytes[frame.payload];
            if let Some(key) = frame.mask {
                ws::mask(payload, key);
            }
            match frame.op {
                ws::CLOSE => return false,
                ws::TEXT => self.text(at, conn, payload),
                _ => {}
            }
        }
        conn.rest = bytes[begin..].to_vec();
        true
    }

    #[inline]
    fn text(&mut self, at: usize, conn: &mut Conn, text: &[u8]) {
        match conn.part {
            Part::Ingest(Some(call)) => {
                let mut out = [0; FRAME];
                if self.finder.media(text, &mut out).is_some() {
                    self.publish(call, &out);
                }
            }
            Part::Ingest(None) => conn.part = Part::Ingest(self.finder.start(text).map(|sid| self.call(sid))),
            Part::Listener(None) => {
                if let Some(sid) = self.finder.subscribe(text) {
                    let call = self.call(sid);
                    self.calls[call].push(at);
                    conn.part = Part::Listener(Some(call));
                    let sid = String::from_utf8_lossy(sid);
                    let said = format!(r#"{{"type":"subscribed","call_sid":"{sid}"}}"#);
                    // A socket that nothing was written to takes this.
                    let _ = conn.socket.write(&ws::message(ws::TEXT, said.as_bytes(), None));
                }
            }
            Part::Listener(Some(_)) | Part::New => {}
        }
    }

    fn call(&mut self, sid: &[u8]) -> usize {
        *self.sids.entry(sid.to_vec()).or_insert_with(|| {
            self.calls.push(Vec::new());
            self.calls.len() - 1
        })
    }

    #[inline]
    fn publish(&mut self, call: usize, frame: &[u8; FRAME]) {
        let does = self.faulty.as_mut().map(|faulty| faulty.next(call, frame));
        match does {
            None => self.send(call, frame),
            Some(Does { frames, stray }) => {
                let call = if stray {
                    (call + 1) % self.calls.len()
                } else {
                    call
                };
                for frame in frames {
                    self.send(call, &frame);
                }
            }
        }
    }

    #[inline]
    fn send(&mut self, call: usize, frame: &[u8; FRAME]) {
        for &listener in &self.calls[call] {
            let Some(conn) = self.conns[listener].as_mut() else {
                continue;
            };
            if !conn.tail.is_empty() {
                let taken = conn.socket.write(&conn.tail).unwrap_or(0);
                conn.tail.drain(..taken);
                if !conn.tail.is_empty() {
                    self.lost += 1;
                    continue;
                }
            }
            match conn.socket.write(frame) {
                Ok(FRAME) => {}
                Ok(taken) => conn.tail.extend_from_slice(&frame[taken..]),
                Err(_) => self.lost += 1,
            }
        }
    }
}

/// Answers the upgrade once the request is whole; false when it is none.
fn handshake(conn: &mut Conn, arrived: &[u8]) -> bool {
    conn.rest.extend_from_slice(arrived);
    let Some(end) = ws::head_end(&conn.rest) else {
        return conn.rest.len() < ws::MAX_HEAD;
    };
    let head = String::from_utf8_lossy(&conn.rest[..end]).into_owned();
    conn.rest.drain(..end);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let Some(key) = ws::header(&head, "sec-websocket-key") else {
        return false;
    };
    let protocol = ws::header(&head, "sec-websocket-protocol").map_or(String::new(), |name| {
        format!("Sec-WebSocket-Protocol: {name}\r\n")
    });
    let accept = ws::accept(key);
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{protocol}\r\n"
    );
    conn.part = if path.starts_with("/listen") {
        Part::Listener(None)
    } else {
        Part::Ingest(None)
    };
    conn.socket
        .write(answer.as_bytes())
        .is_ok_and(|taken| taken == answer.len())
}
