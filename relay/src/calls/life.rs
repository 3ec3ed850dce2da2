//! Where a call stands: its status, when it was answered, what ends it. Every rule of the contract's
//! paragraph "A call", without sockets or clocks: time is an argument.

use std::time::{Duration, Instant};

use partyline_shared::call::{CallStatus, StreamState};
use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;

use crate::clock::Now;

mod kept;

pub use kept::Kept;

/// A call whose stream was lost ends after this long without media, line or callback.
pub const LOST: Duration = Duration::from_secs(30);
/// A call with neither live stream nor answered leg ends this long after its last sign of life.
pub const UNHEARD: Duration = Duration::from_secs(120);
/// A live stream without media for this long is told of.
pub const STALLED: Duration = Duration::from_secs(10);
/// An answered call that nothing more is heard of ends after this long: Twilio ends none later.
pub const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// Legs of one call that are told apart: more than anybody dials at once.
const LEGS: usize = 16;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing.
    Nothing,
    /// Status, stream or a time: worth telling at once.
    Changed,
    /// The call is over.
    Ended,
}

/// One call's life so far.
#[derive(Debug)]
pub struct Life {
    status: CallStatus,
    stream: StreamState,
    started_at: UtcTime,
    ended_at: Option<UtcTime>,
    ended: Option<Instant>,
    /// Whether the status of the end is Twilio's word, which nothing corrects.
    final_word: bool,
    own_answered_at: Option<UtcTime>,
    child_answered_at: Option<UtcTime>,
    dials: bool,
    /// The call's own leg is answered: its callbacks will say when it is over.
    own_leg: bool,
    /// The legs that it dialled, and where each stands; the newest [`LEGS`].
    legs: Vec<(CallSid, CallStatus)>,
    last_sign: Instant,
    last_media: Instant,
    stalled: bool,
}

impl Life {
    /// A call of which the first word has just come.
    pub fn new(now: Now) -> Life {
        Life {
            status: CallStatus::Queued,
            stream: StreamState::None,
            started_at: now.wall,
            ended_at: None,
            ended: None,
            final_word: false,
            own_answered_at: None,
            child_answered_at: None,
            dials: false,
            own_leg: false,
            legs: Vec::new(),
            last_sign: now.mono,
            last_media: now.mono,
            stalled: false,
        }
    }

    /// Twilio's status; never goes back, but for a stream that revives an ended call.
    pub fn status(&self) -> CallStatus {
        self.status
    }

    /// Where the audio stands.
    pub fn stream(&self) -> StreamState {
        self.stream
    }

    /// When the relay first heard of it.
    pub fn started_at(&self) -> UtcTime {
        self.started_at
    }

    /// When the dialled leg answered, or the call's own in-progress where nobody was dialled. Derived,
    /// so that the order of arrival does not matter.
    pub fn answered_at(&self) -> Option<UtcTime> {
        if self.dials {
            self.child_answered_at
        } else {
            self.own_answered_at
        }
    }

    /// When it ended.
    pub fn ended_at(&self) -> Option<UtcTime> {
        self.ended_at
    }

    /// When it ended, on the steady clock.
    pub fn ended(&self) -> Option<Instant> {
        self.ended
    }

    /// Our answer to the webhook rings somebody.
    pub fn dials(&mut self) {
        self.dials = true;
    }

    /// A webhook or callback of the call's own leg says where it stands.
    pub fn own_status(&mut self, now: Now, status: CallStatus, at: Option<UtcTime>) -> Turn {
        self.sign(now);
        let at = self.not_before_start(at.unwrap_or(now.wall));
        if status.is_final() {
            return self.final_status(now, status, at);
        }
        if status == CallStatus::InProgress {
            self.own_answered_at = Some(self.own_answered_at.map_or(at, |known| known.min(at)));
            self.own_leg = self.ended.is_none();
        }
        self.advance(status)
    }

    /// A callback of a leg that the call dialled. A leg that is over stays so, whatever comes late.
    pub fn child_status(&mut self, now: Now, leg: &CallSid, status: CallStatus, at: Option<UtcTime>) -> Turn {
        self.sign(now);
        let dialled_before = std::mem::replace(&mut self.dials, true);
        match self.legs.iter_mut().find(|(sid, _)| sid == leg) {
            Some((_, known)) if status.rank() > known.rank() => *known = status,
            Some(_) => {}
            None => {
                if self.legs.len() >= LEGS {
                    self.legs.remove(0);
                }
                self.legs.push((leg.clone(), status));
            }
        }
        if status == CallStatus::InProgress {
            let at = self.not_before_start(at.unwrap_or(now.wall));
            self.child_answered_at = Some(self.child_answered_at.map_or(at, |known| known.min(at)));
            return Turn::Changed;
        }
        if dialled_before {
            Turn::Nothing
        } else {
            Turn::Changed
        }
    }

    /// A leg is known to be answered, and not to be over: its callbacks will say when it is.
    fn has_answered_leg(&self) -> bool {
        self.own_leg
            || self
                .legs
                .iter()
                .any(|(_, status)| *status == CallStatus::InProgress)
    }

    /// A line or another callback: the call lives.
    pub fn heard_of(&mut self, now: Now) -> Turn {
        self.sign(now);
        // First heard of by a line: somebody talks.
        if self.status == CallStatus::Queued {
            self.advance(CallStatus::InProgress)
        } else {
            Turn::Nothing
        }
    }

    /// A stream was accepted, the first or another; it brings an ended call back.
    pub fn stream_accepted(&mut self, now: Now) {
        self.sign(now);
        self.stream = StreamState::Live;
        self.last_media = now.mono;
        self.stalled = false;
        if self.ended.take().is_some() {
            self.ended_at = None;
            self.final_word = false;
            self.status = CallStatus::InProgress;
        }
        self.own_answered_at = Some(self.own_answered_at.map_or(now.wall, |known| known.min(now.wall)));
        self.advance(CallStatus::InProgress);
    }

    /// Media on the live stream, of the moment `at`; `false` where the call is over and media is dropped. What fills a
    /// pause is of the moment at which the pause began, and no sign of life.
    pub fn media(&mut self, at: Instant) -> bool {
        if self.ended.is_some() {
            return false;
        }
        if at > self.last_media {
            self.last_media = at;
            self.last_sign = self.last_sign.max(at);
            self.stalled = false;
        }
        true
    }

    /// The live stream said `stop`.
    pub fn stream_stopped(&mut self, now: Now) -> Turn {
        self.sign(now);
        self.stream = StreamState::Stopped;
        self.end(now, CallStatus::Completed, now.wall)
    }

    /// The live stream went without `stop`.
    pub fn stream_lost(&mut self, now: Now) -> Turn {
        self.sign(now);
        self.stream = StreamState::Lost;
        Turn::Changed
    }

    /// Whether the live stream has just turned silent; once until media comes again.
    pub fn has_stalled(&mut self, now: Instant) -> bool {
        let quiet = now.saturating_duration_since(self.last_media) >= STALLED;
        if self.stream != StreamState::Live || self.ended.is_some() || self.stalled || !quiet {
            return false;
        }
        self.stalled = true;
        true
    }

    /// A call that was in progress before this relay knew of it, and whose stream, where it `had` one, nobody has.
    /// What was heard of it meanwhile stands.
    pub fn restored(&mut self, now: Now, started: UtcTime, answered: Option<UtcTime>, had: bool) -> Turn {
        if self.ended.is_some() {
            return Turn::Nothing;
        }
        self.sign(now);
        self.started_at = self.started_at.min(started);
        let known = if self.dials {
            &mut self.child_answered_at
        } else {
            &mut self.own_answered_at
        };
        *known = known.or(answered);
        if had && self.stream == StreamState::None {
            self.stream = StreamState::Lost;
        }
        self.advance(CallStatus::InProgress);
        Turn::Changed
    }

    /// Ends a call that has been silent for too long.
    pub fn on_deadline(&mut self, now: Now) -> Turn {
        let patience = match self.stream {
            StreamState::Live => return Turn::Nothing,
            StreamState::Lost => LOST,
            _ if self.has_answered_leg() => FORGOTTEN,
            _ => UNHEARD,
        };
        if self.ended.is_some() || now.mono.saturating_duration_since(self.last_sign) < patience {
            return Turn::Nothing;
        }
        self.end(now, CallStatus::Completed, now.wall)
    }

    fn sign(&mut self, now: Now) {
        self.last_sign = now.mono;
    }

    fn advance(&mut self, status: CallStatus) -> Turn {
        if self.ended.is_none() && status.rank() > self.status.rank() {
            self.status = status;
            return Turn::Changed;
        }
        Turn::Nothing
    }

    fn final_status(&mut self, now: Now, status: CallStatus, at: UtcTime) -> Turn {
        if self.ended.is_none() {
            let turn = self.end(now, status, at);
            self.final_word = true;
            return turn;
        }
        let corrects = !self.final_word && self.status != status;
        self.final_word = true;
        if !corrects {
            return Turn::Nothing;
        }
        self.status = status;
        Turn::Changed
    }

    fn end(&mut self, now: Now, status: CallStatus, at: UtcTime) -> Turn {
        if self.ended.is_some() {
            return Turn::Changed;
        }
        self.status = status;
        self.ended = Some(now.mono);
        // Twilio's clock may say that it was over before we heard of it.
        self.ended_at = Some(at.max(self.started_at));
        self.own_leg = false;
        Turn::Ended
    }

    /// Twilio's times of call status have whole seconds: one that is less than a second before the call
    /// began means its beginning.
    fn not_before_start(&self, at: UtcTime) -> UtcTime {
        if at < self.started_at && at.plus_ms(1000) > self.started_at {
            self.started_at
        } else {
            at
        }
    }
}

#[cfg(test)]
mod tests;
