//! One call's audio to everyone listening. Sending never waits and never fails: a reader that cannot keep up
//! is the reader's loss. Knows of sockets only that WebSocket messages can be written to an [`Outlet`], and
//! nothing of what doors say by them.
//!
//! | file | what |
//! | --- | --- |
//! | [`mailbox`] | one listener's: frames go straight to its outlet while its task sleeps, else they wait here |
//! | [`batch`] | what came together, encoded once for all listeners of one form |
//! | [`form`] | how a door wants its frames |

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;

pub mod batch;
pub mod form;
pub mod mailbox;

pub use crate::ws::{Outlet, Taken};
pub use batch::Batch;
pub use form::Form;
pub use mailbox::{BACKLOG, Mailbox, Passed, Signals};

/// What a listener chose to call one of its subscriptions; never used twice on one mailbox.
pub type SubId = u32;

/// One thing for a listener's ear, in the order it has to be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// 20 ms of one track.
    Frame(AudioFrame),
    /// Chunks that will not come.
    Gap(Gap),
    /// Another stream begins; its first frame is behind this.
    Stream(StreamInfo),
}

/// Missing chunks of one track, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Which track.
    pub track: Track,
    /// The first missing.
    pub from_chunk: u32,
    /// The last missing.
    pub to_chunk: u32,
    /// Why.
    pub reason: GapReason,
}

impl Gap {
    /// How many chunks are missing.
    pub fn chunks(&self) -> u64 {
        u64::from(self.to_chunk.saturating_sub(self.from_chunk)) + 1
    }
}

/// What a listener must know of a stream before its first frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamInfo {
    /// Its number on the wire.
    pub audio_id: u32,
    /// The wall clock at media time 0.
    pub zero_at: UtcTime,
}
