//! What is done to calls that other relays have: brought there, done there once and in order, kept while nobody can be
//! reached. Decides nothing about who has a call.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`session`] | sans-I/O: where each deed goes, when it is sent again, when it is let go |

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use partyline_shared::id::CallSid;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use super::letter::Word;
use super::{Hears, Hub, Owner};
use crate::clock::Now;
use crate::stop::Stop;

pub mod session;
#[cfg(test)]
mod tests;

use session::{Handed, Out, Session, Way};

/// Letters that wait for the task, 64 KB each at most: each other relay has one under way. What finds no room is sent
/// again.
const QUEUE: usize = 256;
/// How often it is looked where calls are whose deeds are not done: what a person would not notice.
const TICK: Duration = Duration::from_millis(100);
/// Calls that are claimed at once: what Redis answers within one time-out.
const CLAIMS: usize = 16;

/// Takes what other relays say of deeds.
pub struct Post {
    letters: Sender<Letter>,
}

/// What is to be run.
pub struct Round {
    hub: Hub,
    letters: Receiver<Letter>,
    session: Session,
    claims: JoinSet<CallSid>,
    seats: Arc<Semaphore>,
    /// How many the feed had lost when that was looked at.
    lost: u64,
}

enum Letter {
    Deeds {
        from: String,
        batch: u64,
        deeds: Vec<Handed>,
    },
    Done {
        from: String,
        batch: u64,
        back: Vec<u64>,
    },
}

/// The two halves.
pub fn open(hub: Hub) -> (Arc<Post>, Round) {
    let (sender, letters) = channel(QUEUE);
    let round = Round {
        hub,
        letters,
        session: Session::default(),
        claims: JoinSet::new(),
        seats: Arc::new(Semaphore::new(CLAIMS)),
        lost: 0,
    };
    (Arc::new(Post { letters: sender }), round)
}

impl Hears for Post {
    fn hear(&self, from: &str, word: Word) -> Option<Word> {
        let from = from.to_owned();
        let letter = match word {
            Word::Deeds { batch, deeds } => Letter::Deeds { from, batch, deeds },
            Word::DeedsDone { batch, back } => Letter::Done { from, batch, back },
            other => return Some(other),
        };
        // Who gets no answer says it again.
        let _ = self.letters.try_send(letter);
        None
    }
}

impl Round {
    /// Brings deeds to where they belong until `stop`.
    pub async fn run(mut self, stop: Stop) {
        let registry = self.hub.registry.clone();
        let books = self.hub.books.clone();
        let mut link = self.hub.broker.link();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let idle = self.session.is_idle();
            tokio::select! {
                deeds = registry.feed().deeds() => {
                    for (sid, deed) in deeds {
                        self.session.push(sid, deed);
                    }
                }
                Some(letter) = self.letters.recv() => self.take(letter).await,
                Some(claimed) = self.claims.join_next() => {
                    if let Ok(sid) = claimed {
                        self.session.claimed(Instant::now(), &sid);
                    }
                }
                Ok(()) = link.changed() => {
                    if self.hub.broker.is_up() {
                        self.session.link_is_back();
                    }
                }
                _ = ticks.tick(), if !idle => self.session.stir(),
                () = books.led.notified() => self.session.stir(),
                () = stop.cancelled() => break,
            }
            self.turn().await;
        }
        let left = self.session.waiting();
        if left > 0 {
            self.hub.metrics.deeds_lost.add(left as u64);
            warn!(
                left,
                "callbacks of other relays' calls could not be handed over before leaving"
            );
        }
    }

    /// Does what there is to do.
    async fn turn(&mut self) {
        let hub = self.hub.clone();
        let up = hub.broker.is_up();
        for out in self.session.poll(Instant::now(), up, |sid| way(&hub, sid)) {
            match out {
                Out::Do(sid, deeds) => {
                    let upto = do_here(&hub, &sid, deeds);
                    self.session.did(Instant::now(), &sid, upto);
                }
                Out::Claim(sid) => {
                    let (hub, seats) = (hub.clone(), self.seats.clone());
                    self.claims.spawn(async move {
                        // It is never closed.
                        let _seat = seats.acquire().await;
                        // Whatever came of it, it is looked where the call is now.
                        let _ = hub.claim(&sid).await;
                        sid
                    });
                }
                Out::Send {
                    node,
                    batch,
                    deeds,
                    again,
                } => {
                    let count = deeds.len() as u64;
                    if again {
                        hub.metrics.deeds_resent.add(count);
                    } else {
                        hub.metrics.deeds_sent.add(count);
                    }
                    // What does not arrive is not answered, and sent again.
                    let _ = hub.say_to(&node, Word::Deeds { batch, deeds }).await;
                }
            }
        }
        hub.registry.feed().settled(&self.session.gone());
        let given_up = hub.registry.feed().lost.get();
        let lost = self.session.lost() + given_up.saturating_sub(self.lost);
        self.lost = given_up;
        hub.metrics.deeds_lost.add(lost);
    }

    async fn take(&mut self, letter: Letter) {
        match letter {
            Letter::Deeds { from, batch, deeds } => {
                let back = do_for(&self.hub, &from, deeds);
                let _ = self.hub.say_to(&from, Word::DeedsDone { batch, back }).await;
            }
            Letter::Done { from, batch, back } => {
                self.session.answered(Instant::now(), &from, batch, &back);
            }
        }
    }
}

fn way(hub: &Hub, sid: &CallSid) -> Way {
    match hub.owner_of(sid) {
        Owner::Ours => Way::Here,
        Owner::Unknown => Way::New,
        Owner::Taking => Way::Wait,
        // Another is about to take it.
        Owner::Gone(_) if hub.leaves_to_others(sid) => Way::Wait,
        Owner::Gone(_) => Way::Nobody,
        Owner::Theirs(node) => {
            let call = hub.registry.known(sid);
            let told = call.map_or(0, |call| call.applied_of(&hub.node));
            Way::There { node, told }
        }
    }
}

/// Does deeds of this relay's own to a call that is here; the number of the last that is done, or comes to nothing.
fn do_here(hub: &Hub, sid: &CallSid, deeds: Vec<(u64, crate::calls::mirror::Deed)>) -> u64 {
    let mut upto = 0;
    for (number, deed) in deeds {
        let now = Now::take();
        // Of a call that was erased, or is one too many, nothing is kept.
        let done = hub
            .registry
            .open(now, sid)
            .map_or(true, |call| call.apply_from(now, &hub.node, number, 0, deed));
        if !done {
            break;
        }
        upto = number;
    }
    upto
}

/// Does deeds that another relay sends; the numbers of those whose calls are not here.
fn do_for(hub: &Hub, from: &str, deeds: Vec<Handed>) -> Vec<u64> {
    let mut back = Vec::new();
    let mut not_here = HashSet::new();
    for handed in deeds {
        let Handed {
            number,
            after,
            call_sid,
            deed,
        } = handed;
        let call = hub.registry.known(&call_sid);
        let done = !not_here.contains(&call_sid)
            && call.is_some_and(|call| call.apply_from(Now::take(), from, number, after, deed));
        if done {
            hub.metrics.deeds_done.add_one();
        } else {
            hub.metrics.deeds_back.add_one();
            back.push(number);
            not_here.insert(call_sid);
        }
    }
    back
}
