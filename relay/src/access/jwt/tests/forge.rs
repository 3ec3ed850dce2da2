//! Makes keys, key sets and tokens, good ones and others.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use ring::{hmac, signature};
use serde_json::{Value, json};

use super::NOW;

const RSA_ONE: &[u8] = include_bytes!("test_only_rsa_one.pk8");
const RSA_OTHER: &[u8] = include_bytes!("test_only_rsa_other.pk8");

pub(super) enum Signer {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Secret(Vec<u8>),
}

impl Signer {
    pub(super) fn rsa() -> Signer {
        Signer::Rsa(RsaKeyPair::from_pkcs8(RSA_ONE).unwrap())
    }

    pub(super) fn other_rsa() -> Signer {
        Signer::Rsa(RsaKeyPair::from_pkcs8(RSA_OTHER).unwrap())
    }

    pub(super) fn p256() -> Signer {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random);
        Signer::P256(pair.unwrap())
    }

    pub(super) fn ed25519() -> Signer {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Signer::Ed25519(Ed25519KeyPair::from_pkcs8(made.as_ref()).unwrap())
    }

    pub(super) fn secret(bytes: impl AsRef<[u8]>) -> Signer {
        Signer::Secret(bytes.as_ref().to_vec())
    }

    /// The public bytes that a forger could take for a secret.
    pub(super) fn public(&self) -> Vec<u8> {
        match self {
            Signer::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Signer::P256(pair) => pair.public_key().as_ref().to_vec(),
            Signer::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
            Signer::Secret(_) => Vec::new(),
        }
    }

    pub(super) fn jwk(&self, kid: &str) -> Value {
        match self {
            Signer::Rsa(pair) => {
                let parts = PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "kid": kid, "use": "sig", "n": encode(&parts.n), "e": encode(&parts.e)})
            }
            Signer::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": encode(x), "y": encode(y)})
            }
            Signer::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": encode(pair.public_key().as_ref())})
            }
            Signer::Secret(bytes) => json!({"kty": "oct", "kid": kid, "k": encode(bytes)}),
        }
    }

    fn sign(&self, alg: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Signer::Rsa(pair) => {
                let padding: &dyn signature::RsaEncoding = match alg {
                    "PS256" => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut bytes = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, message, &mut bytes).unwrap();
                bytes
            }
            Signer::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Signer::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Signer::Secret(bytes) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, bytes);
                hmac::sign(&key, message).as_ref().to_vec()
            }
        }
    }

    /// A token with this header; its `alg` says how it is signed, as far as this key can.
    pub(super) fn token(&self, header: &Value, claims: &Value) -> String {
        self.raw(&header.to_string(), &claims.to_string())
    }

    /// The same, of texts that need not be JSON.
    pub(super) fn raw(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(claims));
        let parsed: Value = serde_json::from_str(header).unwrap_or_default();
        let signature = self.sign(parsed["alg"].as_str().unwrap_or_default(), message.as_bytes());
        format!("{message}.{}", encode(&signature))
    }
}

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn header(alg: &str, kid: &str) -> Value {
    json!({"alg": alg, "typ": "JWT", "kid": kid})
}

/// Claims that are taken at [`NOW`].
pub(super) fn claims() -> Value {
    json!({
        "iss": "https://login.example/", "sub": "alice", "aud": "partyline", "exp": NOW + 600, "nbf": NOW,
        "partyline": {"role": "user", "customers": ["12345"], "allow": ["save"]},
    })
}

/// The same with one of them another, or without it where it is null.
pub(super) fn claims_but(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}
