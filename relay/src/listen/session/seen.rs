//! How a session is seen from outside: by admins, in the log, and in what is counted.

use super::Session;
use crate::access::Grant;

impl Session {
    /// Its name among those that are connected.
    pub fn id(&self) -> String {
        self.here.id()
    }

    /// Who it is, and what it may.
    pub fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Its socket has written so many bytes by now, in all.
    pub fn wrote(&mut self, bytes: u64) {
        let more = bytes.saturating_sub(self.written);
        self.written = bytes;
        self.here.sent_bytes(more);
        self.host.registry.metrics().listener_written_bytes.add(more);
    }

    pub(super) fn lost_frames(&self, frames: u64) {
        self.here.lost_frames(frames);
        self.host.registry.metrics().frames_lost.add(frames);
    }
}
