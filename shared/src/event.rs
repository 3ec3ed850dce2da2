//! What happened in a call, apart from what was said (contract 4, `Event`).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::time::UtcTime;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// What sort of event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EventKind {
            $($(#[$doc])* #[serde(rename = $name)] $kind,)*
            /// A value of a later version.
            #[serde(other, rename = "unknown")]
            Unknown,
        }

        impl EventKind {
            /// The wire name.
            pub fn as_str(self) -> &'static str {
                match self { $(EventKind::$kind => $name,)* EventKind::Unknown => "unknown" }
            }
        }
    };
}

kinds! {
    /// A status of the call or of a leg: `{"status","leg"?…}`.
    CallStatus = "call_status",
    /// A stream was accepted.
    StreamStarted = "stream_started",
    /// Twilio said `stop`.
    StreamStopped = "stream_stopped",
    /// The stream's socket went without `stop`.
    StreamLost = "stream_lost",
    /// No media for ten seconds on a live stream.
    StreamStalled = "stream_stalled",
    /// Another stream of the call took over.
    StreamReplaced = "stream_replaced",
    /// A stream was not accepted.
    StreamRefused = "stream_refused",
    /// A message was no message, or the stream was closed for one.
    BadMessage = "bad_message",
    /// Speech-to-text began.
    TranscriptionStarted = "transcription_started",
    /// Speech-to-text ended.
    TranscriptionStopped = "transcription_stopped",
    /// Speech-to-text failed.
    TranscriptionFailed = "transcription_failed",
    /// Audio is missing: `{"track","from_chunk","to_chunk","reason"}`.
    Gap = "gap",
    /// A watched word was said.
    Keyword = "keyword",
    /// A supervisor holds the audio back.
    Paused = "paused",
    /// It flows again.
    Resumed = "resumed",
    /// Somebody listens.
    ListenerJoined = "listener_joined",
    /// Somebody stopped listening.
    ListenerLeft = "listener_left",
    /// A mark or a digit of a two-way stream.
    Mark = "mark",
    /// Something else went wrong.
    Error = "error",
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One event; `seq` counts the events of one journal from 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its number in the call's journal.
    pub seq: u64,
    /// When.
    pub at: UtcTime,
    /// What sort.
    pub kind: EventKind,
    /// The rest, by kind; readers ignore keys that they do not know.
    #[serde(default)]
    pub detail: Map<String, Value>,
}
