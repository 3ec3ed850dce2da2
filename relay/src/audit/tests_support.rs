//! A record that a test reads as it is written: no file, no thread.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, sync_channel};

use super::clerk::{Command, State};
use super::{Audit, Desk, Entry, QUEUE};

/// What was told and is not read yet.
pub(crate) struct Kept(Receiver<Command>);

impl Kept {
    /// What was told since the last time, in order.
    pub(crate) fn take(&self) -> Vec<Entry> {
        let entry = |command| match command {
            Command::Write(job) => Some(job.entry.as_ref().clone()),
            _ => None,
        };
        self.0.try_iter().filter_map(entry).collect()
    }
}

/// A record, and what is told to it.
pub(crate) fn kept() -> (Audit, Kept) {
    let (queue, commands) = sync_channel(QUEUE);
    let desk = Desk {
        queue,
        state: Arc::new(State::new()),
        lets_in: AtomicBool::new(false),
        metrics: Arc::default(),
    };
    (Audit(Some(desk)), Kept(commands))
}
