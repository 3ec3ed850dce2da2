//! The handle on the sound of this machine. Everything behind it runs in threads of its own, so that neither
//! a slow terminal nor a slow network holds a sample up.

use std::time::Instant;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::{PerTrack, Role, Track};

use crate::event::{Column, FromSound, Mix, Playback};

/// Which device, and how.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The device's name or id; the system's default without.
    pub device: Option<String>,
    /// Samples a second; the device's own choice without.
    pub rate: Option<u32>,
    /// Do not open any device.
    pub silent: bool,
}

/// What a heard call's connection says.
#[derive(Debug, Clone)]
pub enum Heard {
    /// Another stream begins: its chunks count anew.
    Stream,
    /// A frame, in order of its track.
    Frame {
        /// The frame.
        frame: AudioFrame,
        /// When the socket was read.
        arrived: Instant,
    },
    /// Chunks that will not come.
    Missed {
        /// Of which track.
        track: Track,
        /// The first.
        from: u32,
        /// The last.
        to: u32,
    },
    /// Nothing more comes.
    Over,
}

/// The sound of this machine; one call is heard at a time.
pub struct Player {}

/// Where one heard call's audio goes. Putting never waits: what there is no room for is dropped and counted.
pub struct Ear {}

impl Ear {
    /// Takes one thing.
    pub fn put(&mut self, _heard: Heard) {}
}

impl Player {
    /// Starts the threads; no device is opened before a call is heard. `tell` is called from them whenever the
    /// device or the state of the playback changes, and must not wait.
    pub fn start(_settings: Settings, _tell: impl Fn(FromSound) + Send + Sync + 'static) -> Player {
        Player {}
    }

    /// Hears a call from now on, instead of what was heard.
    pub fn hear(&self, _roles: PerTrack<Role>, _mix: Mix) -> Ear {
        Ear {}
    }

    /// Hears nothing.
    pub fn stop(&self) {}

    /// Holds the sound while receiving goes on, or continues where it was held.
    pub fn pause(&self, _held: bool) {}

    /// Leaves out what was held back.
    pub fn live(&self) {}

    /// Who is on which track.
    pub fn set_roles(&self, _roles: PerTrack<Role>) {}

    /// How it is to sound; gains ramp.
    pub fn set_mix(&self, _mix: Mix) {}

    /// How it goes now.
    pub fn playback(&self) -> Playback {
        Playback::default()
    }

    /// What was played since the last call of this, oldest first, as many columns for each side.
    pub fn columns(&self, _customer: &mut Vec<Column>, _agent: &mut Vec<Column>) {}
}
