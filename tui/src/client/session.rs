//! One logical connection to a relay over as many sockets as it takes: no socket, no clock in here, time
//! is an argument in milliseconds since some start. Texts and frames go in; messages to send come out of
//! [`Session::poll_send`], what they mean out of [`Session::poll_update`].
//!
//! What it holds to, across any cuts: a line or event of a journal is given once and in order; of every
//! audio chunk since a track's first, either the frame or a `Missed` range is given, once and in order.

mod audio;
mod ending;
mod journal;
mod keeping;
mod link;
mod list;
mod past;
mod subscription;
mod update;

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::ClientMessage;
use partyline_shared::protocol::server::{ErrorCode, ServerMessage};
use partyline_shared::protocol::{DEAD_SECONDS, close, codec};

use link::{Link, RelayClock};
use subscription::Subscription;
pub use update::{MissedReason, Next, Update, Want};

/// How often the client pings, ms: a proxy that cuts idle sockets does so after 60 s, and a lost
/// network is noticed while the relay's memory of audio still helps.
pub const PING_MS: u64 = 15_000;

/// Without any frame for this long, ms, the relay is gone.
pub const DEAD_MS: u64 = DEAD_SECONDS * 1000;

/// The state; see the module.
#[derive(Debug, Default)]
pub struct Session {
    wants: BTreeMap<CallSid, Subscription>,
    past: past::Past,
    watch: Option<(f64, Option<Vec<CallSid>>)>,
    keeping: keeping::Keeping,
    link: Link,
    clock: RelayClock,
    sends: VecDeque<String>,
    updates: VecDeque<Update>,
    next_ping: u64,
    foreign_frames: u64,
}

impl Session {
    /// A session that wants nothing but the list of calls.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wants a call; a second time changes the first. Asked for at once where a socket is open.
    pub fn subscribe(&mut self, now: u64, call: CallSid, want: Want) {
        let sub = self.wants.entry(call.clone()).or_default();
        if let Some(journals) = self.past.take(&call) {
            sub.resume(journals);
        }
        sub.set(now, want);
        // The list may have been told long before anybody wanted this one.
        if let Some(ended) = self.link.shows(&call) {
            sub.on_call(now, ended);
        }
        if self.link.greeted && (!want.wait || sub.is_known()) {
            let message = sub.ask(now, &call);
            self.send(&message);
        }
    }

    /// Wants a call no more; wanted anew it begins at the beginning, even where it had ended by itself.
    pub fn unsubscribe(&mut self, call: &CallSid) {
        self.past.take(call);
        if self.wants.remove(call).is_some() && self.link.greeted {
            self.link.leaves(call);
            self.send(&ClientMessage::Unsubscribe {
                call_sid: call.clone(),
            });
        }
    }

    /// Wants levels of some calls, `None` for all, `levels_hz` times a second; 0 ends it.
    pub fn watch(&mut self, levels_hz: f64, call_sids: Option<Vec<CallSid>>) {
        self.watch = (levels_hz > 0.0).then(|| (levels_hz, call_sids.clone()));
        if self.link.greeted {
            self.send(&ClientMessage::Watch { levels_hz, call_sids });
        }
    }

    /// A socket stands. Nothing is sent before the relay's `hello`.
    pub fn on_open(&mut self, now: u64) {
        self.link = Link {
            open: true,
            snapshot: Some(Vec::new()),
            heard_at: now,
            ping_at: now + PING_MS,
            ..Link::default()
        };
        self.sends.clear();
    }

    /// Something came that says no more than that the relay is there: a WebSocket ping or pong.
    pub fn on_alive(&mut self, now: u64) {
        self.link.heard_at = now;
    }

    /// A text message came. One that is none is told as an [`Update::BadMessage`] and changes nothing.
    pub fn on_text(&mut self, now: u64, text: &str) {
        self.on_alive(now);
        match codec::from_server(text) {
            Ok(Some(message)) => self.on_message(now, message),
            Ok(None) => {}
            Err(bad) => self.updates.push_back(Update::BadMessage(bad.why)),
        }
    }

    /// A binary message came.
    pub fn on_binary(&mut self, now: u64, bytes: Bytes) {
        self.on_alive(now);
        let frame = match AudioFrame::parse(bytes) {
            Ok(Some(frame)) => frame,
            Ok(None) => return,
            Err(bad) => return self.updates.push_back(Update::BadMessage(bad.to_string())),
        };
        let id = frame.audio_id();
        match self.wants.iter_mut().find(|(_, sub)| sub.hears(id)) {
            Some((call, sub)) => sub.on_frame(now, call, frame, &mut self.updates),
            None => self.foreign_frames += 1,
        }
    }

    /// The socket is gone: what to do next.
    pub fn on_closed(&mut self, code: Option<u16>) -> Next {
        let after_ms = self.link.retry_after_ms;
        self.link = Link::default();
        self.sends.clear();
        for sub in self.wants.values_mut() {
            sub.on_closed();
        }
        self.keeping_cut();
        if close::comes_back(code) {
            Next::ComeBack { after_ms }
        } else {
            Next::GiveUp {
                code: code.unwrap_or(close::PROTOCOL_ERROR),
            }
        }
    }

    /// When [`Session::on_deadline`] wants to be called, at the latest.
    pub fn deadline(&self) -> u64 {
        let link = if self.link.open {
            self.link.ping_at.min(self.link.heard_at + DEAD_MS)
        } else {
            u64::MAX
        };
        self.wants
            .values()
            .map(Subscription::deadline)
            .fold(link, u64::min)
    }

    /// Time has passed: pings, and ends what has been quiet long enough.
    pub fn on_deadline(&mut self, now: u64) {
        if self.link.open && now >= self.link.ping_at {
            if self.link.greeted {
                self.ping(now);
            }
            self.link.ping_at = now + PING_MS;
        }
        let mut ask = false;
        for (call, sub) in &mut self.wants {
            ask |= sub.on_deadline(now, call, self.link.greeted, &mut self.updates);
        }
        if ask {
            self.ping(now);
        }
        let over = self.wants.iter().filter(|(_, sub)| sub.is_over());
        let over: Vec<CallSid> = over.map(|(call, _)| call.clone()).collect();
        for call in &over {
            let journals = self.wants.get_mut(call).map(Subscription::leave);
            // Lines may join an ended call for an hour; and the relay counts subscriptions.
            self.unsubscribe(call);
            self.past.keep(call.clone(), journals.unwrap_or_default());
        }
    }

    /// Whether the relay has been silent for so long that the socket is to be dropped.
    pub fn is_dead(&self, now: u64) -> bool {
        self.link.open && now >= self.link.heard_at + DEAD_MS
    }

    /// Whether this socket's `hello` has come.
    pub fn is_greeted(&self) -> bool {
        self.link.greeted
    }

    /// Frames of streams that nobody wants, or that were replaced: dropped.
    pub fn foreign_frames(&self) -> u64 {
        self.foreign_frames
    }

    /// The next message to send.
    pub fn poll_send(&mut self) -> Option<String> {
        self.sends.pop_front()
    }

    /// The next thing to know.
    pub fn poll_update(&mut self) -> Option<Update> {
        self.updates.pop_front()
    }

    fn send(&mut self, message: &ClientMessage) {
        self.sends.push_back(codec::to_text(message));
    }

    fn ping(&mut self, now: u64) {
        self.next_ping += 1;
        self.link.waiting = Some((self.next_ping, now));
        self.link.ping_at = now + PING_MS;
        for sub in self.wants.values_mut() {
            sub.on_ping(self.next_ping);
        }
        self.send(&ClientMessage::Ping { id: self.next_ping });
    }

    fn on_message(&mut self, now: u64, message: ServerMessage) {
        match message {
            ServerMessage::Hello { user, node, time, .. } => {
                self.clock.saw(now, time);
                self.on_hello(now, user, node);
            }
            ServerMessage::Calls { calls, more } => self.on_calls(now, calls, more),
            ServerMessage::Call { call } => {
                self.on_call(now, &call);
                self.updates.push_back(Update::CallChanged(call));
            }
            ServerMessage::CallRemoved { call_sid } => self.on_removed(call_sid),
            ServerMessage::Levels { levels } => self.updates.push_back(Update::Levels(levels)),
            ServerMessage::Subscribed {
                call_sid,
                audio_id,
                journal,
                resumed,
                zero_at,
            } => {
                if let Some(sub) = self.wants.get_mut(&call_sid) {
                    let listed = self.link.snapshot.is_none();
                    let media_zero = zero_at.and_then(|zero_at| self.clock.to_session(zero_at));
                    sub.on_subscribed(
                        now,
                        &call_sid,
                        audio_id,
                        journal,
                        resumed,
                        zero_at,
                        media_zero,
                        listed,
                        &mut self.updates,
                    );
                }
                self.keeping_stands(&call_sid);
            }
            ServerMessage::Unsubscribed { call_sid } => {
                // The answer to an `unsubscribe` of ours may come when the call is wanted anew.
                if !self.link.is_answer(&call_sid) && self.wants.remove(&call_sid).is_some() {
                    self.updates.push_back(Update::Unsubscribed(call_sid));
                }
            }
            ServerMessage::Transcript { call_sid, line } => {
                if let Some(sub) = self.wants.get_mut(&call_sid) {
                    sub.on_line(now, &call_sid, line, &mut self.updates);
                }
            }
            ServerMessage::Event { call_sid, event } => {
                if let Some(sub) = self.wants.get_mut(&call_sid) {
                    sub.on_event(now, &call_sid, event, &mut self.updates);
                }
            }
            ServerMessage::Gap {
                call_sid,
                track,
                from_chunk,
                to_chunk,
                reason,
            } => {
                if let Some(sub) = self.wants.get_mut(&call_sid) {
                    sub.on_gap(&call_sid, track, from_chunk, to_chunk, reason, &mut self.updates);
                }
            }
            ServerMessage::Error { code, message, re } => self.on_error(now, code, message, re),
            ServerMessage::Goodbye {
                reason,
                retry_after_ms,
            } => {
                self.link.retry_after_ms = Some(retry_after_ms);
                self.updates.push_back(Update::Goodbye {
                    reason,
                    retry_after_ms,
                });
            }
            ServerMessage::Relays(relays) => self.updates.push_back(Update::Relays(relays)),
            ServerMessage::Ping { id } => self.send(&ClientMessage::Pong { id }),
            ServerMessage::Pong { id, .. } => self.on_pong(now, id),
        }
    }

    fn on_hello(&mut self, now: u64, user: partyline_shared::protocol::server::User, node: String) {
        self.link.greeted = true;
        self.updates.push_back(Update::Online { user, node });
        if let Some((levels_hz, call_sids)) = self.watch.clone() {
            self.send(&ClientMessage::Watch { levels_hz, call_sids });
        }
        let asked: Vec<ClientMessage> = self
            .wants
            .iter_mut()
            .filter(|(_, sub)| !sub.waits())
            .map(|(call, sub)| sub.ask(now, call))
            .collect();
        for message in &asked {
            self.send(message);
        }
    }

    fn on_error(&mut self, now: u64, code: ErrorCode, message: String, re: Option<String>) {
        let named = re.and_then(|text| CallSid::parse(&text).ok());
        if let Some(call) = &named
            && self.keeping_refused(call, &message)
        {
            return;
        }
        let Some(call) = named.filter(|call| self.wants.contains_key(call)) else {
            return self.updates.push_back(Update::Error { code, message });
        };
        if let Some(sub) = self.wants.get_mut(&call)
            && code == ErrorCode::NoSuchCall
            && sub.on_unknown(now)
        {
            return;
        }
        self.wants.remove(&call);
        self.updates.push_back(Update::Refused { call, code, message });
    }

    fn on_pong(&mut self, now: u64, id: u64) {
        if let Some((waiting, sent)) = self.link.waiting
            && waiting == id
        {
            self.link.waiting = None;
            self.updates.push_back(Update::RoundTrip {
                ms: now.saturating_sub(sent),
            });
        }
        for sub in self.wants.values_mut() {
            sub.on_pong(now, id);
        }
        self.keeping_pong(id);
    }
}

#[cfg(test)]
mod tests;
