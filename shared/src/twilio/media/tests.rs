//! What is written is what Twilio writes, what is read is what was meant, and no shortcut changes it.

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
    let connected =
        Message::parse(r#"{"event":"connected","protocol":"Call","version":"0.2.0","sequenceNumber":""}"#)
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

mod same;
