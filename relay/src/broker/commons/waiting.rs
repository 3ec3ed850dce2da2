//! What acted while nobody could be told, until Redis is. A bounded number; the oldest stay, since those were seen first.

use std::collections::VecDeque;

use super::line::hex;

/// How many wait at most: as many as Twilio sends in 10 minutes to a relay of some thousand calls, and 10 MB. Further
/// ones could act once more at another relay, and are counted.
const MAX_WAITING: usize = 100_000;

/// What acted, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A webhook, by the first bytes of its signature.
    Seen(u64),
    /// A stream's pass, by its number.
    Pass([u8; 16]),
    /// A ticket, by its digest.
    Ticket([u8; 32]),
}

/// One that did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// Which.
    pub what: What,
    /// What came of it, for who sees it again: short, and nothing that opens a door.
    pub told: String,
    /// When it may be forgotten, ms since 1970.
    pub until_ms: i64,
}

impl What {
    /// The tail of its key.
    pub(crate) fn tail(self) -> String {
        match self {
            What::Seen(name) => format!("seen:{name:016x}"),
            What::Pass(name) => format!("pass:{}", hex(&name)),
            What::Ticket(digest) => format!("ticket:{}", hex(&digest)),
        }
    }
}

/// Those that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting(VecDeque<Brought>);

impl Waiting {
    /// One more; whether there was room.
    pub(super) fn push(&mut self, brought: Brought) -> bool {
        let room = self.0.len() < MAX_WAITING;
        if room {
            self.0.push_back(brought);
        }
        room
    }

    /// The oldest: they wait until they are [done](Waiting::done).
    pub(super) fn first(&self, most: usize) -> Vec<Brought> {
        self.0.iter().take(most).cloned().collect()
    }

    /// So many of the oldest have been brought.
    pub(super) fn done(&mut self, count: usize) {
        self.0.drain(..count.min(self.0.len()));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(n: usize, until_ms: i64) -> Brought {
        Brought {
            what: What::Seen(n as u64),
            told: "c".into(),
            until_ms,
        }
    }

    #[test]
    fn what_waits_is_brought_in_order_and_no_more_than_there_is_room_for() {
        let mut waiting = Waiting::default();
        for n in 0..MAX_WAITING {
            assert!(waiting.push(one(n, 100)));
        }
        assert!(!waiting.push(one(MAX_WAITING, 100)), "there is no room");
        let names = |some: Vec<Brought>| some.iter().map(|one| one.what).collect::<Vec<What>>();
        assert_eq!(names(waiting.first(2)), [What::Seen(0), What::Seen(1)]);
        assert_eq!(names(waiting.first(1)), [What::Seen(0)], "nobody took them");
        waiting.done(1);
        assert_eq!(names(waiting.first(1)), [What::Seen(1)]);
        assert!(waiting.push(one(0, 100)) && !waiting.push(one(1, 100)));
        waiting.done(MAX_WAITING + 1);
        assert_eq!(waiting.len(), 0);
    }

    #[test]
    fn names_are_keys_that_tell_nothing() {
        assert_eq!(What::Seen(0xab).tail(), "seen:00000000000000ab");
        assert_eq!(What::Pass([1; 16]).tail(), format!("pass:{}", "01".repeat(16)));
    }
}
