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
//! | [`cable`] | Action Cable's clients, in Node and by hand |
//! | [`guarded`] | a relay that lets in only who has a token, as a process |
//! | [`signed`], [`sdk`] | a relay that asks for signatures, in this process · Twilio's own library, in Node |
//! | [`numbers`] | what an operator reads at --admin-listen |
//! | [`record`] | a tokens file and an audit, and what is in it |
//! | [`rest`] | Twilio's REST API, which opens the streams that are asked for |
//! | [`impostor`] | something in a relay's place that says what a story wants |
//! | [`emitted`] | what may be written to a terminal, and what was |
//! | [`terminal`] | a terminal with a program in it: screen, bytes, keys |
//! | [`certificates`], [`tunnel`] | an authority, and what it vouches for · a port that speaks TLS for others |
//! | [`ear`] | `partyline ear`, which plays what a monitor elsewhere hears |
//! | [`network`], [`uneven`], [`link`], [`tap`] | a wire that can be cut, stalled and led elsewhere · one that is late by chance · one that goes silent · one that keeps what is said |
//! | [`redis`], [`relays`] | a real redis-server · relays that share calls over it |
//! | [`rails`] | Action Cable in Puma, on the same Redis |
//! | [`packages`] | what stories need of Node and Python |
//! | [`browser`] | Chromium with a story of `tests/page` in it |
//! | [`proxy`] | nginx, HAProxy or Caddy in front of a relay |
//! | [`speech`] | recorded people, as µ-law or WAV, by `sox` |
//! | [`card`], [`pulse`], [`signal`] | a sound card that keeps what it plays · a sound server · how alike that is to what was said |
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
pub mod browser;
pub mod cable;
#[cfg(target_os = "linux")]
pub mod card;
pub mod certificates;
pub mod ear;
pub mod emitted;
pub mod guarded;
pub mod http;
pub mod impostor;
pub mod link;
pub mod listener;
pub mod media;
pub mod network;
pub mod numbers;
pub mod packages;
pub mod program;
#[cfg(target_os = "linux")]
pub mod proxy;
#[cfg(target_os = "linux")]
pub mod pulse;
#[cfg(target_os = "linux")]
pub mod rails;
pub mod record;
#[cfg(target_os = "linux")]
pub mod redis;
pub mod relay;
#[cfg(target_os = "linux")]
pub mod relays;
pub mod rest;
pub mod scratch;
pub mod sdk;
pub mod signal;
pub mod signed;
pub mod simulate;
pub mod speech;
pub mod supervisor;
pub mod tap;
pub mod terminal;
pub mod tunnel;
pub mod twilio;
pub mod uneven;
pub mod wait;
pub mod witness;

#[cfg(target_os = "linux")]
pub use card::Card;
pub use ear::Ear;
pub use guarded::Guarded;
pub use impostor::Impostor;
pub use link::Link;
pub use listener::Listener;
pub use media::MediaSocket;
pub use network::Network;
pub use numbers::Numbers;
pub use program::{Finished, Program};
#[cfg(target_os = "linux")]
pub use proxy::Proxy;
#[cfg(target_os = "linux")]
pub use pulse::Pulse;
pub use record::Record;
#[cfg(target_os = "linux")]
pub use redis::Redis;
pub use relay::Relay;
#[cfg(target_os = "linux")]
pub use relays::Relays;
pub use rest::Rest;
pub use scratch::Scratch;
pub use signed::SignedRelay;
pub use tap::Tap;
pub use terminal::Terminal;
pub use tunnel::Tunnel;
pub use twilio::TwilioCall;
pub use uneven::Uneven;
pub use witness::Witness;
