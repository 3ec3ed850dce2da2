//! Signs as Twilio does: HMAC-SHA1 over the URL and, for a form, its fields sorted by name.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use partyline_shared::twilio::form::Form;
use sha1::Sha1;

/// The value of `X-Twilio-Signature`. `url` is exactly what Twilio requests, without a fragment; `form`
/// is what it posts, absent for GET and for a WebSocket's handshake.
pub(super) fn signature(token: &str, url: &str, form: Option<&Form>) -> String {
    // HMAC takes keys of any length: this cannot fail.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.as_bytes()) else {
        return String::new();
    };
    mac.update(url.as_bytes());
    let mut fields: Vec<_> = form.into_iter().flat_map(Form::pairs).collect();
    fields.sort_unstable();
    fields.dedup();
    for (name, value) in fields {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn posted(url: &str, body: &str) -> String {
        signature(TOKEN, url, Some(&Form::parse(body.as_bytes())))
    }

    #[test]
    fn posted_forms_sign_as_twilios_own_library_does() {
        let voice = "AccountSid=AC11111111111111111111111111111111&ApiVersion=2010-04-01&CallSid=CA22222222222222222222222222222222&CallStatus=ringing&Called=%2B15550100002&Caller=%2B15550100001&Direction=inbound&From=%2B15550100001&FromCity=&To=%2B15550100002&ToCity=S%C3%83O+PAULO";
        let line = "AccountSid=AC11111111111111111111111111111111&CallSid=CA22222222222222222222222222222222&Final=true&LanguageCode=en-US&SequenceId=2&Timestamp=2026-01-02T03%3A04%3A05.678901Z&Track=inbound_track&TranscriptionData=%7B%22transcript%22%3A%22hello+there%22%2C%22confidence%22%3A0.98%7D&TranscriptionEvent=transcription-content&TranscriptionSid=GT33333333333333333333333333333333";
        let call = "CallSid=CA22222222222222222222222222222222";
        for (url, body, expected) in [
            (
                "https://calls.example.com/voice/incoming",
                voice,
                "hfqep+jMVlaY9SBLa+0RXm0Lg1I=",
            ),
            (
                "https://calls.example.com:443/voice/incoming",
                voice,
                "rV3TjPsSoeg+L39e1Ya7OotsY/k=",
            ),
            (
                "https://calls.example.com/voice/status?tenant=acme&leg=1",
                "CallSid=CA22222222222222222222222222222222&CallStatus=completed&CallDuration=37&SequenceNumber=3",
                "LjnvTy9AbRwYCWIway8I3SIXE48=",
            ),
            (
                "https://calls.example.com/dup",
                "Digits=5678&Digits=1234&Digits=1234&Sid=CA123&SidAccount=AC123",
                "yYYafPuQ5bYHmjjPw2FUS4Le3vI=",
            ),
            (
                "http://calls.example.com:8080/voice",
                call,
                "ZVYVJYjMq1uXL3ydyVXVNBvo1Y8=",
            ),
            (
                "https://calls.example.com/rtt",
                line,
                "ukPGEbPODKYyq7pNQlOkT8bQnho=",
            ),
        ] {
            assert_eq!(posted(url, body), expected, "{url}");
        }
    }

    #[test]
    fn handshakes_and_gets_sign_the_url_alone() {
        for (url, expected) in [
            ("wss://calls.example.com/media", "+hZtjuszk4p55GTrG+C13QHWpko="),
            ("wss://calls.example.com/", "tFEKAk8ngjzWEq3Y7b3DRT/iy9s="),
            (
                "https://calls.example.com/voice/incoming?CallSid=CA22222222222222222222222222222222&From=%2B15550100001",
                "70qRvSzC8tVvehTb1sHRzVK7rSo=",
            ),
        ] {
            assert_eq!(signature(TOKEN, url, None), expected, "{url}");
        }
    }
}
