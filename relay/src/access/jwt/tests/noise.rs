//! Bytes that nobody made on purpose, and good tokens bent.

use partyline_shared::time::UtcTime;
use proptest::prelude::*;
use serde_json::Value;

use super::now;
use crate::access::jwt::claims::{self, Expected};
use crate::access::jwt::jwk;
use crate::access::jwt::keys::{Key, KeySet};
use crate::access::jwt::refused::Refused;
use crate::access::jwt::token::Signed;

/// Keys and tokens that PyJWT made.
const PYJWT: &str = include_str!("pyjwt.json");

fn taken(set: &KeySet, token: &str) -> Result<UtcTime, Refused> {
    let signed = Signed::read(token)?;
    set.check(&signed)?;
    Ok(claims::read(&signed.payload()?, &Expected::default(), now())?.expires)
}

/// The set and the tokens that it takes.
fn made() -> (KeySet, Vec<String>) {
    let made: Value = serde_json::from_str(PYJWT).unwrap();
    let set = jwk::read(made["jwks"].to_string().as_bytes()).unwrap().set;
    let tokens = made["taken"].as_object().unwrap();
    let by_key = tokens.iter().filter(|(alg, _)| *alg != "HS256");
    (
        set,
        by_key
            .map(|(_, token)| token.as_str().unwrap().to_owned())
            .collect(),
    )
}

#[test]
fn no_token_is_taken_with_one_character_altered() {
    let (set, tokens) = made();
    for token in tokens {
        assert!(taken(&set, &token).is_ok());
        for at in 0..token.len() {
            let mut bent = token.clone().into_bytes();
            // The neighbour in the alphabet, so that it is still base64url; a last character has spare bits.
            bent[at] = match bent[at] {
                b'.' => b'A',
                b'z' => b'y',
                b'_' | b'-' | b'9' | b'Z' => b'0',
                other => other + 1,
            };
            let bent = String::from_utf8(bent).unwrap();
            assert!(taken(&set, &bent).is_err(), "at {at}");
            let mut cut = token.clone();
            cut.remove(at);
            assert!(taken(&set, &cut).is_err(), "without {at}");
            assert!(taken(&set, &token[..at]).is_err(), "up to {at}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_can_crash_it(token: String) {
        let (set, _) = made();
        prop_assert!(taken(&set, &token).is_err());
    }

    #[test]
    fn no_parts_can_crash_it(header: String, payload: Vec<u8>, signature: Vec<u8>, alg in 0..6_usize) {
        let (set, _) = made();
        let alg = ["RS256", "PS256", "ES256", "EdDSA", "HS256", "none"][alg];
        let kid = ["rsa", "ec", "ed"][payload.len() % 3];
        let plausible = serde_json::json!({ "alg": alg, "kid": kid }).to_string();
        for header in [header, plausible] {
            let [header, payload, signature] =
                [header.as_bytes(), &payload, &signature].map(super::forge::encode);
            let token = format!("{header}.{payload}.{signature}");
            prop_assert!(taken(&set, &token).is_err());
        }
    }

    #[test]
    fn no_claims_and_no_key_set_can_crash_it(bytes: Vec<u8>, seconds: f64) {
        let _ = claims::read(&bytes, &Expected::default(), now());
        let _ = jwk::read(&bytes);
        let _ = Key::secret(&bytes);
        let timed = serde_json::json!({ "exp": seconds, "nbf": seconds, "sub": "a", "partyline": {"role": "admin"} });
        let _ = claims::read(timed.to_string().as_bytes(), &Expected::default(), now());
    }
}
