//! Which relays hear which calls of ours, as they said last. Who does not say it again is forgotten, and hears nothing
//! more.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use partyline_shared::audio::level::Energy;
use partyline_shared::id::CallSid;
use partyline_shared::track::PerTrack;

use super::outgoing::Outgoing;
use crate::calls::call::{Crossed, Wants};
use crate::calls::fanout::{Item, Mailbox, SubId};
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::lock::lock;

/// Who has not said for so long that it hears a call, hears it no more: two of its words may be lost.
pub(super) const FORGOTTEN: Duration = Duration::from_secs(6);
/// Items taken from a mailbox at a time, so that whoever writes to it waits for nobody.
const BATCH: usize = 256;

/// A relay that hears calls of ours.
#[derive(Debug)]
pub(super) struct Ear {
    pub(super) node: Arc<str>,
    /// Where its frames go.
    pub(super) mailbox: Arc<Mailbox>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    outgoing: Outgoing,
    heard: HashMap<CallSid, Heard>,
    next_sub: SubId,
    /// What was taken from the mailbox.
    taken: VecDeque<(SubId, Item)>,
    levels: Levels,
}

#[derive(Debug, Clone, Copy)]
struct Heard {
    since: Instant,
    /// Where anybody hears it now.
    sub: Option<SubId>,
}

/// How loud calls were when it was told last.
#[derive(Debug, Default)]
pub(super) struct Levels {
    /// How often it looks, and when it said so.
    pub(super) asked: Option<(f64, Instant)>,
    pub(super) due: Option<Instant>,
    pub(super) told: HashMap<CallSid, PerTrack<Energy>>,
}

impl Ear {
    pub(super) fn new(node: &str) -> Ear {
        Ear {
            node: node.into(),
            mailbox: Arc::default(),
            inner: Mutex::default(),
        }
    }

    /// It hears so much of these calls.
    pub(super) fn hears(&self, now: Now, registry: &Registry, calls: &[(CallSid, Wants)]) {
        let mut inner = lock(&self.inner);
        let inner = &mut *inner;
        let mut news = false;
        for (sid, wants) in calls {
            let known = inner.heard.get(sid).and_then(|heard| heard.sub);
            if wants.hearing == 0 {
                if let Some(sub) = known {
                    inner.outgoing.close(sub);
                    news = true;
                }
                if wants.listeners == 0 {
                    inner.heard.remove(sid);
                    if let Some(call) = registry.known(sid) {
                        call.remove_peer(now, &self.node);
                    }
                    continue;
                }
            }
            let sub = (wants.hearing > 0).then(|| {
                known.unwrap_or_else(|| {
                    news = true;
                    inner.next_sub = inner.next_sub.wrapping_add(1);
                    inner.outgoing.open(inner.next_sub, sid.clone());
                    inner.next_sub
                })
            });
            let since = now.mono;
            inner.heard.insert(sid.clone(), Heard { since, sub });
        }
        if news {
            // Before the calls put anything there.
            self.mailbox.set_subs(inner.subs());
        }
        for (sid, wants) in calls.iter().filter(|(_, wants)| wants.listeners > 0) {
            let sub = inner.heard.get(sid).and_then(|heard| heard.sub);
            let ear = sub.map(|sub| (&self.mailbox, sub));
            let call = registry.known(sid);
            let crossed = call.and_then(|call| call.add_peer(now, &self.node, *wants, ear));
            let Some(Crossed { stream, replay }) = crossed else {
                // It is not ours, or not any more: it will be said to whoever has it.
                inner.close(sid);
                continue;
            };
            if let Some(sub) = sub
                && wants.replay_ms > 0
            {
                let ms = u32::try_from(wants.replay_ms).unwrap_or(u32::MAX);
                inner.outgoing.replay(now.mono, sub, stream, ms, replay);
                self.mailbox.recheck();
            }
        }
    }

    /// How often it looks at levels.
    pub(super) fn watches(&self, now: Instant, hz: f64) {
        let asked = (hz.is_finite() && hz > 0.0).then_some((hz, now));
        let levels = &mut lock(&self.inner).levels;
        if asked.is_none() {
            *levels = Levels::default();
        }
        levels.asked = asked;
    }

    /// Asks about levels, with the calls that it hears anyway.
    pub(super) fn with_levels<R>(&self, ask: impl FnOnce(&mut Levels, &dyn Fn(&CallSid) -> bool) -> R) -> R {
        let mut inner = lock(&self.inner);
        let Inner { levels, heard, .. } = &mut *inner;
        ask(levels, &|sid| {
            heard.get(sid).is_some_and(|heard| heard.sub.is_some())
        })
    }

    /// Forgets what it has not said for long; whether anything is left.
    pub(super) fn on_deadline(&self, now: Now, registry: &Registry) -> bool {
        let old = |since: Instant| now.mono.saturating_duration_since(since) >= FORGOTTEN;
        let mut inner = lock(&self.inner);
        let silent: Vec<CallSid> = inner
            .heard
            .iter()
            .filter(|(_, heard)| old(heard.since))
            .map(|(sid, _)| sid.clone())
            .collect();
        for sid in &silent {
            inner.close(sid);
            if let Some(call) = registry.known(sid) {
                call.remove_peer(now, &self.node);
            }
        }
        if !silent.is_empty() {
            self.mailbox.set_subs(inner.subs());
        }
        if inner.levels.asked.is_some_and(|(_, since)| old(since)) {
            inner.levels = Levels::default();
        }
        !inner.heard.is_empty() || inner.levels.asked.is_some()
    }

    /// It is gone: it hears nothing more.
    pub(super) fn part(&self, now: Now, registry: &Registry) {
        let mut inner = lock(&self.inner);
        let heard: Vec<CallSid> = inner.heard.keys().cloned().collect();
        for sid in heard {
            inner.close(&sid);
            if let Some(call) = registry.known(&sid) {
                call.remove_peer(now, &self.node);
            }
        }
        self.mailbox.set_subs(Vec::new());
    }

    /// Empties the mailbox.
    pub(super) fn drain(&self, now: Instant) {
        let mut inner = lock(&self.inner);
        let Inner { outgoing, taken, .. } = &mut *inner;
        self.mailbox.take_recheck();
        loop {
            let left = self.mailbox.take(taken, BATCH).left;
            outgoing.take(now, taken.drain(..));
            if left == 0 {
                return;
            }
        }
    }

    /// Does something with what waits to be sent.
    pub(super) fn with_outgoing<R>(&self, act: impl FnOnce(&mut Outgoing) -> R) -> R {
        act(&mut lock(&self.inner).outgoing)
    }
}

impl Inner {
    fn subs(&self) -> Vec<SubId> {
        self.heard.values().filter_map(|heard| heard.sub).collect()
    }

    fn close(&mut self, sid: &CallSid) {
        if let Some(sub) = self.heard.remove(sid).and_then(|heard| heard.sub) {
            self.outgoing.close(sub);
        }
    }
}
