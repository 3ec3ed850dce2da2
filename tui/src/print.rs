//! The only way to the terminal. What a relay says is an attacker's text: it is cleaned here, and in JSON
//! escaped, so that no control, bidi or zero-width character gets through, and nothing is lost.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

use partyline_shared::call::Call;
use partyline_shared::event::{Event, EventKind};
use partyline_shared::line::Line;
use partyline_shared::phone::PhoneNumber;
use partyline_shared::text::{clean, is_unsafe};
use partyline_shared::time::UtcTime;
use partyline_shared::track::{PerTrack, Role, Track};
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;

/// Lines to stdout, each flushed: who reads them wants them now.
pub struct Lines<W = io::Stdout> {
    to: W,
}

impl Lines {
    /// To stdout.
    pub fn stdout() -> Self {
        Lines { to: io::stdout() }
    }
}

impl<W: Write> Lines<W> {
    /// To anything.
    pub fn new(to: W) -> Self {
        Lines { to }
    }

    /// One line of text, which its maker has cleaned.
    ///
    /// # Errors
    /// [`Failure::Unread`] when the reader has gone, [`Failure::Failed`] when the disk is full or the like.
    pub fn text(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.to, "{line}")
            .and_then(|()| self.to.flush())
            .map_err(|e| written(&e))
    }

    /// One JSON object.
    ///
    /// # Errors
    /// As [`Lines::text`].
    pub fn json<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        self.text(&json(value))
    }
}

/// What a failed write means.
pub fn written(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::BrokenPipe => Failure::Unread,
        _ => Failure::Failed(format!("cannot write the output: {error}")),
    }
}

/// Where notes go while what libraries print goes elsewhere.
static NOTES: Mutex<Option<File>> = Mutex::new(None);

/// Notes go there from now on; to stderr again without.
pub fn notes_to(file: Option<File>) {
    *NOTES.lock().unwrap_or_else(PoisonError::into_inner) = file;
}

/// One line to stderr, beside the data. Where stderr is closed nobody is left to be told.
pub fn note(text: &str) {
    let line = format!("partyline: {}\n", clean(text));
    let mut notes = NOTES.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = match notes.as_mut() {
        Some(file) => file.write_all(line.as_bytes()),
        None => io::stderr().write_all(line.as_bytes()),
    };
}

/// JSON in one line, with every character that a terminal would obey as `\u….`. Such a character can
/// only lie in a string, where its escape is the same character.
pub fn json<T: Serialize>(value: &T) -> String {
    let plain = serde_json::to_string(value).unwrap_or_default();
    let mut out = String::with_capacity(plain.len());
    for c in plain.chars() {
        if is_unsafe(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// `09:00:00` of a time, in UTC.
pub fn clock(at: UtcTime) -> String {
    at.to_string().get(11..19).unwrap_or("--:--:--").to_owned()
}

/// A call in columns, without its duration: the same text means that nothing a reader sees has changed.
pub fn call(call: &Call) -> CallLine {
    let address = |number: &Option<PhoneNumber>| match number {
        Some(number) => clean(number.as_str()),
        None => "-".to_owned(),
    };
    let stream = if call.paused { "paused" } else { stream(call) };
    CallLine {
        status: format!("{:<11} {stream:<7}", call.status.as_str()),
        since: call.started_at.map_or_else(
            || format!("{:<20}", "-"),
            |at| format!("{}Z", at.to_string().get(..19).unwrap_or("-").replace('T', " ")),
        ),
        rest: format!(
            "agent {:<16} customer {:<8} {} → {}  {}",
            address(&call.agent),
            call.customer_id.as_deref().map_or_else(|| "-".to_owned(), clean),
            address(&call.from),
            address(&call.to),
            call.call_sid
        ),
    }
}

fn stream(call: &Call) -> &'static str {
    use partyline_shared::call::StreamState as S;
    match call.stream {
        S::None => "-",
        S::Live => "live",
        S::Stopped => "stopped",
        S::Lost => "lost",
        S::Unknown => "?",
    }
}

/// A call's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallLine {
    status: String,
    since: String,
    rest: String,
}

impl CallLine {
    /// The line, with how long the call has lasted.
    pub fn with_duration(&self, ms: i64) -> String {
        let seconds = ms.max(0) / 1000;
        let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        format!(
            "{} {} {h:>2}:{m:02}:{s:02}  {}",
            self.status, self.since, self.rest
        )
    }
}

/// A transcript line: time, who, words.
pub fn line(line: &Line, roles: Option<&PerTrack<Role>>) -> String {
    let who = roles.map_or_else(|| line.track.as_str(), |roles| roles.get(line.track).as_str());
    format!("{}  {who:<8}  {}", clock(line.at), clean(&line.text))
}

/// An event: time, kind, and what is known of it.
pub fn event(event: &Event) -> String {
    let mut out = format!("{}  {:<21}", clock(event.at), event.kind.as_str());
    let text = |key: &str| event.detail.get(key).and_then(Value::as_str);
    // One that somebody made.
    if let Some(by) = text("by").filter(|_| event.kind == EventKind::Mark) {
        let meant = text("at").and_then(UtcTime::parse).unwrap_or(event.at);
        let _ = write!(out, " {} marked {}", clean(by), clock(meant));
        if let Some(text) = text("text") {
            let _ = write!(out, ": {}", clean(text));
        }
        return out;
    }
    for (key, value) in &event.detail {
        let value = match value {
            Value::String(text) => clean(text),
            other => clean(&other.to_string()),
        };
        let _ = write!(out, " {}={value}", clean(key));
    }
    out.trim_end().to_owned()
}

/// Missing audio, for a person.
pub fn missing(frames: u64, track: Track, reason: &str) -> String {
    let plural = if frames == 1 { "" } else { "s" };
    format!("{frames} frame{plural} missing on {track} ({reason})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn json_reads_back_the_same_and_shows_nothing_unsafe(text in "\\PC*|[\\x00-\\x1f\\x7f-\\x9f\u{200b}-\u{206f}\u{e0000}-\u{e0fff}a-z]*") {
            let printed = json(&text);
            prop_assert!(!printed.chars().any(is_unsafe));
            prop_assert_eq!(serde_json::from_str::<String>(&printed).unwrap(), text);
        }

        #[test]
        fn no_field_of_anything_reaches_the_terminal_unclean(text in "[\\x00-\\x1f\\x7f-\\x9f\u{200b}-\u{206f}a-z]{0,20}") {
            let value = serde_json::json!({"call_sid":"CA1","roles":{"inbound":"customer","outbound":"agent"},"status":"in-progress",
                "stream":"live","from":text,"to":text,"agent":text,"customer_id":text,"started_at":"2026-11-22T09:00:00.000Z"});
            let printed = call(&serde_json::from_value(value).unwrap()).with_duration(61_000);
            prop_assert!(!printed.chars().any(is_unsafe));
            let value = serde_json::json!({"seq":1,"at":"2026-11-22T09:00:00.000Z","kind":"mark","detail":{text.clone():text.clone()}});
            prop_assert!(!event(&serde_json::from_value(value).unwrap()).chars().any(is_unsafe));
            let value = serde_json::json!({"seq":1,"at":"2026-11-22T09:00:00.000Z","track":"inbound","text":text,"final":true});
            prop_assert!(!line(&serde_json::from_value(value).unwrap(), None).chars().any(is_unsafe));
        }
    }
}
