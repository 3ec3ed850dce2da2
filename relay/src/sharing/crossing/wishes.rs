//! What this relay wants to hear of others' calls: said to whoever has them as soon as that changes, and again and again,
//! since nobody answers it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use partyline_shared::id::CallSid;
use tokio::time::{MissedTickBehavior, interval};

use super::Crossing;
use crate::calls::call::{Held, Wants};
use crate::sharing::letter::Word;

/// How often all of it is said again. Three of these are what it takes to be forgotten.
const AGAIN: Duration = Duration::from_secs(2);
/// Calls in one word: 40 KB.
const IN_A_WORD: usize = 500;

/// What is to be said to each relay.
type Says = BTreeMap<Arc<str>, Vec<(CallSid, Wants)>>;

/// What was said.
#[derive(Default)]
struct Told {
    /// Who knows that a call of it is listened to here.
    heard: HashMap<CallSid, Arc<str>>,
    /// Who knows that somebody here watches levels.
    watched: BTreeSet<Arc<str>>,
}

impl Crossing {
    /// Says it, until it is dropped.
    pub(super) async fn say_wishes(&self) {
        let feed = self.hub.registry.feed();
        let mut told = Told::default();
        let mut again = interval(AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut link = self.hub.broker.link();
        loop {
            let mut says = Says::new();
            let all = tokio::select! {
                changed = feed.ears_changed() => {
                    for sid in changed {
                        self.look(&mut told, &mut says, sid);
                    }
                    false
                }
                () = feed.watched.changed() => true,
                changed = link.changed() => changed.is_ok() && link.borrow_and_update().up,
                _ = again.tick() => true,
            };
            if all {
                let sids: Vec<CallSid> = told.heard.keys().cloned().collect();
                for sid in sids {
                    self.look(&mut told, &mut says, sid);
                }
                self.look_at_levels(&mut told, &mut says);
                self.forget_unheard();
            }
            self.say(says).await;
        }
    }

    /// Whether somebody here listens to a call of another relay, and who is to know.
    fn look(&self, told: &mut Told, says: &mut Says, sid: CallSid) {
        let call = self.hub.registry.known(&sid);
        // One that this relay stands in for is heard on when its owner is back.
        if call.as_ref().is_none_or(|call| !call.is_heard()) {
            self.hears_no_more(&sid);
        }
        let theirs = call.and_then(|call| match call.held() {
            Held::Theirs(node) => Some((node, call.wants()?)),
            Held::Ours | Held::Taking => None,
        });
        let theirs = theirs.filter(|(_, wants)| wants.listeners > 0);
        let before = told.heard.remove(&sid);
        let other = before.filter(|before| theirs.as_ref().is_none_or(|(node, _)| node != before));
        if let Some(other) = other {
            says.entry(other)
                .or_default()
                .push((sid.clone(), Wants::default()));
        }
        if let Some((node, wants)) = theirs {
            says.entry(node.clone()).or_default().push((sid.clone(), wants));
            told.heard.insert(sid, node);
        }
    }

    /// Who is to know how often somebody here looks at levels.
    fn look_at_levels(&self, told: &mut Told, says: &mut Says) {
        let mut watched = BTreeSet::new();
        if self.hub.registry.feed().watched.hz() > 0.0 {
            watched = self.hub.registry.others();
        }
        for node in watched.iter().chain(&told.watched) {
            says.entry(node.clone()).or_default();
        }
        told.watched = watched;
    }

    /// Says each relay its part. What does not arrive is said again soon.
    async fn say(&self, says: Says) {
        let levels_hz = self.hub.registry.feed().watched.hz();
        for (node, calls) in says {
            let mut calls = calls
                .into_iter()
                .map(|(sid, wants)| (sid, wants.listeners, wants.hearing, wants.replay_ms))
                .peekable();
            loop {
                let calls_of_word = calls.by_ref().take(IN_A_WORD).collect();
                let word = Word::Ears {
                    calls: calls_of_word,
                    levels_hz,
                };
                let said = self.hub.say_to(&node, word).await;
                if said.is_err() || calls.peek().is_none() {
                    break;
                }
            }
        }
    }
}
