//! Webhooks that were seen, and what kind of answer they got. A signature has neither a time nor a number, so
//! whoever catches a request can send it again; it then gets the same answer, and nothing happens twice.
//! Twilio's own retries are the same to us, rightly. Knows requests by their signature alone: it covers all
//! that is signed, so the same fields in another encoding or order are the same request. For the same reason no
//! answer is kept: the request brings with it what it was written from, but for what [`Told`] says. No clock.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::voice::Told;
use crate::lock::lock;

#[cfg(test)]
mod tests;

/// How long a webhook is remembered, at least; at most `SPAN` longer.
pub const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// Requests that come within this may be forgotten together: what is kept of each is its name, no time.
const SPAN: Duration = Duration::from_secs(3600);

/// Callbacks remembered at most, which are answered with nothing: 8 bytes each, 4 MB in all. A call has
/// ten, and with a transcript one for each guess. Past it the oldest go, so that with more than 5.8 a second
/// they are remembered for less than 24 hours. What a callback does twice is to say again what is known.
pub const MAX_CALLBACKS: usize = 500_000;

/// Requests remembered at most that were answered with TwiML: 16 bytes each, 1.6 MB in all. Apart from callbacks,
/// which are many and cheap: an answer that is forgotten would dial again, and write a new pass.
pub const MAX_ANSWERS: usize = 100_000;

/// Memories that are locked apart, so that one request waits for another only where it may be the same.
const PARTS: usize = 16;

/// Past its bound a memory loses the oldest one in so many.
const GENERATIONS: usize = 32;

/// A request, by the first 16 bytes of its signature: an HMAC, so as good as random to who lacks the token.
pub type Seen = [u8; 16];

/// What is kept of that: with 500,000 remembered, one new request in 10^13 is taken for one of them.
pub(super) type Name = u64;

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once<T> {
    /// What was kept of it, when it was seen first.
    pub kept: T,
    /// It was seen before: nothing was done.
    pub again: bool,
    /// Those that had to be forgotten before their time, for the log; none as a rule.
    pub forgotten: Option<Forgotten>,
}

impl<T> Once<T> {
    /// It was seen elsewhere.
    pub(super) fn again(self) -> Once<T> {
        Once { again: true, ..self }
    }
}

/// Requests forgotten before their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// How many.
    pub count: usize,
    /// How long the newest of them had been remembered.
    pub age: Duration,
}

/// The requests of the last 24 hours.
#[derive(Debug)]
pub struct Replays {
    answers: [Mutex<Part<Told>>; PARTS],
    callbacks: [Mutex<Part<()>>; PARTS],
}

impl Default for Replays {
    fn default() -> Replays {
        Replays {
            answers: std::array::from_fn(|_| Mutex::new(Part::new(MAX_ANSWERS / PARTS))),
            callbacks: std::array::from_fn(|_| Mutex::new(Part::new(MAX_CALLBACKS / PARTS))),
        }
    }
}

impl Replays {
    /// A request that is answered with TwiML: `act` says what kind, unless the request was seen in the last 24
    /// hours. Of two that come at once the second waits for the first; `act` may therefore not wait for anything
    /// itself.
    pub fn answer(&self, now: Instant, seen: Seen, act: impl FnOnce() -> Told) -> Once<Told> {
        once(&self.answers, now, seen, act)
    }

    /// Whether a request was seen here.
    pub fn has(&self, now: Instant, seen: Seen) -> bool {
        has(&self.answers, now, seen) || has(&self.callbacks, now, seen)
    }

    /// The same for one that is answered with nothing.
    pub fn callback(&self, now: Instant, seen: Seen, act: impl FnOnce()) -> Once<()> {
        once(&self.callbacks, now, seen, act)
    }
}

/// What a request is called where it is remembered, here and among relays.
pub(super) fn name(seen: Seen) -> Name {
    let [a, b, c, d, e, f, g, h, ..] = seen;
    Name::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// The memory that it belongs into.
fn part<T>(parts: &[Mutex<Part<T>>; PARTS], [.., last]: Seen) -> Option<&Mutex<Part<T>>> {
    parts.get(usize::from(last) % PARTS)
}

fn has<T: Copy>(parts: &[Mutex<Part<T>>; PARTS], now: Instant, seen: Seen) -> bool {
    part(parts, seen).is_some_and(|part| lock(part).find(now, name(seen)).is_some())
}

fn once<T: Copy>(
    parts: &[Mutex<Part<T>>; PARTS],
    now: Instant,
    seen: Seen,
    act: impl FnOnce() -> T,
) -> Once<T> {
    match part(parts, seen) {
        Some(part) => lock(part).once(now, name(seen), act),
        // Not reached: there are as many as it is divided by.
        None => Once {
            kept: act(),
            again: false,
            forgotten: None,
        },
    }
}

/// Requests that came together, and are forgotten together.
#[derive(Debug)]
struct Generation<T> {
    began: Instant,
    newest: Instant,
    /// By name.
    entries: Vec<(Name, T)>,
}

impl<T: Copy> Generation<T> {
    fn find(&self, name: Name) -> Result<T, usize> {
        let at = self.entries.binary_search_by_key(&name, |(name, _)| *name)?;
        self.entries.get(at).map(|(_, kept)| *kept).ok_or(at)
    }

    fn insert(&mut self, now: Instant, name: Name, kept: T) {
        if let Err(at) = self.find(name) {
            self.entries.insert(at, (name, kept));
            self.newest = now;
        }
    }
}

/// One memory.
#[derive(Debug)]
struct Part<T> {
    most: usize,
    len: usize,
    /// The oldest first.
    generations: VecDeque<Generation<T>>,
}

impl<T: Copy> Part<T> {
    fn new(most: usize) -> Part<T> {
        Part {
            most,
            len: 0,
            generations: VecDeque::new(),
        }
    }

    /// What was kept of one.
    fn find(&mut self, now: Instant, name: Name) -> Option<T> {
        self.forget(now);
        let newest_first = self.generations.iter().rev();
        newest_first
            .filter_map(|generation| generation.find(name).ok())
            .next()
    }

    fn once(&mut self, now: Instant, name: Name, act: impl FnOnce() -> T) -> Once<T> {
        if let Some(kept) = self.find(now, name) {
            return Once {
                kept,
                again: true,
                forgotten: None,
            };
        }
        let kept = act();
        self.insert(now, name, kept);
        Once {
            kept,
            again: false,
            forgotten: self.make_room(now),
        }
    }

    fn insert(&mut self, now: Instant, name: Name, kept: T) {
        let a_generation = (self.most / GENERATIONS).max(1);
        let takes = |last: &Generation<T>| {
            last.entries.len() < a_generation && now.saturating_duration_since(last.began) < SPAN
        };
        if !self.generations.back().is_some_and(takes) {
            if let Some(last) = self.generations.back_mut() {
                last.entries.shrink_to_fit();
            }
            self.generations.push_back(Generation {
                began: now,
                newest: now,
                // All at once: memory that grows step by step leaves holes.
                entries: Vec::with_capacity(a_generation),
            });
        }
        if let Some(last) = self.generations.back_mut() {
            last.insert(now, name, kept);
            self.len += 1;
        }
    }

    /// What is over.
    fn forget(&mut self, now: Instant) {
        let over = |first: &Generation<T>| now.saturating_duration_since(first.newest) >= REMEMBERED;
        while self.generations.front().is_some_and(over) {
            let over = self.generations.pop_front();
            self.len -= over.map_or(0, |over| over.entries.len());
        }
    }

    /// What there is no room for.
    fn make_room(&mut self, now: Instant) -> Option<Forgotten> {
        if self.len <= self.most || self.generations.len() < 2 {
            return None;
        }
        let oldest = self.generations.pop_front()?;
        self.len -= oldest.entries.len();
        Some(Forgotten {
            count: oldest.entries.len(),
            age: now.saturating_duration_since(oldest.newest),
        })
    }
}
