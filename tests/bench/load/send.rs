//! Twilio's side of the run: each frame when it is due, each call's end after its last. How late a frame was is part
//! of what is reported: a sender that lags measures itself.

use super::conn::State;
use super::payload::Frame;
use super::pump::Pump;
use super::schedule::{Due, Schedule};
use crate::poll::now;
use crate::ws;

/// Sent in one turn, so that what has come is read in between even when it is late.
const BURST: usize = 64;

impl Pump<'_> {
    /// Sends what is due; gives when the next is.
    pub(super) fn send_due(&mut self) -> u64 {
        for _ in 0..BURST {
            let Some(due) = self.schedule.as_ref().and_then(Schedule::due) else {
                return u64::MAX;
            };
            let now = now();
            if due > now {
                return due;
            }
            match self.schedule.as_mut().and_then(Schedule::take) {
                Some(Due::Frame { call, track, chunk }) => self.send(call, track, chunk, due, now),
                Some(Due::Stop { call }) if self.conns[call].state == State::Open => {
                    let stop = self.calls[call].stop();
                    self.say(call, ws::TEXT, stop.as_bytes());
                    self.say(call, ws::CLOSE, &1000_u16.to_be_bytes());
                    self.conns[call].state = State::Stopped;
                }
                Some(Due::Stop { .. }) | None => {}
            }
        }
        0
    }

    /// Sends a frame. A call's stream is the connection of the same number.
    #[inline]
    fn send(&mut self, call: usize, track: usize, chunk: u32, due: u64, now: u64) {
        if self.conns[call].state != State::Open {
            return;
        }
        let frame = Frame {
            call: call as u32,
            track: track as u8,
            chunk,
            sent: now,
        };
        let key = (self.random() as u32).to_ne_bytes();
        let mut message = std::mem::take(&mut self.message);
        self.calls[call].media(&mut message, self.codec, frame, key);
        if self.write(call, &message) {
            self.sent[call * self.args.tracks + track] = chunk;
            self.found.sent += 1;
            if self.window.contains(&now) {
                self.found.window_sent += 1;
                self.found.lag.push(now - due);
            }
        } else {
            self.found
                .say(|| format!("call {call}: the relay does not read, chunk {chunk} is not sent"));
        }
        self.message = message;
    }

    /// All frames are sent: an end is no surprise any more.
    pub(super) fn is_over(&self) -> bool {
        self.schedule
            .as_ref()
            .is_some_and(|schedule| schedule.due().is_none())
    }
}
