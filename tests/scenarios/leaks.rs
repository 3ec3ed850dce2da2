//! Nothing leaks: secrets, numbers, payloads, words and queries that were said to a relay are neither in its log, at
//! any level, nor in an answer that refuses; and whatever is said, an event of the log is one line.

mod canaries;
mod configuration;
mod one_line;
mod programs;
mod whole_run;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use harness::twilio::now;
use partyline_shared::text::is_unsafe;
use ring::hmac;
use serde_json::{Value, json};

use canaries::Canaries;

/// What a login and the relay share.
const JWT_SECRET: &str = "canary-jwt-secret-0123456789abcdef0123456789";

/// A login's token for `who`, good for a minute.
fn jwt(secret: &str, who: &str) -> String {
    let claims = json!({
        "sub": who,
        "exp": now().unix_ms() / 1000 + 60,
        "partyline": { "role": "admin" },
    });
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!(
        "{}.{}",
        part(json!({ "alg": "HS256", "typ": "JWT" })),
        part(claims)
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// Fails unless each line is an event of the relay's own, whole and harmless; gives how many there are.
#[track_caller]
fn expect_events(log: &str, as_json: bool) -> usize {
    for line in log.lines() {
        let odd = line.chars().find(|c| is_unsafe(*c));
        assert_eq!(odd, None, "{line:?}");
        let target = if as_json {
            let event: Value =
                serde_json::from_str(line).unwrap_or_else(|e| panic!("no event ({e}): {line}"));
            event["target"].as_str().unwrap_or_default().to_owned()
        } else {
            // `2026-11-22T09:00:00.000000Z  INFO connection{n=1 …}:listener{…}: partyline_relay::…: …`
            let mut words = line.split_whitespace();
            let time = words.next().unwrap_or_default();
            let level = words.next().unwrap_or_default();
            assert!(time.ends_with('Z') && time.len() == 27, "no event: {line}");
            assert!(
                ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"].contains(&level),
                "no event: {line}"
            );
            let said = words.collect::<Vec<_>>().join(" ");
            let within = said.starts_with("connection{").then(|| said.split_once("}: "));
            within
                .flatten()
                .map_or(said.as_str(), |(_, said)| said)
                .to_owned()
        };
        assert!(
            target.starts_with("partyline_relay"),
            "not the relay's own: {line}"
        );
    }
    log.lines().count()
}
