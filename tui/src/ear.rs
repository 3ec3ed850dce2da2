//! A monitor runs on a server, and what it hears is played at a desk: `partyline ear` there, `partyline --ear ADDR`
//! here, and `ssh -R` between them. What crosses is the call's own frames and all that is wanted of them, so that the
//! desk runs the same player and one jitter buffer, at the end, sees both networks.
//!
//! The port on the server is open to all its users: one may connect to it, another may take it before ssh does. So both
//! ends prove that they know one secret before anything is said, and all that is said is encrypted. Nothing here
//! writes a code or a key into a log, an error or a debug print.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`code`], [`key`] | what a person carries from the desk to the server · what both ends make of it |
//! | [`pair`], [`link`] | the handshake · sealed messages over a socket, and the heartbeat |
//! | [`wire`] | what is said, as bytes; sans-I/O |
//! | [`door`] | the desk: who may come in; sans-I/O |
//! | [`desk`], `guests`, `seat` | the desk: listens · who has not shown anything yet · the paired monitor |
//! | [`remote`], `outbox`, `carry` | the monitor: what looks like a player · what waits for the link · the link, for ever |
//! | [`sound`] | a player here or an ear elsewhere, for who does not care |

mod carry;
pub mod code;
pub mod desk;
pub mod door;
mod guests;
pub mod key;
pub mod link;
mod outbox;
pub mod pair;
pub mod remote;
mod seat;
pub mod sound;
pub mod wire;

use std::time::Duration;

/// Where an ear listens unless it is told otherwise: loopback, and a port that nothing known uses.
pub const LISTEN: &str = "127.0.0.1:7331";

/// Each side says something at least so often: a link that says nothing is then known from one that has nothing to say.
pub const BEAT: Duration = Duration::from_millis(400);

/// Silence of this length is the end of a link: five beats. A call that stands still for longer is heard to be gone anyway.
pub const SILENCE: Duration = Duration::from_secs(2);
