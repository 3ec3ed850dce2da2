//! A call as listeners and scripts see it (contract 4, `Call`). The relay keeps its own state and makes
//! these views; nothing here decides anything.

use serde::{Deserialize, Deserializer, Serialize};

use crate::id::CallSid;
use crate::phone::PhoneNumber;
use crate::time::UtcTime;
use crate::track::{PerTrack, Role, Track};

/// Twilio's CallStatus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallStatus {
    /// Waiting to be dialled.
    Queued,
    /// Being dialled.
    Initiated,
    /// The phone rings.
    Ringing,
    /// People talk.
    InProgress,
    /// Over, after it was answered.
    Completed,
    /// Over: the other side was busy.
    Busy,
    /// Over: nobody answered.
    NoAnswer,
    /// Over: could not be connected.
    Failed,
    /// Over: hung up before it was answered.
    Canceled,
    /// A value of a later version.
    #[serde(other)]
    Unknown,
}

impl CallStatus {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            CallStatus::Queued => "queued",
            CallStatus::Initiated => "initiated",
            CallStatus::Ringing => "ringing",
            CallStatus::InProgress => "in-progress",
            CallStatus::Completed => "completed",
            CallStatus::Busy => "busy",
            CallStatus::NoAnswer => "no-answer",
            CallStatus::Failed => "failed",
            CallStatus::Canceled => "canceled",
            CallStatus::Unknown => "unknown",
        }
    }

    /// From the wire name; `None` where Twilio's list has no such status.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "queued" => CallStatus::Queued,
            "initiated" => CallStatus::Initiated,
            "ringing" => CallStatus::Ringing,
            "in-progress" | "answered" => CallStatus::InProgress,
            "completed" => CallStatus::Completed,
            "busy" => CallStatus::Busy,
            "no-answer" => CallStatus::NoAnswer,
            "failed" => CallStatus::Failed,
            "canceled" => CallStatus::Canceled,
            _ => return None,
        })
    }

    /// Whether a call with this status is over.
    pub fn is_final(self) -> bool {
        self.rank() == 4
    }

    /// How far along a call is; a status never goes to a lower rank.
    pub fn rank(self) -> u8 {
        match self {
            CallStatus::Unknown | CallStatus::Queued => 0,
            CallStatus::Initiated => 1,
            CallStatus::Ringing => 2,
            CallStatus::InProgress => 3,
            _ => 4,
        }
    }
}

/// Where a call's audio stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamState {
    /// None was ever accepted.
    None,
    /// Media may come.
    Live,
    /// Ended by Twilio's `stop`.
    Stopped,
    /// Ended without one.
    Lost,
    /// A value of a later version.
    #[serde(other)]
    Unknown,
}

/// Who spoke for how long, in milliseconds of media time; the four do not overlap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Talk {
    /// Only the inbound track spoke.
    pub inbound_ms: u64,
    /// Only the outbound track spoke.
    pub outbound_ms: u64,
    /// Both spoke at once.
    pub both_ms: u64,
    /// Neither spoke.
    pub silence_ms: u64,
}

/// What speech-to-text does on one track.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TranscriptionState {
    /// The engine's name; absent before the first sign of one.
    pub engine: Option<String>,
    /// `none`, `running`, `stopped` or `failed`.
    pub state: String,
    /// Since when.
    pub since: Option<UtcTime>,
}

/// One call, whole; sent again whenever something of it changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Its name.
    pub call_sid: CallSid,
    /// Twilio account.
    #[serde(default)]
    pub account_sid: Option<String>,
    /// Whose call it is, by the operator's own numbering.
    #[serde(default)]
    pub customer_id: Option<String>,
    /// Who called.
    #[serde(default)]
    pub from: Option<PhoneNumber>,
    /// Who was called.
    #[serde(default)]
    pub to: Option<PhoneNumber>,
    /// Twilio's Direction: `inbound`, `outbound-api`, `outbound-dial`.
    #[serde(default)]
    pub direction: Option<String>,
    /// The agent's address where it is known: `from` when the agent called, else who was dialled.
    #[serde(default)]
    pub agent: Option<PhoneNumber>,
    /// Who is rung by our TwiML.
    #[serde(default)]
    pub dialed: Option<PhoneNumber>,
    /// Who is heard on which track.
    pub roles: PerTrack<Role>,
    /// Twilio's status; never goes back.
    pub status: CallStatus,
    /// When the relay first heard of it.
    #[serde(default)]
    pub started_at: Option<UtcTime>,
    /// When the dialled leg answered, or the call itself where nobody was dialled.
    #[serde(default)]
    pub answered_at: Option<UtcTime>,
    /// When it ended.
    #[serde(default)]
    pub ended_at: Option<UtcTime>,
    /// Where its audio stands.
    pub stream: StreamState,
    /// Tracks that the stream carries; those of a later version are left out.
    #[serde(default, deserialize_with = "known_tracks")]
    pub tracks: Vec<Track>,
    /// Whether a supervisor holds the audio back.
    #[serde(default)]
    pub paused: bool,
    /// How many listen.
    #[serde(default)]
    pub listeners: u32,
    /// The relay that owns it.
    #[serde(default)]
    pub node: String,
    /// Frames of 20 ms that never reached the relay.
    #[serde(default)]
    pub lost_chunks: u64,
    /// Who spoke for how long.
    #[serde(default)]
    pub talk: Talk,
    /// Speech-to-text, a track each.
    #[serde(default)]
    pub transcription: PerTrack<TranscriptionState>,
}

fn known_tracks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Track>, D::Error> {
    let named = Vec::<String>::deserialize(from)?;
    Ok(named.iter().filter_map(|name| Track::parse(name)).collect())
}

impl Call {
    /// Over, by its time of end.
    pub fn is_ended(&self) -> bool {
        self.ended_at.is_some()
    }
}
