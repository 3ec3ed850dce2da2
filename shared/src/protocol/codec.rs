//! Text to message and back. What a later version may add (a type, a field, a value) is no error.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;

use super::client::ClientMessage;
use super::server::ServerMessage;

/// Why a text is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no message of {protocol}: {why}", protocol = super::PROTOCOL)]
pub struct BadMessage {
    /// What is wrong with it, for a person; never quotes the text.
    pub why: String,
}

#[derive(Deserialize)]
struct Tag<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

const FROM_CLIENT: [&str; 6] = ["auth", "subscribe", "unsubscribe", "watch", "ping", "pong"];
const FROM_SERVER: [&str; 14] = [
    "hello",
    "calls",
    "call",
    "call_removed",
    "levels",
    "subscribed",
    "unsubscribed",
    "transcript",
    "event",
    "gap",
    "error",
    "goodbye",
    "relays",
    "pong",
];

/// Reads what a listener said; `Ok(None)` for a type of a later version.
///
/// # Errors
/// [`BadMessage`] when it is not JSON, has no `type`, or a known type misses what it needs.
pub fn from_client(text: &str) -> Result<Option<ClientMessage>, BadMessage> {
    parse(text, &FROM_CLIENT)
}

/// Reads what the relay said; `Ok(None)` for a type of a later version.
///
/// # Errors
/// As [`from_client`].
pub fn from_server(text: &str) -> Result<Option<ServerMessage>, BadMessage> {
    parse(text, &FROM_SERVER)
}

fn parse<T: DeserializeOwned>(text: &str, known: &[&str]) -> Result<Option<T>, BadMessage> {
    let tag: Tag<'_> = serde_json::from_str(text).map_err(|e| bad(&e))?;
    if !known.contains(&tag.kind.as_ref()) && tag.kind != "ping" {
        return Ok(None);
    }
    serde_json::from_str(text).map(Some).map_err(|e| bad(&e))
}

/// Where and what kind, without the words themselves: serde's own text may quote a value.
fn bad(error: &serde_json::Error) -> BadMessage {
    let why = match error.classify() {
        serde_json::error::Category::Data => "a field is missing or of another kind",
        serde_json::error::Category::Eof => "the JSON ends too early",
        _ => "it is not JSON",
    };
    BadMessage {
        why: format!("{why} (column {})", error.column()),
    }
}

/// Writes a message of either side.
pub fn to_text<T: serde::Serialize>(message: &T) -> String {
    // Our messages have string keys and finite numbers: serialising them cannot fail.
    serde_json::to_string(message).unwrap_or_default()
}

#[cfg(test)]
mod tests;
