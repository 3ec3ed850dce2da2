//! One Action Cable client without its socket: its commands in, strictly in order, what it is told out. Holds no queue
//! but its answers, and those are bounded: lines are read from the journals, audio from a bounded mailbox, each when the
//! socket has room. Time is an argument.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use partyline_shared::protocol::{DEAD_SECONDS, PING_SECONDS, close};
use partyline_shared::time::UtcTime;

use super::channel;
use super::message::{self, Command, Disconnect, confirmation, data, rejection};
use crate::access::Grant;
use crate::calls::fanout::{Item, Mailbox, Outlet, SubId};
use crate::clock::Now;
use crate::hearing::Host;
use crate::presence::{Present, Way};
use crate::pump::Transmit;

mod asks;
mod live;
mod place;
mod rights;
mod seen;

pub use asks::Asked;
use place::Sub;

/// How often a client is told that the relay is there: Rails' own pace. Half of the time after which clients give up.
pub const PING: Duration = Duration::from_secs(3);

/// Subscriptions on one socket: as many as a listener hears calls, with the same room for the audio of each.
pub const MAX_SUBSCRIPTIONS: usize = 256;

/// Of those for one call: both channels, as several parts of a page spell them. Each spelling is a form of its own, which
/// the thread that reads the call's audio makes of every frame.
pub const MAX_OF_CALL: usize = 8;

/// Largest message taken of a client, bytes: AnyCable's bound. A subscribe has 150.
pub const MAX_MESSAGE: usize = 64 << 10;

/// Answers that a client is owed before it is listened to again, and bytes of them: one read may bring some thousand
/// short commands, and each identifier is echoed.
const OWED: usize = 64;
const OWED_BYTES: usize = 64 << 10;

/// A subscribe that comes again so soon after its confirmation was said before that was heard: Rails' client repeats
/// after 500 ms. Later it is a second subscription of the page, which waits for a confirmation of its own.
const CROSSED: Duration = Duration::from_millis(250);

/// A grant that ends is looked at again after so long at the latest: the wall's clock may be set meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Items taken from the mailbox at a time.
const BATCH: usize = 32;

/// An answer that waits to be written.
#[derive(Debug)]
enum Said {
    /// Told whatever comes.
    Plain(String),
    /// A subscription stands, if it still does when this is told.
    Confirmed(SubId),
    /// On a subscription, if that still stands.
    Of(SubId, String),
    /// What was granted is no more: until this is told, something said before may lie where it is no longer for this
    /// client.
    Lost(String),
}

impl Said {
    fn bytes(&self) -> usize {
        match self {
            Said::Confirmed(_) => 0,
            Said::Plain(text) | Said::Of(_, text) | Said::Lost(text) => text.len(),
        }
    }
}

/// One client.
#[derive(Debug)]
pub struct Session {
    host: Host,
    mailbox: Arc<Mailbox>,
    /// As admins see it.
    here: Present,
    /// Bytes that its socket has written.
    written: u64,
    grant: Grant,
    /// When the grant is to be looked at again, because it ends.
    expires: Option<Instant>,
    asks: asks::Asks,
    control: VecDeque<Said>,
    control_bytes: usize,
    subs: Vec<Sub>,
    next_sub: SubId,
    audio: VecDeque<(SubId, Item)>,
    news_due: bool,
    ping_at: Instant,
    ping_due: bool,
    probe_at: Instant,
    probe_due: bool,
    last_sign: Instant,
    /// Said when everything else has been.
    leaving: bool,
    closing: Option<Disconnect>,
    told_closing: bool,
    closed: bool,
}

impl Session {
    /// A client that has just come in with `grant`; the welcome comes first. Frames may leave by `outlet` while the
    /// session has nothing else to say.
    pub fn new(now: Now, host: Host, grant: Grant, outlet: Option<Arc<dyn Outlet>>) -> Session {
        let mailbox = Arc::new(Mailbox::new(outlet));
        let way = Way {
            door: host.door,
            address: host.address,
            since: now.wall,
        };
        let here = host.presence.enter(way, &grant, mailbox.clone());
        let mut session = Session {
            host,
            mailbox,
            here,
            written: 0,
            grant,
            expires: None,
            asks: asks::Asks::default(),
            control: VecDeque::new(),
            control_bytes: 0,
            subs: Vec::new(),
            next_sub: 1,
            audio: VecDeque::new(),
            news_due: false,
            ping_at: now.mono + PING,
            ping_due: false,
            probe_at: now.mono + Duration::from_secs(PING_SECONDS),
            probe_due: false,
            last_sign: now.mono,
            leaving: false,
            closing: None,
            told_closing: false,
            closed: false,
        };
        session.say(Said::Plain(message::WELCOME.to_owned()));
        session.expire_at(now);
        session
    }

    fn expire_at(&mut self, now: Now) {
        let left = |end: UtcTime| {
            end.unix_ms()
                .saturating_sub(now.wall.unix_ms())
                .max(0)
                .unsigned_abs()
        };
        let look = |end| now.mono + Duration::from_millis(left(end)).min(LOOK_AGAIN);
        self.expires = self.grant.expires().map(look);
    }

    /// Any frame or pong: the client lives.
    pub fn on_sign(&mut self, now: Instant) {
        self.last_sign = now;
    }

    /// A text message of the client. What is no command is passed over.
    pub fn on_text(&mut self, now: Now, text: &str) {
        self.on_sign(now.mono);
        match message::read(text) {
            Some(command) if self.asks.is_waiting() => self.asks.wait(asks::Wish::Said(command)),
            Some(command) => self.on_command(now, command),
            None => {}
        }
    }

    fn on_command(&mut self, now: Now, command: Command) {
        if self.closing.is_some() {
            return;
        }
        match command {
            Command::Subscribe(identifier) => self.subscribe(now, identifier),
            Command::Unsubscribe(identifier) => self.unsubscribe(now, &identifier),
        }
    }

    /// What time brings: pings, the end of one that is gone, rights that are to be looked at.
    pub fn on_deadline(&mut self, now: Now) {
        if now.mono >= self.last_sign + Duration::from_secs(DEAD_SECONDS) {
            self.close(Disconnect::NO_PONG);
        }
        if self.expires.is_some_and(|at| at <= now.mono) {
            self.recheck(now);
        }
        if now.mono >= self.ping_at {
            self.ping_at = now.mono + PING;
            self.ping_due = true;
        }
        if now.mono >= self.probe_at {
            self.probe_at = now.mono + Duration::from_secs(PING_SECONDS);
            self.probe_due = true;
        }
    }

    /// When [`Session::on_deadline`] is to be called next.
    pub fn deadline(&self) -> Instant {
        let dead = self.last_sign + Duration::from_secs(DEAD_SECONDS);
        let first = dead.min(self.ping_at).min(self.probe_at);
        self.expires.map_or(first, |at| first.min(at))
    }

    /// The next thing to write, or nothing until there is word again. After [`Transmit::Close`] nothing.
    pub fn poll_transmit(&mut self, now: Now) -> Option<Transmit> {
        if self.closed {
            return None;
        }
        if self.mailbox.take_recheck() {
            self.recheck(now);
        }
        if self.must_go() || self.told_closing {
            // Not even what it was answered last, and nothing behind the word to go.
            self.control.clear();
            self.control_bytes = 0;
        }
        while let Some(said) = self.control.pop_front() {
            self.control_bytes = self.control_bytes.saturating_sub(said.bytes());
            if let Some(text) = self.as_it_stands(now, said) {
                return Some(Transmit::Text(text));
            }
        }
        if let Some(disconnect) = self.closing {
            return Some(self.part(disconnect));
        }
        // Ahead of all that is told on subscriptions: a client that hears none thinks that it is alone.
        if std::mem::take(&mut self.ping_due) {
            return Some(Transmit::Text(message::ping(now.wall.unix_ms().div_euclid(1000))));
        }
        if std::mem::take(&mut self.probe_due) {
            return Some(Transmit::Ping);
        }
        if let Some(live) = self.next_live(now) {
            return Some(live);
        }
        // Something may have been answered meanwhile.
        if !self.control.is_empty() {
            return self.poll_transmit(now);
        }
        if let Some(disconnect) = self.closing {
            return Some(self.part(disconnect));
        }
        std::mem::take(&mut self.leaving).then(|| {
            self.close(Disconnect::RESTART);
            self.part(Disconnect::RESTART)
        })
    }

    fn part(&mut self, disconnect: Disconnect) -> Transmit {
        if !std::mem::replace(&mut self.told_closing, true) {
            return Transmit::Text(disconnect.text());
        }
        self.closed = true;
        Transmit::Close(close::NORMAL, "")
    }

    /// What was said waits for the socket, and its subscription may go meanwhile.
    fn as_it_stands(&mut self, now: Now, said: Said) -> Option<String> {
        let of = |id: SubId| move |sub: &&mut Sub| sub.id == id && !sub.seat.is_lost();
        match said {
            Said::Plain(text) | Said::Lost(text) => Some(text),
            Said::Of(id, text) => self.subs.iter_mut().find(of(id)).map(|_| text),
            Said::Confirmed(id) => {
                let sub = self.subs.iter_mut().find(of(id))?;
                sub.confirmed_at = Some(now.mono);
                Some(confirmation(&sub.identifier))
            }
        }
    }

    fn say(&mut self, said: Said) {
        self.control_bytes += said.bytes();
        self.control.push_back(said);
    }

    fn reject(&mut self, identifier: &str) {
        self.host.registry.metrics().subscriptions_rejected.add_one();
        self.say(Said::Plain(rejection(identifier)));
    }

    fn close(&mut self, disconnect: Disconnect) {
        if disconnect == Disconnect::TOO_SLOW {
            self.host.registry.metrics().listeners_too_slow.add_one();
        }
        self.closing.get_or_insert(disconnect);
    }
}

#[cfg(test)]
mod tests;
