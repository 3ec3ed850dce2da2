//! How a door wants its frames, where that is not as they are. A call's frame is put into bytes once for all who want it
//! in the same form; knows nothing of what doors say.

use std::fmt;

use partyline_shared::audio::frame::AudioFrame;

/// Makes a message of a frame. It is asked for each frame, on the thread that read it: it neither waits nor locks.
pub trait Form: fmt::Debug + Send + Sync {
    /// What tells it from others: two forms of one name make the same of a frame, and a call keeps one of them.
    fn name(&self) -> &[u8];

    /// Appends a frame as it leaves: a whole WebSocket message, its head included.
    fn put(&self, frame: &AudioFrame, out: &mut Vec<u8>);
}
