//! How long a media loop may nap. A number that one thread sets and the others look at.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// How long a loop naps before it waits for its sockets: what arrived meanwhile is read together and leaves
/// together, with one call of the kernel where there were several. Zero where each frame leaves at once.
#[derive(Debug, Default)]
pub struct Window(AtomicU32);

impl Window {
    /// How long.
    pub fn get(&self) -> Duration {
        Duration::from_micros(u64::from(self.0.load(Relaxed)))
    }

    /// From the next nap on.
    pub fn set(&self, window: Duration) {
        let micros = u32::try_from(window.as_micros()).unwrap_or(u32::MAX);
        self.0.store(micros, Relaxed);
    }
}
