//! The road of audio from a connection to the player: neither knows the other. Called in the connection's task, and
//! never waits.

use crate::audio::player::{Heard, Inlet};
use crate::client::connection::{Audio, Sink};

/// What a connection is handed for a call whose audio goes into `inlet`.
pub(crate) fn sink(mut inlet: Inlet) -> Sink {
    Box::new(move |audio| {
        inlet.put(match audio {
            Audio::Stream { zero_ms } => Heard::Stream { zero_ms },
            Audio::Frame { frame, arrived } => Heard::Frame { frame, arrived },
            Audio::Missed { track, from, to } => Heard::Missed { track, from, to },
            Audio::Over => Heard::Over,
        });
    })
}
