//! Media Streams: the JSON text messages of one stream's socket.
//!
//! Counters come as strings from Twilio and as numbers from some that speak its protocol; unknown events
//! and keys are ignored; the order of keys means nothing. One flat struct instead of a tagged enum: serde
//! would buffer a message whose tag it has to look for, and this is the hot path.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::DecodePaddingMode};
use serde::{Deserialize, Deserializer, Serialize, de};

/// Largest message taken, bytes. Twilio's are under 400 for media and a few KB for a start with many
/// parameters.
pub const MAX_MESSAGE: usize = 16 << 10;

/// Standard alphabet; padding is Twilio's habit, its absence somebody else's.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

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

/// Audio of one track.
#[derive(Debug, Deserialize)]
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

/// What the stream is.
#[derive(Debug, Clone, Deserialize)]
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

/// A key pressed, on two-way streams.
#[derive(Debug, Clone, Deserialize)]
pub struct Dtmf {
    /// `0`-`9`, `*`, `#`.
    #[serde(default)]
    pub digit: String,
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

/// Payload that is no base64, or has nothing in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the payload is not base64 audio")]
pub struct BadPayload;

impl<'a> Message<'a> {
    /// Reads one message.
    ///
    /// # Errors
    /// [`BadJson`] when it is not a JSON object with an `event`, or a known field has another shape.
    pub fn parse(text: &'a str) -> Result<Self, BadJson> {
        serde_json::from_str(text).map_err(|e| BadJson { at: e.column() })
    }
}

/// Decodes a payload into `out`, replacing what was there.
///
/// # Errors
/// [`BadPayload`] when it is no base64 or empty.
pub fn decode_payload(payload: &str, out: &mut Vec<u8>) -> Result<(), BadPayload> {
    out.clear();
    BASE64.decode_vec(payload, out).map_err(|_| BadPayload)?;
    if out.is_empty() { Err(BadPayload) } else { Ok(()) }
}

/// A counter as string or number; anything else, and what does not fit, is an error.
fn counter<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    struct Visit;
    impl de::Visitor<'_> for Visit {
        type Value = Option<u64>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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
    use super::{BASE64, Engine, Serialize};
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
            payload = BASE64.encode(mulaw),
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
mod tests {
    use super::*;
    use crate::track::Track;
    use proptest::prelude::*;

    const START: &str = r#"{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC11111111111111111111111111111111","streamSid":"MZ44444444444444444444444444444444","callSid":"CA22222222222222222222222222222222","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{"tenant":"acme"}},"streamSid":"MZ44444444444444444444444444444444"}"#;

    #[test]
    fn what_we_write_is_byte_for_byte_what_twilio_writes() {
        let (ac, mz, ca) = (
            "AC11111111111111111111111111111111",
            "MZ44444444444444444444444444444444",
            "CA22222222222222222222222222222222",
        );
        assert_eq!(
            write::start(ac, mz, ca, &[Track::Inbound], &[("tenant".into(), "acme".into())]),
            START
        );
        assert_eq!(
            write::stop(ac, mz, ca, 378),
            r#"{"event":"stop","sequenceNumber":"378","streamSid":"MZ44444444444444444444444444444444","stop":{"accountSid":"AC11111111111111111111111111111111","callSid":"CA22222222222222222222222222222222"}}"#
        );
        let media = write::media(mz, 2, Track::Inbound, 1, 57, &[0xff; 160]);
        assert!(media.starts_with(r#"{"event":"media","sequenceNumber":"2","media":{"track":"inbound","chunk":"1","timestamp":"57","payload":"/////"#));
        assert!(media.ends_with(r#"w=="},"streamSid":"MZ44444444444444444444444444444444"}"#));
        assert_eq!(media.len(), 373);
    }

    #[test]
    fn counters_are_strings_or_numbers_and_keys_may_be_new() {
        let text = r#"{"streamSid":"MZ1","media":{"payload":"/w","timestamp":57,"new":[1]},"sequenceNumber":2,"event":"media","x":null}"#;
        let message = Message::parse(text).unwrap();
        assert_eq!(message.sequence_number, Some(2));
        let media = message.media.unwrap();
        assert_eq!((media.timestamp, media.track.is_none()), (Some(57), true));
        let mut audio = vec![1, 2, 3];
        decode_payload(&media.payload, &mut audio).unwrap();
        assert_eq!(audio, [0xff]);
        let connected = Message::parse(
            r#"{"event":"connected","protocol":"Call","version":"0.2.0","sequenceNumber":""}"#,
        )
        .unwrap();
        assert_eq!(connected.sequence_number, None);
    }

    #[test]
    fn bad_ones_are_refused_without_being_quoted() {
        for bad in [
            "",
            "[]",
            "{}",
            "nonsense",
            r#"{"event":"media","media":{"payload":5}}"#,
            r#"{"event":"media","sequenceNumber":"-1"}"#,
        ] {
            assert!(Message::parse(bad).is_err(), "{bad}");
        }
        assert!(Message::parse(&"[".repeat(10_000)).is_err());
        for bad in ["*", "", "a", "====", "/w==/w=="] {
            assert_eq!(decode_payload(bad, &mut Vec::new()), Err(BadPayload), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_can_crash_the_parser(text in ".{0,300}") {
            if let Ok(Message { media: Some(media), .. }) = Message::parse(&text) {
                let _ = decode_payload(&media.payload, &mut Vec::new());
            }
        }

        /// Bent rather than random, so that it gets past the first byte.
        #[test]
        fn no_bent_start_can_crash_the_parser(at in 0..START.len(), byte in 32u8..127, cut in 0..START.len()) {
            let mut bytes = START.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = Message::parse(std::str::from_utf8(&bytes).unwrap());
            let _ = Message::parse(&START[..cut]);
        }

        #[test]
        fn any_audio_comes_back(audio in prop::collection::vec(any::<u8>(), 1..700), sequence: u64, at: u64) {
            let text = write::media("MZ1", sequence, Track::Outbound, 1, at, &audio);
            let message = Message::parse(&text).unwrap();
            let media = message.media.unwrap();
            let mut back = Vec::new();
            decode_payload(&media.payload, &mut back).unwrap();
            prop_assert_eq!((message.sequence_number, media.timestamp, back), (Some(sequence), Some(at), audio));
        }
    }
}
