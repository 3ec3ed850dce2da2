//! Where one heard call's audio goes: into its memory at once, and on to whoever plays it, here or elsewhere.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::Track;

use super::super::memory::shelf::Kept;

/// What a heard call's connection says.
#[derive(Debug, Clone)]
pub enum Heard {
    /// Another stream begins: its chunks count anew.
    Stream {
        /// The wall clock at its timestamp 0, Unix ms, where the relay says it.
        zero_ms: Option<i64>,
    },
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

/// Where one heard call's audio goes. Putting never waits: what there is no room for further on is still in the
/// memory, and is dropped and counted there.
pub struct Inlet {
    generation: u64,
    memory: Kept,
    further: Box<dyn FnMut(Heard) + Send>,
}

impl Inlet {
    /// One for the call of this generation; `further` takes all that comes and must not wait.
    pub fn new(generation: u64, memory: Kept, further: impl FnMut(Heard) + Send + 'static) -> Inlet {
        Inlet {
            generation,
            memory,
            further: Box::new(further),
        }
    }

    /// Which of the calls heard so far it is for.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Takes one thing.
    pub fn put(&mut self, heard: Heard) {
        match &heard {
            Heard::Stream { zero_ms } => self.memory.lock().on_stream(*zero_ms),
            Heard::Frame { frame, arrived } => {
                self.memory.lock().on_frame(frame, wall_ms(*arrived));
            }
            Heard::Missed { .. } | Heard::Over => {}
        }
        (self.further)(heard);
    }
}

/// The wall clock at that time, Unix ms.
fn wall_ms(at: Instant) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let then = now.saturating_sub(at.elapsed());
    i64::try_from(then.as_millis()).unwrap_or(i64::MAX)
}
