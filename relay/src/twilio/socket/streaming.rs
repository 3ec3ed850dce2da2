//! A stream that has begun, as a media loop drives it: reads what is there, hands it on, and looks how long that took.

use std::cell::Cell;
use std::time::Instant;

use mio::event::Source;
use partyline_shared::protocol::close;
use tokio::sync::oneshot;

use super::{LEAVES, Over, Pump};
use crate::calls::fanout::Item;
use crate::shards::media::{Job, Turn};
use crate::twilio::measure::{self, Clock};
use crate::ws::feed::Feed;

/// Turns of reading before the other streams of a loop have theirs: a stream that has more than 256 KB to say
/// at once is none of Twilio's.
const TURNS: u32 = 4;

thread_local! {
    /// Memory for what comes together: one a thread rather than one a stream, since what was used a moment ago lies
    /// near.
    static ITEMS: Cell<Vec<Item>> = const { Cell::new(Vec::new()) };
}

/// A stream in a media loop.
pub(super) struct Streaming {
    pump: Pump,
    feed: Feed,
    clock: Clock,
    over: Over,
    done: oneshot::Sender<(Feed, Over)>,
}

impl Streaming {
    /// One that has begun; `done` is told when it is over.
    pub(super) fn new(pump: Pump, feed: Feed, done: oneshot::Sender<(Feed, Over)>) -> Streaming {
        Streaming {
            pump,
            feed,
            clock: Clock::default(),
            over: Over::Gone,
            done,
        }
    }

    /// `None` where there is nothing more to read.
    fn read(&mut self, woken: Instant) -> Option<Result<(), Over>> {
        self.pump.items = ITEMS.take();
        let came = self.feed.turn(|message| self.pump.take(message));
        self.pump.hand_on(woken);
        ITEMS.set(std::mem::take(&mut self.pump.items));
        let came = came.transpose()?;
        self.clock.read(woken, self.pump.registry.metrics());
        Some(self.pump.came(came))
    }
}

impl Job for Streaming {
    fn source(&mut self) -> &mut dyn Source {
        self.feed.source()
    }

    fn turn(&mut self, woken: Instant, closing: bool) -> Turn {
        self.feed.on_ready(closing);
        for _ in 0..TURNS {
            match self.read(woken) {
                None => return Turn::Waits,
                Some(Ok(())) => {}
                Some(Err(over)) => {
                    self.over = over;
                    return Turn::Over;
                }
            }
        }
        Turn::Again
    }

    fn leave(&mut self) {
        self.pump.lost(LEAVES);
        self.over = Over::Close(close::GOING_AWAY, LEAVES);
    }

    fn end(self: Box<Self>) {
        measure::tell(self.pump.registry.metrics());
        // Nobody waits for it where the relay has let go of its connections.
        let _ = self.done.send((self.feed, self.over));
    }
}
