//! How a session is seen from outside: by its pump, by admins, in the log, and in what is counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use partyline_shared::protocol::close;

use super::{Asked, Disconnect, OWED, OWED_BYTES, Session};
use crate::access::Grant;
use crate::calls::fanout::Mailbox;
use crate::clock::Now;
use crate::pump::{self, Fault, Parting, Transmit};

impl Session {
    /// Its name among those that are connected.
    pub fn id(&self) -> String {
        self.here.id()
    }

    /// Who it is, and what it may.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    pub(super) fn lost_frames(&self, frames: u64) {
        self.here.lost_frames(frames);
        self.host.registry.metrics().frames_lost.add(frames);
    }
}

impl pump::Session for Session {
    type Asked = Asked;
    type Answer = bool;

    fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    fn deadline(&self) -> Instant {
        self.deadline()
    }

    fn look_again_at(&self) -> Option<Instant> {
        self.expires
    }

    fn owes_much(&self) -> bool {
        self.control.len() >= OWED || self.control_bytes >= OWED_BYTES
    }

    fn asks_much(&self) -> bool {
        self.asks.asks_much()
    }

    fn on_text(&mut self, now: Now, text: &str) {
        self.on_text(now, text);
    }

    fn on_sign(&mut self, now: Instant) {
        self.on_sign(now);
    }

    fn on_deadline(&mut self, now: Now) {
        self.on_deadline(now);
    }

    fn next_asked(&mut self) -> Option<Asked> {
        self.next_asked()
    }

    fn on_answer(&mut self, now: Now, recorded: bool) {
        self.on_answer(now, recorded);
    }

    fn poll_transmit(&mut self, now: Now) -> Option<Transmit> {
        self.poll_transmit(now)
    }

    fn wrote(&mut self, bytes: u64) {
        let more = bytes.saturating_sub(self.written);
        self.written = bytes;
        self.here.sent_bytes(more);
        self.host.registry.metrics().listener_written_bytes.add(more);
    }

    fn recheck(&mut self, now: Now) {
        self.recheck(now);
    }

    fn has_lost_rights(&self) -> bool {
        self.has_lost_rights()
    }

    /// Clients of this protocol have a pace of their own for coming back.
    fn leave(&mut self, _: Duration) {
        self.leaving = true;
    }

    fn on_fault(&mut self, fault: Fault) -> Parting {
        let metrics = self.host.registry.metrics();
        match fault {
            Fault::TooSlow => {
                metrics.listeners_too_slow.add_one();
                (Some(Disconnect::TOO_SLOW.text()), close::NORMAL, "")
            }
            Fault::TooLoud => {
                metrics.listeners_too_loud.add_one();
                (
                    Some(Disconnect::INVALID.text()),
                    close::POLICY,
                    "too many messages",
                )
            }
            // Without a word of ours the client would come and say the same again.
            Fault::Broken(code, why) => (Some(Disconnect::INVALID.text()), code, why),
        }
    }
}
