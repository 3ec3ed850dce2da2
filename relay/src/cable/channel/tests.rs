//! Identifiers of every spelling.

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

proptest! {
    #[test]
    fn no_identifier_can_crash_it(text: String, inner in "[\\[\\]{}\":,a-zA-Z0-9 ]{0,200}") {
        let _ = (named(&text), named(&inner));
    }
}
