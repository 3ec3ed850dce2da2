//! Webhooks that were seen, and what they were answered. A signature has neither a time nor a number, so
//! whoever catches a request can send it again; it then gets the same answer, and nothing happens twice.
//! Twilio's own retries are the same to us, rightly. Knows requests by their signature alone: it covers all
//! that is signed, so the same fields in another encoding or order are the same request. No clock.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::lock::lock;

#[cfg(test)]
mod tests;

/// How long a webhook is remembered.
pub const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// Callbacks remembered at most, which are answered with nothing: some 100 bytes each, 50 MB in all. A call has
/// ten, and with a transcript one for each guess. Past it the oldest go, so that with more than 5.8 a second
/// they are remembered for less than 24 hours. What a callback does twice is to say again what is known.
pub const MAX_CALLBACKS: usize = 500_000;

/// TwiML remembered at most, and its bytes: answers have 1.5 KB, so that this is 40,000 calls. Apart from
/// callbacks, which are many and cheap: an answer that is forgotten would dial again, and write a new pass.
pub const MAX_ANSWERS: usize = 100_000;
/// See [`MAX_ANSWERS`].
pub const MAX_ANSWER_BYTES: usize = 64 << 20;

/// Memories that are locked apart, so that one request waits for another only where it may be the same.
const PARTS: usize = 16;

/// A request, by the first 16 bytes of its signature: an HMAC, so as good as random to who lacks the token.
pub type Seen = [u8; 16];

/// Which memory a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// It is answered with TwiML.
    Answer,
    /// It is answered with nothing.
    Callback,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// The answer, the first one again where it was seen before.
    pub answer: Bytes,
    /// It was seen before: nothing was done.
    pub again: bool,
    /// How old those were that had to be forgotten before their time, for the log; none as a rule.
    pub forgotten: Vec<Duration>,
}

/// The requests of the last 24 hours.
#[derive(Debug)]
pub struct Replays {
    answers: [Mutex<Part>; PARTS],
    callbacks: [Mutex<Part>; PARTS],
}

impl Default for Replays {
    fn default() -> Replays {
        Replays {
            answers: part(MAX_ANSWERS, MAX_ANSWER_BYTES),
            callbacks: part(MAX_CALLBACKS, 0),
        }
    }
}

fn part(entries: usize, bytes: usize) -> [Mutex<Part>; PARTS] {
    std::array::from_fn(|_| Mutex::new(Part::new(entries / PARTS, bytes / PARTS)))
}

impl Replays {
    /// The answer to a request: `act` makes it, unless the request was seen in the last 24 hours. Of two that
    /// come at once the second waits for the first; `act` may therefore not wait for anything itself.
    pub fn once(&self, now: Instant, sort: Sort, seen: Seen, act: impl FnOnce() -> Bytes) -> Once {
        let parts = match sort {
            Sort::Answer => &self.answers,
            Sort::Callback => &self.callbacks,
        };
        let [first, ..] = seen;
        match parts.get(usize::from(first) % PARTS) {
            Some(part) => lock(part).once(now, seen, act),
            // Not reached: there are as many as it is divided by.
            None => Once {
                answer: act(),
                again: false,
                forgotten: Vec::new(),
            },
        }
    }
}

/// One memory.
#[derive(Debug)]
struct Part {
    max_entries: usize,
    max_bytes: usize,
    answers: HashMap<Seen, Bytes>,
    /// The same in the order of coming, and when.
    order: VecDeque<(Instant, Seen)>,
    bytes: usize,
}

impl Part {
    fn new(max_entries: usize, max_bytes: usize) -> Part {
        Part {
            max_entries,
            max_bytes,
            answers: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
        }
    }

    fn once(&mut self, now: Instant, seen: Seen, act: impl FnOnce() -> Bytes) -> Once {
        let mut forgotten = Vec::new();
        self.forget(now, 0, &mut forgotten);
        if let Some(answer) = self.answers.get(&seen) {
            return Once {
                answer: answer.clone(),
                again: true,
                forgotten,
            };
        }
        let answer = act();
        self.order.push_back((now, seen));
        self.answers.insert(seen, answer.clone());
        self.bytes += answer.len();
        self.forget(now, 1, &mut forgotten);
        Once {
            answer,
            again: false,
            forgotten,
        }
    }

    /// Drops what is over, and what there is no room for, oldest first; the newest `kept` stay.
    fn forget(&mut self, now: Instant, kept: usize, forgotten: &mut Vec<Duration>) {
        while let Some((at, seen)) = self.order.front().copied() {
            let age = now.saturating_duration_since(at);
            let full = self.order.len() > self.max_entries || self.bytes > self.max_bytes;
            if self.order.len() <= kept || (age < REMEMBERED && !full) {
                break;
            }
            if age < REMEMBERED {
                forgotten.push(age);
            }
            self.order.pop_front();
            if let Some(answer) = self.answers.remove(&seen) {
                self.bytes -= answer.len();
            }
        }
    }
}
