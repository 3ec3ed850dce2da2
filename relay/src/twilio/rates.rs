//! How often anybody may have us dial. Who gets hold of a softphone, or of one account of several, cannot ring
//! expensive numbers all night. Each has an allowance that refills. No clock: time is handed in; no numbers or
//! names are kept, only what they hash to.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock::lock;

#[cfg(test)]
mod tests;

/// What one caller may have dialled at once …
pub const CALLER_AT_ONCE: u32 = 120;
/// … and one more this often: 30 a minute are more than a dialler reaches that people talk through, and than
/// one company's main number sends.
pub const CALLER_EVERY: Duration = Duration::from_secs(2);

/// The same of one account: as many as call when a relay has come back …
pub const ACCOUNT_AT_ONCE: u32 = 5_000;
/// … and twice the 55 a second that keep 10,000 calls of three minutes going.
pub const ACCOUNT_EVERY: Duration = Duration::from_millis(10);

/// Callers and accounts remembered at most, at some 50 bytes each: those that have their whole allowance again
/// are forgotten first, then those that have the most of it.
pub const MAX_DIALLERS: usize = 20_000;

/// Whose allowance is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooOften {
    /// The account's.
    Account,
    /// The caller's.
    Caller,
}

/// What each has left.
#[derive(Debug, Default)]
pub struct Rates {
    /// Keyed anew in each process, so that nobody can choose names that share an allowance.
    hasher: RandomState,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// When each would have its whole allowance again.
    full_at: HashMap<u64, Instant>,
    /// With so many it is looked for those that have it by now.
    tidy_at: usize,
}

/// Fewer than so many are not worth a look.
const FEW: usize = 256;

impl Rates {
    /// Takes one dial of both allowances, or of neither. A caller who withholds the number is nobody in
    /// particular, and has the account's alone.
    ///
    /// # Errors
    /// [`TooOften`].
    pub fn dial(&self, now: Instant, account: &str, caller: Option<&str>) -> Result<(), TooOften> {
        let account_key = self.hasher.hash_one((account, None::<&str>));
        let caller_key = caller.map(|_| self.hasher.hash_one((account, caller)));
        let mut known = lock(&self.known);
        let Known { full_at, tidy_at } = &mut *known;
        let left = |key, at_once: u32, every: Duration| {
            let full = full_at.get(&key).map_or(now, |full: &Instant| (*full).max(now)) + every;
            (full.saturating_duration_since(now) <= every * at_once).then_some(full)
        };
        let account = left(account_key, ACCOUNT_AT_ONCE, ACCOUNT_EVERY).ok_or(TooOften::Account)?;
        let caller = match caller_key {
            Some(key) => Some((
                key,
                left(key, CALLER_AT_ONCE, CALLER_EVERY).ok_or(TooOften::Caller)?,
            )),
            None => None,
        };
        for (key, full) in [Some((account_key, account)), caller].into_iter().flatten() {
            make_room(full_at, now, key);
            full_at.insert(key, full);
        }
        if full_at.len() >= *tidy_at {
            full_at.retain(|_, full| *full > now);
            *tidy_at = (full_at.len() * 2).max(FEW);
        }
        Ok(())
    }
}

fn make_room(full_at: &mut HashMap<u64, Instant>, now: Instant, key: u64) {
    if full_at.len() < MAX_DIALLERS || full_at.contains_key(&key) {
        return;
    }
    full_at.retain(|_, full| *full > now);
    if full_at.len() < MAX_DIALLERS {
        return;
    }
    // An eighth at once, so that not each newcomer has all of them looked through.
    let mut all: Vec<Instant> = full_at.values().copied().collect();
    let (_, eighth, _) = all.select_nth_unstable(MAX_DIALLERS / 8);
    let eighth = *eighth;
    full_at.retain(|_, full| *full > eighth);
}
