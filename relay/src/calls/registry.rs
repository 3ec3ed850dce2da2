//! Every call this relay knows, until retention ends. Who reads shows a grant; who writes (Twilio's
//! side) opens the call, whatever arrives first.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use partyline_shared::call::{CallStatus, StreamState};
use partyline_shared::id::CallSid;
use tokio::time::{sleep, timeout};

use super::call::{Call, Shared};
use super::lobby::{Listed, Lobby};
use super::parties::Origin;
use crate::access::Grant;
use crate::clock::Now;
use crate::lock::lock;
use crate::metrics::Metrics;

mod erase;
mod marks;
mod shared;

use marks::Marks;

/// Ended calls kept at most; the oldest go first.
pub const ENDED_CALLS: usize = 20_000;

/// How often it is looked whether a missing line has been waited for long enough: an order of magnitude under
/// the 500 ms that it may take.
const TICK: Duration = Duration::from_millis(100);

/// How long after a call was opened its opener may still write to it.
const IN_HAND: Duration = Duration::from_secs(1);

/// Lesser changes of a call are told this often at most.
const MINOR_UPSERTS: Duration = Duration::from_secs(2);

/// How often all other deadlines are looked at, of which the shortest is a second, and lesser changes told in
/// rounds of …
const ROUND: Duration = Duration::from_millis(500);

/// … so many calls: 20 a second are more than anyone reads, and each goes to every listener.
const UPSERTS_A_ROUND: usize = 10;

/// What may change while the relay runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Ended calls stay visible for so long.
    pub retention: Duration,
    /// Audio remembered per track.
    pub history: Duration,
    /// Calls followed at once.
    pub max_calls: usize,
}

#[derive(Debug, Default)]
struct Inner {
    calls: HashMap<CallSid, Arc<Call>>,
    /// Calls to which time may still do something, and when each was last opened.
    awake: HashMap<CallSid, (Arc<Call>, Instant)>,
    /// Ended ones by their end.
    ended: BTreeSet<(Instant, CallSid)>,
    /// When lesser changes were told last.
    last_round: Option<Instant>,
    marks: Marks,
}

/// How many calls there are.
#[derive(Debug, Clone, Copy)]
pub struct Census {
    /// Not over.
    pub live: usize,
    /// Of these, by status: all that a call may have which is not over.
    pub statuses: [(CallStatus, usize); 5],
    /// Of these, with a live stream.
    pub streams: usize,
    /// Over, and remembered.
    pub ended: usize,
}

impl Default for Census {
    fn default() -> Census {
        use CallStatus::{InProgress, Initiated, Queued, Ringing, Unknown};
        Census {
            live: 0,
            statuses: [Queued, Initiated, Ringing, InProgress, Unknown].map(|status| (status, 0)),
            streams: 0,
            ended: 0,
        }
    }
}

/// All calls of this relay.
#[derive(Debug)]
pub struct Registry {
    settings: ArcSwap<Settings>,
    shared: Arc<Shared>,
    inner: Mutex<Inner>,
}

/// Why a call is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    /// There are as many calls as may be followed.
    #[error("as many calls as --max-calls allows are being followed")]
    TooManyCalls,
    /// An admin had it erased.
    #[error("the call was erased")]
    Erased,
}

impl Registry {
    /// An empty registry of the relay `node`.
    pub fn new(node: String, settings: Settings, metrics: Arc<Metrics>) -> Registry {
        let shared = Arc::new(Shared::new(node, metrics));
        Registry {
            settings: ArcSwap::from_pointee(settings),
            shared,
            inner: Mutex::default(),
        }
    }

    /// The relay's name.
    pub fn node(&self) -> &str {
        &self.shared.node
    }

    /// The most that is remembered of a track.
    pub fn history(&self) -> Duration {
        self.settings.load().history
    }

    /// The list of calls.
    pub fn lobby(&self) -> &Lobby {
        &self.shared.lobby
    }

    /// Counters.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.shared.metrics
    }

    /// Puts other settings in force, for calls to come and deadlines to come.
    pub fn set(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// Memory is short: no call remembers audio from here on, those to come not until [`Registry::remember`].
    pub fn remember_no_audio(&self) {
        self.remember(Duration::ZERO);
        let calls: Vec<Arc<Call>> = lock(&self.inner).calls.values().cloned().collect();
        calls.iter().for_each(|call| call.remember_no_audio());
    }

    /// Calls to come remember so much audio of each track.
    pub fn remember(&self, history: Duration) {
        let settings = Settings::clone(&self.settings.load());
        self.set(Settings { history, ..settings });
    }

    /// The call of this name, begun now where it is not known: for who writes.
    ///
    /// # Errors
    /// [`NotFollowed`] when it would be one too many, or was erased.
    pub fn open(&self, now: Now, sid: &CallSid) -> Result<Arc<Call>, NotFollowed> {
        let settings = self.settings.load();
        let mut inner = lock(&self.inner);
        if let Some(call) = inner.calls.get(sid).cloned() {
            inner.awake.insert(sid.clone(), (call.clone(), now.mono));
            return Ok(call);
        }
        if inner.marks.is_erased(now.mono, sid) {
            return Err(NotFollowed::Erased);
        }
        if !self.has_room() {
            self.shared.metrics.calls_refused.add_one();
            return Err(NotFollowed::TooManyCalls);
        }
        self.shared.metrics.calls_started.add_one();
        let journal = format!("{:08x}", rand::random::<u32>());
        let call = Arc::new(Call::new(
            sid.clone(),
            now,
            self.shared.clone(),
            journal,
            settings.history,
        ));
        if inner.marks.takes_paused(sid) {
            call.was_paused(now);
        }
        inner.calls.insert(sid.clone(), call.clone());
        inner.awake.insert(sid.clone(), (call.clone(), now.mono));
        Ok(call)
    }

    /// Where a call comes from, if it is known: for who decides whether a request may write to it.
    pub fn origin(&self, sid: &CallSid) -> Option<Origin> {
        let call = lock(&self.inner).calls.get(sid).cloned()?;
        Some(call.origin())
    }

    /// The call of this name: for who acts for the relay itself, and for nobody else.
    pub fn known(&self, sid: &CallSid) -> Option<Arc<Call>> {
        lock(&self.inner).calls.get(sid).cloned()
    }

    /// Calls whose stream was lost since this was asked last; comes to an end when there is one. For one who asks.
    pub async fn losses(&self) -> HashSet<CallSid> {
        loop {
            let lost = std::mem::take(&mut *lock(&self.shared.lost));
            if !lost.is_empty() {
                return lost;
            }
            self.shared.loss.notified().await;
        }
    }

    /// Whether another call can be followed: calls that are over take nobody's place.
    pub fn has_room(&self) -> bool {
        self.shared.live.load(Relaxed) < self.settings.load().max_calls
    }

    /// The call of this name where it exists and `grant` covers it: the two refusals look the same.
    pub fn find(&self, grant: &Grant, sid: &CallSid) -> Option<Arc<Call>> {
        let call = lock(&self.inner).calls.get(sid).cloned()?;
        call.is_covered_by(grant).then_some(call)
    }

    /// Calls in progress that `grant` covers and `wanted` names.
    pub fn live(&self, grant: &Grant, wanted: impl Fn(&CallSid) -> bool) -> Vec<Arc<Call>> {
        let mut calls = self.awake();
        calls.retain(|call| wanted(call.sid()) && call.ended().is_none() && call.is_covered_by(grant));
        calls
    }

    fn awake(&self) -> Vec<Arc<Call>> {
        lock(&self.inner)
            .awake
            .values()
            .map(|(call, _)| call.clone())
            .collect()
    }

    /// All calls that `grant` covers, newest first.
    pub fn list(&self, grant: &Grant) -> Vec<Listed> {
        let mut calls = self.shared.lobby.all();
        calls.retain(|listed| grant.covers(listed.customer_id.as_deref()));
        calls
    }

    /// Calls to which something may still happen, and the ended ones.
    pub fn counts(&self) -> (usize, usize) {
        let inner = lock(&self.inner);
        (inner.awake.len(), inner.ended.len())
    }

    /// How many calls there are, and how they stand.
    pub fn census(&self) -> Census {
        let mut census = Census {
            ended: self.counts().1,
            ..Census::default()
        };
        for call in self.awake() {
            let (status, stream) = call.standing();
            if call.ended().is_some() {
                census.ended += 1;
                continue;
            }
            census.live += 1;
            census.streams += usize::from(stream == StreamState::Live);
            if let Some((_, n)) = census.statuses.iter_mut().find(|(of, _)| *of == status) {
                *n += 1;
            }
        }
        census
    }

    /// Comes to an end when [`Registry::on_deadline`] is to be called: after a round, or sooner where a call waits for
    /// a missing line. Who has nothing to do does not wake for it ten times a second.
    pub async fn next_look(&self) {
        let hurry = self.shared.hurry.notified();
        let calm = lock(&self.shared.hurried).is_empty();
        if calm && timeout(ROUND, hurry).await.is_err() {
            return;
        }
        sleep(TICK).await;
    }

    /// What time brings.
    pub fn on_deadline(&self, now: Now) {
        if !self.is_round(now.mono) {
            return self.hurry(now);
        }
        let settings = self.settings.load();
        self.wake_stirred(now.mono);
        let awake = self.awake();
        let told = longest_waiting(&awake, now.mono);
        for call in awake {
            call.on_deadline(now, told.contains(call.sid()));
            // What is no longer visible needs no history.
            if call.rest(now.mono, settings.history.min(settings.retention)) {
                self.lay_to_rest(now.mono, &call);
            }
        }
        self.forget(now.mono, settings.retention);
    }

    /// Between two rounds: only what may not wait for the next.
    fn hurry(&self, now: Now) {
        let hurried = std::mem::take(&mut *lock(&self.shared.hurried));
        for sid in hurried {
            let Some(call) = lock(&self.inner).calls.get(&sid).cloned() else {
                continue;
            };
            call.on_deadline(now, false);
            if call.is_hurried() {
                lock(&self.shared.hurried).insert(sid);
            }
        }
    }

    fn wake_stirred(&self, now: Instant) {
        let stirred = std::mem::take(&mut *lock(&self.shared.stirred));
        let mut inner = lock(&self.inner);
        for sid in stirred {
            if let Some(call) = inner.calls.get(&sid).cloned() {
                inner.awake.entry(sid).or_insert((call, now));
            }
        }
    }

    fn is_round(&self, now: Instant) -> bool {
        let last = &mut lock(&self.inner).last_round;
        let due = last.is_none_or(|last| now.saturating_duration_since(last) >= ROUND);
        if due {
            *last = Some(now);
        }
        due
    }

    /// Who opened the call a moment ago may be about to write: it stays awake.
    fn lay_to_rest(&self, now: Instant, call: &Arc<Call>) {
        let Some(at) = call.ended() else { return };
        let mut inner = lock(&self.inner);
        let opened = inner.awake.get(call.sid()).map(|(_, opened)| *opened);
        if opened.is_some_and(|opened| now.saturating_duration_since(opened) < IN_HAND) {
            return;
        }
        inner.awake.remove(call.sid());
        inner.ended.insert((at, call.sid().clone()));
    }

    fn forget(&self, now: Instant, retention: Duration) {
        let mut inner = lock(&self.inner);
        inner.marks.on_deadline(now);
        let too_old = |at: Instant| now.saturating_duration_since(at) >= retention;
        while let Some((at, _)) = inner.ended.first() {
            if inner.ended.len() <= ENDED_CALLS && !too_old(*at) {
                break;
            }
            let Some((at, sid)) = inner.ended.pop_first() else {
                break;
            };
            // A call that came back has another end, or none; one that is awake is not at rest.
            let gone = inner.calls.get(&sid).is_some_and(|call| call.ended() == Some(at));
            if gone
                && !inner.awake.contains_key(&sid)
                && let Some(call) = inner.calls.remove(&sid)
            {
                call.forget();
                lock(&self.shared.lost).remove(&sid);
            }
        }
    }
}

/// The calls of a round: those whose lesser changes have waited longest, and long enough.
fn longest_waiting(calls: &[Arc<Call>], now: Instant) -> HashSet<CallSid> {
    let mut waiting: Vec<(Instant, &CallSid)> = calls
        .iter()
        .filter_map(|call| call.waits_since().map(|since| (since, call.sid())))
        .filter(|(since, _)| now.saturating_duration_since(*since) >= MINOR_UPSERTS)
        .collect();
    waiting.sort_unstable();
    waiting
        .into_iter()
        .take(UPSERTS_A_ROUND)
        .map(|(_, sid)| sid.clone())
        .collect()
}

#[cfg(test)]
mod tests;
