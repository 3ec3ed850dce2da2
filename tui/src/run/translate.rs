//! What a connection says, in the app's words.

use partyline_shared::id::CallSid;

use crate::client::connection::Signal;
use crate::client::session::Update;
use crate::event::FromRelay;

/// The call that a connection has given up with this: it asks for it no more.
pub(super) fn gives_up(update: &Update) -> Option<&CallSid> {
    match update {
        Update::Ended(call)
        | Update::Missing(call)
        | Update::CallRemoved(call)
        | Update::Unsubscribed(call)
        | Update::Refused { call, .. } => Some(call),
        _ => None,
    }
}

/// The same as an event; `None` for audio, which goes another way.
pub(super) fn said(signal: Signal) -> Option<FromRelay> {
    let ms = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Some(match signal {
        Signal::Cut { why, retry_in } => FromRelay::Cut {
            why,
            retry_ms: ms(retry_in),
        },
        Signal::Refused { failure, retry_in } => FromRelay::Refused {
            why: failure.to_string(),
            retry_ms: Some(ms(retry_in)),
        },
        Signal::Failed(failure) => FromRelay::Refused {
            why: failure.to_string(),
            retry_ms: None,
        },
        Signal::Update(update) => return updated(update),
    })
}

fn updated(update: Update) -> Option<FromRelay> {
    Some(match update {
        Update::Online { user, node } => FromRelay::Connected {
            user: user.name,
            role: user.role,
            allow: user.allow,
            node,
        },
        Update::Snapshot(calls) => FromRelay::Snapshot(calls),
        Update::CallChanged(call) => FromRelay::Changed(call),
        Update::CallRemoved(call) => FromRelay::Removed(call),
        Update::Subscribed {
            call,
            zero_at,
            resumed,
            ..
        } => FromRelay::Following {
            call,
            zero_at,
            resumed,
        },
        Update::JournalChanged { call, journal } => FromRelay::Journal { call, journal },
        Update::Line { call, line } => FromRelay::Line { call, line },
        Update::Event { call, event } => FromRelay::Happened { call, event },
        // A clip's answer goes to who has the clip.
        Update::Frame { .. } | Update::Keeps { .. } => return None,
        Update::Missed {
            call,
            track,
            from,
            to,
            reason,
        } => FromRelay::Missed {
            call,
            track,
            frames: to.saturating_sub(from).saturating_add(1),
            reason: reason.as_str(),
        },
        Update::Levels(levels) => FromRelay::Levels(levels),
        Update::Ended(call) => FromRelay::Ended(call),
        Update::Missing(call) => FromRelay::NotFollowed {
            call,
            why: "the relay no longer knows the call: what came after the cut is missing".to_owned(),
        },
        Update::Refused { call, message, .. } => FromRelay::NotFollowed { call, why: message },
        Update::Unsubscribed(call) => FromRelay::NotFollowed {
            call,
            why: "the relay no longer grants this call".to_owned(),
        },
        Update::Error { message, .. } => FromRelay::Complaint(message),
        Update::BadMessage(why) => FromRelay::Complaint(format!("a message that cannot be read: {why}")),
        Update::RoundTrip { ms } => FromRelay::RoundTrip { ms },
        Update::Relays(relays) => FromRelay::Shares(relays),
        Update::Goodbye { reason, .. } => FromRelay::Goodbye { reason },
    })
}
