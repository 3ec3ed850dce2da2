//! The road of audio from a connection to the player: neither knows the other. Called in the connection's task, and
//! never waits.

use crate::audio::player::{Ear, Heard};
use crate::client::connection::{Audio, Sink};

/// What a connection is handed for a call that `ear` hears.
pub(crate) fn sink(mut ear: Ear) -> Sink {
    Box::new(move |audio| {
        ear.put(match audio {
            Audio::Stream => Heard::Stream,
            Audio::Frame { frame, arrived } => Heard::Frame { frame, arrived },
            Audio::Missed { track, from, to } => Heard::Missed { track, from, to },
            Audio::Over => Heard::Over,
        });
    })
}
