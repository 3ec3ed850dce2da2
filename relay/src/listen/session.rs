//! One listener without its socket: what it says in, what it is told out, in the contract's order. Holds
//! no queue of its own but what is being written: lines and events are read from the journals, calls from
//! the lobby, audio from a bounded mailbox, each when the socket has room. Time is an argument.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::ClientMessage;
use partyline_shared::protocol::codec::{from_client, to_text};
use partyline_shared::protocol::server::{ErrorCode, Relays, ServerMessage};
use partyline_shared::protocol::{DEAD_SECONDS, PING_SECONDS, PROTOCOL, close};
use partyline_shared::time::UtcTime;

use super::levels::Watch;
use super::subscription::{Sub, Told};
use crate::access::{Grant, Source};
use crate::calls::fanout::{Item, Mailbox, Outlet, SubId};
use crate::calls::mirror::Watching;
use crate::clock::Now;
use crate::presence::{Present, Way};

mod asks;
mod list;
mod live;
mod place;
mod relays;
mod remembered;
mod seen;

pub use crate::hearing::Host;
pub use crate::pump::Transmit;
use asks::Wish;
pub use asks::{Answer, Asked, Token};

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

/// A grant that ends is looked at again after so long at the latest: the wall's clock may be set meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// An answer that waits to be written.
#[derive(Debug)]
enum Said {
    /// Told whatever comes.
    Plain(String),
    /// A subscription stands, if the call is still granted when this is told.
    Subscribed(CallSid, String),
    /// Why something is refused of a call, if that is still granted.
    Refused(CallSid, String),
}

/// One listener.
#[derive(Debug)]
pub struct Session {
    host: Host,
    mailbox: Arc<Mailbox>,
    /// As admins see it.
    here: Present,
    /// What it was told last of other relays.
    relays: Option<Relays>,
    /// Bytes that its socket has written.
    written: u64,
    grant: Grant,
    /// When the grant is to be looked at again, because it ends.
    expires: Option<Instant>,
    asks: asks::Asks,
    control: VecDeque<Said>,
    list: list::List,
    subs: Vec<Sub>,
    next_sub: SubId,
    audio: VecDeque<(SubId, Item)>,
    /// Of calls that are over, and the last of what was heard is not told yet.
    ending: Vec<SubId>,
    journal_due: bool,
    lobby_due: bool,
    /// Audio that was published before the news that is due; it is told first.
    before_news: usize,
    postponed: usize,
    /// And word of it to other relays.
    watch: Option<(Watch, Watching)>,
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
    pub fn new(now: Now, host: Host, grant: Grant, outlet: Option<Arc<dyn Outlet>>) -> Session {
        let registry = &host.registry;
        let mailbox = Arc::new(Mailbox::new(outlet));
        let hello = ServerMessage::Hello {
            protocol: PROTOCOL.to_owned(),
            relay: env!("CARGO_PKG_VERSION").to_owned(),
            node: registry.node().to_owned(),
            user: grant.user(),
            features: Vec::new(),
            time: now.wall,
        };
        let list = list::List::enter(now.mono, registry, &grant, &mailbox);
        let way = Way {
            door: host.door,
            address: host.address,
            since: now.wall,
        };
        let here = host.presence.enter(way, &grant, mailbox.clone());
        let mut session = Session {
            host,
            expires: None,
            asks: asks::Asks::default(),
            mailbox,
            here,
            relays: None,
            written: 0,
            grant,
            control: [Said::Plain(to_text(&hello))].into(),
            list,
            subs: Vec::new(),
            next_sub: 1,
            audio: VecDeque::new(),
            ending: Vec::new(),
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
        };
        session.expire_at(now);
        session.tell_relays();
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

    /// Where audio and word of news arrive; the socket waits on it.
    pub fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    /// When [`Session::on_deadline`] is to be called next.
    pub fn deadline(&self) -> Instant {
        let dead = self.last_sign + Duration::from_secs(DEAD_SECONDS);
        let first = dead.min(self.ping_at);
        let others = [
            self.watch.as_ref().map(|(watch, _)| watch.due()),
            self.list.due(),
            self.expires,
        ];
        others.into_iter().flatten().fold(first, Instant::min)
    }

    /// When its rights are to be looked at again without any word, since they end by themselves.
    pub fn look_again_at(&self) -> Option<Instant> {
        self.expires
    }

    /// Whether it has asked for more than it has been told.
    pub fn owes_much(&self) -> bool {
        self.control.len() >= OWED
    }

    /// Whether more waits for an answer to be asked for than it is to be listened to meanwhile.
    pub fn asks_much(&self) -> bool {
        self.asks.waiting_wishes() >= OWED
    }

    /// Any frame or pong: the listener lives.
    pub fn on_sign(&mut self, now: Instant) {
        self.last_sign = now;
    }

    /// A text message of the listener.
    pub fn on_text(&mut self, now: Now, text: &str) {
        self.on_sign(now.mono);
        match from_client(text) {
            Ok(Some(message)) if self.asks.is_waiting() => self.asks.wait(Wish::Said(message)),
            Ok(Some(message)) => self.on_message(now, message),
            Ok(None) => {}
            Err(bad) => self.say(&ServerMessage::Error {
                code: ErrorCode::BadMessage,
                message: bad.to_string(),
                re: None,
            }),
        }
    }

    /// What time brings: levels, pings, the end of one that is gone.
    pub fn on_deadline(&mut self, now: Now) {
        if now.mono >= self.last_sign + Duration::from_secs(DEAD_SECONDS) {
            // A code that says to come back: a suspended machine wakes up.
            self.close(close::GOING_AWAY, "no sign of life");
        }
        if self.expires.is_some_and(|at| at <= now.mono) {
            self.recheck(now);
        }
        if now.mono >= self.ping_at {
            self.ping_at = now.mono + Duration::from_secs(PING_SECONDS);
            self.ping_due = true;
        }
        self.lobby_due |= self.list.due().is_some_and(|at| at <= now.mono);
        self.levels_due |= self
            .watch
            .as_ref()
            .is_some_and(|(watch, _)| watch.due() <= now.mono);
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

    /// The listener says more than anybody has to.
    pub fn too_loud(&mut self) {
        self.host.registry.metrics().listeners_too_loud.add_one();
    }

    fn close(&mut self, code: u16, why: &'static str) {
        if code == close::TOO_SLOW {
            self.host.registry.metrics().listeners_too_slow.add_one();
        }
        self.closing.get_or_insert((code, why));
    }

    /// The next thing to write, or nothing until there is word again. After [`Transmit::Close`] nothing.
    pub fn poll_transmit(&mut self, now: Now) -> Option<Transmit> {
        if self.closed {
            return None;
        }
        if self.mailbox.take_recheck() {
            self.recheck(now);
        }
        if self.must_go() {
            // Not even what it was answered last.
            self.control.clear();
        }
        if let Some(said) = self.control.pop_front() {
            return Some(Transmit::Text(self.as_granted(now, said)));
        }
        if let Some((code, why)) = self.closing {
            self.closed = true;
            return Some(Transmit::Close(code, why));
        }
        if std::mem::take(&mut self.ping_due) {
            return Some(Transmit::Ping);
        }
        if let Some(page) = self.list.next_page(&self.host.registry, &self.grant) {
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
        if self.closing.is_some() {
            return;
        }
        match message {
            ClientMessage::Subscribe(ask) => self.subscribe(now, ask),
            ClientMessage::Unsubscribe { call_sid } => self.unsubscribe(now, &call_sid, "unsubscribed"),
            ClientMessage::Watch { levels_hz, call_sids } => {
                let watched = &self.host.registry.feed().watched;
                let watch = Watch::new(now.mono, levels_hz, call_sids);
                self.watch = watch.map(|watch| {
                    let hz = watch.hz();
                    (watch, watched.watch(hz))
                });
            }
            ClientMessage::Ping { id } => self.say(&ServerMessage::Pong {
                id,
                time: Some(now.wall),
            }),
            // Whoever was let in without a token gains nothing by one.
            ClientMessage::Auth { .. } if self.grant.source() == Source::Insecure => {}
            ClientMessage::Auth { token } => self.ask_for_bearer(token),
            ClientMessage::Pong { .. } => {}
        }
    }

    fn say(&mut self, message: &ServerMessage) {
        self.say_text(to_text(message));
    }

    fn say_text(&mut self, text: String) {
        self.control.push_back(Said::Plain(text));
    }

    /// What was said waits for the socket, and rights may be lost meanwhile: then the call is as one that does not
    /// exist.
    fn as_granted(&mut self, now: Now, said: Said) -> String {
        let (sid, text) = match &said {
            Said::Plain(text) => return text.clone(),
            Said::Subscribed(sid, text) | Said::Refused(sid, text) => (sid, text),
        };
        if self.host.registry.find(&self.grant, sid).is_none() {
            if matches!(said, Said::Subscribed(..)) {
                self.drop_sub(now, sid, "no longer granted");
            }
            return to_text(&no_such_call(sid));
        }
        if matches!(said, Said::Subscribed(..)) {
            self.list.is_told(sid.clone());
        }
        text.clone()
    }

    /// Refuses what was asked of a call that is granted.
    fn refuse(&mut self, code: ErrorCode, message: String, sid: &CallSid) {
        let re = Some(sid.to_string());
        let text = to_text(&ServerMessage::Error { code, message, re });
        self.control.push_back(Said::Refused(sid.clone(), text));
    }

    fn no_such_call(&mut self, sid: &CallSid) {
        self.say(&no_such_call(sid));
    }
}

/// The one answer about a call that does not exist and one that is not granted.
fn no_such_call(sid: &CallSid) -> ServerMessage {
    ServerMessage::Error {
        code: ErrorCode::NoSuchCall,
        message: "no such call".to_owned(),
        re: Some(sid.to_string()),
    }
}

#[cfg(test)]
mod tests;
