//! What a run has found so far: counts, times, and the first things that went wrong in words. Every loss has a
//! count; words are for people and there are only so many.

use super::call::TRACKS;
use super::times::Times;

/// Things that went wrong that are told in words.
const MAX_ERRORS: usize = 12;

#[derive(Debug)]
pub(super) struct Found {
    /// Frames handed to the kernel.
    pub(super) sent: u64,
    pub(super) duplicated: u64,
    pub(super) corrupt: u64,
    pub(super) out_of_order: u64,
    pub(super) misrouted: u64,
    pub(super) gaps_told: u64,
    /// Connections that could not be made, or that the relay ended.
    pub(super) failed: u64,
    pub(super) window_sent: u64,
    pub(super) window_delivered: u64,
    pub(super) latency: Times,
    pub(super) lag: Times,
    pub(super) first_frame: Times,
    pub(super) errors: Vec<String>,
}

impl Found {
    /// With room for the times of so many frames sent and delivered.
    pub(super) fn with_room(sent: usize, delivered: usize) -> Found {
        Found {
            sent: 0,
            duplicated: 0,
            corrupt: 0,
            out_of_order: 0,
            misrouted: 0,
            gaps_told: 0,
            failed: 0,
            window_sent: 0,
            window_delivered: 0,
            latency: Times::with_room(delivered),
            lag: Times::with_room(sent),
            first_frame: Times::with_room(0),
            errors: Vec::new(),
        }
    }

    /// Says what went wrong, if it is among the first.
    pub(super) fn say(&mut self, what: impl FnOnce() -> String) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(what());
        }
    }

    /// Says what is wrong with a frame that a listener of `call` got.
    pub(super) fn say_of(&mut self, call: usize, track: u8, chunk: u32, what: &str) {
        let track = TRACKS.get(usize::from(track)).unwrap_or(&"no track");
        self.say(|| format!("a listener of call {call}: {track} chunk {chunk} {what}"));
    }
}
