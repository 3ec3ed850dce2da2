//! Vectors computed with Twilio's own validator, and what must not pass.

use super::*;
use proptest::prelude::*;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const CALL: &str = "CallSid=CA22222222222222222222222222222222";
const BODY_A: &str = "AccountSid=AC11111111111111111111111111111111&ApiVersion=2010-04-01&CallSid=CA22222222222222222222222222222222&CallStatus=ringing&Called=%2B15550100002&Caller=%2B15550100001&Direction=inbound&From=%2B15550100001&FromCity=&To=%2B15550100002&ToCity=S%C3%83O+PAULO";
const BODY_B: &str =
    "CallSid=CA22222222222222222222222222222222&CallStatus=completed&CallDuration=37&SequenceNumber=3";
const BODY_C: &str = "Digits=5678&Digits=1234&Digits=1234&Sid=CA123&SidAccount=AC123";
const BODY_K: &str = "AccountSid=AC11111111111111111111111111111111&CallSid=CA22222222222222222222222222222222&Final=true&LanguageCode=en-US&SequenceId=2&Timestamp=2026-01-02T03%3A04%3A05.678901Z&Track=inbound_track&TranscriptionData=%7B%22transcript%22%3A%22hello+there%22%2C%22confidence%22%3A0.98%7D&TranscriptionEvent=transcription-content&TranscriptionSid=GT33333333333333333333333333333333";
const JSON_D: &str = r#"{"event":"ping","n":1}"#;
const URL_D: &str = "https://calls.example.com/hook?a=1&bodySHA256=9239c422a41b555493841e492401a13c6081045f49bd7223f575c7e1f7d86f7f";

/// Name, URL, form body, signature.
const VECTORS: &[(&str, &str, &str, &str)] = &[
    (
        "A",
        "https://calls.example.com/voice/incoming",
        BODY_A,
        "hfqep+jMVlaY9SBLa+0RXm0Lg1I=",
    ),
    (
        "A2",
        "https://calls.example.com:443/voice/incoming",
        BODY_A,
        "rV3TjPsSoeg+L39e1Ya7OotsY/k=",
    ),
    (
        "B",
        "https://calls.example.com/voice/status?tenant=acme&leg=1",
        BODY_B,
        "LjnvTy9AbRwYCWIway8I3SIXE48=",
    ),
    (
        "C",
        "https://calls.example.com/dup",
        BODY_C,
        "yYYafPuQ5bYHmjjPw2FUS4Le3vI=",
    ),
    ("D", URL_D, "", "h3SW06Y2Cb59dkylujimJXJ/mqY="),
    (
        "E",
        "https://calls.example.com/voice/incoming?CallSid=CA22222222222222222222222222222222&From=%2B15550100001",
        "",
        "70qRvSzC8tVvehTb1sHRzVK7rSo=",
    ),
    (
        "F",
        "wss://calls.example.com/media",
        "",
        "+hZtjuszk4p55GTrG+C13QHWpko=",
    ),
    (
        "F2",
        "wss://calls.example.com/media/",
        "",
        "bcVmdUHX4/CvRtz8cxui2A40nPQ=",
    ),
    (
        "F3",
        "wss://calls.example.com:443/media",
        "",
        "6pRZlSmAz5UoOqQZWT0aQrmNHc4=",
    ),
    (
        "G",
        "wss://calls.example.com/",
        "",
        "tFEKAk8ngjzWEq3Y7b3DRT/iy9s=",
    ),
    (
        "G2",
        "wss://calls.example.com",
        "",
        "5OvV0dCa4KWb2Hj7l80dpdf6tJI=",
    ),
    (
        "H",
        "https://calls.example.com/media",
        "",
        "QHSmNYxAP0NV2MMYEXCiXFE6ZjQ=",
    ),
    (
        "I",
        "http://calls.example.com:8080/voice",
        CALL,
        "ZVYVJYjMq1uXL3ydyVXVNBvo1Y8=",
    ),
    (
        "J",
        "https://user:pass@calls.example.com/voice",
        CALL,
        "caDv6NSlMweVmNMvljatdIgT374=",
    ),
    (
        "K",
        "https://calls.example.com/rtt",
        BODY_K,
        "ukPGEbPODKYyq7pNQlOkT8bQnho=",
    ),
];

fn signature(name: &str) -> &'static str {
    VECTORS.iter().find(|(vector, ..)| *vector == name).unwrap().3
}

/// Whether a request to `url` with `header` is taken.
fn taken(url: &str, body: &str, header: &str) -> bool {
    verify(
        &[&Secret::new(TOKEN)],
        &accepted_urls(url),
        &Form::parse(body.as_bytes()),
        header,
    )
}

#[test]
fn every_vector_is_signed_and_verified() {
    for (name, url, body, expected) in VECTORS {
        let form = Form::parse(body.as_bytes());
        assert_eq!(sign(TOKEN, url, &form), *expected, "{name}");
        assert!(taken(url, body, expected), "{name}");
    }
}

#[test]
fn the_vectors_of_twilios_own_libraries_hold() {
    let token = Secret::new("12345");
    let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    let body =
        "CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309";
    let with = |scheme: &str, port: &str| format!("{scheme}://mycompany.com{port}/myapp.php?foo=1&bar=2");
    for (url, body, expected) in [
        (url.to_owned(), body, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (with("https", ":443"), body, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        (with("http", ":80"), body, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        (with("http", ":1234"), body, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        (
            url.to_owned(),
            "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234",
            "IK+Dwps556ElfBT0I3Rgjkr1wJU=",
        ),
    ] {
        assert_eq!(
            sign(token.expose(), &url, &Form::parse(body.as_bytes())),
            expected,
            "{url} {body}"
        );
    }
    let json = r#"{"property": "value", "boolean": true}"#;
    let url = format!("{url}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620");
    assert!(verify_body(
        &[&token],
        &[url],
        json.as_bytes(),
        "a9nBmqA0ju/hNViExpshrM61xv4="
    ));
}

#[test]
fn a_url_is_taken_with_and_without_its_port() {
    // Signed with the usual port, configured without; and the other way round.
    assert!(taken(
        "https://calls.example.com/voice/incoming",
        BODY_A,
        signature("A2")
    ));
    assert!(taken(
        "https://calls.example.com:443/voice/incoming",
        BODY_A,
        signature("A")
    ));
    assert!(taken(
        "https://calls.example.com:8443/voice/incoming",
        BODY_A,
        signature("A")
    ));
    // But not another port, scheme or path.
    assert!(!taken("http://calls.example.com/voice", CALL, signature("I")));
    assert!(!taken(
        "http://calls.example.com/voice/incoming",
        BODY_A,
        signature("A")
    ));
    assert!(!taken(
        "https://calls.example.com/voice/incoming/",
        BODY_A,
        signature("A")
    ));
}

#[test]
fn a_handshake_is_taken_with_or_without_slash_and_port_but_as_wss_only() {
    for signed in ["F", "F2", "F3"] {
        assert!(
            taken("wss://calls.example.com/media", "", signature(signed)),
            "{signed}"
        );
    }
    for signed in ["G", "G2"] {
        assert!(
            taken("wss://calls.example.com", "", signature(signed)),
            "{signed}"
        );
    }
    assert!(!taken("wss://calls.example.com/media", "", signature("H")));
    assert!(!taken("wss://calls.example.com/media", "", signature("G")));
}

#[test]
fn the_accepted_forms_are_these() {
    assert_eq!(
        accepted_urls("wss://[::1]:8080/cable"),
        [
            "wss://[::1]:8080/cable",
            "wss://[::1]:8080/cable/",
            "wss://[::1]/cable",
            "wss://[::1]/cable/",
            "wss://[::1]:443/cable",
            "wss://[::1]:443/cable/"
        ]
    );
    assert_eq!(
        accepted_urls("http://u:p@[::1]?a=b:1@c#rc=2"),
        ["http://u:p@[::1]?a=b:1@c", "http://u:p@[::1]:80?a=b:1@c"]
    );
}

#[test]
fn a_body_that_is_no_form_has_its_hash_in_the_url() {
    let tokens = [&Secret::new(TOKEN)];
    let urls = accepted_urls(URL_D);
    assert!(verify_body(&tokens, &urls, JSON_D.as_bytes(), signature("D")));
    assert!(!verify_body(
        &tokens,
        &urls,
        br#"{"event":"ping","n":2}"#,
        signature("D")
    ));
    // A good signature over a URL without a hash says nothing about the body.
    assert!(!verify_body(
        &tokens,
        &accepted_urls("https://calls.example.com/media"),
        b"",
        signature("H")
    ));
}

#[test]
fn what_is_bent_is_refused() {
    let url = "https://calls.example.com/voice/incoming";
    let good = signature("A");
    assert!(!taken(url, &BODY_A.replace("ringing", "completed"), good));
    assert!(!taken(url, &format!("{BODY_A}&New=1"), good));
    assert!(!taken(url, "", good));
    for header in [
        "",
        "=",
        "hfqep",
        "hfqep+jMVlaY9SBLa+0RXm0Lg1I",
        "HFQEP+jMVlaY9SBLa+0RXm0Lg1I=",
        &good[4..],
    ] {
        assert!(!taken(url, BODY_A, header), "{header}");
    }
    let form = Form::parse(BODY_A.as_bytes());
    assert!(!verify(&[], &accepted_urls(url), &form, good));
    assert!(!verify(&[&Secret::new(TOKEN)], &[], &form, good));
    assert!(!verify(
        &[&Secret::new("another")],
        &accepted_urls(url),
        &form,
        good
    ));
    // While a token is being replaced both are good.
    assert!(verify(
        &[&Secret::new("another"), &Secret::new(TOKEN)],
        &accepted_urls(url),
        &form,
        good
    ));
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_nothing_crashes(
        url in "(https|wss|http)://[a-z.@:\\[\\]0-9]{0,20}\\PC{0,20}",
        pairs in prop::collection::vec(("\\PC{0,8}", "\\PC{0,8}"), 0..8),
        header in "\\PC{0,40}",
    ) {
        let (token, form) = (Secret::new("t"), Form::from_pairs(pairs));
        let urls = accepted_urls(&url);
        let signed = sign(token.expose(), urls.last().unwrap(), &form);
        prop_assert!(verify(&[&token], &urls, &form, &signed));
        prop_assert!(!verify(&[&token], &urls, &form, &header));
    }
}
