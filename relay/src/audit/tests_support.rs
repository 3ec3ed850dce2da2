//! A record that a test reads as it is written: no file, no thread.

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};

use super::clerk::{Command, State};
use super::{Audit, AuditFailed, Desk, Entry, QUEUE};

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

    /// Answers whoever waits for what was told since the last time: the disk has room for the first `room` lines.
    pub(crate) fn answer(&self, room: usize) {
        let jobs = self.0.try_iter().filter_map(|command| match command {
            Command::Write(job) => Some(job),
            _ => None,
        });
        for (n, mut job) in jobs.enumerate() {
            job.tell(if n < room { Ok(()) } else { Err(AuditFailed::Disk) });
        }
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
    let audit = Audit {
        desk: Some(desk),
        refusals: Mutex::default(),
    };
    (audit, Kept(commands))
}
