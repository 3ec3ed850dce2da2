//! Watches the tokens file, so that who is added gets in and who is removed is out within seconds. It looks rather
//! than being told: that also works where the file is on another machine's disk. A file that cannot be used
//! changes nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};

use super::tokens::file::Unusable;
use super::{Access, Grant, lock};
use crate::stamp::Stamp;

/// How often the file is looked at. A change acts after two looks at most, three where it is being written: the
/// contract gives five seconds, of which listeners need a part.
const LOOK: Duration = Duration::from_millis(750);
/// Most faults told of one file: somebody who has named the wrong file does not need them all.
const MAX_TOLD: usize = 20;

/// What a look at the file came to.
#[derive(Debug)]
pub enum News {
    /// A token counts from now on.
    Added(Grant),
    /// A token counts no longer.
    Removed(Grant),
    /// The file has changed and cannot be used: what was in force stays so. Told, and logged, once a change.
    Kept(Unusable),
}

/// What was seen of the file at the last look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    stamp: Option<Stamp>,
    /// Whether that was read, or tried, already.
    done: bool,
    /// Whether it was tried and cannot be used.
    wrong: bool,
}

impl Seen {
    /// Whether the file is to be read now. One that was put in another's place is whole; one that is written where
    /// it is may be half written, and has to stand still for a look.
    fn look(&mut self, now: Option<Stamp>) -> bool {
        let before = std::mem::replace(&mut self.stamp, now);
        if before == now {
            return !std::mem::replace(&mut self.done, true);
        }
        let replaced = match (before, now) {
            (Some(before), Some(now)) => before.file != now.file,
            _ => true,
        };
        self.done = replaced;
        replaced
    }
}

impl Access {
    /// Looks at the file, and at the login's keys, as long as it is polled; `told` hears what is new, for the
    /// record and the counters.
    pub async fn watch(self: Arc<Self>, mut told: impl FnMut(News)) {
        let mut keys = self.login.as_ref().map(|login| login.changes());
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = Seen {
            stamp: lock(&self.file).stamp,
            done: true,
            wrong: false,
        };
        loop {
            tokio::select! {
                changed = changed(&mut keys) => match changed {
                    true => self.moved(),
                    false => keys = None,
                },
                _ = looks.tick() => {
                    // A disk that does not answer holds up no connection.
                    let (access, mut now) = (self.clone(), seen);
                    let looked = tokio::task::spawn_blocking(move || (access.look(&mut now), now)).await;
                    let Ok((news, now)) = looked else {
                        continue;
                    };
                    seen = now;
                    for one in news {
                        tell(&one);
                        told(one);
                    }
                }
            }
        }
    }

    fn look(&self, seen: &mut Seen) -> Vec<News> {
        let in_force = lock(&self.file).clone();
        let Some(path) = &in_force.path else {
            return Vec::new();
        };
        let now = Stamp::look(path);
        let due = seen.look(now);
        // Somebody else may have read it meanwhile, told by a signal.
        if now.is_some() && now == in_force.stamp {
            seen.wrong = false;
            lock(&self.file).problem = None;
            return Vec::new();
        }
        // Or may have read what was there before, and put it in force later: who was removed would be back.
        let outrun = seen.done && !seen.wrong;
        if !due && !outrun {
            return Vec::new();
        }
        let read = self.read(Some(path));
        seen.wrong = read.is_err();
        match read {
            Ok(reread) => self.apply_where(reread),
            Err(unusable) => {
                let mut in_force = lock(&self.file);
                if in_force.path.as_ref() == Some(path) {
                    in_force.problem = Some(unusable.to_string().into());
                }
                vec![News::Kept(unusable)]
            }
        }
    }
}

/// Waits for the next change of the login's keys; `false` when there will be none.
async fn changed(keys: &mut Option<tokio::sync::watch::Receiver<u64>>) -> bool {
    match keys {
        Some(keys) => keys.changed().await.is_ok(),
        None => std::future::pending().await,
    }
}

/// Says in the log what a reading came to.
pub(crate) fn tell(news: &News) {
    match news {
        News::Added(grant) => {
            info!(
                name = grant.name(),
                token_id = grant.token_id(),
                role = grant.role().as_str(),
                "a token counts from now on"
            );
        }
        News::Removed(grant) => {
            info!(
                name = grant.name(),
                token_id = grant.token_id(),
                role = grant.role().as_str(),
                "a token counts no longer"
            );
        }
        News::Kept(unusable) => {
            let reasons = unusable.reasons();
            for reason in reasons.iter().take(MAX_TOLD) {
                error!(reason, "the tokens file cannot be used");
            }
            warn!(
                reasons = reasons.len(),
                "the tokens stay as they were until the file is right"
            );
        }
    }
}

#[cfg(test)]
mod tests;
