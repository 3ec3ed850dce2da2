//! The parts of a story: real programs as processes, real sockets, recorded speech. A story names what it
//! needs and what it expects; waiting, deadlines and cleaning up are here.
//!
//! | part | what it is |
//! | --- | --- |
//! | [`wait`] | every wait has a deadline that names what did not come |
//! | [`program`], [`binaries`], [`scratch`] | a process with its output · where the built programs are · a folder of its own |
//! | [`relay`], [`simulate`], [`supervisor`] | `partyline-relay serve`, `partyline-relay simulate`, `partyline …` |
//! | [`api`], [`witness`] | what a script sees of calls · a call that nothing may disturb |
//! | [`http`], [`twilio`], [`media`], [`listener`] | a script · Twilio's callbacks and its stream, by hand · a `partyline.v1` listener |
//! | [`network`] | a wire that can be cut, stalled and led elsewhere |
//! | [`speech`] | recorded people, as µ-law or WAV, by `sox` |
//!
//! A part that cannot do its work fails the story at once and says why: that is what panics are for here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

pub mod api;
pub mod binaries;
pub mod http;
pub mod listener;
pub mod media;
pub mod network;
pub mod program;
pub mod relay;
pub mod scratch;
pub mod simulate;
pub mod speech;
pub mod supervisor;
pub mod twilio;
pub mod wait;
pub mod witness;

pub use listener::Listener;
pub use media::MediaSocket;
pub use network::Network;
pub use program::{Finished, Program};
pub use relay::Relay;
pub use scratch::Scratch;
pub use twilio::TwilioCall;
pub use witness::Witness;
