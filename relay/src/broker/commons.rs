//! What may happen once among all relays: a webhook acts, a stream's pass is taken, a ticket opens a connection. Redis is
//! asked before, for a moment at most; where it does not answer each relay decides by what it knows itself, and what
//! happened meanwhile is brought to Redis afterwards. Knows names and times, not what they are of; no key has anything in
//! it that opens a door.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `line` | what is asked, and for how long |
//! | `waiting` | what Redis has yet to be told (pure) |

mod line;
mod waiting;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_support;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use self::line::{Line, Word};
use self::waiting::Waiting;
pub use self::waiting::{Brought, What};
use super::Broker;
use crate::lock::lock;
use crate::metrics::Metrics;
use crate::patience::within;

/// How long Redis may take to say whether something may act: Twilio waits for 1 s in all, and a stream for its start.
pub const PATIENCE: Duration = Duration::from_millis(250);
/// How long another relay that has begun to act on a webhook is waited for, to say what came of it.
pub const FOR_ANOTHER: Duration = Duration::from_millis(200);
/// How often that is looked for.
const LOOK: Duration = Duration::from_millis(20);
/// After so long one that has begun and said nothing is taken for dead, ms: Twilio's next attempt may act.
const BEGUN_MS: u64 = 5_000;
/// What stands there until it has said so: no value is like it.
const BEGUN: &str = "?";
/// How many are brought to Redis at once.
const TOGETHER: usize = 256;
/// How long Redis may take for those: nobody waits for it.
const BRINGING: Duration = Duration::from_secs(2);
/// How long it is rested where Redis did not take them.
const REST: Duration = Duration::from_millis(500);
/// Bytes of the key that names are hidden by.
pub const KEY: usize = 32;

/// What relays have in common.
pub struct Commons {
    line: Option<Arc<dyn Line>>,
    waiting: Mutex<Waiting>,
    /// There is something to bring.
    some: Notify,
    metrics: Arc<Metrics>,
}

/// Whether a webhook may act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nobody has seen it: whoever asks acts, and [says what came of it](Commons::bring).
    Ours,
    /// It has acted, and this came of it.
    Seen(String),
    /// Another relay has begun to act on it and says nothing yet.
    Begun,
    /// Redis does not say: each relay decides by itself.
    Unknown,
}

/// What became of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It was there, with this, and is not any more.
    With(String),
    /// There is none: it was used, or is too old, or never was.
    None,
    /// Redis does not say.
    Unknown,
}

impl Commons {
    /// A relay that shares nothing: nobody is asked.
    pub fn alone() -> Commons {
        Commons::over(None, Arc::default())
    }

    /// What is shared over this Redis.
    pub fn shared(broker: Broker, metrics: Arc<Metrics>) -> Commons {
        Commons::over(Some(Arc::new(broker)), metrics)
    }

    fn over(line: Option<Arc<dyn Line>>, metrics: Arc<Metrics>) -> Commons {
        Commons {
            line,
            waiting: Mutex::default(),
            some: Notify::new(),
            metrics,
        }
    }

    /// Whether there may be other relays.
    pub fn is_shared(&self) -> bool {
        self.line.is_some()
    }

    /// How much Redis has yet to be told.
    pub fn backlog(&self) -> usize {
        lock(&self.waiting).len()
    }

    /// Whether a webhook of this name may act, within [`PATIENCE`] and [`FOR_ANOTHER`].
    pub async fn claim(&self, name: u64) -> Claim {
        let tail = What::Seen(name).tail();
        let begin = Word::SetIfNone(&tail, BEGUN, BEGUN_MS);
        match self.ask(&[begin, Word::Get(&tail)]).await.as_deref() {
            None => Claim::Unknown,
            Some([Some(_), ..]) => Claim::Ours,
            Some([None, Some(told)]) if told != BEGUN => Claim::Seen(told.clone()),
            // What was there is over by now.
            Some([None, None]) => Claim::Unknown,
            Some(_) => self.wait_for_another(&tail).await,
        }
    }

    async fn wait_for_another(&self, tail: &str) -> Claim {
        let until = Instant::now() + FOR_ANOTHER;
        loop {
            sleep(LOOK).await;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Claim::Begun;
            }
            match self.ask_within(left, &[Word::Get(tail)]).await.as_deref() {
                Some([Some(told)]) if told == BEGUN => {}
                Some([Some(told)]) => return Claim::Seen(told.clone()),
                // The other is dead, or Redis was emptied.
                Some(_) => return Claim::Unknown,
                None => return Claim::Begun,
            }
        }
    }

    /// Takes a pass of this name, which is over in `left`. `None` where Redis does not say whether it was taken before.
    pub async fn spend(&self, name: [u8; 16], left: Duration) -> Option<bool> {
        let tail = What::Pass(name).tail();
        let ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).max(1);
        let answers = self.ask(&[Word::SetIfNone(&tail, "1", ms)]).await?;
        Some(matches!(answers.as_slice(), [Some(_)]))
    }

    /// Lets a ticket of this digest, good for `life`, be used at any relay; whether it can be.
    pub async fn keep_ticket(&self, digest: [u8; 32], grant: &str, life: Duration) -> bool {
        let tail = What::Ticket(digest).tail();
        let ms = u64::try_from(life.as_millis()).unwrap_or(u64::MAX).max(1);
        let kept = self.ask(&[Word::SetIfNone(&tail, grant, ms)]).await;
        matches!(kept.as_deref(), Some([Some(_)]))
    }

    /// Uses a ticket up.
    pub async fn take_ticket(&self, digest: [u8; 32]) -> Taken {
        let tail = What::Ticket(digest).tail();
        match self.ask(&[Word::Take(&tail)]).await.as_deref() {
            Some([Some(grant)]) => Taken::With(grant.clone()),
            Some(_) => Taken::None,
            None => Taken::Unknown,
        }
    }

    /// What acted here, for Redis to be told as soon as it can be. Kept in bounded memory until then; what finds no room
    /// may act again elsewhere, and is counted.
    pub fn bring(&self, brought: Brought) {
        if self.line.is_none() {
            return;
        }
        if !lock(&self.waiting).push(brought) {
            self.metrics.commons_lost.add_one();
        }
        self.some.notify_one();
    }

    /// Brings what waits, and sees to it that all relays hide names by one key, which `adopt` is told, for as long as
    /// this runs. For the relay's own tasks: to be ended by who started it.
    pub async fn keep(&self, adopt: impl Fn([u8; KEY])) {
        let Some(line) = &self.line else { return };
        let mut link = line.link();
        let mut key = None;
        loop {
            let up = link.wait_for(|link| link.up).await.map(|link| link.generation);
            let Ok(generation) = up else { return };
            let Some(agreed) = self.agree(key).await else {
                sleep(REST).await;
                continue;
            };
            key = Some(agreed);
            adopt(agreed);
            let other = async {
                let other = link.wait_for(|link| !link.up || link.generation != generation);
                other.await.is_ok()
            };
            tokio::select! {
                goes_on = other => if !goes_on { return },
                () = self.bring_all() => {}
            }
        }
    }

    /// Brings what waits and what comes, until Redis does not take it.
    async fn bring_all(&self) {
        loop {
            let some = lock(&self.waiting).first(TOGETHER);
            if some.is_empty() {
                self.some.notified().await;
            } else if self.write(&some).await {
                lock(&self.waiting).done(some.len());
            } else {
                return sleep(REST).await;
            }
        }
    }

    async fn write(&self, some: &[Brought]) -> bool {
        let now = now_ms();
        let tails: Vec<String> = some.iter().map(|one| one.what.tail()).collect();
        let words: Vec<Word<'_>> = tails
            .iter()
            .zip(some)
            .filter_map(|(tail, one)| {
                let left = u64::try_from(one.until_ms.saturating_sub(now))
                    .ok()
                    .filter(|left| *left > 0)?;
                Some(Word::Set(tail, &one.told, left))
            })
            .collect();
        words.is_empty() || self.ask_within(BRINGING, &words).await.is_some()
    }

    /// The key that all have: the first one's, and after Redis was emptied the one that is known here.
    async fn agree(&self, known: Option<[u8; KEY]>) -> Option<[u8; KEY]> {
        let mine = known.unwrap_or_else(rand::random);
        let hex: String = mine.iter().map(|byte| format!("{byte:02x}")).collect();
        let answers = self
            .ask(&[Word::SetForEver("key", &hex), Word::Get("key")])
            .await?;
        let [_, Some(agreed)] = answers.as_slice() else {
            return None;
        };
        line::unhex(agreed)
    }

    async fn ask(&self, words: &[Word<'_>]) -> Option<Vec<Option<String>>> {
        self.ask_within(PATIENCE, words).await
    }

    /// What Redis says to each of these; `None` where it did not.
    async fn ask_within(&self, patience: Duration, words: &[Word<'_>]) -> Option<Vec<Option<String>>> {
        let line = self.line.as_ref().filter(|line| line.is_up())?;
        let answers = within(patience, line.ask(words)).await.ok().flatten();
        if answers.is_none() {
            self.metrics.commons_unanswered.add_one();
        }
        answers.filter(|answers| answers.len() == words.len())
    }
}

/// Ends are moments of the wall clock, the same at all relays.
fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

impl fmt::Debug for Commons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commons")
            .field("shared", &self.is_shared())
            .finish_non_exhaustive()
    }
}
