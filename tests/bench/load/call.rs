//! What Twilio says of one call, byte for byte as on its wire: connected, start, media, stop. It makes text and
//! sends nothing.

use std::io::Write;

use base64_simd::STANDARD;
use serde_json::json;

use super::payload::{Codec, Frame, mixed};
use crate::ws;

/// The first message of every stream.
pub(super) const CONNECTED: &str = r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#;
/// Twilio's names of the tracks, by number.
pub(super) const TRACKS: [&str; 2] = ["inbound", "outbound"];
/// Milliseconds of a frame.
const FRAME_MS: u32 = 20;

/// One call's names, and how far its stream has counted.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) account_sid: String,
    pub(super) call_sid: String,
    stream_sid: String,
    /// What the voice webhook's answer wants back.
    pub(super) parameters: Vec<(String, String)>,
    /// The last message's `sequenceNumber`.
    sequence: u32,
}

impl Call {
    /// The run's call of that number. Another run's have other names.
    pub(super) fn new(run: u64, number: usize) -> Call {
        let sid = |letters: &str, salt: u64| {
            let high = mixed(run ^ salt << 56);
            format!("{letters}{high:016x}{:016x}", mixed(high ^ number as u64))
        };
        Call {
            account_sid: format!("AC{:032x}", 0xbe_0c4),
            call_sid: sid("CA", 1),
            stream_sid: sid("MZ", 2),
            parameters: Vec::new(),
            sequence: 0,
        }
    }

    /// The message after `connected`.
    pub(super) fn start(&mut self, tracks: usize) -> String {
        self.sequence = 1;
        let parameters: serde_json::Map<String, serde_json::Value> = self
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), json!(value)))
            .collect();
        json!({
            "event": "start",
            "sequenceNumber": "1",
            "start": {
                "accountSid": self.account_sid,
                "streamSid": self.stream_sid,
                "callSid": self.call_sid,
                "tracks": &TRACKS[..tracks],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": parameters,
            },
            "streamSid": self.stream_sid,
        })
        .to_string()
    }

    /// The message after the last.
    pub(super) fn stop(&mut self) -> String {
        self.sequence += 1;
        json!({
            "event": "stop",
            "sequenceNumber": self.sequence.to_string(),
            "streamSid": self.stream_sid,
            "stop": {"accountSid": self.account_sid, "callSid": self.call_sid},
        })
        .to_string()
    }

    /// Puts a frame's whole masked message in `out`.
    #[inline]
    pub(super) fn media(&mut self, out: &mut Vec<u8>, codec: Codec, frame: Frame, key: [u8; 4]) {
        self.sequence += 1;
        let Frame { track, chunk, .. } = frame;
        ws::begin(out, ws::TEXT);
        // Nothing fails that writes into memory.
        let _ = write!(
            out,
            r#"{{"event":"media","sequenceNumber":"{}","media":{{"track":"{}","chunk":"{chunk}","timestamp":"{}","payload":""#,
            self.sequence,
            TRACKS[usize::from(track)],
            timestamp(chunk),
        );
        STANDARD.encode_append(codec.write(frame), out);
        out.extend_from_slice(br#""},"streamSid":""#);
        out.extend_from_slice(self.stream_sid.as_bytes());
        out.extend_from_slice(br#""}"#);
        ws::finish(out, key);
    }
}

/// A chunk's time within its stream, ms.
pub(super) fn timestamp(chunk: u32) -> u32 {
    chunk.wrapping_mul(FRAME_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64_simd::STANDARD;
    use serde_json::Value;

    #[test]
    fn a_stream_is_what_twilio_would_say() {
        let mut call = Call::new(7, 3);
        call.parameters
            .push(("customer_id".to_owned(), "7\"7".to_owned()));
        let start: Value = serde_json::from_str(&call.start(2)).unwrap();
        assert_eq!(start["start"]["callSid"], *call.call_sid);
        assert_eq!(start["start"]["tracks"], json!(["inbound", "outbound"]));
        assert_eq!(start["start"]["customParameters"]["customer_id"], "7\"7");
        assert_eq!(start["sequenceNumber"], "1");

        let codec = Codec::new(9);
        let frame = Frame {
            call: 3,
            track: 1,
            chunk: 12,
            sent: 5,
        };
        let mut out = Vec::new();
        call.media(&mut out, codec, frame, [9, 8, 7, 6]);
        let found = ws::Frame::at(&out, 0).unwrap().unwrap();
        assert_eq!((found.op, found.payload.end), (ws::TEXT, out.len()));
        let text = &mut out[found.payload];
        ws::mask(text, found.mask.unwrap());
        let media: Value = serde_json::from_slice(text).unwrap();
        assert_eq!(media["event"], "media");
        assert_eq!(media["sequenceNumber"], "2");
        assert_eq!(media["streamSid"], start["streamSid"]);
        assert_eq!(media["media"]["track"], "outbound");
        assert_eq!(media["media"]["chunk"], "12");
        assert_eq!(media["media"]["timestamp"], "240");
        let payload = media["media"]["payload"].as_str().unwrap();
        let audio = STANDARD.decode_to_vec(payload).unwrap();
        assert_eq!(codec.read(&audio), Some(frame));

        let stop: Value = serde_json::from_str(&call.stop()).unwrap();
        assert_eq!(stop["sequenceNumber"], "3");
        assert_eq!(stop["stop"]["callSid"], *call.call_sid);
    }

    #[test]
    fn no_two_calls_share_a_name() {
        let mut names = std::collections::HashSet::new();
        for run in 0..3 {
            for number in 0..500 {
                let call = Call::new(run, number);
                for sid in [call.call_sid, call.stream_sid] {
                    assert_eq!(sid.len(), 34);
                    assert!(names.insert(sid));
                }
            }
        }
    }
}
