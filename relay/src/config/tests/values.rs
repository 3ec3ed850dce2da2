//! Single values, as people write them and as they do not.

use super::*;

#[test]
fn single_values_are_read_as_people_write_them() {
    type Set = fn(&mut ServeArgs, String);
    let cases: [(Set, &[&str], &[&str]); 14] = [
        (
            |a, v| a.coalesce = Some(v),
            &["off", "auto", "5ms", "60ms", "0s"],
            &["", "on", "61ms", "5", "-1ms"],
        ),
        (
            |a, v| a.listen = Some(v),
            &["[::1]:0", "127.0.0.1:80", "localhost:0"],
            &["", ":80", "localhost", "a:1", "127.0.0.1:70000"],
        ),
        (
            |a, v| a.public_url = Some(v),
            &["https://a.example/", "http://127.0.0.1:1"],
            &["a.example", "https://a.example/x", "https://u:p@a"],
        ),
        (
            |a, v| a.trusted_proxy = vec![v],
            &["10.0.0.0/8", "192.0.2.7,fd00::/8", "::1"],
            &["proxy.example", "10.0.0.0/33", "10.1.0.0/8"],
        ),
        (|a, v| a.audit_fail = Some(v), &["closed", "open"], &["", "close"]),
        (
            |a, v| a.foreign_streams = Some(v),
            &["deny", "allow"],
            &["", "yes"],
        ),
        (|a, v| a.audit = Some(v), &["audit.jsonl"], &[""]),
        (
            |a, v| a.jwt_issuer = Some(v),
            &["https://login.example"],
            &["", " "],
        ),
        (|a, v| a.insecure = Some(v), &["true", "1"], &["", "maybe"]),
        (
            |a, v| a.max_calls = Some(v),
            &["1", "250"],
            &["0", "-1", "1e3", "", "1.5"],
        ),
        (|a, v| a.log_format = Some(v), &["text", "json"], &["", "xml"]),
        (
            |a, v| a.log_level = Some(v),
            &["debug", "info,partyline_relay::twilio=trace", "WARN"],
            &["", "loud", "a=b", "=info", "info,"],
        ),
        (
            |a, v| a.transcription = vec![v],
            &["twilio", "none"],
            &["", "google", "none,twilio", "twilio,twilio", "vosk"],
        ),
        (
            |a, v| a.allowed_origin = vec![v],
            &["https://a.example", "/a/"],
            &["*", "/a", "null"],
        ),
    ];
    for (set, good, bad) in cases {
        for text in good {
            World::insecure().args(|a| set(a, (*text).to_owned())).good();
        }
        for text in bad {
            let told = World::insecure().args(|a| set(a, (*text).to_owned())).told();
            assert!(told.contains("\n  --") && told.contains("; "), "{text}: {told}");
            assert!(!told.contains("u:p"), "{told}");
        }
    }
}

#[test]
fn engines_of_a_later_version_are_named_as_such() {
    for engine in ["deepgram", "vosk", "command"] {
        let told = World::insecure()
            .args(|a| a.transcription = vec!["twilio".into(), engine.into()])
            .told();
        let line = format!(
            "--transcription: the engine `{engine}` comes with a later version; write twilio or none until then"
        );
        assert!(told.contains(&line), "{told}");
        assert_eq!(told.lines().count(), 2, "{told}");
    }
    assert!(
        World::insecure()
            .args(|a| a.transcription = vec!["none".into()])
            .good()
            .transcription
            .is_empty()
    );
}
