//! Who may come in at the desk, without clock or socket: time is an argument. One monitor at a time; the first comes by
//! the code, and comes back by the key that it was given. A code that has led to something is used up.

use std::time::{Duration, Instant};

use super::code::Code;
use super::key::Key;
use super::pair::Kind;

/// Between two codes that are tried: nobody who types waits for it, and who tries all waits for ever.
pub const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// Wrong codes in a row, after which the code is another: nobody who reads it off a screen errs so often.
pub const WRONG_IN_A_ROW: u32 = 10;

/// So long a monitor whose link is gone keeps its place before another may take it, and its calls: a link comes back
/// within that, or somebody has to do something about it.
pub const KEPT: Duration = Duration::from_secs(10);

/// How somebody who has proven the secret comes in.
#[derive(Debug, Clone)]
pub enum Entry {
    /// By the code: with this key it comes back.
    Welcome(Key),
    /// By the key.
    Back,
    /// Not: another monitor plays here.
    Taken,
}

/// The door.
#[derive(Debug)]
pub struct Door {
    code: Code,
    of_code: Key,
    wrong: u32,
    next_try: Option<Instant>,
    paired: Option<Paired>,
}

#[derive(Debug)]
struct Paired {
    key: Key,
    /// It has said that it has the key.
    is_sure: bool,
    /// Its link is gone since.
    away: Option<Instant>,
}

impl Door {
    /// One with a new code, that nobody is paired with.
    pub fn new() -> Door {
        let code = Code::random();
        Door {
            of_code: Key::of(&code),
            code,
            wrong: 0,
            next_try: None,
            paired: None,
        }
    }

    /// The code that leads in.
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// How long who says this has to wait for its turn; `None` where that is more than `longest`. Who is turned away
    /// takes no turn: else a moment of many strangers would close the door for hours.
    pub fn turn(&mut self, kind: Kind, now: Instant, longest: Duration) -> Option<Duration> {
        if kind == Kind::Key {
            return Some(Duration::ZERO);
        }
        let turn = self.next_try.map_or(now, |next| next.max(now));
        let wait = turn.saturating_duration_since(now);
        if wait > longest {
            return None;
        }
        self.next_try = Some(turn + BETWEEN_TRIES);
        Some(wait)
    }

    /// What has to be known, if anything leads in this way.
    pub fn secret(&self, kind: Kind) -> Option<Key> {
        match kind {
            Kind::Code => Some(self.of_code.clone()),
            Kind::Key => self.paired.as_ref().map(|paired| paired.key.clone()),
        }
    }

    /// Somebody did not know it. Whether the code is another one now.
    pub fn on_wrong(&mut self, kind: Kind) -> bool {
        if kind == Kind::Key {
            return false;
        }
        self.wrong += 1;
        let is_too_often = self.wrong >= WRONG_IN_A_ROW;
        if is_too_often {
            self.renew();
        }
        is_too_often
    }

    /// Somebody knew it: `secret` is what they knew, since it may have been replaced meanwhile.
    pub fn enter(&mut self, kind: Kind, secret: &Key, now: Instant) -> Entry {
        match (kind, &mut self.paired) {
            (Kind::Key, Some(paired)) if paired.key.bytes() == secret.bytes() => {
                paired.away = None;
                Entry::Back
            }
            // Who was paired and is no more.
            (Kind::Key, _) => Entry::Taken,
            (Kind::Code, Some(paired)) if !paired.may_be_replaced(now) => Entry::Taken,
            (Kind::Code, _) if self.of_code.bytes() != secret.bytes() => Entry::Taken,
            (Kind::Code, paired) => {
                let key = Key::random();
                *paired = Some(Paired {
                    key: key.clone(),
                    is_sure: false,
                    away: None,
                });
                Entry::Welcome(key)
            }
        }
    }

    /// The monitor has the key. Whether the code was used up by that, and is another one now.
    pub fn on_thanks(&mut self) -> bool {
        let Some(paired) = &mut self.paired else {
            return false;
        };
        let is_new = !std::mem::replace(&mut paired.is_sure, true);
        if is_new {
            self.renew();
        }
        is_new
    }

    /// Its link is gone.
    pub fn on_away(&mut self, now: Instant) {
        if let Some(paired) = &mut self.paired {
            paired.away = Some(now);
        }
    }

    /// It has ended, and does not come back.
    pub fn on_left(&mut self) {
        self.paired = None;
    }

    fn renew(&mut self) {
        self.code = Code::random();
        self.of_code = Key::of(&self.code);
        self.wrong = 0;
    }
}

impl Default for Door {
    fn default() -> Self {
        Door::new()
    }
}

impl Paired {
    fn may_be_replaced(&self, now: Instant) -> bool {
        // Whose link went before it had the key knows nothing but the code.
        self.away
            .is_some_and(|since| !self.is_sure || now.saturating_duration_since(since) >= KEPT)
    }
}

#[cfg(test)]
mod tests;
