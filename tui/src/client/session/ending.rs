//! When a subscribed call is really over. `ended_at` may overtake its last frames and lines, and a line
//! may be a moment behind: so the relay is asked once more, and then it has to be quiet for a while.

/// How long nothing of the call may come after its end, ms: over the 500 ms for which the relay waits
/// for a missing SequenceId.
pub(super) const QUIET_MS: u64 = 1_500;

#[derive(Debug, Default)]
pub(super) struct Ending {
    ended: bool,
    /// The ping sent after the end.
    ping: Option<u64>,
    answered: bool,
    last_item: u64,
}

impl Ending {
    pub(super) fn set(&mut self, now: u64, ended: bool) {
        if ended && !self.ended {
            *self = Ending {
                ended: true,
                last_item: now,
                ..Ending::default()
            };
        }
        self.ended = ended;
    }

    pub(super) fn on_item(&mut self, now: u64) {
        self.last_item = now;
    }

    pub(super) fn on_ping(&mut self, id: u64) {
        if self.ended && self.ping.is_none() {
            self.ping = Some(id);
        }
    }

    pub(super) fn on_pong(&mut self, now: u64, id: u64) {
        // The quiet counts from here, so that what lay before the pong has had its time.
        if self.ping == Some(id) {
            self.answered = true;
            self.last_item = now;
        }
    }

    /// The answer will not come over that socket; the next one is asked again.
    pub(super) fn on_closed(&mut self) {
        self.ping = None;
        self.answered = false;
    }

    pub(super) fn needs_ping(&self) -> bool {
        self.ended && self.ping.is_none()
    }

    pub(super) fn deadline(&self) -> u64 {
        match (self.ended, self.ping, self.answered) {
            (true, None, _) => 0,
            (true, _, true) => self.last_item + QUIET_MS,
            _ => u64::MAX,
        }
    }

    pub(super) fn is_over(&self, now: u64) -> bool {
        self.ended && self.answered && now >= self.last_item + QUIET_MS
    }
}
