//! One listener's mailbox. While the listener's task sleeps with everything written, its *slot is open*: whoever
//! has frames writes them to the listener's outlet, and nobody is woken. Else they wait here, bounded, until
//! the task takes them; what is too much goes out at the old end and is told as a gap. Knows no grants: whoever does
//! says what may no longer be heard, and that is at once.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

mod inner;

use super::batch::Batch;
use super::{Item, Outlet, SubId};
use crate::lock::lock;
use inner::{Ear, Inner};

/// Frames kept for a slow listener, each call it hears: 256 are 2.5 s of a two-track call. More than the
/// burst that follows a network stall, less than anyone would still call live.
pub const BACKLOG: usize = 256;

/// What a mailbox has to say beside audio.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signals {
    /// Some journal has news.
    pub journal: bool,
    /// The list of calls has news.
    pub lobby: bool,
    /// The list of calls has news that may wait for the reader's own time.
    pub lobby_in_time: bool,
    /// Items still in the mailbox: what was published before this word was given.
    pub left: usize,
    /// Frames that this listener lost since the last time.
    pub lost: u64,
    /// The most that waited at once since the last time.
    pub most: usize,
}

/// What went straight to an outlet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passed {
    /// Frames.
    pub frames: u64,
    /// Bytes that they took on the wire, before TLS.
    pub bytes: u64,
}

/// One listener's mailbox.
#[derive(Debug, Default)]
pub struct Mailbox {
    inner: Mutex<Inner>,
    /// What the reader may is to be looked at again, before anything more is told.
    recheck: AtomicBool,
}

impl Mailbox {
    /// A mailbox whose frames may leave by `outlet`; without one all of them wait for the reader.
    pub fn new(outlet: Option<Arc<dyn Outlet>>) -> Mailbox {
        Mailbox {
            inner: Mutex::new(Inner {
                outlet,
                ..Inner::default()
            }),
            recheck: AtomicBool::new(false),
        }
    }

    /// Takes audio of `subs` from here on, with room for [`BACKLOG`] items of each; what is here of others
    /// is let go.
    pub fn set_subs(&self, subs: Vec<SubId>) {
        let mut inner = lock(&self.inner);
        // Who sits down elsewhere meanwhile does not get back by that what is forbidden.
        let ears = subs.into_iter().map(|sub| Ear {
            sub,
            bytes: inner.bytes(sub),
            forbidden: inner.subs.iter().any(|ear| ear.sub == sub && ear.forbidden),
        });
        let ears = ears.collect();
        inner.hear(ears);
    }

    /// Takes no more audio of `sub`, and lets go of what is here of it: it may not be heard any more.
    pub fn forbid(&self, sub: SubId) {
        let mut inner = lock(&self.inner);
        let bytes = std::mem::take(&mut inner.only_bytes);
        let mut ears = std::mem::take(&mut inner.subs);
        if let [only] = &mut ears[..] {
            only.bytes += bytes;
        }
        for ear in ears.iter_mut().filter(|ear| ear.sub == sub) {
            ear.forbidden = true;
        }
        inner.hear(ears);
        drop(inner);
        self.recheck();
    }

    /// Bytes of audio of `sub` that went straight to the outlet, also where it may not be heard any more.
    pub fn bytes(&self, sub: SubId) -> u64 {
        lock(&self.inner).bytes(sub)
    }

    /// All that ever went straight to the outlet.
    pub fn passed(&self) -> Passed {
        lock(&self.inner).passed
    }

    /// Whether audio of `sub` waits here.
    pub fn waits(&self, sub: SubId) -> bool {
        let inner = lock(&self.inner);
        let mut items = inner.ahead.iter().chain(&inner.audio);
        items.any(|(of, _)| *of == sub)
    }

    /// What the reader may is to be looked at again: it is woken for it, and until then no audio goes past it.
    pub fn recheck(&self) {
        let mut inner = lock(&self.inner);
        inner.open = false;
        self.recheck.store(true, Release);
        let busy = inner.recheck_waker.take();
        Self::rouse(inner);
        if let Some(waker) = busy {
            waker.wake();
        }
    }

    /// Whether what the reader may is to be looked at again; else the task is woken when it is. For a reader that
    /// is busy writing.
    pub fn poll_recheck(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut inner = lock(&self.inner);
        if self.wants_recheck() {
            return Poll::Ready(());
        }
        inner.recheck_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Whether what the reader may is to be looked at again; the word is taken.
    pub fn take_recheck(&self) -> bool {
        self.wants_recheck() && self.recheck.swap(false, Acquire)
    }

    /// Whether what the reader may is to be looked at again.
    pub fn wants_recheck(&self) -> bool {
        self.recheck.load(Relaxed)
    }

    /// Nobody reads it any more. Answers how many frames are lost by that, or were and have not been told.
    pub fn close(&self) -> u64 {
        let old = std::mem::take(&mut *lock(&self.inner));
        let frames = old
            .audio
            .iter()
            .filter(|(_, item)| matches!(item, Item::Frame(_)));
        old.signals.lost + frames.count() as u64
    }

    /// Hands frames on: to the outlet where the slot is open, else they wait. Answers what was written.
    pub fn post(&self, sub: SubId, batch: &mut Batch<'_>) -> Passed {
        let mut inner = lock(&self.inner);
        if !inner.hears(sub) {
            return Passed::default();
        }
        if inner.open && batch.is_only_frames() && inner.write(batch.wire()) {
            let passed = Passed {
                frames: batch.items().len() as u64,
                // What is left is written by the reader.
                bytes: batch.wire().len().saturating_sub(inner.rest.len()) as u64,
            };
            inner.count(sub, batch.audio_bytes(), passed);
            if !inner.open {
                Self::rouse(inner);
            }
            return passed;
        }
        for item in batch.items() {
            inner.push(sub, item.clone());
        }
        Self::rouse(inner);
        Passed::default()
    }

    /// Puts in what has to be put into words; what is too much goes out at the old end.
    pub fn send(&self, sub: SubId, item: Item) {
        let mut inner = lock(&self.inner);
        if inner.hears(sub) {
            inner.push(sub, item);
            Self::rouse(inner);
        }
    }

    /// Some journal that this listener reads has news.
    pub fn journal_news(&self) {
        let mut inner = lock(&self.inner);
        inner.signals.journal = true;
        Self::rouse(inner);
    }

    /// The list of calls has news.
    pub fn lobby_news(&self) {
        let mut inner = lock(&self.inner);
        inner.signals.lobby = true;
        Self::rouse(inner);
    }

    /// The list of calls has news that may wait until the reader looks; it is woken once, to set its time.
    pub fn lobby_news_in_time(&self) {
        let mut inner = lock(&self.inner);
        if !inner.will_look {
            inner.will_look = true;
            inner.signals.lobby_in_time = true;
            Self::rouse(inner);
        }
    }

    /// The reader is about to look at the list: from here on it is told of news again.
    pub fn looks_at_lobby(&self) {
        lock(&self.inner).will_look = false;
    }

    /// Moves up to `limit` items to `out` and gives the signals since the last time.
    pub fn take(&self, out: &mut VecDeque<(SubId, Item)>, limit: usize) -> Signals {
        let mut inner = lock(&self.inner);
        for _ in 0..limit {
            let Some(item) = inner.ahead.pop_front().or_else(|| inner.audio.pop_front()) else {
                break;
            };
            out.push_back(item);
        }
        let left = inner.ahead.len() + inner.audio.len();
        Signals {
            left,
            ..std::mem::take(&mut inner.signals)
        }
    }

    /// The reader is awake and about to write: the slot is shut. Gives what is left of a frame, and whether
    /// there is word beside it.
    pub fn shut(&self) -> (Vec<u8>, bool) {
        let mut inner = lock(&self.inner);
        inner.open = false;
        let has_word = inner.has_word() || self.wants_recheck();
        (std::mem::take(&mut inner.rest), has_word)
    }

    /// Whether there is something to take; else the task is woken when there is, and the slot is open: the
    /// reader has written all that it was told. One reader only.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut inner = lock(&self.inner);
        // Not one of the signals: a reader may take those between looking at its rights and going to sleep.
        if inner.has_word() || self.wants_recheck() {
            return Poll::Ready(());
        }
        inner.open = inner.outlet.is_some();
        match &mut inner.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn rouse(mut inner: MutexGuard<'_, Inner>) {
        let waker = inner.waker.take();
        // Woken without the lock, which it takes first thing.
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests;
