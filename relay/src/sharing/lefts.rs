//! Calls that this relay had and another has now: what only it knew is said until that one has taken it. And what others
//! say of calls that this one has now.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use partyline_shared::id::CallSid;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::Hears;
use super::hub::{Hub, Owner, numbering};
use super::letter::Word;
use crate::calls::call::Held;
use crate::calls::journal::Cursor;
use crate::calls::mirror::{Numbered, Snapshot, Told};
use crate::clock::Now;
use crate::lock::lock;

/// How often it is said again: an answer takes a few ms.
const AGAIN: Duration = Duration::from_millis(500);
/// Calls whose last word nobody has taken yet, some 3 KB each; the rest of what is beyond is lost, and counted.
const MOST: usize = 4_096;

/// What was left.
#[derive(Debug, Clone)]
pub(super) struct Left {
    pub(super) token: u64,
    pub(super) after: Cursor,
    pub(super) snapshot: Box<Snapshot>,
    pub(super) entries: Vec<Numbered>,
}

/// What is to be said, and what has come.
#[derive(Debug, Default)]
pub(super) struct Lefts {
    ours: Mutex<HashMap<CallSid, Left>>,
    said: Notify,
    /// Of calls that are being taken.
    theirs: Mutex<HashMap<CallSid, (String, Left)>>,
    came: Notify,
    /// What was taken last of each call: it may be said twice.
    taken: Mutex<HashMap<CallSid, (String, u64)>>,
}

impl Lefts {
    /// This is to be said to whoever has the call now.
    pub(super) fn leave(&self, hub: &Hub, sid: &CallSid, token: u64, told: Told) {
        let left = Left {
            token,
            after: told.after,
            snapshot: Box::new(told.snapshot),
            entries: told.entries,
        };
        let mut ours = lock(&self.ours);
        if ours.len() >= MOST && !ours.contains_key(sid) {
            hub.metrics.letters_lost.add_one();
            return;
        }
        ours.insert(sid.clone(), left);
        drop(ours);
        self.said.notify_one();
    }

    /// What the owner before has said of a call that is being taken; waits for it that long.
    pub(super) async fn of(&self, sid: &CallSid, patience: Duration) -> Option<(String, Left)> {
        let came = async {
            loop {
                let news = self.came.notified();
                tokio::pin!(news);
                news.as_mut().enable();
                if let Some(left) = lock(&self.theirs).remove(sid) {
                    return left;
                }
                news.await;
            }
        };
        timeout(patience, came).await.ok()
    }

    /// There is an owner of this call: what is to be said is said to that one.
    pub(super) fn has_owner(&self, sid: &CallSid) {
        if lock(&self.ours).contains_key(sid) {
            self.said.notify_one();
        }
    }

    /// Whether nothing is to be said.
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.ours).is_empty()
    }

    /// A call is known no more.
    pub(super) fn forget(&self, sid: &CallSid) {
        lock(&self.ours).remove(sid);
        lock(&self.theirs).remove(sid);
        lock(&self.taken).remove(sid);
    }

    /// Whether this was taken before; it is from now on.
    pub(super) fn is_taken(&self, sid: &CallSid, from: &str, token: u64) -> bool {
        let this = (from.to_owned(), token);
        lock(&self.taken).insert(sid.clone(), this.clone()) == Some(this)
    }
}

/// Says what is to be said, until it is dropped.
pub(super) async fn keep(hub: Hub) {
    let lefts = &hub.books.lefts;
    loop {
        let all: Vec<(CallSid, Left)> = {
            let ours = lock(&lefts.ours);
            ours.iter()
                .map(|(sid, left)| (sid.clone(), left.clone()))
                .collect()
        };
        for (sid, left) in &all {
            match hub.owner_of(sid) {
                Owner::Theirs(node) => {
                    let word = Word::Left {
                        call_sid: sid.clone(),
                        token: left.token,
                        after: left.after,
                        snapshot: left.snapshot.clone(),
                        entries: left.entries.clone(),
                    };
                    // What comes to nothing is said again.
                    let _ = hub.say_to(&node, word).await;
                }
                // It has come back before anybody has taken that.
                Owner::Ours => {
                    if let Some(call) = hub.registry.known(sid) {
                        call.merge(Now::take(), &left.snapshot, &left.entries, numbering());
                    }
                    lock(&lefts.ours).remove(sid);
                }
                Owner::Unknown => lefts.forget(sid),
                Owner::Taking | Owner::Gone(_) => {}
            }
        }
        let again = async {
            if lock(&lefts.ours).is_empty() {
                std::future::pending::<()>().await;
            }
            sleep(AGAIN).await;
        };
        tokio::select! {
            () = lefts.said.notified() => {}
            () = again => {}
        }
    }
}

/// Hears what others leave.
pub(super) struct Heirs(pub(super) Hub);

impl Hears for Heirs {
    fn hear(&self, from: &str, word: Word) -> Option<Word> {
        let hub = &self.0;
        match word {
            Word::Left {
                call_sid,
                token,
                after,
                snapshot,
                entries,
            } => {
                let left = Left {
                    token,
                    after,
                    snapshot,
                    entries,
                };
                self.left(from, &call_sid, left);
                None
            }
            Word::LeftTaken { call_sid, token } => {
                let mut ours = lock(&hub.books.lefts.ours);
                if ours.get(&call_sid).is_some_and(|left| left.token == token) {
                    ours.remove(&call_sid);
                }
                None
            }
            other => Some(other),
        }
    }
}

impl Heirs {
    fn left(&self, from: &str, sid: &CallSid, left: Left) {
        let (hub, lefts) = (&self.0, &self.0.books.lefts);
        let token = left.token;
        match hub.registry.known(sid) {
            Some(call) => match call.held() {
                Held::Ours => {
                    if !lefts.is_taken(sid, from, token) {
                        call.merge(Now::take(), &left.snapshot, &left.entries, numbering());
                    }
                    hub.took(from, sid, token);
                }
                Held::Taking => {
                    lock(&lefts.theirs).insert(sid.clone(), (from.to_owned(), left));
                    lefts.came.notify_waiters();
                }
                // Whoever leaves it finds out who has it.
                Held::Theirs(_) => {}
            },
            None => hub.took(from, sid, token),
        }
    }
}

impl Hub {
    /// Tells the owner before that its last word is taken; it is said again until this is heard.
    pub(super) fn took(&self, from: &str, sid: &CallSid, token: u64) {
        let (hub, from, call_sid) = (self.clone(), from.to_owned(), sid.clone());
        tokio::spawn(async move {
            let word = Word::LeftTaken { call_sid, token };
            if let Err(failed) = hub.say_to(&from, word).await {
                warn!(%failed, "another relay is not told that its last word is taken: it says it again");
            }
        });
    }
}
