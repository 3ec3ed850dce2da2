//! `partyline.v1` as a listener hears it.

use serde_json::{Value, json};

use super::Said;
use crate::load::call::timestamp;
use crate::load::payload::{Codec, LENGTH};
use crate::ws;

/// The subprotocol.
pub(super) const PROTOCOL: &str = "partyline.v1";
/// Bytes of the head before the audio.
const HEAD: usize = 16;
/// The kind of binary message that is audio.
const AUDIO: u8 = 1;

/// Asks for a call's audio.
pub(super) fn subscribe(call_sid: &str) -> String {
    json!({"type": "subscribe", "call_sid": call_sid, "audio": true}).to_string()
}

/// Reads a message.
#[inline]
pub(super) fn read(op: u8, payload: &[u8], codec: Codec) -> Said {
    match op {
        ws::BINARY if payload.first() == Some(&AUDIO) => audio(payload, codec),
        ws::TEXT => text(payload),
        _ => Said::Other,
    }
}

#[inline]
fn audio(message: &[u8], codec: Codec) -> Said {
    let Some((head, audio)) = message.split_first_chunk::<HEAD>() else {
        return Said::Corrupt;
    };
    if audio.len() != LENGTH {
        return Said::Corrupt;
    }
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    match codec.read(audio) {
        // The head says the same as the audio: flags are the relay's own, and so is the stream's number.
        Some(frame) if (head[1], word(8), word(12)) == (frame.track, frame.chunk, timestamp(frame.chunk)) => {
            Said::Audio(frame)
        }
        _ => Said::Corrupt,
    }
}

fn text(text: &[u8]) -> Said {
    // Lists of calls are long, and come again and again: only what may matter is parsed.
    let short = text.get(..24).unwrap_or(text);
    let matters = ["subscribed\"", "\"error\"", "\"gap\""];
    if !matters
        .iter()
        .any(|word| memchr::memmem::find(short, word.as_bytes()).is_some())
    {
        return Said::Other;
    }
    let said: Value = serde_json::from_slice(text).unwrap_or_default();
    match said["type"].as_str() {
        Some("subscribed") => Said::Subscribed,
        Some("error" | "unsubscribed") => Said::Refused,
        Some("gap") => Said::Gap,
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

    fn message(codec: Codec) -> Vec<u8> {
        let mut message = vec![1, 1, 0, 0, 9, 9, 9, 9];
        message.extend(259_u32.to_be_bytes());
        message.extend(5180_u32.to_be_bytes());
        message.extend(codec.write(FRAME));
        message
    }

    #[test]
    fn every_byte_of_a_frame_counts_but_the_relays_own() {
        let codec = Codec::new(5);
        let right = message(codec);
        let parse = |message: &[u8]| read(ws::BINARY, message, codec);
        assert_eq!(parse(&right), Said::Audio(FRAME));
        for at in 1..right.len() {
            let mut wrong = right.clone();
            wrong[at] ^= 2;
            let expected = if (2..8).contains(&at) {
                Said::Audio(FRAME)
            } else {
                Said::Corrupt
            };
            assert_eq!(parse(&wrong), expected, "byte {at}");
        }
        assert_eq!(parse(&right[..right.len() - 1]), Said::Corrupt);
        assert_eq!(parse(&right[..9]), Said::Corrupt);
        assert_eq!(parse(&[2, 1, 0]), Said::Other, "a kind of a later version");
    }

    #[test]
    fn of_texts_only_some_matter() {
        let parse = |text: &str| read(ws::TEXT, text.as_bytes(), Codec::new(5));
        for (text, expected) in [
            (
                r#"{"type":"subscribed","call_sid":"CA1","audio_id":7}"#,
                Said::Subscribed,
            ),
            (
                r#"{"type":"error","code":"no_such_call","message":"x"}"#,
                Said::Refused,
            ),
            (r#"{"type":"unsubscribed","call_sid":"CA1"}"#, Said::Refused),
            (r#"{"type":"gap","from_chunk":1}"#, Said::Gap),
            (r#"{"type":"hello"}"#, Said::Other),
            (r#"{"type":"event","event":{"kind":"error"}}"#, Said::Other),
            ("", Said::Other),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
