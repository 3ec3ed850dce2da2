//! How a listener of each door asks for a call, and what comes to it. A door more is a variant more.

mod cable;
mod native;

use super::payload::{Codec, Frame};

/// A sort of listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `partyline.v1`, contract 4.
    Native,
    /// Action Cable's CallStreamChannel, contract 5.
    Cable,
}

/// What a message turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// What was asked for begins.
    Subscribed,
    /// What was asked for will not come.
    Refused,
    /// A frame, every byte of it as it was sent.
    Audio(Frame),
    /// A frame with something wrong in it.
    Corrupt,
    /// Audio was lost, and the relay says so.
    Gap,
    /// Anything else.
    Other,
}

impl Kind {
    /// The subprotocols to offer.
    pub(super) fn protocols(self) -> &'static str {
        match self {
            Kind::Native => native::PROTOCOL,
            Kind::Cable => cable::PROTOCOLS,
        }
    }

    /// The text that asks for a call's audio.
    pub(super) fn subscribe(self, call_sid: &str) -> String {
        match self {
            Kind::Native => native::subscribe(call_sid),
            Kind::Cable => cable::subscribe(call_sid),
        }
    }

    /// Reads a message.
    #[inline]
    pub(super) fn read(self, op: u8, payload: &[u8], codec: Codec) -> Said {
        match self {
            Kind::Native => native::read(op, payload, codec),
            Kind::Cable => cable::read(op, payload, codec),
        }
    }
}
