//! Audio: one frame as its own wire bytes, G.711 µ-law, its level, and WAV files around it.

pub mod frame;
pub mod g711;
pub mod level;
pub mod wav;

/// Samples a second, everywhere on our wires.
pub const SAMPLE_RATE: u32 = 8000;

/// µ-law bytes in a full frame: 20 ms at [`SAMPLE_RATE`], one byte a sample.
pub const FRAME_BYTES: usize = 160;

/// How long a full frame lasts, ms.
pub const FRAME_MS: u32 = 20;

/// µ-law bytes in a millisecond.
pub const BYTES_PER_MS: u32 = SAMPLE_RATE / 1000;

/// µ-law silence (+0), what a short last frame is padded with.
pub const SILENCE: u8 = 0xff;
