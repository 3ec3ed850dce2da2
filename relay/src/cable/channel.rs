//! What an identifier asks for (contract 5); what is told on it is in `broadcast`. Whatever is no channel of ours with a
//! call's name is nothing; whether that call exists is not asked here.

use partyline_shared::id::CallSid;
use serde_json::Value;

/// Longest identifier taken, bytes: it is part of every frame that is told on it, and one of ours has 90.
pub const MAX_IDENTIFIER: usize = 1024;

/// A channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// `CallStreamChannel`: start, media, stop.
    Stream,
    /// `TwilioMediaChannel`: media and transcript.
    Media,
}

/// What an identifier names: a channel, and the call that it is about.
pub fn named(identifier: &str) -> Option<(Channel, CallSid)> {
    if identifier.len() > MAX_IDENTIFIER {
        return None;
    }
    let params: Value = serde_json::from_str(identifier).ok()?;
    let (channel, call) = match params.get("channel")?.as_str()? {
        "CallStreamChannel" => (Channel::Stream, "call_id"),
        "TwilioMediaChannel" => (Channel::Media, "call_sid"),
        _ => return None,
    };
    let call = CallSid::parse(params.get(call)?.as_str()?).ok()?;
    Some((channel, call))
}

#[cfg(test)]
mod tests;
