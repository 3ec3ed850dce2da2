//! One listener's mailbox. While the listener's task sleeps with everything written, its *slot is open*: whoever
//! has frames writes them to the listener's outlet, and nobody is woken. Else they wait here, bounded, until
//! the task takes them; what is too much goes out at the old end and is told as a gap.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use partyline_shared::protocol::server::GapReason;

use super::batch::Batch;
use super::{Gap, Item, Outlet, SubId};
use crate::lock::lock;

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
}

/// What a frame looks at comes first, so that it lies together with the lock.
#[derive(Debug, Default)]
#[repr(C)]
struct Inner {
    /// The reader sleeps and has written all it had, and nothing waits: frames may go straight to the outlet.
    open: bool,
    /// The only one of `subs`, where there is one only.
    only: Option<SubId>,
    outlet: Option<Arc<dyn Outlet>>,
    /// What is heard; anything else is of a subscription that is over.
    subs: Vec<SubId>,
    /// Told before `audio`: what was lost of it, and streams that began meanwhile.
    ahead: VecDeque<(SubId, Item)>,
    audio: VecDeque<(SubId, Item)>,
    signals: Signals,
    /// Of a reader that found nothing: the next word wakes it, later ones need not.
    waker: Option<Waker>,
    /// What the outlet did not take of a frame; the reader writes it before anything else.
    rest: Vec<u8>,
    /// The reader knows that the list has news, and will look: no need to wake it for more.
    will_look: bool,
}

/// One listener's mailbox.
#[derive(Debug, Default)]
pub struct Mailbox(Mutex<Inner>);

impl Mailbox {
    /// A mailbox whose frames may leave by `outlet`; without one all of them wait for the reader.
    pub fn new(outlet: Option<Arc<dyn Outlet>>) -> Mailbox {
        Mailbox(Mutex::new(Inner {
            outlet,
            ..Inner::default()
        }))
    }

    /// Takes audio of `subs` from here on, with room for [`BACKLOG`] items of each; what is here of others
    /// is let go.
    pub fn set_subs(&self, subs: Vec<SubId>) {
        let mut inner = lock(&self.0);
        inner.only = if let [only] = subs[..] { Some(only) } else { None };
        inner.subs = subs;
        let Inner {
            subs, audio, ahead, ..
        } = &mut *inner;
        audio.retain(|(sub, _)| subs.contains(sub));
        ahead.retain(|(sub, _)| subs.contains(sub));
    }

    /// Nobody reads it any more. Answers how many frames are lost by that, or were and have not been told.
    pub fn close(&self) -> u64 {
        let old = std::mem::take(&mut *lock(&self.0));
        let frames = old
            .audio
            .iter()
            .filter(|(_, item)| matches!(item, Item::Frame(_)));
        old.signals.lost + frames.count() as u64
    }

    /// Hands frames on: to the outlet where the slot is open, else they wait. Answers how many were written.
    pub fn post(&self, sub: SubId, batch: &mut Batch<'_>) -> u64 {
        let mut inner = lock(&self.0);
        if !inner.hears(sub) {
            return 0;
        }
        if inner.open && batch.is_only_frames() && inner.write(batch.wire()) {
            if !inner.open {
                Self::rouse(inner);
            }
            return batch.items().len() as u64;
        }
        for item in batch.items() {
            inner.push(sub, item.clone());
        }
        Self::rouse(inner);
        0
    }

    /// Puts in what has to be put into words; what is too much goes out at the old end.
    pub fn send(&self, sub: SubId, item: Item) {
        let mut inner = lock(&self.0);
        if inner.hears(sub) {
            inner.push(sub, item);
            Self::rouse(inner);
        }
    }

    /// Some journal that this listener reads has news.
    pub fn journal_news(&self) {
        let mut inner = lock(&self.0);
        inner.signals.journal = true;
        Self::rouse(inner);
    }

    /// The list of calls has news.
    pub fn lobby_news(&self) {
        let mut inner = lock(&self.0);
        inner.signals.lobby = true;
        Self::rouse(inner);
    }

    /// The list of calls has news that may wait until the reader looks; it is woken once, to set its time.
    pub fn lobby_news_in_time(&self) {
        let mut inner = lock(&self.0);
        if !inner.will_look {
            inner.will_look = true;
            inner.signals.lobby_in_time = true;
            Self::rouse(inner);
        }
    }

    /// The reader is about to look at the list: from here on it is told of news again.
    pub fn looks_at_lobby(&self) {
        lock(&self.0).will_look = false;
    }

    /// Moves up to `limit` items to `out` and gives the signals since the last time.
    pub fn take(&self, out: &mut VecDeque<(SubId, Item)>, limit: usize) -> Signals {
        let mut inner = lock(&self.0);
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
        let mut inner = lock(&self.0);
        inner.open = false;
        (std::mem::take(&mut inner.rest), inner.has_word())
    }

    /// Whether there is something to take; else the task is woken when there is, and the slot is open: the
    /// reader has written all that it was told. One reader only.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut inner = lock(&self.0);
        if inner.has_word() {
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

impl Inner {
    fn has_word(&self) -> bool {
        !self.ahead.is_empty()
            || !self.audio.is_empty()
            || self.signals.journal
            || self.signals.lobby
            || self.signals.lobby_in_time
            || !self.rest.is_empty()
    }

    fn hears(&self, sub: SubId) -> bool {
        self.only == Some(sub) || self.subs.contains(&sub)
    }

    /// Writes whole messages to the outlet; of what it does not take the rest is kept, and the slot is shut.
    /// Answers whether they are on their way.
    fn write(&mut self, wire: &[u8]) -> bool {
        let Some(outlet) = &self.outlet else { return false };
        loop {
            return match outlet.try_write(wire) {
                Ok(n) if n == wire.len() => true,
                // Nothing at all: as if there were no room.
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Ok(0) | Err(_) => {
                    self.open = false;
                    false
                }
                Ok(n) => {
                    self.open = false;
                    self.rest = wire.get(n..).unwrap_or_default().to_vec();
                    true
                }
            };
        }
    }

    fn push(&mut self, sub: SubId, item: Item) {
        self.open = false;
        self.audio.push_back((sub, item));
        while self.audio.len() > BACKLOG.saturating_mul(self.subs.len()) {
            self.lose_oldest();
        }
    }

    /// Lets the oldest item go. A run of losses on one track of one stream is one gap.
    fn lose_oldest(&mut self) {
        let Some((sub, item)) = self.audio.pop_front() else {
            return;
        };
        let gap = match item {
            Item::Stream(_) => return self.ahead.push_back((sub, item)),
            Item::Frame(frame) => {
                self.signals.lost += 1;
                let reason = GapReason::SlowListener;
                Gap {
                    track: frame.track(),
                    from_chunk: frame.chunk(),
                    to_chunk: frame.chunk(),
                    reason,
                }
            }
            Item::Gap(gap) => gap,
        };
        for (_, earlier) in self.ahead.iter_mut().rev().filter(|(of, _)| *of == sub) {
            match earlier {
                Item::Stream(_) => break,
                Item::Gap(known) if known.track == gap.track => {
                    if known.to_chunk.checked_add(1) == Some(gap.from_chunk) {
                        known.to_chunk = gap.to_chunk;
                        known.reason = GapReason::SlowListener;
                        return;
                    }
                    break;
                }
                _ => {}
            }
        }
        self.ahead.push_back((sub, Item::Gap(gap)));
    }
}

#[cfg(test)]
mod tests;
