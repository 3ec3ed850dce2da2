//! What relays tell one another of what they granted, so that who goes from one to the next has no more than who stays.
//! Hidden names and numbers only, a bounded number of both; what finds no room is not told, and counted. Relays tell it
//! now and then, so that a moment's allowance is had once at each relay, and the rate once among all.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

use super::names::Name;
use crate::lock::lock;

/// Names told at once of each kind: with one word a second, those that do most by far. 24 bytes each.
pub const MAX_TOLD: usize = 2_000;

/// What is told, in one word.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Requests of tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<(Name, u32)>,
    /// Those that brought audio.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audio: Vec<(Name, u32)>,
    /// Wrong tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<(Name, u32)>,
    /// Those that were right in the end, and how often.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub right: Vec<(Name, u32)>,
    /// Dials of accounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<(Name, u32)>,
    /// Dials of callers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callers: Vec<(Name, u32)>,
    /// Sockets that each token has there: all of them, not what came since.
    #[serde(default)]
    pub sockets: Vec<(Name, u32)>,
}

/// What is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Granted {
    Request,
    Audio,
    Wrong,
    Right,
    Account,
    Caller,
}

/// How many kinds there are.
const KINDS: usize = 6;

/// What was granted here since it was told last.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Somebody tells it.
    wanted: AtomicBool,
    counts: Mutex<[HashMap<Name, u32>; KINDS]>,
}

impl Ledger {
    /// From now on somebody tells it.
    pub(super) fn want(&self) {
        self.wanted.store(true, Relaxed);
    }

    /// One more; whether there was room for it.
    pub(super) fn note(&self, granted: Granted, name: Name) -> bool {
        if !self.wanted.load(Relaxed) {
            return true;
        }
        let mut counts = lock(&self.counts);
        let Some(counts) = counts.get_mut(granted as usize) else {
            return true;
        };
        let room = counts.len() < MAX_TOLD || counts.contains_key(&name);
        if room {
            let count = counts.entry(name).or_default();
            *count = count.saturating_add(1);
        }
        room
    }

    /// All of it, once. Sockets are another's to say.
    pub(super) fn take(&self) -> Told {
        let taken = std::mem::take(&mut *lock(&self.counts));
        let [requests, audio, wrong, right, accounts, callers] = taken.map(|counts| {
            let mut all: Vec<(Name, u32)> = counts.into_iter().collect();
            all.sort_unstable();
            all
        });
        Told {
            requests,
            audio,
            wrong,
            right,
            accounts,
            callers,
            sockets: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_granted_is_told_once_and_only_to_who_wants_it() {
        let ledger = Ledger::default();
        assert!(ledger.note(Granted::Caller, 7) && ledger.take() == Told::default());
        ledger.want();
        for (granted, name) in [(Granted::Caller, 7), (Granted::Caller, 7), (Granted::Audio, 8)] {
            assert!(ledger.note(granted, name));
        }
        let word = Told {
            audio: vec![(8, 1)],
            callers: vec![(7, 2)],
            ..Told::default()
        };
        assert_eq!(ledger.take(), word);
        assert_eq!(ledger.take(), Told::default());
        for name in 0..MAX_TOLD as u64 {
            assert!(ledger.note(Granted::Wrong, name));
        }
        assert!(!ledger.note(Granted::Wrong, MAX_TOLD as u64) && ledger.note(Granted::Wrong, 0));
        assert!(
            ledger.note(Granted::Right, MAX_TOLD as u64),
            "each kind has its room"
        );
    }

    #[test]
    fn a_word_is_small_and_read_by_earlier_and_later_relays() {
        let word = Told {
            callers: vec![(u64::MAX, 3)],
            ..Told::default()
        };
        let text = serde_json::to_string(&word).unwrap();
        assert_eq!(text, "{\"callers\":[[18446744073709551615,3]],\"sockets\":[]}");
        assert_eq!(serde_json::from_str::<Told>(&text).unwrap(), word);
        let later = "{\"more\":[[1,2]],\"sockets\":[[1,2]]}";
        assert_eq!(serde_json::from_str::<Told>(later).unwrap().sockets, [(1, 2)]);
    }
}
