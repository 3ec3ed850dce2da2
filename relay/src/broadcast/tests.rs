//! Payloads to the byte, and frames of every kind.

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::protocol::codec::to_text;
use partyline_shared::twilio::media::put_payload;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

#[test]
fn strings_are_escaped_as_rails_does() {
    let mut out = String::new();
    put_string(&mut out, "<a href='x'>&\u{2028}\u{2029}é\u{1F600}/\"\\\n\u{1}");
    let golden = concat!(
        r#""\u003ca href='x'\u003e\u0026\u2028\u2029é"#,
        "\u{1F600}",
        r#"/\"\\\n\u0001""#
    );
    assert_eq!(out, golden);
}

#[test]
fn payloads_have_the_contracts_bytes() {
    let call = CallSid::parse("CA1").unwrap();
    let at = UtcTime::from_unix_ms(1_795_340_087_125);
    assert_eq!(
        start(&call, Some("12345"), Some(at)),
        format!(r#"{{"event":"start","call_sid":"CA1","customer_id":"12345","started_at":"{at}"}}"#)
    );
    assert_eq!(
        start(&call, None, None),
        r#"{"event":"start","call_sid":"CA1","customer_id":null,"started_at":null}"#
    );
    assert_eq!(
        stop(&call, at),
        format!(r#"{{"event":"stop","call_sid":"CA1","ended_at":"{at}"}}"#)
    );
    let line = |is_final| Line {
        seq: 3,
        at,
        start_ms: None,
        end_ms: None,
        track: Track::Outbound,
        text: "a < b & c".into(),
        is_final,
        confidence: Some(0.5),
        engine: None,
        hole_ms: None,
    };
    for is_final in [true, false] {
        let golden = format!(
            r#"{{"event":"transcript","call_sid":"CA1","track":"outbound","text":"a \u003c b \u0026 c","final":{is_final},"timestamp":"{at}"}}"#
        );
        assert_eq!(transcript(&call, &to_text(&line(is_final))), Some(golden));
    }
    assert_eq!(transcript(&call, r#"{"seq":1}"#), None);
}

#[test]
fn a_frame_has_the_contracts_bytes() {
    let media = Media::new("", &CallSid::parse("CA1").unwrap());
    let frame = AudioFrame::new(Track::Outbound, 1, 7, 120, &[0xff, 0x7f, 0]);
    let mut out = Vec::new();
    media.of(&frame).put(&mut out);
    let golden = concat!(
        r#"{"event":"media","call_sid":"CA1","track":"outbound","chunk":"7","timestamp":"120","payload":"/38A","#,
        r#""format":{"encoding":"audio/x-mulaw","sample_rate":8000,"channels":1}}"#
    );
    assert_eq!(std::str::from_utf8(&out).unwrap(), golden);
}

proptest! {
    #[test]
    fn any_frame_is_a_whole_payload_of_the_contracts_shape(
        outbound: bool, chunk: u32, at: u32, audio in prop::collection::vec(any::<u8>(), 1..=160), call in "[A-Za-z0-9]{1,64}",
    ) {
        let call = CallSid::parse(&call).unwrap();
        let track = if outbound { Track::Outbound } else { Track::Inbound };
        let frame = AudioFrame::new(track, 1, chunk, at, &audio);
        let media = Media::new("before", &call);
        let mut out = Vec::new();
        media.of(&frame).put(&mut out);
        prop_assert_eq!(out.len(), media.of(&frame).len());
        let mut payload = Vec::new();
        put_payload(&audio, &mut payload);
        let text = json!({
            "event": "media", "call_sid": call.as_str(), "track": track.as_str(), "chunk": chunk.to_string(),
            "timestamp": at.to_string(), "payload": String::from_utf8(payload).unwrap(),
            "format": { "encoding": "audio/x-mulaw", "sample_rate": 8000, "channels": 1 },
        });
        let told = out.strip_prefix(b"before").unwrap();
        prop_assert_eq!(serde_json::from_slice::<Value>(told).unwrap(), text);
    }
}
