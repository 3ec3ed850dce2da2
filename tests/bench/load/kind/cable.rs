//! Action Cable as a browser hears it: JSON in text messages, audio in base64. What is looked for is looked for as
//! text, so that the load costs little; a message with a wrong byte in it is not taken for right.

use base64_simd::STANDARD;
use memchr::memmem;
use serde_json::{Value, json};

use super::Said;
use crate::load::call::{TRACKS, timestamp};
use crate::load::payload::{Codec, LENGTH};
use crate::ws;

/// As Rails' client offers them.
pub(super) const PROTOCOLS: &str = "actioncable-v1-json, actioncable-unsupported";
/// Base64 of a frame.
const ENCODED: usize = LENGTH.div_ceil(3) * 4;

/// Asks for a call's audio.
pub(super) fn subscribe(call_sid: &str) -> String {
    let identifier = json!({"channel": "CallStreamChannel", "call_id": call_sid}).to_string();
    json!({"command": "subscribe", "identifier": identifier}).to_string()
}

/// Reads a message.
#[inline]
pub(super) fn read(op: u8, message: &[u8], codec: Codec) -> Said {
    if op != ws::TEXT {
        return Said::Other;
    }
    match field(message, b"\"payload\":\"") {
        Some(payload) => audio(message, payload, codec),
        None => text(message),
    }
}

#[inline]
fn audio(message: &[u8], payload: &[u8], codec: Codec) -> Said {
    let mut mulaw = [0; LENGTH + 2];
    let decoded = match payload.len() {
        ENCODED => STANDARD.decode(payload, base64_simd::Out::from_slice(&mut mulaw)),
        _ => return Said::Corrupt,
    };
    let Some(frame) = decoded.ok().and_then(|mulaw| codec.read(mulaw)) else {
        return Said::Corrupt;
    };
    let number = |name| -> Option<u32> { std::str::from_utf8(field(message, name)?).ok()?.parse().ok() };
    let track = TRACKS.get(usize::from(frame.track)).map(|name| name.as_bytes());
    let is_right = field(message, b"\"track\":\"") == track
        && number(b"\"chunk\":\"") == Some(frame.chunk)
        && number(b"\"timestamp\":\"") == Some(timestamp(frame.chunk));
    if is_right {
        Said::Audio(frame)
    } else {
        Said::Corrupt
    }
}

/// What stands between `name` and the next quotation mark.
#[inline]
fn field<'a>(message: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let begin = memmem::find(message, name)? + name.len();
    let rest = &message[begin..];
    Some(&rest[..memchr::memchr(b'"', rest)?])
}

fn text(message: &[u8]) -> Said {
    let said: Value = serde_json::from_slice(message).unwrap_or_default();
    match said["type"].as_str() {
        Some("confirm_subscription") => Said::Subscribed,
        Some("reject_subscription" | "disconnect") => Said::Refused,
        _ => Said::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::payload::Frame;

    const FRAME: Frame = Frame {
        call: 2,
        track: 1,
        chunk: 259,
        sent: 9,
    };

    fn message(codec: Codec) -> String {
        let payload = STANDARD.encode_to_string(codec.write(FRAME));
        json!({
            "identifier": r#"{"channel":"CallStreamChannel","call_id":"CA1"}"#,
            "message": {
                "event": "media", "call_sid": "CA1", "track": "outbound", "chunk": "259", "timestamp": "5180",
                "payload": payload,
                "format": {"encoding": "audio/x-mulaw", "sample_rate": 8000, "channels": 1},
            },
        })
        .to_string()
    }

    #[test]
    fn a_frame_is_what_all_of_it_says() {
        let codec = Codec::new(5);
        let right = message(codec);
        let parse = |message: &str| read(ws::TEXT, message.as_bytes(), codec);
        assert_eq!(parse(&right), Said::Audio(FRAME));
        for (part, wrong) in [
            (r#""outbound""#, r#""inbound""#),
            (r#""259""#, r#""260""#),
            (r#""5180""#, r#""5200""#),
            (r#""payload":""#, r#""payload":"A"#),
        ] {
            assert!(right.contains(part));
            assert_eq!(parse(&right.replace(part, wrong)), Said::Corrupt, "{wrong}");
        }
        assert_eq!(read(ws::TEXT, right.as_bytes(), Codec::new(6)), Said::Corrupt);
        assert_eq!(read(ws::BINARY, right.as_bytes(), codec), Said::Other);
    }

    #[test]
    fn of_other_messages_only_some_matter() {
        let parse = |text: &str| read(ws::TEXT, text.as_bytes(), Codec::new(5));
        for (text, expected) in [
            (
                r#"{"identifier":"x","type":"confirm_subscription"}"#,
                Said::Subscribed,
            ),
            (
                r#"{"identifier":"x","type":"reject_subscription"}"#,
                Said::Refused,
            ),
            (
                r#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#,
                Said::Refused,
            ),
            (r#"{"type":"welcome"}"#, Said::Other),
            (r#"{"type":"ping","message":1795340087}"#, Said::Other),
            (r#"{"identifier":"x","message":{"event":"start"}}"#, Said::Other),
            ("", Said::Other),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
