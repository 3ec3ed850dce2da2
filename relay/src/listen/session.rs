//! One listener without its socket: what it says in, what it is told out, in the contract's order. Holds
//! no queue of its own but what is being written: lines and events are read from the journals, calls from
//! the lobby, audio from a bounded mailbox, each when the socket has room. Time is an argument.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use partyline_shared::protocol::client::{ClientMessage, Subscribe};
use partyline_shared::protocol::codec::{from_client, to_text};
use partyline_shared::protocol::server::{ErrorCode, ServerMessage};
use partyline_shared::protocol::{DEAD_SECONDS, PING_SECONDS, PROTOCOL, close};

use super::levels::Watch;
use super::subscription::{Sub, Told};
use crate::access::{Grant, Right};
use crate::calls::call::Ask;
use crate::calls::fanout::{Item, Mailbox, Outlet, SubId};
use crate::calls::registry::Registry;
use crate::clock::Now;

mod list;
mod live;

/// Calls one socket may hear at once: more than a screen shows, few enough that its mailbox (2.5 s of audio
/// each) stays under 20 MB.
pub const MAX_HEARD: usize = 256;

/// Calls one socket may follow at once, heard or only read: each is a cursor, looked at when there is news.
pub const MAX_SUBSCRIPTIONS: usize = 1_024;

/// Items taken from the mailbox at a time.
const BATCH: usize = 32;

/// Answers that a listener is owed before it is listened to again: more than any client asks for at once. One
/// read may still bring some thousand short questions.
const OWED: usize = 64;

/// Something for the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transmit {
    /// A text message.
    Text(String),
    /// A text message that every listener gets.
    Shared(Arc<str>),
    /// A frame.
    Binary(Bytes),
    /// A WebSocket ping.
    Ping,
    /// The last: close with this code.
    Close(u16, &'static str),
}

/// Streams that are still heard must not find a listener that is gone.
impl Drop for Session {
    fn drop(&mut self) {
        self.registry.metrics().frames_lost.add(self.mailbox.close());
    }
}

/// One listener.
#[derive(Debug)]
pub struct Session {
    registry: Arc<Registry>,
    mailbox: Arc<Mailbox>,
    grant: Grant,
    control: VecDeque<String>,
    list: list::List,
    subs: Vec<Sub>,
    next_sub: SubId,
    audio: VecDeque<(SubId, Item)>,
    journal_due: bool,
    lobby_due: bool,
    /// Audio that was published before the news that is due; it is told first.
    before_news: usize,
    postponed: usize,
    watch: Option<Watch>,
    levels_due: bool,
    ping_at: Instant,
    ping_due: bool,
    last_sign: Instant,
    closing: Option<(u16, &'static str)>,
    /// Said when everything else has been.
    goodbye: Option<ServerMessage>,
    closed: bool,
}

impl Session {
    /// A listener that has just come in with `grant`; `hello` and the list of calls come first. Frames may leave
    /// by `outlet` while the session has nothing else to say.
    pub fn new(now: Now, registry: Arc<Registry>, grant: Grant, outlet: Option<Arc<dyn Outlet>>) -> Session {
        let mailbox = Arc::new(Mailbox::new(outlet));
        let hello = ServerMessage::Hello {
            protocol: PROTOCOL.to_owned(),
            relay: env!("CARGO_PKG_VERSION").to_owned(),
            node: registry.node().to_owned(),
            user: grant.user(),
            features: Vec::new(),
            time: now.wall,
        };
        let list = list::List::enter(now.mono, &registry, &grant, &mailbox);
        Session {
            registry,
            mailbox,
            grant,
            control: [to_text(&hello)].into(),
            list,
            subs: Vec::new(),
            next_sub: 1,
            audio: VecDeque::new(),
            journal_due: false,
            lobby_due: false,
            before_news: 0,
            postponed: 0,
            watch: None,
            levels_due: false,
            ping_at: now.mono + Duration::from_secs(PING_SECONDS),
            ping_due: false,
            last_sign: now.mono,
            closing: None,
            goodbye: None,
            closed: false,
        }
    }

    /// Where audio and word of news arrive; the socket waits on it.
    pub fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    /// When [`Session::on_deadline`] is to be called next.
    pub fn deadline(&self) -> Instant {
        let dead = self.last_sign + Duration::from_secs(DEAD_SECONDS);
        let first = dead.min(self.ping_at);
        let others = [self.watch.as_ref().map(Watch::due), self.list.due()];
        others.into_iter().flatten().fold(first, Instant::min)
    }

    /// Whether it has asked for more than it has been told.
    pub fn owes_much(&self) -> bool {
        self.control.len() >= OWED
    }

    /// Any frame or pong: the listener lives.
    pub fn on_sign(&mut self, now: Instant) {
        self.last_sign = now;
    }

    /// A text message of the listener.
    pub fn on_text(&mut self, now: Now, text: &str) {
        self.on_sign(now.mono);
        match from_client(text) {
            Ok(Some(message)) => self.on_message(now, message),
            Ok(None) => {}
            Err(bad) => self.error(ErrorCode::BadMessage, bad.to_string(), None),
        }
    }

    /// What time brings: levels, pings, the end of one that is gone.
    pub fn on_deadline(&mut self, now: Now) {
        if now.mono >= self.last_sign + Duration::from_secs(DEAD_SECONDS) {
            // A code that says to come back: a suspended machine wakes up.
            self.close(close::GOING_AWAY, "no sign of life");
        }
        if now.mono >= self.ping_at {
            self.ping_at = now.mono + Duration::from_secs(PING_SECONDS);
            self.ping_due = true;
        }
        self.lobby_due |= self.list.due().is_some_and(|at| at <= now.mono);
        self.levels_due |= self.watch.as_ref().is_some_and(|watch| watch.due() <= now.mono);
    }

    /// The relay leaves: what has been published is told, then `goodbye`, then 1001.
    pub fn goodbye(&mut self, reason: &str, retry_after: Duration) {
        let retry_after_ms = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
        self.goodbye = Some(ServerMessage::Goodbye {
            reason: reason.to_owned(),
            retry_after_ms,
        });
    }

    /// The listener takes nothing for too long.
    pub fn too_slow(&mut self) {
        self.close(close::TOO_SLOW, "too slow");
    }

    fn close(&mut self, code: u16, why: &'static str) {
        if code == close::TOO_SLOW {
            self.registry.metrics().listeners_too_slow.add_one();
        }
        self.closing.get_or_insert((code, why));
    }

    /// The next thing to write, or nothing until there is word again. After [`Transmit::Close`] nothing.
    pub fn poll_transmit(&mut self, now: Now) -> Option<Transmit> {
        if self.closed {
            return None;
        }
        if let Some(text) = self.control.pop_front() {
            return Some(Transmit::Text(text));
        }
        if let Some((code, why)) = self.closing {
            self.closed = true;
            return Some(Transmit::Close(code, why));
        }
        if std::mem::take(&mut self.ping_due) {
            return Some(Transmit::Ping);
        }
        if let Some(page) = self.list.next_page() {
            return Some(Transmit::Text(page));
        }
        if let Some(remembered) = self.catch_up(now) {
            return Some(remembered);
        }
        if let Some(live) = self.next_live(now) {
            return Some(live);
        }
        if std::mem::take(&mut self.levels_due)
            && let Some(levels) = self.levels(now)
        {
            return Some(Transmit::Text(levels));
        }
        let goodbye = self.goodbye.take()?;
        self.close(close::GOING_AWAY, "draining");
        Some(Transmit::Text(to_text(&goodbye)))
    }

    fn on_message(&mut self, now: Now, message: ClientMessage) {
        match message {
            ClientMessage::Subscribe(ask) => self.subscribe(now, ask),
            ClientMessage::Unsubscribe { call_sid } => {
                self.drop_sub(|sub| sub.call.sid() == &call_sid);
                self.say(&ServerMessage::Unsubscribed { call_sid });
            }
            ClientMessage::Watch { levels_hz, call_sids } => {
                self.watch = Watch::new(now.mono, levels_hz, call_sids);
            }
            ClientMessage::Ping { id } => self.say(&ServerMessage::Pong {
                id,
                time: Some(now.wall),
            }),
            // Whoever may open this door without a token gains nothing by one.
            ClientMessage::Auth { .. } | ClientMessage::Pong { .. } => {}
        }
    }

    fn subscribe(&mut self, now: Now, ask: Subscribe) {
        let sid = ask.call_sid;
        let Some(call) = self.registry.find(&self.grant, &sid) else {
            return self.error(
                ErrorCode::NoSuchCall,
                "no such call".to_owned(),
                Some(sid.to_string()),
            );
        };
        if ask.save && !self.grant.has(Right::Save) {
            let message = "keeping audio needs the right save".to_owned();
            return self.error(ErrorCode::NotAllowed, message, Some(sid.to_string()));
        }
        // A second one changes the first: its place is given up, its audio on the way is stale.
        self.drop_sub(|sub| sub.call.sid() == &sid);
        let heard = self.subs.iter().filter(|sub| sub.audio).count();
        if self.subs.len() >= MAX_SUBSCRIPTIONS || (ask.audio && heard >= MAX_HEARD) {
            let message = format!(
                "one socket hears {MAX_HEARD} calls and follows {MAX_SUBSCRIPTIONS} at most; unsubscribe from one"
            );
            return self.error(ErrorCode::TooManySubscriptions, message, Some(sid.to_string()));
        }
        let id = self.next_sub;
        self.next_sub = self.next_sub.wrapping_add(1);
        self.hear(ask.audio.then_some(id));
        let ask = Ask {
            mailbox: &self.mailbox,
            sub: id,
            audio: ask.audio,
            after: ask.after.as_ref(),
            replay_ms: ask.replay_ms,
        };
        let audio = ask.audio;
        let made = call.subscribe(now, &self.grant, ask);
        let (sub, subscribed) = Sub::new(id, call, audio, made);
        self.say(&subscribed);
        self.subs.push(sub);
    }

    fn drop_sub(&mut self, is_it: impl Fn(&Sub) -> bool) {
        let before = self.subs.len();
        self.subs.retain(|sub| !is_it(sub));
        if self.subs.len() != before {
            self.hear(None);
        }
    }

    /// Tells the mailbox what is heard; `another` is about to be.
    fn hear(&self, another: Option<SubId>) {
        let heard = self.subs.iter().filter(|sub| sub.audio).map(|sub| sub.id);
        self.mailbox.set_subs(heard.chain(another).collect());
    }

    /// What is remembered of new subscriptions.
    fn catch_up(&mut self, now: Now) -> Option<Transmit> {
        let told = self
            .subs
            .iter_mut()
            .filter(|sub| !sub.is_live())
            .find_map(|sub| sub.catch_up().transpose());
        match told? {
            Ok(Told::Text(text)) => Some(Transmit::Text(text)),
            Ok(Told::Shared(text)) => Some(Transmit::Shared(text)),
            Ok(Told::Audio(bytes)) => Some(Transmit::Binary(bytes)),
            Err(_) => self.fell_behind(now),
        }
    }

    fn say(&mut self, message: &ServerMessage) {
        self.control.push_back(to_text(message));
    }

    fn error(&mut self, code: ErrorCode, message: String, re: Option<String>) {
        self.say(&ServerMessage::Error { code, message, re });
    }
}

#[cfg(test)]
mod tests;
