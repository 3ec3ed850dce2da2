//! What the relay says to a listener.

use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::event::Event;
use crate::id::CallSid;
use crate::line::Line;
use crate::time::UtcTime;
use crate::track::Track;

/// Who the relay takes the listener for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The token's name.
    pub name: String,
    /// `admin`, `user`, `source` or `transcriber`.
    pub role: String,
    /// Rights granted by name.
    #[serde(default)]
    pub allow: Vec<String>,
}

/// One call's loudness since the last message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Which call.
    pub call_sid: CallSid,
    /// RMS dBFS, floor -90; null without media.
    #[serde(default)]
    pub inbound: Option<f64>,
    /// The same of the other track.
    #[serde(default)]
    pub outbound: Option<f64>,
}

/// Why audio is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// This listener did not keep up.
    SlowListener,
    /// It never reached the relay.
    Upstream,
    /// It was lost between relays.
    RelayLink,
    /// A supervisor held it back.
    Paused,
    /// A value of a later version.
    #[serde(other)]
    Unknown,
}

impl GapReason {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            GapReason::SlowListener => "slow_listener",
            GapReason::Upstream => "upstream",
            GapReason::RelayLink => "relay_link",
            GapReason::Paused => "paused",
            GapReason::Unknown => "unknown",
        }
    }
}

/// Why the relay could not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not JSON, or not of the shape.
    BadMessage,
    /// No such call, or none that is granted: the two look the same.
    NoSuchCall,
    /// The call is granted, this use of it is not.
    NotAllowed,
    /// This socket has all the calls it may have.
    TooManySubscriptions,
    /// A value of a later version.
    #[serde(other)]
    Unknown,
}

/// How a relay stands with the others that share its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelaysState {
    /// It knows what they know.
    Shared,
    /// It knows no more than what comes to itself.
    CutOff,
    /// It was cut off, and learns what it has missed.
    CatchingUp,
    /// A value of a later version.
    #[serde(other)]
    Unknown,
}

/// The relays that share calls, as one of them sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relays {
    /// How it stands with the others.
    pub state: RelaysState,
    /// Since when, by its clock.
    pub since: UtcTime,
    /// How many there are, itself among them; while it is cut off, how many there were.
    #[serde(default)]
    pub relays: u32,
}

/// A message from the relay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The first.
    Hello {
        /// `partyline.v1`.
        protocol: String,
        /// The relay's version.
        relay: String,
        /// The relay's name, drawn anew when it starts.
        node: String,
        /// Who it takes us for.
        user: User,
        /// What it can do beyond the contract's first version.
        #[serde(default)]
        features: Vec<String>,
        /// Its clock.
        time: UtcTime,
    },
    /// A page of the snapshot.
    Calls {
        /// Live ones first.
        calls: Vec<Call>,
        /// Whether another page follows.
        #[serde(default)]
        more: bool,
    },
    /// A call that is new or changed.
    Call {
        /// The whole of it.
        call: Box<Call>,
    },
    /// A call that is no longer remembered, or no longer granted.
    CallRemoved {
        /// Which.
        call_sid: CallSid,
    },
    /// Loudness, of what moved by 1 dB.
    Levels {
        /// A call each.
        levels: Vec<Level>,
    },
    /// A subscription stands, or its stream is another now.
    Subscribed {
        /// Which call.
        call_sid: CallSid,
        /// The stream's number; null until one is live.
        #[serde(default)]
        audio_id: Option<u32>,
        /// The numbering of lines and events.
        journal: String,
        /// Whether what follows continues what `after` named; else it replaces it.
        resumed: bool,
        /// The wall clock at media time 0.
        #[serde(default)]
        zero_at: Option<UtcTime>,
    },
    /// A subscription is over.
    Unsubscribed {
        /// Which call.
        call_sid: CallSid,
    },
    /// Something was said.
    Transcript {
        /// In which call.
        call_sid: CallSid,
        /// What.
        line: Line,
    },
    /// Something happened.
    Event {
        /// In which call.
        call_sid: CallSid,
        /// What.
        event: Event,
    },
    /// Audio is missing.
    Gap {
        /// In which call.
        call_sid: CallSid,
        /// On which track.
        track: Track,
        /// The first missing chunk.
        from_chunk: u32,
        /// The last missing chunk.
        to_chunk: u32,
        /// Why.
        reason: GapReason,
    },
    /// What was asked could not be done.
    Error {
        /// Why, for a program.
        code: ErrorCode,
        /// Why, for a person.
        message: String,
        /// Which call it was about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        re: Option<String>,
    },
    /// Comes before close 1001.
    Goodbye {
        /// `draining`.
        reason: String,
        /// How long to wait before coming back, ms.
        #[serde(default)]
        retry_after_ms: u64,
    },
    /// How it stands with other relays, where it shares its calls: after `hello`, and when that changes.
    Relays(Relays),
    /// Are you there?
    Ping {
        /// Comes back in the pong.
        #[serde(default)]
        id: u64,
    },
    /// The answer to a ping.
    Pong {
        /// The ping's.
        #[serde(default)]
        id: u64,
        /// The relay's clock.
        #[serde(default)]
        time: Option<UtcTime>,
    },
}
