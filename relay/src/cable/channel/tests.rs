//! Identifiers of every spelling, and payloads to the byte.

use partyline_shared::protocol::codec::to_text;
use proptest::prelude::*;

use super::*;

#[test]
fn an_identifier_names_a_channel_and_a_call_or_nothing() {
    let ca = CallSid::parse("CA1").unwrap();
    let (stream, media) = (
        Some((Channel::Stream, ca.clone())),
        Some((Channel::Media, ca.clone())),
    );
    let long = format!(
        r#"{{"channel":"CallStreamChannel","call_id":"CA1","x":"{}"}}"#,
        "x".repeat(MAX_IDENTIFIER)
    );
    for (identifier, what) in [
        (r#"{"channel":"CallStreamChannel","call_id":"CA1"}"#, &stream),
        (
            r#" { "call_id" : "CA1", "more": {"a": []}, "channel":"CallStreamChannel" } "#,
            &stream,
        ),
        (r#"{"channel":"TwilioMediaChannel","call_sid":"CA1"}"#, &media),
        (r#"{"channel":"TwilioMediaChannel","call_id":"CA1"}"#, &None),
        (r#"{"channel":"CallStreamChannel","call_sid":"CA1"}"#, &None),
        (r#"{"channel":"CallStreamChannel","call_id":1}"#, &None),
        (r#"{"channel":"CallStreamChannel","call_id":""}"#, &None),
        (r#"{"channel":"ChatChannel","call_id":"CA1"}"#, &None),
        (r#"{"channel":["CallStreamChannel"],"call_id":"CA1"}"#, &None),
        (r#"{"call_id":"CA1"}"#, &None),
        (r#"["CallStreamChannel","CA1"]"#, &None),
        (r#""CallStreamChannel""#, &None),
        ("null", &None),
        ("", &None),
        ("{", &None),
        (long.as_str(), &None),
    ] {
        assert_eq!(&named(identifier), what, "{identifier}");
    }
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

proptest! {
    #[test]
    fn no_identifier_can_crash_it(text: String, inner in "[\\[\\]{}\":,a-zA-Z0-9 ]{0,200}") {
        let _ = (named(&text), named(&inner));
    }
}
