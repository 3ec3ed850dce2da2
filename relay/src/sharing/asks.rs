//! What scripts ask of calls that other relays have: brought there, done there, and answered here. An answer is never
//! made up: where none comes, nobody says that something was done. Knows no call's content and no door: what is done for
//! others is done by [`Hands`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use http::StatusCode;
use partyline_shared::id::CallSid;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::letter::Word;
use super::{Claimed, Hears, Hub, Owner};
use crate::broker::Failed;
use crate::errand::{Answered, Errand, Hands};
use crate::lock::lock;
use crate::respond::Refusal;

/// How long an answer of another relay may take: what is asked for there is done in milliseconds, and who asks may try
/// again.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same where all are asked, of which one may be gone and not known to be.
const ALL_PATIENCE: Duration = Duration::from_millis(500);
/// Errands of this relay that may wait for an answer at once: so many scripts ask of calls elsewhere, and no task more.
const ASKED: usize = 1_024;
/// Errands of others that are done here at once.
const RUN: usize = 256;
/// How long is waited for what was done here to be told: it takes some ten milliseconds, and who asks from another relay
/// waits for [`PATIENCE`].
const KEPT: Duration = Duration::from_millis(500);
/// A call whose owner is being settled is looked at so often: that takes some ten of these.
const LOOK: Duration = Duration::from_millis(20);

const DOWN: &str =
    "another relay has this call, and relays cannot reach each other now; nothing was done, try again later";
const SILENT: &str =
    "the relay that has this call has not answered; whether it was done is not known, so look, or try again";
const BUSY: &str = "too much is asked of other relays at once; nothing was done, try again later";

/// All errands of one relay.
pub struct Asks {
    hub: Hub,
    hands: OnceLock<Arc<dyn Hands>>,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Option<Answered>>>>,
    next: AtomicU64,
    asked: Semaphore,
    run: Arc<Semaphore>,
}

/// What became of an errand that was sent.
enum Came {
    Answer(Answered),
    /// The relay has the call no more, or does not hear: it was not done.
    NotThere,
    /// The link is down: it was not sent.
    Down,
}

/// An answer that is waited for, until this is dropped.
struct Waiting<'a>(&'a Asks, u64);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(&self.0.waiting).remove(&self.1);
    }
}

impl Asks {
    /// Nothing is asked for yet.
    pub fn new(hub: Hub) -> Arc<Asks> {
        Arc::new(Asks {
            hub,
            hands: OnceLock::new(),
            waiting: Mutex::default(),
            next: AtomicU64::new(1),
            asked: Semaphore::new(ASKED),
            run: Arc::new(Semaphore::new(RUN)),
        })
    }

    /// Who does what others ask for, from here on.
    pub fn done_by(&self, hands: Arc<dyn Hands>) {
        let _ = self.hands.set(hands);
    }

    /// Has an errand done by whoever has the call; `None` where that is this relay, so that it is to be done here.
    pub async fn ask(&self, sid: &CallSid, errand: &Errand) -> Option<Answered> {
        let Ok(_seat) = self.asked.try_acquire() else {
            self.hub.metrics.asks_refused.add_one();
            return Some(unavailable(BUSY));
        };
        let answered = timeout(PATIENCE, self.lead(sid, errand)).await;
        let answered = answered.unwrap_or_else(|_| {
            self.hub.metrics.asks_late.add_one();
            Some(unavailable(SILENT))
        });
        if answered.is_some() {
            self.hub.metrics.asks_sent.add_one();
        }
        answered
    }

    /// The call may go from one relay to another meanwhile: what was not done there is asked of the next.
    async fn lead(&self, sid: &CallSid, errand: &Errand) -> Option<Answered> {
        loop {
            match self.hub.owner_of(sid) {
                Owner::Ours | Owner::Unknown => return None,
                Owner::Taking => {}
                Owner::Gone(_) if !self.hub.broker.is_up() => return Some(unavailable(DOWN)),
                Owner::Gone(_) => {
                    if let Ok(Claimed::Ours | Claimed::Gone) = self.hub.claim(sid).await {
                        return None;
                    }
                }
                Owner::Theirs(node) => match self.send(&node, Some(sid), errand).await {
                    Came::Answer(answered) => return Some(answered),
                    Came::Down => return Some(unavailable(DOWN)),
                    Came::NotThere => {}
                },
            }
            sleep(LOOK).await;
        }
    }

    /// Ends when what was done here up to now is in Redis, so that it holds also where this relay is killed next. Where
    /// Redis does not take it, or is away, that is not waited for longer than 500 ms.
    pub async fn is_kept(&self) {
        if self.hub.broker.is_up() && self.hub.has_lease() {
            let _ = timeout(KEPT, self.hub.flush()).await;
        }
    }

    /// Has an errand done by every other relay; by the relays' names, `None` of one that did not answer.
    pub async fn ask_all(self: &Arc<Self>, errand: &Errand) -> Vec<(Arc<str>, Option<Answered>)> {
        let Ok(_seat) = self.asked.try_acquire() else {
            self.hub.metrics.asks_refused.add_one();
            let others = self.hub.peers().into_iter();
            return others.map(|peer| (peer.node, None)).collect();
        };
        let mut asked = JoinSet::new();
        for peer in self.hub.peers() {
            let (asks, errand) = (self.clone(), errand.clone());
            asked.spawn(async move {
                let came = timeout(ALL_PATIENCE, asks.send(&peer.node, None, &errand)).await;
                let answered = match came {
                    Ok(Came::Answer(answered)) => Some(answered),
                    _ => None,
                };
                if answered.is_none() {
                    asks.hub.metrics.asks_late.add_one();
                }
                (peer.node, answered)
            });
        }
        let mut answers = asked.join_all().await;
        answers.sort_by(|a, b| a.0.cmp(&b.0));
        answers
    }

    async fn send(&self, node: &str, call_sid: Option<&CallSid>, errand: &Errand) -> Came {
        let id = self.next.fetch_add(1, Relaxed);
        let (tell, told) = oneshot::channel();
        lock(&self.waiting).insert(id, tell);
        let _waiting = Waiting(self, id);
        let word = Word::Ask {
            id,
            call_sid: call_sid.cloned(),
            errand: Box::new(errand.clone()),
        };
        match self.hub.say_to(node, word).await {
            Ok(true) => match told.await {
                Ok(Some(answered)) => Came::Answer(answered),
                _ => Came::NotThere,
            },
            Ok(false) => Came::NotThere,
            // It may have been sent: then its answer comes, or does not.
            Err(Failed::Late | Failed::Broken) => match told.await {
                Ok(Some(answered)) => Came::Answer(answered),
                _ => Came::NotThere,
            },
            Err(Failed::Down | Failed::Refused(_)) => Came::Down,
        }
    }

    /// Does what another relay asks for, unless its call is not this relay's.
    async fn run(self: Arc<Self>, from: String, id: u64, call_sid: Option<CallSid>, errand: Errand) {
        let ours = call_sid.is_none_or(|sid| self.hub.owner_of(&sid) == Owner::Ours);
        let hands = self.hands.get().filter(|_| ours);
        let answered = match hands {
            Some(hands) => Some(hands.run(errand).await),
            None => None,
        };
        self.answer(&from, id, answered).await;
    }

    async fn answer(&self, to: &str, id: u64, answered: Option<Answered>) {
        let answered = answered.map(Box::new);
        // Who does not hear it says that it did not.
        let _ = self.hub.say_to(to, Word::Answer { id, answered }).await;
    }
}

/// As a room that hears what other relays say.
pub struct Desk(pub Arc<Asks>);

impl Hears for Desk {
    fn hear(&self, from: &str, word: Word) -> Option<Word> {
        match word {
            Word::Ask { id, call_sid, errand } => {
                let (asks, from) = (self.0.clone(), from.to_owned());
                match self.0.run.clone().try_acquire_owned() {
                    Ok(seat) => {
                        self.0.hub.metrics.asks_run.add_one();
                        tokio::spawn(async move {
                            asks.run(from, id, call_sid, *errand).await;
                            drop(seat);
                        });
                    }
                    Err(_) => {
                        self.0.hub.metrics.asks_refused.add_one();
                        // As many as other relays have waiting.
                        tokio::spawn(async move { asks.answer(&from, id, Some(unavailable(BUSY))).await });
                    }
                }
                None
            }
            Word::Answer { id, answered } => {
                if let Some(tell) = lock(&self.0.waiting).remove(&id) {
                    let _ = tell.send(answered.map(|answered| *answered));
                }
                None
            }
            other => Some(other),
        }
    }
}

fn unavailable(why: &str) -> Answered {
    Answered::refused(&Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", why))
}

#[cfg(test)]
mod tests;
