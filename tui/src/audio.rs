//! Sound: from a frame that came to the sample that the card takes. Knows no relay and no screen; the network
//! side puts [`player::Heard`] into a [`player::Inlet`] that it was handed, the screen side looks when it draws.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`player`] | the handle: hear, stop, pause, gain, device |
//! | [`desk`] | what is wanted: which calls, how they sound, where in them |
//! | `worker`, [`engine`] | the thread · what it does: from frames to the ring of the card, sans-I/O |
//! | [`rig`] | the engine with time as an argument, to be measured |
//! | [`jitter`] | uneven arrivals in, 20 ms of both tracks out; sans-I/O |
//! | [`decode`], [`conceal`] | µ-law to samples · what is played for a frame that is not there |
//! | [`memory`] | the last minutes of each heard call |
//! | [`stretch`] | faster and slower at the same pitch |
//! | [`mix`] | two tracks to left and right; gains, limiter |
//! | [`resample`], [`pace`], [`drift`] | 8 kHz to the card's rate · what that follows · how much faster or slower a clock is |
//! | [`output`] | ring to device buffer: what the device's callback does |
//! | [`device`] | who owns the card: chooses, opens, looks after, reopens |
//! | [`scope`] | what was played, for the screen to look at |

pub mod conceal;
pub mod decode;
pub mod desk;
pub mod device;
pub mod drift;
pub mod engine;
pub mod jitter;
pub mod memory;
pub mod mix;
pub mod output;
pub mod pace;
pub mod player;
pub mod resample;
pub mod rig;
pub mod scope;
pub mod stretch;
mod worker;

/// Samples of one track in a slot of 20 ms.
pub const SLOT: usize = partyline_shared::audio::FRAME_BYTES;

/// A slot of one track: samples of -1 to 1 at 8 kHz.
pub type Mono = [f32; SLOT];

/// A slot of two channels: left, right, left, right, …
pub type Stereo = [f32; 2 * SLOT];
