//! A frame as Action Cable tells it: made once for all listeners of a call who spell their identifier alike. Knows neither
//! sessions nor sockets.

use std::fmt;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::id::CallSid;
use partyline_shared::twilio::media::{payload_len, put_payload};

use super::channel::{MEDIA_TAIL, media_head};
use super::message::data_head;
use crate::calls::fanout::Form;
use crate::ws::head::{self, Kind};

const CHUNK: &str = r#"","chunk":""#;
const TIMESTAMP: &str = r#"","timestamp":""#;
const PAYLOAD: &str = r#"","payload":""#;

/// `media` on one identifier.
pub(super) struct Media {
    /// All up to the track: it has the identifier and the call, and so is the form's name.
    head: Vec<u8>,
}

impl Media {
    pub(super) fn new(identifier: &str, call: &CallSid) -> Media {
        let head = data_head(identifier) + &media_head(call);
        Media { head: head.into() }
    }
}

impl fmt::Debug for Media {
    /// Nothing of what a client chose to say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media").finish_non_exhaustive()
    }
}

impl Form for Media {
    fn name(&self) -> &[u8] {
        &self.head
    }

    fn put(&self, frame: &AudioFrame, out: &mut Vec<u8>) {
        let (chunk, timestamp) = (Digits::of(frame.chunk()), Digits::of(frame.timestamp_ms()));
        let (track, mulaw) = (frame.track().as_str(), frame.mulaw());
        let before = [
            &self.head,
            track.as_bytes(),
            CHUNK.as_bytes(),
            chunk.as_bytes(),
            TIMESTAMP.as_bytes(),
            timestamp.as_bytes(),
            PAYLOAD.as_bytes(),
        ];
        let after = [MEDIA_TAIL, "}"];
        let len = before.iter().map(|part| part.len()).sum::<usize>()
            + payload_len(mulaw.len())
            + after.iter().map(|part| part.len()).sum::<usize>();
        head::open(out, Kind::Text, len);
        before.iter().for_each(|part| out.extend_from_slice(part));
        put_payload(mulaw, out);
        after
            .iter()
            .for_each(|part| out.extend_from_slice(part.as_bytes()));
    }
}

/// A number in decimal, without asking for memory.
struct Digits {
    text: [u8; 10],
    at: usize,
}

impl Digits {
    fn of(mut number: u32) -> Digits {
        let mut digits = Digits {
            text: [b'0'; 10],
            at: 10,
        };
        for (at, digit) in digits.text.iter_mut().enumerate().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
            digits.at = at;
            if number == 0 {
                break;
            }
        }
        digits
    }

    fn as_bytes(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use partyline_shared::track::Track;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    proptest! {
        #[test]
        fn any_frame_is_a_whole_message_of_the_contracts_shape(
            outbound: bool, chunk: u32, at: u32, audio in prop::collection::vec(any::<u8>(), 1..=160),
            identifier in "\\PC{0,300}",
        ) {
            let call = CallSid::parse("CA1").unwrap();
            let track = if outbound { Track::Outbound } else { Track::Inbound };
            let mut out = b"before".to_vec();
            Media::new(&identifier, &call).put(&AudioFrame::new(track, 1, chunk, at, &audio), &mut out);
            let mut payload = Vec::new();
            put_payload(&audio, &mut payload);
            let text = json!({ "identifier": identifier, "message": {
                "event": "media", "call_sid": "CA1", "track": track.as_str(), "chunk": chunk.to_string(),
                "timestamp": at.to_string(), "payload": String::from_utf8(payload).unwrap(),
                "format": { "encoding": "audio/x-mulaw", "sample_rate": 8000, "channels": 1 },
            }});
            let start = out.windows(2).position(|pair| pair == b"{\"").unwrap();
            prop_assert_eq!(serde_json::from_slice::<Value>(&out[start..]).unwrap(), text);
            let mut whole = b"before".to_vec();
            head::put(&mut whole, Kind::Text, &out[start..]);
            prop_assert!(out == whole, "the head tells its length");
        }
    }

    #[test]
    fn its_bytes_are_pinned() {
        let mut out = Vec::new();
        let identifier = r#"{"channel":"CallStreamChannel","call_id":"CA1"}"#;
        let frame = AudioFrame::new(Track::Outbound, 1, 7, 120, &[0xff, 0x7f, 0]);
        Media::new(identifier, &CallSid::parse("CA1").unwrap()).put(&frame, &mut out);
        let text = concat!(
            r#"{"identifier":"{\"channel\":\"CallStreamChannel\",\"call_id\":\"CA1\"}","message":{"event":"media","#,
            r#""call_sid":"CA1","track":"outbound","chunk":"7","timestamp":"120","payload":"/38A","#,
            r#""format":{"encoding":"audio/x-mulaw","sample_rate":8000,"channels":1}}}"#
        );
        assert_eq!(out[..2], [0x81, 126]);
        assert_eq!(usize::from(out[2]) << 8 | usize::from(out[3]), text.len());
        assert_eq!(std::str::from_utf8(&out[4..]).unwrap(), text);
    }
}
