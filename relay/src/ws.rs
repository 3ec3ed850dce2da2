//! WebSocket, the server's half: bytes to messages and back. Written here rather than taken, because a frame
//! of audio may cost no copy, no allocation and no second call of the kernel, and because an idle socket may
//! hold no buffer. It negotiates no extension; the handshake is `upgrade`'s, what is said is the doors'.
//!
//! | file | what |
//! | --- | --- |
//! | [`head`] | what stands before each frame that we write |
//! | [`reader`] | bytes in, messages out, in place; limits; no socket |
//! | [`socket`] | both halves of a connection as one task uses them |
//! | [`feed`] | a connection that is only read, without a runtime |
//! | `sealed` | TLS under a connection, without a socket |
//! | [`writer`] | the writing half, which others may use while that task sleeps |

use std::io;

pub mod feed;
pub mod head;
pub mod reader;
mod sealed;
pub mod socket;
pub mod writer;

/// Bytes of a short frame's head with its mask.
const HEAD: usize = 6;

/// Where a listener's bytes leave.
pub trait Outlet: std::fmt::Debug + Send + Sync {
    /// Writes what there is room for now; never waits.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room; anything else where nobody is there any more.
    fn try_write(&self, bytes: &[u8]) -> io::Result<Taken>;
}

/// What an [`Outlet`] took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Bytes of what it was given.
    pub bytes: usize,
    /// Not all of them have left: the listener's task is to see them out before anything else is written.
    pub waits: bool,
}

/// A whole message, or a control frame, borrowed from what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// Text, checked to be UTF-8.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
    /// A ping; the socket answers it.
    Ping,
    /// A pong.
    Pong,
}

impl Message<'_> {
    /// What it takes of a limit, bytes: its payload, or the most that a control frame may have, and a frame's head,
    /// so that nothing at all cannot be said for ever.
    pub fn cost(&self) -> usize {
        HEAD + match self {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) => bytes.len(),
            Message::Ping | Message::Pong => reader::MAX_CONTROL,
        }
    }
}

/// Why a socket ended that did not end well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Broken {
    /// The close code that says it; `None` where nobody is there to be told.
    pub code: Option<u16>,
    /// For a person.
    pub why: &'static str,
}

impl Broken {
    /// Nobody is there any more.
    pub const LOST: Broken = Broken {
        code: None,
        why: "the connection was lost",
    };
}
