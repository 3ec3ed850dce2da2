//! What a listener says to the relay.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::CallSid;
use crate::time::UtcTime;

/// How far a listener has come in a call's journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct After {
    /// Which numbering; without one the numbers are taken at their word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub journal: Option<String>,
    /// The last line seen.
    pub transcript: u64,
    /// The last event seen.
    pub event: u64,
}

/// `subscribe`: hear a call, or read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscribe {
    /// Which call.
    pub call_sid: CallSid,
    /// Whether audio is wanted beside lines and events.
    #[serde(default = "yes")]
    pub audio: bool,
    /// Only what follows this; without it all that is remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<After>,
    /// Remembered audio to hear first, ms.
    #[serde(default)]
    pub replay_ms: u64,
    /// Whether the audio will be kept; needs the right.
    #[serde(default)]
    pub save: bool,
    /// Of what was heard already, what is kept; says so together with `save`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<Saved>,
}

/// From when to when something is kept that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The first moment.
    pub from: UtcTime,
    /// The last one.
    pub to: UtcTime,
}

fn yes() -> bool {
    true
}

/// A message to the relay. Printing one shows no token.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ClientMessage {
    /// Who I am, where no header could say it; again to renew.
    Auth {
        /// The bearer's secret.
        token: String,
    },
    /// Hear or read a call; a second one changes the first.
    Subscribe(Subscribe),
    /// Enough of it.
    Unsubscribe {
        /// Which call.
        call_sid: CallSid,
    },
    /// Levels for the list of calls.
    Watch {
        /// How often, at most 10; 0 ends it.
        #[serde(default)]
        levels_hz: f64,
        /// Of which calls; `null` for all.
        #[serde(default)]
        call_sids: Option<Vec<CallSid>>,
    },
    /// Are you there?
    Ping {
        /// Comes back in the pong.
        #[serde(default)]
        id: u64,
    },
    /// I am.
    Pong {
        /// The ping's.
        #[serde(default)]
        id: u64,
    },
}

impl fmt::Debug for ClientMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientMessage::Auth { .. } => f.debug_struct("Auth").finish_non_exhaustive(),
            ClientMessage::Subscribe(subscribe) => f.debug_tuple("Subscribe").field(subscribe).finish(),
            ClientMessage::Unsubscribe { call_sid } => f.debug_tuple("Unsubscribe").field(call_sid).finish(),
            ClientMessage::Watch { levels_hz, call_sids } => {
                let mut watch = f.debug_struct("Watch");
                watch.field("levels_hz", levels_hz).field("call_sids", call_sids);
                watch.finish()
            }
            ClientMessage::Ping { id } => f.debug_tuple("Ping").field(id).finish(),
            ClientMessage::Pong { id } => f.debug_tuple("Pong").field(id).finish(),
        }
    }
}
