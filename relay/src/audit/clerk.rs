//! The audit's own thread: takes what waits in the queue, writes it with one sync, tells those who wait. While the
//! disk fails it tries again by itself. Nobody waits for it but who is about to listen.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tracing::{error, info, warn};

use super::book::{Book, MAX_GROUP};
use super::disk::FileDisk;
use super::entry::Entry;
use super::error::{AuditFailed, OpenFailed};
use super::head::Head;
use crate::clock::Now;
use crate::metrics::Metrics;

/// How often the disk is looked at when nothing is to be written, and tried again while it fails: twice within
/// the second in which new listening is to be refused, and possible again soon.
const LOOK: Duration = Duration::from_millis(500);

/// How long the disk may take before it counts as failing: who asks is refused within a second.
pub(super) const PATIENCE: Duration = Duration::from_millis(800);

/// What the thread is told.
pub(super) enum Command {
    /// Put on record.
    Write(Job),
    /// Go on in the file that has the name now.
    Reopen(oneshot::Sender<Result<(), OpenFailed>>),
    /// Say when all that came before is written, or cannot be.
    Flush(oneshot::Sender<()>),
}

/// One entry to be written.
pub(super) struct Job {
    pub(super) entry: Arc<Entry>,
    /// Kept until it can be written, also where somebody waits and is told that it is not on disk yet.
    pub(super) keep: bool,
    pub(super) done: Option<oneshot::Sender<Result<(), AuditFailed>>>,
    /// When it was told.
    pub(super) since: Instant,
}

impl Job {
    pub(super) fn tell(&mut self, result: Result<(), AuditFailed>) {
        if let Some(done) = self.done.take() {
            // Who waited may have gone.
            let _ = done.send(result);
        }
    }

    fn is_abandoned(&self) -> bool {
        !self.keep && self.done.as_ref().is_some_and(oneshot::Sender::is_closed)
    }
}

/// What others may know without waiting.
#[derive(Debug)]
pub(super) struct State {
    began: Instant,
    /// The disk did not take the last write, or has hardly any room.
    failing: AtomicBool,
    /// Since when the thread is at the disk, ms after `began`, from 1; 0 where it is not.
    busy: AtomicU64,
    /// Entries that found the queue full.
    pub(super) overflowed: AtomicU64,
    /// Entries in the queue.
    pub(super) waiting: AtomicU64,
}

impl State {
    pub(super) fn new() -> State {
        State {
            began: Instant::now(),
            failing: AtomicBool::new(false),
            busy: AtomicU64::new(0),
            overflowed: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
        }
    }

    fn ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    /// Why nothing can be put on record now, as far as is known.
    pub(super) fn failure(&self) -> Option<AuditFailed> {
        let since = self.busy.load(Relaxed);
        if since > 0 && self.ms().saturating_sub(since) >= PATIENCE.as_millis() as u64 {
            Some(AuditFailed::Slow)
        } else {
            self.failing.load(Relaxed).then_some(AuditFailed::Disk)
        }
    }
}

/// The thread's own things.
pub(super) struct Clerk {
    path: PathBuf,
    book: Book<FileDisk>,
    state: Arc<State>,
    metrics: Arc<Metrics>,
}

impl Clerk {
    /// Opens the file and says in it that the audit begins, if the disk takes it.
    ///
    /// # Errors
    /// When the file cannot be used. A full disk is no such error: it may get room.
    pub(super) fn open(
        path: PathBuf,
        node: String,
        state: Arc<State>,
        metrics: Arc<Metrics>,
    ) -> Result<Clerk, OpenFailed> {
        // A device has no folder for a head, and no length that a line could be missing from.
        let ordinary = std::fs::metadata(&path).map_or(true, |found| found.is_file());
        let head = if ordinary {
            Head::open(&path)?
        } else {
            Head::default()
        };
        let (disk, found) = FileDisk::open(&path)?;
        let book = Book::new(disk, &found, head, node);
        let mut clerk = Clerk {
            path,
            book,
            state,
            metrics,
        };
        clerk.write(Vec::new());
        Ok(clerk)
    }

    /// Works until nobody can tell it anything any more.
    pub(super) fn run(mut self, queue: Receiver<Command>) {
        loop {
            let first = match queue.recv_timeout(LOOK) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            self.state.busy.store(self.state.ms(), Relaxed);
            self.turn(first, &queue);
            self.state.busy.store(0, Relaxed);
        }
    }

    fn turn(&mut self, first: Option<Command>, queue: &Receiver<Command>) {
        let (mut jobs, mut reopened, mut flushed) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = first;
        while let Some(command) = next {
            match command {
                Command::Write(job) => {
                    self.state.waiting.fetch_sub(1, Relaxed);
                    jobs.push(job);
                }
                Command::Reopen(done) => reopened.push(done),
                Command::Flush(done) => flushed.push(done),
            }
            next = (jobs.len() < MAX_GROUP).then(|| queue.try_recv().ok()).flatten();
        }
        jobs.retain(|job| !job.is_abandoned());
        self.write(jobs);
        for done in reopened {
            // Who asked may have gone.
            let _ = done.send(self.reopen());
        }
        for done in flushed {
            let _ = done.send(());
        }
    }

    fn write(&mut self, mut jobs: Vec<Job>) {
        let overflowed = self.state.overflowed.swap(0, Relaxed);
        if overflowed > 0 {
            self.book.admit_loss(overflowed);
        }
        if let Err(error) = self.attach() {
            return self.failed(&error, jobs);
        }
        // While there is hardly any room nobody may begin; what is going on may still end.
        let short = self.book.disk.is_short();
        if short {
            let (kept, refused): (Vec<Job>, _) = jobs.into_iter().partition(|job| job.keep);
            for mut job in refused {
                job.tell(Err(AuditFailed::Disk));
            }
            jobs = kept;
        }
        let entries: Vec<&Arc<Entry>> = jobs.iter().map(|job| &job.entry).collect();
        match self.book.commit(Now::take().wall, &entries) {
            Ok(lines) => {
                self.metrics.audit_written.add(lines);
                for job in &mut jobs {
                    self.metrics.times.audit.record(job.since.elapsed());
                    job.tell(Ok(()));
                }
                self.set_failing(short, &"the disk has hardly any room");
            }
            Err(error) => self.failed(&error, jobs),
        }
    }

    fn failed(&mut self, error: &dyn std::fmt::Display, jobs: Vec<Job>) {
        self.metrics.audit_failures.add_one();
        self.set_failing(true, error);
        for mut job in jobs {
            if job.keep && !self.book.owe(job.entry.clone()) {
                self.metrics.audit_lost.add_one();
            }
            job.tell(Err(AuditFailed::Disk));
        }
    }

    fn set_failing(&self, failing: bool, why: &dyn std::fmt::Display) {
        let path = self.path.display();
        match (self.state.failing.swap(failing, Relaxed), failing) {
            (false, true) => error!(%path, "the audit cannot be written: {why}; see to its disk"),
            (true, false) => info!(%path, "the audit can be written again"),
            _ => {}
        }
    }

    /// Goes on in the file that has the name, where somebody else cut, wrote or deleted ours.
    fn attach(&mut self) -> Result<(), OpenFailed> {
        match self.book.length() {
            Some(length) if !self.book.disk.is_as_left(length) => {}
            _ => return Ok(()),
        }
        self.book.disk.unlock();
        let (disk, found) = FileDisk::open(&self.path)?;
        warn!(path = %self.path.display(), "the audit was changed by somebody else");
        self.book.switch(disk, &found);
        Ok(())
    }

    /// Goes on in the file that has the name now: ours was moved away, and holds all that was written so far.
    fn reopen(&mut self) -> Result<(), OpenFailed> {
        if !self.book.disk.is_in_place() {
            let (disk, found) = FileDisk::open(&self.path)?;
            self.book.switch(disk, &found);
        }
        if !self.book.head.is_in_place() {
            self.book.head = Head::open(&self.path)?;
            self.book.head.note(self.book.link());
        }
        self.write(Vec::new());
        let link = self.book.link();
        info!(path = %self.path.display(), seq = link.seq, hash = %link.hash, "the audit goes on");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_does_not_answer_counts_as_failing() {
        let state = State::new();
        assert_eq!(state.failure(), None);
        state.busy.store(1, Relaxed);
        assert_eq!(state.failure(), None, "it has just begun");
        let stuck = State {
            began: Instant::now().checked_sub(PATIENCE).unwrap(),
            ..state
        };
        assert_eq!(stuck.failure(), Some(AuditFailed::Slow));
    }
}
