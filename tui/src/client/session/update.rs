//! What a session is asked for, and what it tells.

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::call::Call;
use partyline_shared::event::Event;
use partyline_shared::id::CallSid;
use partyline_shared::line::Line;
use partyline_shared::protocol::server::{ErrorCode, GapReason, Level, Relays, User};
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;

/// What is wanted of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Want {
    /// Audio, beside lines and events.
    pub audio: bool,
    /// Remembered audio to hear first, ms.
    pub replay_ms: u64,
    /// That the audio will be kept; needs the right.
    pub save: bool,
    /// That the call need not exist yet.
    pub wait: bool,
}

/// Why audio is missing, as this side knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MissedReason {
    /// This listener did not keep up.
    SlowListener,
    /// It never reached the relay.
    Upstream,
    /// It was lost between relays.
    RelayLink,
    /// A supervisor held it back.
    Paused,
    /// We were cut off, and the relay no longer remembered it.
    Away,
    /// The chunk numbers jumped and nobody said why.
    Untold,
}

impl MissedReason {
    /// The name that is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            MissedReason::SlowListener => "slow_listener",
            MissedReason::Upstream => "upstream",
            MissedReason::RelayLink => "relay_link",
            MissedReason::Paused => "paused",
            MissedReason::Away => "away",
            MissedReason::Untold => "untold",
        }
    }
}

impl From<GapReason> for MissedReason {
    fn from(reason: GapReason) -> Self {
        match reason {
            GapReason::SlowListener => MissedReason::SlowListener,
            GapReason::Upstream => MissedReason::Upstream,
            GapReason::RelayLink => MissedReason::RelayLink,
            GapReason::Paused => MissedReason::Paused,
            GapReason::Unknown => MissedReason::Untold,
        }
    }
}

/// Something to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// The relay has greeted us, again after each cut.
    Online {
        /// Who it takes us for.
        user: User,
        /// Its name, another one after it was restarted.
        node: String,
    },
    /// All calls, as of now: replaces what was known.
    Snapshot(Vec<Call>),
    /// A call that is new or changed.
    CallChanged(Box<Call>),
    /// A call that is no longer remembered, or no longer granted; ends its subscription.
    CallRemoved(CallSid),
    /// A subscription stands, or its stream is another now.
    Subscribed {
        /// Which call.
        call: CallSid,
        /// The stream; `None` until one is live.
        audio_id: Option<u32>,
        /// The wall clock at media time 0.
        zero_at: Option<UtcTime>,
        /// `false`: lines or events after the last one given may no longer be remembered.
        resumed: bool,
        /// Whether frames that follow are of another stream than those before.
        new_stream: bool,
    },
    /// The lines and events that follow are numbered anew; those before belong to an older journal.
    JournalChanged {
        /// Which call.
        call: CallSid,
        /// The new numbering's name.
        journal: String,
    },
    /// A line, once.
    Line {
        /// Of which call.
        call: CallSid,
        /// The line.
        line: Line,
    },
    /// An event, once.
    Event {
        /// Of which call.
        call: CallSid,
        /// The event.
        event: Event,
    },
    /// A frame, once, after all of its track that came before.
    Frame {
        /// Of which call.
        call: CallSid,
        /// The frame.
        frame: AudioFrame,
    },
    /// Frames that will not come.
    Missed {
        /// Of which call.
        call: CallSid,
        /// On which track.
        track: Track,
        /// The first missing chunk.
        from: u32,
        /// The last missing chunk.
        to: u32,
        /// Why.
        reason: MissedReason,
    },
    /// Loudness for the list.
    Levels(Vec<Level>),
    /// A subscribed call has ended, and all that came of it has been given. It is wanted no more.
    Ended(CallSid),
    /// The relay has not known a subscribed call for so long that it is given up: what came after the last cut
    /// is not known. It is wanted no more.
    Missing(CallSid),
    /// A subscription was refused. It is wanted no more.
    Refused {
        /// Which call.
        call: CallSid,
        /// Why, for a program.
        code: ErrorCode,
        /// Why, for a person: the relay's text, not cleaned.
        message: String,
    },
    /// The grant was lost midway. It is wanted no more.
    Unsubscribed(CallSid),
    /// Whether what was asked for with `Session::keep` may be kept: the relay has it on record.
    Keeps {
        /// Of which call.
        call: CallSid,
        /// Why it may not, for a person, clean.
        why_not: Option<String>,
    },
    /// The relay complained about something that is no subscription of ours.
    Error {
        /// Why, for a program.
        code: ErrorCode,
        /// Why, for a person: the relay's text, not cleaned.
        message: String,
    },
    /// A message that is none came; never quotes it.
    BadMessage(String),
    /// A ping came back.
    RoundTrip {
        /// After so many ms.
        ms: u64,
    },
    /// How the relay stands with others that share its calls.
    Relays(Relays),
    /// The relay is about to leave.
    Goodbye {
        /// Why: the relay's text, not cleaned.
        reason: String,
        /// When to come back, ms.
        retry_after_ms: u64,
    },
}

/// What to do after a close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Connect again: after what the relay said, in ms, or by back-off.
    ComeBack {
        /// What its `goodbye` said.
        after_ms: Option<u64>,
    },
    /// The relay would close it again.
    GiveUp {
        /// The close code.
        code: u16,
    },
}
