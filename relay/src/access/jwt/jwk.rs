//! A key set as a login publishes it (RFC 7517). Keys that are of no use here are passed over, so that a
//! provider may add new kinds; a document that is none is refused whole. Pure.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::keys::{Key, KeySet};
use super::token::Alg;

/// Most keys of a set. Providers have two or three at a time; each makes a look-up longer.
pub(super) const MAX_KEYS: usize = 64;

/// Bytes of an RSA modulus: 2048 bits are the least that is safe, 8192 the most that is checked in a
/// millisecond.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// Most bytes of an RSA exponent; nearly all are 65537.
const MAX_EXPONENT: usize = 4;

/// Why a document is no key set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKeySet {
    /// No JSON, or no `keys` in it.
    #[error("it is no JSON object with a list `keys`")]
    NoSet,
    /// More than are looked at.
    #[error("it has over {MAX_KEYS} keys")]
    TooMany,
}

/// The usable keys of a document, and why others are none.
pub(super) struct Reading {
    pub(super) set: KeySet,
    pub(super) passed_over: Vec<&'static str>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<IgnoredAny>,
}

/// Reads a document.
///
/// # Errors
/// [`BadKeySet`]. A set without a usable key is no error: that is how all keys are taken back.
pub(super) fn read(json: &[u8]) -> Result<Reading, BadKeySet> {
    let document: Document = serde_json::from_slice(json).map_err(|_| BadKeySet::NoSet)?;
    if document.keys.len() > MAX_KEYS {
        return Err(BadKeySet::TooMany);
    }
    let (mut keys, mut passed_over) = (Vec::new(), Vec::new());
    for value in document.keys {
        match serde_json::from_value(value)
            .map_err(|_| "it is no JWK")
            .and_then(key)
        {
            Ok(key) => keys.push(key),
            Err(why) => passed_over.push(why),
        }
    }
    Ok(Reading {
        set: KeySet::new(keys),
        passed_over,
    })
}

fn key(jwk: Jwk) -> Result<Key, &'static str> {
    if jwk.d.is_some() {
        // Whoever can read a published private key can sign.
        return Err("it has its private part in it: publish the public part only, and make a new key");
    }
    if jwk.usage.is_some_and(|usage| usage != "sig") {
        return Err("it is not for signatures");
    }
    if jwk
        .key_ops
        .is_some_and(|ops| !ops.iter().any(|op| op == "verify"))
    {
        return Err("it is not for checking signatures");
    }
    let only = jwk
        .alg
        .map(|name| Alg::named(&name).ok_or("its algorithm is not taken here"));
    let mut key = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => {
            let (n, e) = (number(jwk.n.as_deref())?, number(jwk.e.as_deref())?);
            if !RSA_BYTES.contains(&n.len()) || !(1..=MAX_EXPONENT).contains(&e.len()) {
                return Err("an RSA key has 2048 to 8192 bits, and an exponent of at most 32");
            }
            Key::rsa(&n, &e)
        }
        ("EC", Some("P-256")) => Key::p256(&word(jwk.x.as_deref())?, &word(jwk.y.as_deref())?),
        ("OKP", Some("Ed25519")) => Key::ed25519(&word(jwk.x.as_deref())?),
        _ => return Err("it is neither RSA, EC P-256 nor Ed25519"),
    };
    (key.kid, key.only) = (jwk.kid, only.transpose()?);
    if key.only.is_some_and(|only| !key.is_for(only)) {
        return Err("its algorithm is another kind of key's");
    }
    Ok(key)
}

fn bytes(text: Option<&str>) -> Result<Vec<u8>, &'static str> {
    let text = text.ok_or("a part of it is missing")?;
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| "a part of it is no base64url")
}

/// Some providers write a leading zero, which is no part of the number.
fn number(text: Option<&str>) -> Result<Vec<u8>, &'static str> {
    let bytes = bytes(text)?;
    Ok(bytes.into_iter().skip_while(|&byte| byte == 0).collect())
}

fn word(text: Option<&str>) -> Result<[u8; 32], &'static str> {
    bytes(text)?.try_into().map_err(|_| "a coordinate has 32 bytes")
}
