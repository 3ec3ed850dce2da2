//! What an identifier asks for, and what is told on it (contract 5). Whatever is no channel of ours with a call's name is
//! nothing; whether that call exists is not asked here.

use partyline_shared::id::CallSid;
use partyline_shared::line::Line;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;
use serde_json::Value;

use super::message::put_string;

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

/// What stands in a `media` payload before the track.
pub(super) fn media_head(call: &CallSid) -> String {
    let mut text = payload("media", call);
    text.push_str(r#","track":""#);
    text
}

/// What stands behind the audio.
pub(super) const MEDIA_TAIL: &str =
    r#"","format":{"encoding":"audio/x-mulaw","sample_rate":8000,"channels":1}}"#;

/// A stream has begun.
pub(super) fn start(call: &CallSid, customer: Option<&str>, started_at: Option<UtcTime>) -> String {
    let mut text = payload("start", call);
    text.push_str(r#","customer_id":"#);
    match customer {
        Some(customer) => put_string(&mut text, customer),
        None => text.push_str("null"),
    }
    text.push_str(r#","started_at":"#);
    put_time(&mut text, started_at);
    text.push('}');
    text
}

/// The call is over.
pub(super) fn stop(call: &CallSid, ended_at: UtcTime) -> String {
    let mut text = payload("stop", call);
    text.push_str(r#","ended_at":"#);
    put_time(&mut text, Some(ended_at));
    text.push('}');
    text
}

/// A line, as the journal has it: `json` is a `Line`. `None` for anything else.
pub(super) fn transcript(call: &CallSid, json: &str) -> Option<String> {
    let line: Line = serde_json::from_str(json).ok()?;
    let mut text = payload("transcript", call);
    text.push_str(r#","track":""#);
    text.push_str(Track::as_str(line.track));
    text.push_str(r#"","text":"#);
    put_string(&mut text, &line.text);
    text.push_str(if line.is_final {
        r#","final":true"#
    } else {
        r#","final":false"#
    });
    text.push_str(r#","timestamp":"#);
    put_time(&mut text, Some(line.at));
    text.push('}');
    Some(text)
}

fn payload(event: &str, call: &CallSid) -> String {
    let mut text = format!(r#"{{"event":"{event}","call_sid":"#);
    put_string(&mut text, call.as_str());
    text
}

fn put_time(out: &mut String, time: Option<UtcTime>) {
    match time {
        Some(time) => put_string(out, &time.to_string()),
        None => out.push_str("null"),
    }
}

#[cfg(test)]
mod tests;
