//! Media Streams: the JSON text messages of one stream's socket.
//!
//! Counters come as strings from Twilio and as numbers from some that speak its protocol; unknown events
//! and keys are ignored; the order of keys means nothing. One flat struct instead of a tagged enum: serde
//! would buffer a message whose tag it has to look for. Audio, fifty times a second and track, is read by
//! `usual` in Twilio's own order and by `scan` in any; serde reads the rest, and all they are not sure of.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

mod payload;
mod scan;
mod usual;

pub use payload::{BadPayload, decode_payload, decode_payload_into, payload_len, put_payload};

/// Largest message taken, bytes. Twilio's are under 400 for media and a few KB for a start with many
/// parameters.
pub const MAX_MESSAGE: usize = 16 << 10;

/// A message, borrowed from its text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message<'a> {
    /// Which sort; the field of the same name has the rest.
    #[serde(borrow)]
    pub event: Cow<'a, str>,
    /// Counts all messages of a socket but `connected`, from 1.
    #[serde(default, deserialize_with = "counter")]
    pub sequence_number: Option<u64>,
    /// With `media`.
    #[serde(default, borrow)]
    pub media: Option<Media<'a>>,
    /// With `start`.
    #[serde(default)]
    pub start: Option<Start>,
    /// With `dtmf`.
    #[serde(default)]
    pub dtmf: Option<Dtmf>,
    /// With `mark`.
    #[serde(default)]
    pub mark: Option<Mark>,
}

/// Audio of one track. A print shows how much, not what.
#[derive(Deserialize)]
pub struct Media<'a> {
    /// `inbound` or `outbound`; absent on some one-track streams, which are inbound.
    #[serde(default, borrow)]
    pub track: Option<Cow<'a, str>>,
    /// Milliseconds since the stream began.
    #[serde(default, deserialize_with = "counter")]
    pub timestamp: Option<u64>,
    /// Base64 of µ-law bytes.
    #[serde(borrow)]
    pub payload: Cow<'a, str>,
}

impl fmt::Debug for Media<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media")
            .field("track", &self.track)
            .field("timestamp", &self.timestamp)
            .field("payload", &self.payload.len())
            .finish()
    }
}

/// What the stream is.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    /// `AC…`.
    #[serde(default)]
    pub account_sid: String,
    /// `MZ…`.
    #[serde(default)]
    pub stream_sid: String,
    /// `CA…`, the leg that it runs on.
    pub call_sid: String,
    /// `inbound`, `outbound`.
    #[serde(default)]
    pub tracks: Vec<String>,
    /// What the payload is.
    #[serde(default)]
    pub media_format: Option<MediaFormat>,
    /// The TwiML's `<Parameter>`s.
    #[serde(default)]
    pub custom_parameters: BTreeMap<String, String>,
}

/// Names of parameters only: a value may be a secret.
impl fmt::Debug for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("account_sid", &self.account_sid)
            .field("stream_sid", &self.stream_sid)
            .field("call_sid", &self.call_sid)
            .field("tracks", &self.tracks)
            .field("media_format", &self.media_format)
            .field("custom_parameters", &self.custom_parameters.keys())
            .finish()
    }
}

/// What the payload is: always µ-law, 8000, 1 from Twilio.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaFormat {
    /// `audio/x-mulaw`.
    pub encoding: String,
    /// Samples a second.
    pub sample_rate: u32,
    /// 1.
    pub channels: u32,
}

/// A key pressed, on two-way streams. A print does not say which: it may be a card's.
#[derive(Clone, Deserialize)]
pub struct Dtmf {
    /// `0`-`9`, `*`, `#`.
    #[serde(default)]
    pub digit: String,
}

impl fmt::Debug for Dtmf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dtmf").finish_non_exhaustive()
    }
}

/// Played to here, on two-way streams.
#[derive(Debug, Clone, Deserialize)]
pub struct Mark {
    /// The text that was sent with it.
    #[serde(default)]
    pub name: String,
}

/// A message that is not one; says where, never what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a Media Streams message (byte {at})")]
pub struct BadJson {
    /// Where reading stopped.
    pub at: usize,
}

impl<'a> Message<'a> {
    /// Reads one message.
    ///
    /// # Errors
    /// [`BadJson`] when it is not a JSON object with an `event`, or a known field has another shape.
    pub fn parse(text: &'a str) -> Result<Self, BadJson> {
        match audio(text) {
            Some((sequence_number, media)) => Ok(Message {
                event: Cow::Borrowed("media"),
                sequence_number,
                media: Some(media),
                start: None,
                dtmf: None,
                mark: None,
            }),
            None => Self::parse_any(text),
        }
    }

    /// The way that every message could go, and the one that says what is right.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_any(text: &'a str) -> Result<Self, BadJson> {
        serde_json::from_str(text).map_err(|e| BadJson { at: e.column() })
    }
}

/// The sequenceNumber and the audio of a `media` message, cheaply; `None` where that is not for the quick
/// way to say: [`Message::parse_any`] then says what the message is. Where both read, they read the same.
#[inline]
pub fn audio(text: &str) -> Option<(Option<u64>, Media<'_>)> {
    usual::media(text).or_else(|| scan::media(text))
}

/// A counter as string or number; anything else, and what does not fit, is an error.
fn counter<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    struct Visit;
    impl de::Visitor<'_> for Visit {
        type Value = Option<u64>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a count as string or number")
        }
        fn visit_u64<E: de::Error>(self, n: u64) -> Result<Self::Value, E> {
            Ok(Some(n))
        }
        fn visit_f64<E: de::Error>(self, n: f64) -> Result<Self::Value, E> {
            if n.is_finite() && n >= 0.0 {
                Ok(Some(n as u64))
            } else {
                Err(E::custom("no count"))
            }
        }
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            if text.is_empty() {
                Ok(None)
            } else {
                text.parse().map(Some).map_err(|_| E::custom("no count"))
            }
        }
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    from.deserialize_any(Visit)
}

/// Writes what Twilio writes, key for key in its order: for the simulator and for tests.
pub mod write {
    use super::{Serialize, payload};
    use crate::track::Track;

    /// The first message of every socket.
    pub const CONNECTED: &str = r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#;

    fn json(text: &(impl Serialize + ?Sized)) -> String {
        serde_json::to_string(text).unwrap_or_default()
    }

    /// `start`, the second message, sequenceNumber 1.
    pub fn start(
        account: &str,
        stream: &str,
        call: &str,
        tracks: &[Track],
        parameters: &[(String, String)],
    ) -> String {
        let parameters: Vec<String> = parameters
            .iter()
            .map(|(k, v)| format!("{}:{}", json(k), json(v)))
            .collect();
        format!(
            concat!(
                r#"{{"event":"start","sequenceNumber":"1","start":{{"accountSid":{account},"streamSid":{stream},"#,
                r#""callSid":{call},"tracks":{tracks},"mediaFormat":{{"encoding":"audio/x-mulaw","#,
                r#""sampleRate":8000,"channels":1}},"customParameters":{{{parameters}}}}},"streamSid":{stream}}}"#
            ),
            account = json(account),
            stream = json(stream),
            call = json(call),
            tracks = json(tracks),
            parameters = parameters.join(","),
        )
    }

    /// One `media` message.
    pub fn media(
        stream: &str,
        sequence: u64,
        track: Track,
        chunk: u64,
        timestamp_ms: u64,
        mulaw: &[u8],
    ) -> String {
        format!(
            concat!(
                r#"{{"event":"media","sequenceNumber":"{sequence}","media":{{"track":"{track}","#,
                r#""chunk":"{chunk}","timestamp":"{timestamp}","payload":"{payload}"}},"streamSid":{stream}}}"#
            ),
            sequence = sequence,
            track = track,
            chunk = chunk,
            timestamp = timestamp_ms,
            payload = payload::encode(mulaw),
            stream = json(stream),
        )
    }

    /// `stop`, the last message.
    pub fn stop(account: &str, stream: &str, call: &str, sequence: u64) -> String {
        format!(
            r#"{{"event":"stop","sequenceNumber":"{sequence}","streamSid":{},"stop":{{"accountSid":{},"callSid":{}}}}}"#,
            json(stream),
            json(account),
            json(call),
        )
    }
}

#[cfg(test)]
mod tests;
