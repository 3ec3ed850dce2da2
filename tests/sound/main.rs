//! Stories of the loudspeaker, on a card that keeps what it plays. ALSA's, and therefore Linux's.
#![cfg(target_os = "linux")]
// What fails here is meant to fail the story.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod devices;
mod ear;
mod judge;
mod plays;
