//! How often anybody may have us dial. Who gets hold of a softphone, or of one account of several, cannot ring
//! expensive numbers all night. Each has an allowance that refills. No clock: time is handed in; no numbers or
//! names are kept, only what they are counted under.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::names::Name;

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
pub struct Dials {
    /// When each would have its whole allowance again.
    full_at: HashMap<Name, Instant>,
    /// With so many it is looked for those that have it by now.
    tidy_at: usize,
}

/// Fewer than so many are not worth a look.
const FEW: usize = 256;

impl Dials {
    /// Takes one dial of both allowances, or of neither. A caller who withholds the number is nobody in
    /// particular, and has the account's alone.
    ///
    /// # Errors
    /// [`TooOften`].
    pub fn dial(&mut self, now: Instant, account: Name, caller: Option<Name>) -> Result<(), TooOften> {
        let left = |key, at_once: u32, every: Duration| {
            let full = self.full_at.get(&key).map_or(now, |full| (*full).max(now)) + every;
            (full.saturating_duration_since(now) <= every * at_once).then_some(full)
        };
        let account = (
            account,
            left(account, ACCOUNT_AT_ONCE, ACCOUNT_EVERY).ok_or(TooOften::Account)?,
        );
        let caller = match caller {
            Some(key) => Some((
                key,
                left(key, CALLER_AT_ONCE, CALLER_EVERY).ok_or(TooOften::Caller)?,
            )),
            None => None,
        };
        for (key, full) in [Some(account), caller].into_iter().flatten() {
            self.put(now, key, full);
        }
        Ok(())
    }

    /// An account had so many dialled at another relay.
    pub fn account_elsewhere(&mut self, now: Instant, account: Name, count: u32) {
        self.elsewhere(
            now,
            account,
            count.min(ACCOUNT_AT_ONCE),
            ACCOUNT_AT_ONCE,
            ACCOUNT_EVERY,
        );
    }

    /// A caller did.
    pub fn caller_elsewhere(&mut self, now: Instant, caller: Name, count: u32) {
        self.elsewhere(
            now,
            caller,
            count.min(CALLER_AT_ONCE),
            CALLER_AT_ONCE,
            CALLER_EVERY,
        );
    }

    /// No more than all is used up: what was had at once at each relay is not to be paid for twice.
    fn elsewhere(&mut self, now: Instant, key: Name, count: u32, at_once: u32, every: Duration) {
        let full = self.full_at.get(&key).map_or(now, |full| (*full).max(now)) + every * count;
        self.put(now, key, full.min(now + every * at_once));
    }

    fn put(&mut self, now: Instant, key: Name, full: Instant) {
        make_room(&mut self.full_at, now, key);
        self.full_at.insert(key, full);
        if self.full_at.len() >= self.tidy_at {
            self.full_at.retain(|_, full| *full > now);
            self.tidy_at = (self.full_at.len() * 2).max(FEW);
        }
    }
}

fn make_room(full_at: &mut HashMap<Name, Instant>, now: Instant, key: Name) {
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
