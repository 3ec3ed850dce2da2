//! What Action Cable's channels tell of a call, as Rails' JSON encoder writes it: the payload alone, keys in the order of
//! the contract. A leaf: whoever sends it wraps it in a message of its own, or in nothing.
//!
//! | file | what |
//! | --- | --- |
//! | [`media`] | a frame, without asking for memory |

use partyline_shared::id::CallSid;
use partyline_shared::line::Line;
use partyline_shared::time::UtcTime;
use partyline_shared::track::Track;

pub mod media;

pub use media::Media;

/// A stream has begun.
pub fn start(call: &CallSid, customer: Option<&str>, started_at: Option<UtcTime>) -> String {
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
pub fn stop(call: &CallSid, ended_at: UtcTime) -> String {
    let mut text = payload("stop", call);
    text.push_str(r#","ended_at":"#);
    put_time(&mut text, Some(ended_at));
    text.push('}');
    text
}

/// A line, as the journal has it: `json` is a `Line`. `None` for anything else.
pub fn transcript(call: &CallSid, json: &str) -> Option<String> {
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

/// Appends a JSON string as Rails writes it: safe inside HTML and scripts too.
pub fn put_string(out: &mut String, text: &str) {
    // Text is always written.
    let json = serde_json::to_string(text).unwrap_or_default();
    for c in json.chars() {
        match c {
            '<' => out.push_str(r"\u003c"),
            '>' => out.push_str(r"\u003e"),
            '&' => out.push_str(r"\u0026"),
            '\u{2028}' => out.push_str(r"\u2028"),
            '\u{2029}' => out.push_str(r"\u2029"),
            other => out.push(other),
        }
    }
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
