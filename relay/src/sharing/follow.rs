//! Takes what other relays tell of their calls, in the order of Redis. A change that was missed is noticed by its version,
//! and then all that has changed since is read.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use partyline_shared::id::CallSid;
use serde::Deserialize;
use tokio::time::sleep;
use tracing::warn;

use super::hub::{Hub, Position};
use super::inbox::Changes;
use super::store::{Read, Rival, Stored};
use crate::broker::Failed;
use crate::calls::call::Held;
use crate::calls::journal::Cursor;
use crate::calls::mirror::{Numbered, Snapshot};
use crate::clock::Now;
use crate::lock::lock;

/// Calls known of all relays together, ended ones too, some 20 KB each: twice what one relay keeps of its own.
pub(super) const MIRRORED: usize = 40_000;
/// After an attempt to read what was missed that came to nothing.
const PAUSE: Duration = Duration::from_millis(250);

/// A change as the scripts say it.
#[derive(Debug, Deserialize)]
struct Change {
    sid: CallSid,
    node: Arc<str>,
    token: u64,
    #[serde(default)]
    rank: u64,
    #[serde(default)]
    after: Cursor,
    #[serde(default)]
    snapshot: Option<Box<Snapshot>>,
    #[serde(default)]
    entries: Vec<Numbered>,
    #[serde(default)]
    gone: bool,
    #[serde(default)]
    erased: bool,
}

/// How far this relay is.
struct Follower {
    hub: Hub,
    epoch: Arc<str>,
    version: u64,
    /// The link by which all since was heard.
    generation: u64,
}

/// Follows until it is dropped.
pub(super) async fn keep(hub: Hub, mut changes: Changes) {
    let mut position = hub.books.position.subscribe();
    let mut follower = Follower {
        hub,
        epoch: "".into(),
        version: 0,
        generation: 0,
    };
    // As the beat before said: what was told by then has come by now.
    let mut expected = 0;
    loop {
        let mut behind = tokio::select! {
            Some(payload) = changes.queue.recv() => follower.change(&payload).await,
            changed = position.changed() => {
                if changed.is_err() {
                    return;
                }
                let Position { epoch, version, generation } = position.borrow_and_update().clone();
                let behind = epoch != follower.epoch
                    || generation != follower.generation
                    || follower.version < expected;
                expected = version;
                follower.hub.read_unread().await;
                behind
            }
        };
        behind |= changes.missed.swap(false, Relaxed);
        while behind {
            let generation = position.borrow().generation;
            match follower.sync().await {
                Ok(()) => {
                    follower.generation = generation;
                    behind = false;
                }
                Err(_) => {
                    // It is not up to date, whatever comes in between.
                    sleep(PAUSE).await;
                    let mut link = follower.hub.broker.link();
                    if link.wait_for(|link| link.up).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

impl Follower {
    /// Whether something before it was missed.
    async fn change(&mut self, payload: &[u8]) -> bool {
        let Some((version, epoch, json)) = split(payload) else {
            self.hub.metrics.letters_bad.add_one();
            return true;
        };
        if epoch != &*self.epoch {
            return true;
        }
        if version <= self.version {
            return false;
        }
        if version != self.version + 1 {
            return true;
        }
        self.is_at(version);
        match serde_json::from_slice::<Change>(json) {
            Ok(change) => {
                self.hub.metrics.shared_followed.add_one();
                self.hub.changed(version, change).await;
            }
            // Of a relay of another version: what it says cannot be read again either.
            Err(_) => self.hub.metrics.letters_bad.add_one(),
        }
        false
    }

    fn is_at(&mut self, version: u64) {
        self.version = version;
        *lock(&self.hub.books.heard) = (self.epoch.clone(), version);
    }

    /// Reads all that has changed since.
    async fn sync(&mut self) -> Result<(), Failed> {
        let hub = self.hub.clone();
        let mut from = self.version;
        let mut upto = None;
        let mut more_gone = false;
        if !self.epoch.is_empty() {
            hub.metrics.shared_resyncs.add_one();
        }
        loop {
            let page = hub.list_after(from).await?;
            if *page.epoch != *self.epoch {
                if !self.epoch.is_empty() {
                    // Versions begin anew, whoever else has noticed yet.
                    lock(&hub.books.ledger).begin_anew();
                }
                self.epoch = page.epoch.as_str().into();
                self.version = 0;
                upto = None;
                if from > 0 {
                    from = 0;
                    continue;
                }
            }
            if upto.is_none() {
                upto = Some(page.version);
                // Who knew nothing before has nothing to forget.
                more_gone = page.more_gone && from > 0;
                page.gone.iter().for_each(|sid| hub.is_forgotten(sid));
                page.erased.iter().for_each(|sid| hub.is_erased(sid));
            }
            for (sid, read) in page.calls.iter().zip(hub.read_all(&page.calls).await?) {
                match read {
                    Read::There(stored) => hub.read(sid, *stored),
                    Read::Unreadable => hub.metrics.letters_bad.add_one(),
                    Read::NotThere => {
                        // Its time is over.
                        hub.is_forgotten(sid);
                        hub.forget(sid, false).await?;
                    }
                }
            }
            match page.more_after {
                Some(last) if last > from => from = last,
                _ => break,
            }
        }
        if more_gone {
            hub.forget_unlisted().await?;
        }
        self.is_at(self.version.max(upto.unwrap_or(0)));
        hub.books.synced.send_replace(true);
        Ok(())
    }
}

/// `<version> <epoch> <JSON>`.
fn split(payload: &[u8]) -> Option<(u64, &str, &[u8])> {
    let mut parts = payload.splitn(3, |byte| *byte == b' ');
    let (version, epoch, json) = (parts.next()?, parts.next()?, parts.next()?);
    let version = std::str::from_utf8(version).ok()?.parse().ok()?;
    Some((version, std::str::from_utf8(epoch).ok()?, json))
}

/// What Redis has of a journal that was told like this.
pub(super) fn numbered(snapshot: &Snapshot) -> (String, Cursor) {
    (snapshot.journal.id.clone(), snapshot.journal.last)
}

impl Hub {
    async fn changed(&self, version: u64, change: Change) {
        let Change {
            sid,
            node: owner,
            token,
            rank,
            ..
        } = change;
        if change.erased {
            return self.is_erased(&sid);
        }
        if change.gone {
            return self.is_forgotten(&sid);
        }
        let rival = Rival { owner, token, rank };
        let told = change
            .snapshot
            .map(|snapshot| (snapshot, change.after, change.entries));
        if !self.owned(&sid, version, rival, told) {
            self.read_again(&sid).await;
        }
    }

    fn read(&self, sid: &CallSid, stored: Stored) {
        let Stored {
            owner,
            token,
            version,
            rank,
            snapshot,
            entries,
        } = stored;
        let told = snapshot.map(|snapshot| (snapshot, Cursor::default(), entries));
        // Whoever takes everything is never behind.
        self.owned(sid, version, Rival { owner, token, rank }, told);
    }

    /// Reads a call whole.
    pub(super) async fn read_again(&self, sid: &CallSid) {
        match super::claims::read(self, sid).await {
            Ok(Some(stored)) => self.read(sid, stored),
            Ok(None) => {}
            Err(_) => {
                lock(&self.books.ledger).entry(sid).version = 0;
                lock(&self.books.unread).insert(sid.clone());
            }
        }
    }

    /// Reads what could not be read before.
    async fn read_unread(&self) {
        let unread = std::mem::take(&mut *lock(&self.books.unread));
        for sid in unread {
            // What is gone meanwhile is not to be known by this.
            if self.registry.known(&sid).is_some() {
                self.read_again(&sid).await;
            }
        }
    }

    /// A call was told, or claimed; whether nothing before that is missing here.
    fn owned(
        &self,
        sid: &CallSid,
        version: u64,
        by: Rival,
        told: Option<(Box<Snapshot>, Cursor, Vec<Numbered>)>,
    ) -> bool {
        {
            let mut ledger = lock(&self.books.ledger);
            if version <= ledger.get(sid).version {
                return true;
            }
            if by.owner == self.node {
                ledger.entry(sid).owned(version, &by);
                if self.registry.known(sid).is_none() {
                    // Forgotten since, and come back with a Redis that has gone back: it is to be forgotten there too.
                    self.registry.feed().mark(sid);
                }
                return true;
            }
            if !ledger.knows(sid) && ledger.len() >= MIRRORED {
                self.metrics.shared_unshown.add_one();
                return true;
            }
        }
        let now = Now::take();
        let call = self.registry.known(sid);
        let own_word = Held::Theirs(self.node.clone());
        if by.owner.is_empty() && call.as_ref().is_some_and(|call| call.held() == own_word) {
            // What is told of it now would be refused: whatever came of the answer, this is what was told.
            self.books.leaving.done(sid);
        }
        match call.as_ref().map(|call| (call, call.held())) {
            Some((call, Held::Ours)) => {
                let released = by.owner.is_empty();
                if released || self.is_better(call.rank(), &by) {
                    // The next telling is refused, and settles it.
                    self.registry.feed().mark(sid);
                    return true;
                }
                self.yields(sid, call, &by);
            }
            Some((call, Held::Taking)) => {
                if let Some((snapshot, after, entries)) = &told {
                    // Who misses something reads it when it is settled.
                    if call.follow(now, &by.owner, snapshot, *after, entries).is_ok() {
                        lock(&self.books.ledger).entry(sid).published = Some(numbered(snapshot));
                    }
                }
                return true;
            }
            Some((_, Held::Theirs(_))) | None => {}
        }
        let before = lock(&self.books.ledger).entry(sid).owned(version, &by);
        if by.owner.is_empty() {
            lock(&self.books.peers).lets_go(&before);
        }
        // Nobody's is shown as of who had it.
        let held = call.as_ref().map(|call| call.held());
        let node = match (&*by.owner, &held) {
            ("", Some(Held::Theirs(before))) => before.clone(),
            _ => by.owner.clone(),
        };
        let whole = match told {
            Some((snapshot, after, entries)) => {
                let followed = self.registry.follow(now, &node, sid, &snapshot, after, &entries);
                let mut ledger = lock(&self.books.ledger);
                match followed {
                    Ok(()) => ledger.entry(sid).published = Some(numbered(&snapshot)),
                    Err(_) => ledger.entry(sid).version = 0,
                }
                followed.is_ok()
            }
            None => {
                if let Some(call) = call {
                    call.passes_to(now, &node);
                }
                true
            }
        };
        if by.owner.is_empty() {
            self.books.free.notify_one();
        } else {
            self.books.lefts.has_owner(sid);
            if self.registry.feed().is_under_way(sid) {
                self.books.led.notify_one();
            }
        }
        whole
    }

    /// Forgets calls of others that Redis knows no more: more were removed than it remembers by name.
    async fn forget_unlisted(&self) -> Result<(), Failed> {
        let theirs = |held: &Held| matches!(held, Held::Theirs(_));
        let all = self.registry.all_held().into_iter();
        let mut unlisted: HashSet<CallSid> = all
            .filter(|(_, held)| theirs(held))
            .map(|(call, _)| call.sid().clone())
            .collect();
        let mut from = 0;
        loop {
            let page = self.list_after(from).await?;
            for sid in &page.calls {
                unlisted.remove(sid);
            }
            match page.more_after {
                Some(last) if last > from => from = last,
                _ => break,
            }
        }
        unlisted.iter().for_each(|sid| self.is_forgotten(sid));
        Ok(())
    }

    fn is_forgotten(&self, sid: &CallSid) {
        lock(&self.books.ledger).remove(sid);
        self.registry.forget_theirs(sid);
    }

    fn is_erased(&self, sid: &CallSid) {
        if self.registry.known(sid).is_some() {
            warn!(call = %sid, "another relay has erased it");
            lock(&self.books.ledger).entry(sid).erased = true;
        } else {
            lock(&self.books.ledger).remove(sid);
        }
        self.registry.erased_elsewhere(Now::take(), sid);
    }
}
