//! What has come over a connection, and what it means for the run: every frame is booked, every wrong one counted.

use super::conn::{Role, State};
use super::kind::Said;
use super::ledger::Arrival;
use super::payload::Frame;
use super::pump::Pump;
use crate::ws;

impl Pump<'_> {
    /// Takes the bytes that one read gave, just before `now`.
    #[inline]
    pub(super) fn arrived(&mut self, at: usize, arrived: &[u8], now: u64) {
        let mut joined = std::mem::take(&mut self.conns[at].rest);
        if self.conns[at].state == State::Upgrading {
            joined.extend_from_slice(arrived);
            self.conns[at].rest = joined;
            match self.conns[at].upgraded() {
                Ok(true) => self.upgraded(at),
                Ok(false) => return,
                Err(why) => return self.fails(at, &why),
            }
            // What came with the answer is a message already.
            let rest = std::mem::take(&mut self.conns[at].rest);
            return self.messages(at, &rest, now);
        }
        if joined.is_empty() {
            self.messages(at, arrived, now);
        } else {
            joined.extend_from_slice(arrived);
            self.messages(at, &joined, now);
        }
    }

    #[inline]
    fn messages(&mut self, at: usize, bytes: &[u8], now: u64) {
        let mut begin = 0;
        while self.conns[at].state != State::Closed {
            match ws::Frame::at(bytes, begin) {
                Ok(Some(frame)) => {
                    begin = frame.payload.end;
                    self.message(at, frame.op, &bytes[frame.payload], now);
                }
                Ok(None) => break,
                Err(why) => return self.fails(at, why),
            }
        }
        self.conns[at].rest = bytes[begin..].to_vec();
    }

    #[inline]
    fn message(&mut self, at: usize, op: u8, payload: &[u8], now: u64) {
        match (op, self.conns[at].role) {
            (ws::PING, _) => self.say(at, ws::PONG, payload),
            (ws::PONG, _) => {}
            (ws::CLOSE, _) => {
                let code = payload
                    .first_chunk()
                    .map_or(1005, |code| u16::from_be_bytes(*code));
                self.fails(at, &format!("closed by the relay with {code}"));
            }
            // Twilio hears nothing; who is idle asked for nothing.
            (_, Role::Ingest(_) | Role::Idle) => {}
            (_, role) => {
                let said = self.conns[at].kind.read(op, payload, self.codec);
                match (said, role) {
                    (Said::Audio(frame), Role::Listener(ledger)) => self.book(at, ledger, frame, now),
                    (Said::Subscribed, _) if self.conns[at].state == State::Subscribing => {
                        self.subscribed(at)
                    }
                    (Said::Refused, _) if self.conns[at].state == State::Subscribing => {
                        let why = String::from_utf8_lossy(payload).into_owned();
                        self.fails(at, &why);
                    }
                    (Said::Corrupt, Role::Listener(ledger)) => {
                        self.found.corrupt += 1;
                        let call = self.ledgers[ledger].call;
                        self.found
                            .say(|| format!("a listener of call {call}: a frame with a wrong byte"));
                    }
                    (Said::Gap, Role::Listener(_)) => self.found.gaps_told += 1,
                    _ => {}
                }
            }
        }
    }

    fn subscribed(&mut self, at: usize) {
        self.is_open(at);
        match self.conns[at].role {
            Role::Listener(ledger) if self.conns[at].waits => {
                let tracks = self.args.tracks;
                let ledger = &mut self.ledgers[ledger];
                ledger.joins(&self.sent[ledger.call * tracks..][..tracks]);
            }
            Role::Slow(_) => {
                if let Err(e) = self.turns_deaf(at) {
                    self.fails(at, &e.to_string());
                }
            }
            _ => {}
        }
    }

    #[inline]
    fn book(&mut self, at: usize, ledger: usize, frame: Frame, now: u64) {
        let Frame { track, chunk, .. } = frame;
        let ledger = &mut self.ledgers[ledger];
        let call = ledger.call;
        if frame.call as usize != call {
            self.found.misrouted += 1;
            let what = format!("is of call {}", frame.call);
            return self.found.say_of(call, track, chunk, &what);
        }
        match ledger.book(track, chunk) {
            Arrival::First => {
                if std::mem::take(&mut self.conns[at].waits) {
                    self.found.first_frame.push(now - self.conns[at].begun);
                }
            }
            Arrival::Next => {}
            Arrival::Earlier => {
                self.found.out_of_order += 1;
                self.found.say_of(call, track, chunk, "came after a later one");
            }
            Arrival::Double => {
                self.found.duplicated += 1;
                return self.found.say_of(call, track, chunk, "came twice");
            }
            Arrival::Unknown => {
                self.found.corrupt += 1;
                return self.found.say_of(call, track, chunk, "was never sent");
            }
        }
        if self.window.contains(&now) {
            self.found.window_delivered += 1;
        }
        if frame.sent >= self.window.start {
            self.found.latency.push(now.saturating_sub(frame.sent));
        }
    }

    /// A connection is over. That is a failure unless it had done its work, or was never read.
    pub(super) fn fails(&mut self, at: usize, why: &str) {
        let conn = &mut self.conns[at];
        let (role, state) = (conn.role, conn.state);
        conn.close();
        match state {
            State::Closed | State::Stopped => return,
            State::Open if self.is_over() || matches!(role, Role::Slow(_)) => return,
            State::Open => {}
            _ => self.on_their_way -= 1,
        }
        self.found.failed += 1;
        self.found.say(|| format!("{role:?}: {why}"));
    }
}
