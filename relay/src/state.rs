//! `--state FILE`: which calls are in progress, so that a relay that is started again knows what it owned. Reads the
//! list of calls as a listener does, so that no call waits for it; the file is replaced whole, a second apart at
//! least, away from whoever serves. A disk that does not take it costs the memory, and no call.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `entry` | what is remembered of a call |
//! | `book` | which calls those are (pure) |
//! | `file` | how they stand on disk |
//! | `seen` | what has acted and may not act again: webhooks, passes |

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::lock::lock;
use crate::sparing::Sparing;
use crate::stop::Stop;
use crate::twilio::door::Door;
use crate::twilio::marks::Mark;

mod book;
mod entry;
mod file;
mod seen;
#[cfg(test)]
mod tests;

use book::Book;
pub use entry::Entry;
use entry::Erased;
use file::Store;
pub use file::{OpenFailed, look};
use seen::Log;

/// How often the list is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// Changes taken of the list at once: its lock is held meanwhile.
const TAKEN: usize = 256;
/// The disk is left alone for so many times as long as it took to write.
const REST: u32 = 10;

/// The memory; does nothing without a file.
#[derive(Debug, Default)]
pub struct State {
    store: Option<Store>,
    log: Mutex<Option<Log>>,
    /// What acted before, until it has been recalled.
    marks: Mutex<Vec<Mark>>,
    book: Mutex<Book>,
    /// Held while the file is written: the last one at the end may meet one that is under way.
    writing: Mutex<()>,
    told: Mutex<Sparing>,
}

impl State {
    /// Takes what an earlier relay left in `path`, and keeps other relays out of it.
    ///
    /// # Errors
    /// [`OpenFailed`], which says what to do.
    pub fn open(path: Option<PathBuf>) -> Result<State, OpenFailed> {
        let Some(path) = path else {
            return Ok(State::default());
        };
        let (store, left) = Store::open(path)?;
        // That it cannot be written is said now, and not when it is needed.
        let written = store.write(&file::text(left.entries.iter(), &left.erased));
        let is_written = written.is_ok();
        written.or_else(full_at_start)?;
        let now_ms = Now::take().wall.unix_ms();
        let named = || OpenFailed::io(store.path(), "kept, with FILE.seen beside it");
        let (log, marks) = match Log::open(store.path(), now_ms).map_err(named()) {
            Ok((log, marks)) => (Some(log), marks),
            Err(failed) => {
                full_at_start(failed)?;
                (None, Log::marks(store.path(), now_ms).map_err(named())?)
            }
        };
        if !left.entries.is_empty() {
            info!(
                calls = left.entries.len(),
                "an earlier relay left calls in progress"
            );
        }
        let mut book = Book::new(left);
        if !is_written {
            book.unwritten();
        }
        Ok(State {
            store: Some(store),
            log: Mutex::new(log),
            marks: Mutex::new(marks),
            book: Mutex::new(book),
            ..State::default()
        })
    }

    /// What acted before does not act again at this door, and what acts there is remembered.
    pub fn recall(&self, door: &Door) {
        if self.store.is_some() {
            door.recall(Now::take(), std::mem::take(&mut *lock(&self.marks)));
            door.marks().want();
        }
    }

    /// The calls that an earlier relay left, and of which is not known yet whether they go on.
    pub fn before(&self) -> Vec<Entry> {
        lock(&self.book).before()
    }

    /// The calls of an earlier relay that were held back, over or not.
    pub fn paused(&self) -> Vec<CallSid> {
        lock(&self.book).paused()
    }

    /// The calls that were erased in the last day, and when.
    pub fn erased(&self) -> Vec<(CallSid, UtcTime)> {
        let book = lock(&self.book);
        let erased = book.erased().iter();
        erased
            .map(|call| (call.erased_sid.clone(), call.erased_at))
            .collect()
    }

    /// It is known of such a call: it is over, or listed by now.
    pub fn settled(&self, sid: &CallSid) {
        lock(&self.book).settled(sid);
    }

    /// Writes down what has changed, until the relay leaves.
    pub async fn keep(self: Arc<Self>, registry: Arc<Registry>, door: Arc<Door>, stop: Stop) {
        if self.store.is_none() {
            return;
        }
        let mut wait = EVERY;
        while stop.run_until_cancelled(sleep(wait)).await.is_some() {
            let began = Instant::now();
            self.save(&registry, &door).await;
            wait = EVERY.max(began.elapsed() * REST);
        }
    }

    /// Writes down how it stands, where that has changed; once more at the end.
    pub async fn save(self: &Arc<Self>, registry: &Arc<Registry>, door: &Arc<Door>) {
        let (state, registry, door) = (self.clone(), registry.clone(), door.clone());
        let both = move || {
            state.write(&registry);
            state.note(&registry, &door.marks().take());
        };
        let done = tokio::task::spawn_blocking(both).await;
        if let Err(error) = done {
            warn!(%error, "the state file was not written");
        }
    }

    fn write(&self, registry: &Registry) {
        let Some(store) = &self.store else { return };
        let _writing = lock(&self.writing);
        let text = {
            let mut book = lock(&self.book);
            book.follow(registry.lobby());
            book.erase(registry.metrics().calls_erased.get(), || {
                let erased = registry.erased(Now::take()).into_iter();
                let line = |(erased_sid, erased_at)| Erased {
                    erased_sid,
                    erased_at,
                };
                erased.map(line).collect()
            });
            if !book.is_changed() {
                return;
            }
            book.text()
        };
        match store.write(&text) {
            Ok(()) => lock(&self.book).written(),
            Err(failed) => {
                let what = "after a restart these calls would not be known";
                self.failed(registry, what, &failed.to_string());
            }
        }
    }

    fn note(&self, registry: &Registry, marks: &[Mark]) {
        let Some(store) = self.store.as_ref().filter(|_| !marks.is_empty()) else {
            return;
        };
        let now_ms = Now::take().wall.unix_ms();
        let mut log = lock(&self.log);
        let noted = match log.as_mut() {
            Some(log) => log.append(marks, now_ms),
            // At the start there was no room for it.
            None => Log::open(store.path(), now_ms).and_then(|(mut anew, _)| {
                anew.append(marks, now_ms)?;
                *log = Some(anew);
                Ok(())
            }),
        };
        if let Err(error) = noted {
            registry.metrics().marks_lost.add(marks.len() as u64);
            let what = "after a restart webhooks that were seen could act again";
            self.failed(registry, what, &error.to_string());
        }
    }

    fn failed(&self, registry: &Registry, what: &str, why: &str) {
        registry.metrics().state_failures.add_one();
        if let Some(untold) = lock(&self.told).tell(Instant::now()) {
            warn!(untold, "{what}: {why}");
        }
    }
}

/// A disk that is full when the relay starts costs the memory, as it does later: a relay that did not start would cost
/// every call. What else is wrong is told and the start is off.
fn full_at_start(failed: OpenFailed) -> Result<(), OpenFailed> {
    if !failed.is_full() {
        return Err(failed);
    }
    warn!(
        %failed,
        "there is no room for the state: until there is, a restart knows no calls and no webhooks that were seen; see to its disk"
    );
    Ok(())
}
