//! Bytes as Rails writes them, and clients that write what they like.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn each_message_has_the_bytes_that_rails_writes() {
    let identifier = r#"{"channel":"CallStreamChannel","call_id":"CA1"}"#;
    let quoted = r#""{\"channel\":\"CallStreamChannel\",\"call_id\":\"CA1\"}""#;
    let told = [
        (WELCOME.to_owned(), r#"{"type":"welcome"}"#.to_owned()),
        (
            ping(1_795_340_087),
            r#"{"type":"ping","message":1795340087}"#.into(),
        ),
        (
            confirmation(identifier),
            format!(r#"{{"identifier":{quoted},"type":"confirm_subscription"}}"#),
        ),
        (
            rejection(identifier),
            format!(r#"{{"identifier":{quoted},"type":"reject_subscription"}}"#),
        ),
        (
            data(identifier, r#"{"a":1}"#),
            format!(r#"{{"identifier":{quoted},"message":{{"a":1}}}}"#),
        ),
        (
            Disconnect::RESTART.text(),
            r#"{"type":"disconnect","reason":"server_restart","reconnect":true}"#.into(),
        ),
        (
            Disconnect::UNAUTHORIZED.text(),
            r#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#.into(),
        ),
        (
            Disconnect::REMOTE.text(),
            r#"{"type":"disconnect","reason":"remote","reconnect":false}"#.into(),
        ),
    ];
    for (text, golden) in told {
        assert_eq!(text, golden);
    }
}

#[test]
fn what_is_no_command_is_passed_over() {
    for nothing in [
        "",
        "[]",
        "null",
        "7",
        "{",
        r#"{"command":"subscribe"}"#,
        r#"{"command":"subscribe","identifier":7}"#,
        r#"{"command":7,"identifier":"x"}"#,
        r#"{"identifier":"x"}"#,
        r#"{"command":"message","identifier":"x","data":"{\"action\":\"speak\"}"}"#,
        r#"{"command":"whisper","identifier":"x","data":{}}"#,
        r#"{"command":"pong"}"#,
        r#"{"command":"Subscribe","identifier":"x"}"#,
        r#"{"command":"subscribe","identifier":"\ud800"}"#,
    ] {
        assert!(read(nothing).is_none(), "{nothing}");
    }
    let known = r#"{"identifier":"no JSON at all","more":[1],"command":"subscribe","history":{}}"#;
    assert!(read(known) == Some(Command::Subscribe("no JSON at all".into())));
    let known = r#"{"command":"unsubscribe","identifier":""}"#;
    assert!(read(known) == Some(Command::Unsubscribe(String::new())));
}

proptest! {
    #[test]
    fn no_text_can_crash_the_reader(text: String) {
        let _ = read(&text);
    }

    #[test]
    fn an_identifier_comes_back_as_it_was_said(identifier: String, subscribe: bool) {
        let command = if subscribe { "subscribe" } else { "unsubscribe" };
        let said = json!({ "command": command, "identifier": identifier }).to_string();
        let back = match read(&said) {
            Some(Command::Subscribe(back)) if subscribe => back,
            Some(Command::Unsubscribe(back)) if !subscribe => back,
            _ => panic!("a command"),
        };
        for text in [confirmation(&back), rejection(&back), data(&back, "null")] {
            let told: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&told["identifier"], &json!(identifier));
        }
    }
}
