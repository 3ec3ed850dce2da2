//! What one relay is about to be told of the calls that it hears here: frames in their order, bounded, and none that is
//! old. What is lost is counted, and its other side finds out by the frames' numbers. No clock, no I/O.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use partyline_shared::id::CallSid;

use super::codec::Writer;
use crate::calls::fanout::{Item, StreamInfo, SubId};

/// A frame that has waited for so long is not sent: whoever listens wants to hear what is said now, and not a second of
/// what was said before Redis came back.
const OLDEST: Duration = Duration::from_secs(1);
/// Bytes of frames that wait, at most: a second of 100 calls, so that memory is bounded also where nothing is sent.
pub(super) const MOST_WAITING: usize = 2 << 20;
/// Bytes of remembered frames that wait, at most, beside those: 10 s of 20 calls that somebody begins to hear at once.
pub(super) const MOST_REPLAYS: usize = 8 << 20;

/// A call that crosses.
#[derive(Debug)]
struct Way {
    call_sid: CallSid,
    stream: Option<StreamInfo>,
    /// What is remembered, until the mark that it ends at comes by: each with its stream and what was asked for.
    replays: VecDeque<Replay>,
}

#[derive(Debug)]
struct Replay {
    stream: Option<StreamInfo>,
    ms: u32,
    items: VecDeque<Item>,
    bytes: usize,
}

#[derive(Debug)]
enum What {
    Item(Item),
    Replay(Replay),
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    sub: SubId,
    what: What,
}

/// What waits for one relay.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    ways: HashMap<SubId, Way>,
    waiting: VecDeque<Waiting>,
    bytes: usize,
    replay_bytes: usize,
    lost: u64,
    crossed: u64,
}

impl Outgoing {
    /// This call crosses from now on, as `sub`.
    pub(super) fn open(&mut self, sub: SubId, call_sid: CallSid) {
        let way = Way {
            call_sid,
            stream: None,
            replays: VecDeque::new(),
        };
        self.ways.insert(sub, way);
    }

    /// It does no more; what waits of it is let go.
    pub(super) fn close(&mut self, sub: SubId) {
        if let Some(way) = self.ways.remove(&sub) {
            self.replay_bytes -= way.replays.iter().map(|replay| replay.bytes).sum::<usize>();
        }
    }

    /// What is remembered of it was asked for, the last `ms`, and goes where the next word of its stream comes by; at once
    /// where there is no stream. What is too much goes at the old end.
    pub(super) fn replay(
        &mut self,
        now: Instant,
        sub: SubId,
        stream: Option<StreamInfo>,
        ms: u32,
        mut items: VecDeque<Item>,
    ) {
        let Some(way) = self.ways.get_mut(&sub) else {
            return;
        };
        let mut bytes: usize = items.iter().map(bytes_of).sum();
        while self.replay_bytes + bytes > MOST_REPLAYS
            && let Some(oldest) = items.pop_front()
        {
            bytes -= bytes_of(&oldest);
            self.lost += u64::from(matches!(oldest, Item::Frame(_)));
        }
        self.replay_bytes += bytes;
        let replay = Replay {
            stream,
            ms,
            items,
            bytes,
        };
        if stream.is_some() {
            way.replays.push_back(replay);
        } else {
            let (since, what) = (now, What::Replay(replay));
            self.waiting.push_back(Waiting { since, sub, what });
        }
    }

    /// Takes what a mailbox had.
    pub(super) fn take(&mut self, now: Instant, items: impl IntoIterator<Item = (SubId, Item)>) {
        for (sub, item) in items {
            let Some(way) = self.ways.get_mut(&sub) else {
                continue;
            };
            let replay = match item {
                Item::Stream(_) => way.replays.pop_front(),
                Item::Frame(_) | Item::Gap(_) => None,
            };
            self.bytes += bytes_of(&item);
            for what in [Some(What::Item(item)), replay.map(What::Replay)]
                .into_iter()
                .flatten()
            {
                let since = now;
                self.waiting.push_back(Waiting { since, sub, what });
            }
        }
        while self.bytes > MOST_WAITING && self.lose_oldest() {}
    }

    /// Lets go of what is too old to be sent, and answers whether anything is left.
    pub(super) fn has_any(&mut self, now: Instant) -> bool {
        let too_old = |one: &Waiting| now.saturating_duration_since(one.since) > OLDEST;
        while self.waiting.front().is_some_and(too_old) {
            self.lose_oldest();
        }
        !self.waiting.is_empty()
    }

    /// Puts into a message what there is and has room in it.
    pub(super) fn fill(&mut self, message: &mut Writer<'_>) {
        // Whose section is open.
        let mut open = None;
        while message.has_room()
            && let Some(Waiting { since, sub, what }) = self.waiting.pop_front()
        {
            let Some(way) = self.ways.get_mut(&sub) else {
                self.count_out(&what);
                continue;
            };
            match what {
                What::Item(Item::Stream(stream)) => {
                    way.stream = Some(stream);
                    open = None;
                }
                What::Item(item) => {
                    self.bytes -= bytes_of(&item);
                    let Some(stream) = way.stream else { continue };
                    if open != Some(sub) {
                        message.live(&way.call_sid, stream);
                        open = Some(sub);
                    }
                    message.item(&item);
                    self.crossed += u64::from(matches!(item, Item::Frame(_)));
                }
                What::Replay(mut replay) => {
                    open = None;
                    message.replayed(&way.call_sid, replay.stream, replay.ms);
                    while message.has_room()
                        && let Some(item) = replay.items.pop_front()
                    {
                        message.item(&item);
                        replay.bytes -= bytes_of(&item);
                        self.replay_bytes -= bytes_of(&item);
                    }
                    if replay.items.is_empty() {
                        message.is_last();
                    } else {
                        let what = What::Replay(replay);
                        self.waiting.push_front(Waiting { since, sub, what });
                        return;
                    }
                }
            }
        }
    }

    /// Frames that were put into messages, and frames that were let go, since this was asked last.
    pub(super) fn take_counts(&mut self) -> (u64, u64) {
        (std::mem::take(&mut self.crossed), std::mem::take(&mut self.lost))
    }

    fn lose_oldest(&mut self) -> bool {
        let Some(Waiting { sub, what, .. }) = self.waiting.pop_front() else {
            return false;
        };
        self.count_out(&what);
        match what {
            What::Item(Item::Frame(_)) => self.lost += 1,
            What::Item(Item::Gap(_)) => {}
            What::Item(Item::Stream(stream)) => {
                if let Some(way) = self.ways.get_mut(&sub) {
                    way.stream = Some(stream);
                }
            }
            What::Replay(replay) => {
                let frames = replay.items.iter().filter(|item| matches!(item, Item::Frame(_)));
                self.lost += frames.count() as u64;
            }
        }
        true
    }

    fn count_out(&mut self, what: &What) {
        match what {
            What::Item(item) => self.bytes -= bytes_of(item),
            What::Replay(replay) => self.replay_bytes -= replay.bytes,
        }
    }
}

/// What an item counts for.
fn bytes_of(item: &Item) -> usize {
    match item {
        Item::Frame(frame) => frame.bytes().len(),
        Item::Gap(_) => 16,
        Item::Stream(_) => 0,
    }
}

#[cfg(test)]
mod tests;
