//! Which side of a call: Twilio's `inbound` and `outbound`, on every wire; roles for people.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the two directions of a leg, in Twilio's words: `inbound` is what Twilio hears from the
/// leg that the stream runs on, `outbound` what it plays to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Track {
    /// From the leg to Twilio.
    Inbound,
    /// From Twilio to the leg.
    Outbound,
}

impl Track {
    /// Both, in wire order.
    pub const BOTH: [Track; 2] = [Track::Inbound, Track::Outbound];

    /// The wire byte: 0 inbound, 1 outbound.
    pub fn index(self) -> usize {
        self as usize
    }

    /// From the wire byte.
    pub fn from_index(byte: u8) -> Option<Track> {
        match byte {
            0 => Some(Track::Inbound),
            1 => Some(Track::Outbound),
            _ => None,
        }
    }

    /// `inbound` or `outbound`; Twilio's TwiML and transcription suffix `_track` is taken too.
    pub fn parse(text: &str) -> Option<Track> {
        match text.strip_suffix("_track").unwrap_or(text) {
            "inbound" => Some(Track::Inbound),
            "outbound" => Some(Track::Outbound),
            _ => None,
        }
    }

    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Track::Inbound => "inbound",
            Track::Outbound => "outbound",
        }
    }

    /// The other side.
    pub fn other(self) -> Track {
        match self {
            Track::Inbound => Track::Outbound,
            Track::Outbound => Track::Inbound,
        }
    }
}

impl fmt::Display for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One value for each track, `{"inbound":…,"outbound":…}` on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerTrack<T> {
    /// The inbound track's.
    pub inbound: T,
    /// The outbound track's.
    pub outbound: T,
}

impl<T> PerTrack<T> {
    /// Borrows one.
    pub fn get(&self, track: Track) -> &T {
        match track {
            Track::Inbound => &self.inbound,
            Track::Outbound => &self.outbound,
        }
    }

    /// Borrows one to change it.
    pub fn get_mut(&mut self, track: Track) -> &mut T {
        match track {
            Track::Inbound => &mut self.inbound,
            Track::Outbound => &mut self.outbound,
        }
    }
}

/// Who is heard on a track, as people are shown it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The company's side.
    Agent,
    /// The other side.
    Customer,
    /// A value of a later version.
    #[serde(other)]
    Unknown,
}

impl Role {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Agent => "agent",
            Role::Customer => "customer",
            Role::Unknown => "unknown",
        }
    }
}

/// The roles of both tracks when the agent is on `agent`.
pub fn roles(agent: Track) -> PerTrack<Role> {
    match agent {
        Track::Inbound => PerTrack {
            inbound: Role::Agent,
            outbound: Role::Customer,
        },
        Track::Outbound => PerTrack {
            inbound: Role::Customer,
            outbound: Role::Agent,
        },
    }
}
