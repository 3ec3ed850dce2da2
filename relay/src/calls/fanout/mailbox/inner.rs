//! What a mailbox has under its lock: who hears, what waits, and the way to the outlet. Wakes nobody.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::task::Waker;

use partyline_shared::protocol::server::GapReason;

use super::{BACKLOG, Passed, Signals};
use crate::calls::fanout::{Gap, Item, Outlet, SubId, Taken};

/// What a frame looks at comes first, so that it lies together with the lock.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Inner {
    /// The reader sleeps and has written all it had, and nothing waits: frames may go straight to the outlet.
    pub(super) open: bool,
    /// The only one of `subs`, where there is one only, and what went straight to the outlet of it.
    pub(super) only: Option<SubId>,
    pub(super) only_bytes: u64,
    /// All that ever went straight to the outlet.
    pub(super) passed: Passed,
    pub(super) outlet: Option<Arc<dyn Outlet>>,
    /// What is heard; anything else is of a subscription that is over.
    pub(super) subs: Vec<Ear>,
    /// Told before `audio`: what was lost of it, and streams that began meanwhile.
    pub(super) ahead: VecDeque<(SubId, Item)>,
    pub(super) audio: VecDeque<(SubId, Item)>,
    pub(super) signals: Signals,
    /// Of a reader that found nothing: the next word wakes it, later ones need not.
    pub(super) waker: Option<Waker>,
    /// Of a reader that is busy writing: only that its rights changed wakes it.
    pub(super) recheck_waker: Option<Waker>,
    /// What the outlet did not take of a frame; the reader writes it before anything else.
    pub(super) rest: Vec<u8>,
    /// The reader knows that the list has news, and will look: no need to wake it for more.
    pub(super) will_look: bool,
}

/// A subscription that is heard.
#[derive(Debug)]
pub(super) struct Ear {
    pub(super) sub: SubId,
    /// Bytes of audio that went straight to the outlet, while it was not the only one.
    pub(super) bytes: u64,
    /// Heard no more, and told of only to be counted.
    pub(super) forbidden: bool,
}

impl Inner {
    pub(super) fn has_word(&self) -> bool {
        !self.ahead.is_empty()
            || !self.audio.is_empty()
            || self.signals.journal
            || self.signals.lobby
            || self.signals.lobby_in_time
            || !self.rest.is_empty()
    }

    pub(super) fn hears(&self, sub: SubId) -> bool {
        self.only == Some(sub) || self.subs.iter().any(|ear| ear.sub == sub && !ear.forbidden)
    }

    pub(super) fn hear(&mut self, ears: Vec<Ear>) {
        self.only = if let [only] = &ears[..]
            && !only.forbidden
        {
            Some(only.sub)
        } else {
            None
        };
        self.only_bytes = 0;
        self.subs = ears;
        let heard = |sub: &SubId| self.subs.iter().any(|ear| ear.sub == *sub && !ear.forbidden);
        self.audio.retain(|(sub, _)| heard(sub));
        self.ahead.retain(|(sub, _)| heard(sub));
    }

    pub(super) fn bytes(&self, sub: SubId) -> u64 {
        let only = if self.only == Some(sub) {
            self.only_bytes
        } else {
            0
        };
        let ear = self.subs.iter().find(|ear| ear.sub == sub);
        only + ear.map_or(0, |ear| ear.bytes)
    }

    /// `bytes` are the audio's own, `passed` is what it took on the wire.
    pub(super) fn count(&mut self, sub: SubId, bytes: u64, passed: Passed) {
        self.passed.frames += passed.frames;
        self.passed.bytes += passed.bytes;
        if self.only == Some(sub) {
            self.only_bytes += bytes;
        } else if let Some(ear) = self.subs.iter_mut().find(|ear| ear.sub == sub) {
            ear.bytes += bytes;
        }
    }

    /// Writes whole messages to the outlet; of what it does not take the rest is kept, and the slot is shut.
    /// Answers whether they are on their way.
    pub(super) fn write(&mut self, wire: &[u8]) -> bool {
        let Some(outlet) = &self.outlet else { return false };
        loop {
            return match outlet.try_write(wire) {
                Ok(Taken { bytes, waits }) if bytes == wire.len() => {
                    if waits {
                        self.open = false;
                    }
                    true
                }
                // Nothing at all: as if there were no room.
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Ok(Taken { bytes: 0, .. }) | Err(_) => {
                    self.open = false;
                    false
                }
                Ok(Taken { bytes, .. }) => {
                    self.open = false;
                    self.rest = wire.get(bytes..).unwrap_or_default().to_vec();
                    true
                }
            };
        }
    }

    pub(super) fn push(&mut self, sub: SubId, item: Item) {
        self.open = false;
        self.audio.push_back((sub, item));
        while self.audio.len() > BACKLOG.saturating_mul(self.subs.len()) {
            self.lose_oldest();
        }
        self.signals.most = self.signals.most.max(self.audio.len());
    }

    /// Lets the oldest item go. A run of losses on one track of one stream is one gap.
    pub(super) fn lose_oldest(&mut self) {
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
                    // What was held back is not this listener's loss.
                    let one = (known.reason == GapReason::Paused) == (gap.reason == GapReason::Paused);
                    if one && known.to_chunk.checked_add(1) == Some(gap.from_chunk) {
                        known.to_chunk = gap.to_chunk;
                        if gap.reason != GapReason::Paused {
                            known.reason = GapReason::SlowListener;
                        }
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
