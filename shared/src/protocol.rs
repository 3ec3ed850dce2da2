//! `partyline.v1`, the listener socket (contract 4): text messages are JSON objects with a `type`, audio
//! is binary ([`crate::audio::frame`]). Both sides ignore types, fields, values, flags and binary kinds
//! that they do not know.

pub mod client;
pub mod close;
pub mod codec;
pub mod server;

/// The WebSocket subprotocol, also what `hello` says.
pub const PROTOCOL: &str = "partyline.v1";

/// Largest message of either side in bytes: the biggest is a page of 200 calls.
pub const MAX_MESSAGE: usize = 1 << 20;

/// Largest message the relay takes from a listener, bytes. A `watch` of 500 calls is 20 KB.
pub const MAX_CLIENT_MESSAGE: usize = 64 << 10;

/// Calls in one `calls` message.
pub const CALLS_PER_MESSAGE: usize = 200;

/// Ended calls in the snapshot after `hello`, newest first.
pub const ENDED_IN_SNAPSHOT: usize = 500;

/// Most levels a second.
pub const MAX_LEVELS_HZ: f64 = 10.0;

/// How often the relay pings, seconds.
pub const PING_SECONDS: u64 = 20;

/// Without any frame or pong for this long, seconds, the other side is gone.
pub const DEAD_SECONDS: u64 = 40;

/// Final lines kept for a call, and events as many: hours of talk, under 1 MB a call.
pub const REMEMBERED: usize = 2000;
