//! A frame as Action Cable tells it: made once for all listeners of a call who spell their identifier alike. Knows neither
//! sessions nor sockets.

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::id::CallSid;

use super::message::data_head;
use crate::broadcast;
use crate::calls::fanout::Form;
use crate::ws::head::{self, Kind};

/// What closes the message around the payload.
const END: &[u8] = b"}";

/// `media` on one identifier. What its payload begins with has the identifier and the call, and so is the form's name.
#[derive(Debug)]
pub(super) struct Media(broadcast::Media);

impl Media {
    pub(super) fn new(identifier: &str, call: &CallSid) -> Media {
        Media(broadcast::Media::new(&data_head(identifier), call))
    }
}

impl Form for Media {
    fn name(&self) -> &[u8] {
        self.0.head()
    }

    fn put(&self, frame: &AudioFrame, out: &mut Vec<u8>) {
        let told = self.0.of(frame);
        head::open(out, Kind::Text, told.len() + END.len());
        told.put(out);
        out.extend_from_slice(END);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use partyline_shared::track::Track;
    use partyline_shared::twilio::media::put_payload;
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
