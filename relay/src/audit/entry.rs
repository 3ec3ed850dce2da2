//! What one line of the audit says, before it has a number and a hash. No audio, no line of a transcript, no
//! token and no phone number has a field here.

use std::net::IpAddr;

use partyline_shared::id::CallSid;
use partyline_shared::time::UtcTime;
use serde::Serialize;

use crate::access::Role;

/// What happened; the contract's names on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Somebody is about to hear a call; on disk before the first byte.
    ListenBegin,
    /// Somebody does not hear it any more.
    ListenEnd,
    /// Somebody was refused.
    Refused,
    /// Remembered audio was heard.
    Replay,
    /// Audio was kept.
    Save,
    /// A call's audio was held back.
    Pause,
    /// And was let go again.
    Resume,
    /// Somebody may listen from now on.
    TokenAdded,
    /// Somebody may not any more.
    TokenRemoved,
    /// A call is published as Rails would.
    PublishedToRails,
    /// The audit itself begins, goes on in another file, or works again.
    Started,
}

impl Event {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Event::ListenBegin => "listen_begin",
            Event::ListenEnd => "listen_end",
            Event::Refused => "refused",
            Event::Replay => "replay",
            Event::Save => "save",
            Event::Pause => "pause",
            Event::Resume => "resume",
            Event::TokenAdded => "token_added",
            Event::TokenRemoved => "token_removed",
            Event::PublishedToRails => "published_to_rails",
            Event::Started => "started",
        }
    }
}

/// What goes on record. What does not apply is `None`, and `null` in the file. Texts are cut to
/// [`MAX_TEXT`](super::chain::MAX_TEXT) characters there.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When it happened.
    pub at: UtcTime,
    /// What happened.
    pub event: Event,
    /// The bearer's name.
    pub who: Option<String>,
    /// What the bearer is.
    pub role: Option<Role>,
    /// The token's public id, never the token.
    pub token_id: Option<String>,
    /// The client's address, as --trusted-proxy tells it.
    pub address: Option<IpAddr>,
    /// The way in: `listen`, `cable`, `api` or `page`; the way out, `rails`.
    pub door: Option<&'static str>,
    /// The call.
    pub call_sid: Option<CallSid>,
    /// Whose call it is.
    pub customer_id: Option<String>,
    /// When what was heard begins.
    pub from: Option<UtcTime>,
    /// When what was heard ends.
    pub to: Option<UtcTime>,
    /// How much was heard, s.
    pub seconds: Option<f64>,
    /// How much was sent, bytes of audio.
    pub bytes: Option<u64>,
    /// Why, where that is not plain.
    pub reason: Option<String>,
}

impl Entry {
    /// That `event` happened; all else is unsaid.
    pub fn new(at: UtcTime, event: Event) -> Entry {
        Entry {
            at,
            event,
            who: None,
            role: None,
            token_id: None,
            address: None,
            door: None,
            call_sid: None,
            customer_id: None,
            from: None,
            to: None,
            seconds: None,
            bytes: None,
            reason: None,
        }
    }

    /// Who did it, and by which token.
    #[must_use]
    pub fn by(self, who: &str, role: Role, token_id: &str) -> Entry {
        Entry {
            who: Some(who.to_owned()),
            role: Some(role),
            token_id: Some(token_id.to_owned()),
            ..self
        }
    }

    /// Where from, and by which way in.
    #[must_use]
    pub fn through(self, door: &'static str, address: IpAddr) -> Entry {
        Entry {
            door: Some(door),
            address: Some(address),
            ..self
        }
    }

    /// To which call.
    #[must_use]
    pub fn of_call(self, call_sid: CallSid, customer_id: Option<&str>) -> Entry {
        Entry {
            call_sid: Some(call_sid),
            customer_id: customer_id.map(str::to_owned),
            ..self
        }
    }

    /// From when to when, and how much in that time.
    #[must_use]
    pub fn span(self, from: UtcTime, to: UtcTime, seconds: f64, bytes: u64) -> Entry {
        Entry {
            from: Some(from),
            to: Some(to),
            seconds: Some(seconds),
            bytes: Some(bytes),
            ..self
        }
    }

    /// Why.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Entry {
        Entry {
            reason: Some(reason.into()),
            ..self
        }
    }

    /// The same for the log, without the customer.
    pub(super) fn log(&self) {
        tracing::info!(
            event = self.event.as_str(),
            who = self.who.as_deref(),
            role = self.role.map(Role::as_str),
            token_id = self.token_id.as_deref(),
            address = self.address.map(tracing::field::display),
            door = self.door,
            call_sid = self.call_sid.as_ref().map(CallSid::as_str),
            seconds = self.seconds,
            bytes = self.bytes,
            reason = self.reason.as_deref(),
            "audit"
        );
    }
}
