//! Who heard what, on record: one JSON object a line, chained, and on disk before the first byte of audio leaves.
//! Nothing on the way of a call waits for it, and no call fails with it; only who is about to listen waits, and is
//! refused where the line cannot be written.
//!
//! **How a line is hashed.** A line ends with `,"hash":"…"}`, 64 lower-case hex digits. Its hash is the SHA-256 of the
//! line's own bytes without that member, the closing brace kept and no line end; among them is `prev`, the
//! hash of the line before (64 zeros in the first line of a chain), and `seq`, which counts from 1. So anybody
//! can check line 7 and that line 8 follows it:
//!
//! ```text
//! sed -n 7p audit.jsonl | sed 's/,"hash":"[0-9a-f]*"}$/}/' | tr -d '\n' | sha256sum
//! sed -n 8p audit.jsonl | jq -r .prev
//! ```
//!
//! **Files.** A file begins with a `started` line, which names the last line of the file before it. `FILE.head` holds
//! number and hash of the last line that is on disk ([`head`]). A torn last line (power was lost, the process
//! was killed) is cut off at the next start, since nobody was told that it was written; if nothing but its line end
//! is missing it is kept. The `started` line that follows says so. Whole lines are never cut.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`entry`], [`chain`] | what a line says · its bytes and hash |
//! | `book`, `disk`, [`head`] | groups of lines with one sync · the file · what is known of its end |
//! | `clerk` | the thread that does it |
//! | `look` | whether it could be opened |
//! | `refusals` | how many of them are told |
//! | [`verify`](mod@verify) | reads it back |

mod book;
pub mod chain;
mod clerk;
mod disk;
pub mod entry;
pub mod error;
pub mod head;
mod look;
mod refusals;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;
pub mod verify;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tracing::warn;

use self::clerk::{Clerk, Command, Job, PATIENCE, State};
use self::refusals::Refusals;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::patience::within;

pub use entry::{Entry, Event};
pub use error::{AuditFailed, OpenFailed};
pub use look::look;
pub use verify::verify;

/// Entries that may wait for the thread: all listeners that one relay may have leave at once, and more. What
/// comes when it is full is refused or lost, and counted.
const QUEUE: usize = 16_384;

/// How long is waited for the last lines when the relay ends.
const CLOSE_TIME: Duration = Duration::from_secs(5);

/// Between two tries to get into a full queue at the end.
const QUEUE_RETRY: Duration = Duration::from_millis(10);

/// What becomes of who wants to listen while nothing can be put on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// Refused.
    Refuse,
    /// Let in, counted and warned of; the entry is written when that is possible again.
    LetIn,
}

/// The record, shared by all doors. Without a file it goes to the log alone.
#[derive(Debug, Default)]
pub struct Audit {
    desk: Option<Desk>,
    refusals: Mutex<Refusals>,
}

#[derive(Debug)]
struct Desk {
    queue: SyncSender<Command>,
    state: Arc<State>,
    /// Whether who cannot be put on record is let in.
    lets_in: AtomicBool,
    metrics: Arc<Metrics>,
}

impl Audit {
    /// No file: what happens is logged, and that is all.
    pub fn off() -> Audit {
        Audit::default()
    }

    /// Opens the file and starts the thread that writes it. `node` is this relay's name in each line. A disk that is
    /// full now is no error: nobody may listen until it has room.
    ///
    /// # Errors
    /// When the file cannot be opened, is another relay's or no audit, or there are no more threads.
    pub fn open(
        path: PathBuf,
        node: String,
        on_failure: OnFailure,
        metrics: Arc<Metrics>,
    ) -> Result<Audit, OpenFailed> {
        let state = Arc::new(State::new());
        let clerk = Clerk::open(path.clone(), node, state.clone(), metrics.clone())?;
        let (queue, commands) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || clerk.run(commands))
            .map_err(OpenFailed::io(&path))?;
        let desk = Desk {
            queue,
            state,
            lets_in: AtomicBool::new(on_failure == OnFailure::LetIn),
            metrics,
        };
        Ok(Audit {
            desk: Some(desk),
            refusals: Mutex::default(),
        })
    }

    /// Whether somebody may begin to listen now: a full, failing or stuck disk is known within a second.
    pub fn is_open(&self) -> bool {
        self.desk
            .as_ref()
            .is_none_or(|desk| desk.lets_in() || desk.state.failure().is_none())
    }

    /// Whether the last that was to be written is on disk, as far as is known.
    pub fn works(&self) -> bool {
        self.desk
            .as_ref()
            .is_none_or(|desk| desk.state.failure().is_none())
    }

    /// How many entries wait for the disk.
    pub fn waiting(&self) -> u64 {
        self.desk
            .as_ref()
            .map_or(0, |desk| desk.state.waiting.load(Relaxed))
    }

    /// Puts an entry on record; once this is `Ok` it is on disk, unless [`OnFailure::LetIn`] lets it wait. Takes
    /// less than a second in which this process runs. An entry that failed may be found in the file all the same: it was written, too late.
    /// Needs a timer.
    ///
    /// # Errors
    /// When it is not on disk: who was about to listen must not.
    pub async fn write(&self, entry: Entry) -> Result<(), AuditFailed> {
        let Some(desk) = &self.desk else {
            entry.log();
            return Ok(());
        };
        let entry = Arc::new(entry);
        if let Err(failed) = desk.write(entry.clone()).await {
            if !desk.lets_in() {
                desk.metrics.audit_refused.add_one();
                return Err(failed);
            }
            desk.metrics.audit_unrecorded.add_one();
            warn!("let in without being on record, as --audit-fail open wants it: {failed}");
        }
        entry.log();
        Ok(())
    }

    /// Puts an entry on record that nobody waits for. It is kept while the disk fails.
    pub fn tell(&self, entry: Entry) {
        entry.log();
        if let Some(desk) = &self.desk {
            // Counted where it is lost.
            let _ = desk.send(Job {
                entry: Arc::new(entry),
                keep: true,
                done: None,
                since: Instant::now(),
            });
        }
    }

    /// Puts it on record that somebody was refused, and why; unless too much of theirs was told of late, in which
    /// case the next line says how many were not.
    pub fn refuse(&self, now: Instant, refused: Entry, why: &str) {
        match lock(&self.refusals).tell(now, refused.who.as_deref()) {
            None => {}
            Some(0) => self.tell(refused.because(why)),
            Some(more) => {
                let why = format!("{why}; {more} more were refused since the last line");
                self.tell(refused.because(why));
            }
        }
    }

    /// What becomes of who wants to listen from now on, while nothing can be put on record.
    pub fn set(&self, on_failure: OnFailure) {
        if let Some(desk) = &self.desk {
            desk.lets_in.store(on_failure == OnFailure::LetIn, Relaxed);
        }
    }

    /// Goes on in the file that has the name now, after the old one was moved away.
    ///
    /// # Errors
    /// When that cannot be opened: what is written goes on into the old one.
    pub async fn reopen(&self) -> Result<(), OpenFailed> {
        match &self.desk {
            Some(desk) => desk.ask(Command::Reopen).await.unwrap_or(Err(OpenFailed::Slow)),
            None => Ok(()),
        }
    }

    /// Waits until all that was told is on disk, 5 s at most; gives whether it was answered. The last call of a
    /// relay that ends.
    pub async fn close(&self) -> bool {
        match &self.desk {
            Some(desk) => desk.ask(Command::Flush).await.is_some(),
            None => true,
        }
    }
}

impl Desk {
    fn lets_in(&self) -> bool {
        self.lets_in.load(Relaxed)
    }

    async fn write(&self, entry: Arc<Entry>) -> Result<(), AuditFailed> {
        let keep = self.lets_in();
        let failure = self.state.failure();
        if let (Some(failed), false) = (failure, keep) {
            return Err(failed);
        }
        let (done, answer) = oneshot::channel();
        self.send(Job {
            entry,
            keep,
            done: Some(done),
            since: Instant::now(),
        })?;
        if let Some(failed) = failure {
            return Err(failed);
        }
        match within(PATIENCE, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(AuditFailed::Disk),
            Err(_) => Err(AuditFailed::Slow),
        }
    }

    fn send(&self, job: Job) -> Result<(), AuditFailed> {
        let keep = job.keep;
        // Before it is in the queue, or it could be taken out uncounted.
        let waiting = self.state.waiting.fetch_add(1, Relaxed) + 1;
        self.metrics.marks.audit_queue.note(waiting);
        self.queue.try_send(Command::Write(job)).map_err(|error| {
            self.state.waiting.fetch_sub(1, Relaxed);
            if keep {
                self.metrics.audit_lost.add_one();
                self.state.overflowed.fetch_add(1, Relaxed);
            }
            match error {
                TrySendError::Full(_) => AuditFailed::Busy,
                TrySendError::Disconnected(_) => AuditFailed::Disk,
            }
        })
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (done, answer) = oneshot::channel();
        let asked = async {
            let mut command = command(done);
            while let Err(TrySendError::Full(back)) = self.queue.try_send(command) {
                command = back;
                sleep(QUEUE_RETRY).await;
            }
            answer.await.ok()
        };
        timeout(CLOSE_TIME, asked).await.ok().flatten()
    }
}
