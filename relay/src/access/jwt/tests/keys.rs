//! Key sets as providers publish them, and as operators save them.

use std::path::PathBuf;

use ring::signature::RsaKeyPair;
use serde_json::{Value, json};

use super::forge::{Signer, claims, encode, header};
use super::{NOW, Scratch, key_set, now, settings, with_keys};
use crate::access::jwt::fetch::MAX_DOCUMENT;
use crate::access::jwt::jwk::{self, MAX_KEYS};
use crate::access::jwt::{BadKeySet, FetchError, Jwt, KeySource, NoKeys, Settings, Unusable};

/// Keys and tokens that PyJWT made.
const PYJWT: &str = include_str!("pyjwt.json");

#[tokio::test]
async fn what_another_library_signed_is_taken() {
    let made: Value = serde_json::from_str(PYJWT).unwrap();
    let keys = Scratch::new(made["jwks"].to_string());
    let secret = Scratch::new(made["secret"].as_str().unwrap());
    let jwt = Jwt::new(settings(&keys, Some(&secret))).unwrap();
    let taken = made["taken"].as_object().unwrap();
    assert_eq!(taken.len(), 5);
    for (alg, token) in taken {
        let alice = jwt.verify(token.as_str().unwrap(), now()).await;
        assert_eq!(alice.expect(alg).customers, ["12345", "777"], "{alg}");
    }
    for (alg, token) in made["refused"].as_object().unwrap() {
        assert!(
            jwt.verify(token.as_str().unwrap(), now()).await.is_none(),
            "{alg}"
        );
    }
}

#[test]
fn keys_of_no_use_are_passed_over_and_the_others_taken() {
    let (rsa, p256, ed25519) = (
        Signer::rsa().jwk("r"),
        Signer::p256().jwk("e"),
        Signer::ed25519().jwk("d"),
    );
    let but = |key: &Value, name: &str, value: Value| {
        let mut key = key.clone();
        key[name] = value;
        key
    };
    for (what, key) in [
        ("no object", json!(7)),
        ("empty", json!({})),
        ("a secret", Signer::secret([7; 32]).jwk("s")),
        ("another curve", but(&p256, "crv", json!("P-384"))),
        ("X25519", but(&ed25519, "crv", json!("X25519"))),
        ("for encryption", but(&rsa, "use", json!("enc"))),
        ("for signing only", but(&rsa, "key_ops", json!(["sign"]))),
        ("another algorithm", but(&rsa, "alg", json!("RSA-OAEP"))),
        ("a secret's algorithm", but(&rsa, "alg", json!("HS256"))),
        ("another kind's algorithm", but(&p256, "alg", json!("RS256"))),
        ("none", but(&ed25519, "alg", json!("none"))),
        ("a private key", but(&ed25519, "d", json!("AAAA"))),
        ("an empty private part", but(&ed25519, "d", json!(""))),
        ("a short coordinate", but(&p256, "x", json!(encode([1; 31])))),
        ("a long coordinate", but(&p256, "y", json!(encode([1; 33])))),
        (
            "no coordinate",
            json!({"kty": "EC", "crv": "P-256", "x": p256["x"]}),
        ),
        ("no base64url", but(&ed25519, "x", json!("+/+/"))),
        ("1024 bits", but(&rsa, "n", json!(encode([0xff; 128])))),
        (
            "2048 bits with zeros",
            but(&rsa, "n", json!(encode([&[0; 128][..], &[0xff; 128]].concat()))),
        ),
        ("16384 bits", but(&rsa, "n", json!(encode([0xff; 2048])))),
        ("no exponent", but(&rsa, "e", json!("AA"))),
        ("a long exponent", but(&rsa, "e", json!(encode([0xff; 5])))),
    ] {
        let read = jwk::read(key_set(&[key, p256.clone()]).as_bytes()).unwrap();
        assert_eq!(read.passed_over.len(), 1, "{what}");
        let one = jwk::read(key_set(std::slice::from_ref(&p256)).as_bytes()).unwrap();
        assert!(read.set.is_same(&one.set), "{what}");
    }
    let all = [
        but(&rsa, "alg", json!("PS256")),
        but(&p256, "x5c", json!(["…"])),
        ed25519,
    ];
    assert!(
        jwk::read(key_set(&all).as_bytes())
            .unwrap()
            .passed_over
            .is_empty()
    );
}

#[test]
fn what_is_no_key_set_is_refused_whole() {
    let many = vec![json!({}); MAX_KEYS + 1];
    assert_eq!(
        jwk::read(key_set(&many).as_bytes()).err(),
        Some(BadKeySet::TooMany)
    );
    for text in [
        "",
        "<html>",
        "{}",
        "[]",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        "{\"keys\":[",
    ] {
        assert_eq!(jwk::read(text.as_bytes()).err(), Some(BadKeySet::NoSet), "{text}");
    }
    let deep = format!("{{\"keys\":{}", "[".repeat(100_000));
    assert_eq!(jwk::read(deep.as_bytes()).err(), Some(BadKeySet::NoSet));
}

#[tokio::test]
async fn a_key_that_is_published_for_one_algorithm_checks_no_other() {
    let rsa = Signer::rsa();
    let mut jwk = rsa.jwk("k");
    jwk["alg"] = json!("PS256");
    // Some providers write the number with a sign's zero before it.
    let Signer::Rsa(pair) = &rsa else { unreachable!() };
    jwk["n"] = json!(encode([&[0][..], &modulus(pair)].concat()));
    let jwt = with_keys(&[jwk]);
    for (alg, taken) in [("PS256", true), ("RS256", false)] {
        let token = rsa.token(&header(alg, "k"), &claims());
        assert_eq!(jwt.verify(&token, now()).await.is_some(), taken, "{alg}");
    }
}

fn modulus(pair: &RsaKeyPair) -> Vec<u8> {
    ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public()).n
}

#[test]
fn files_that_can_never_be_of_use_are_told_at_the_start() {
    let keys = |source: KeySource| Settings {
        jwks: Some(source),
        ..Settings::default()
    };
    let file = |bytes: &[u8]| {
        let scratch = Scratch::new(bytes);
        match Jwt::new(keys(KeySource::File(scratch.0.clone()))) {
            Err(Unusable::File(_, why)) => why,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(file(b"{}"), NoKeys::KeySet(BadKeySet::NoSet)));
    assert!(matches!(file(b"{\"keys\":[]}"), NoKeys::Unusable));
    let long = vec![b' '; MAX_DOCUMENT + 1];
    assert!(matches!(file(&long), NoKeys::Fetch(FetchError::TooLarge)));
    let folder = Jwt::new(keys(KeySource::File(std::env::temp_dir()))).unwrap_err();
    assert!(matches!(
        folder,
        Unusable::File(_, NoKeys::Fetch(FetchError::NoFile))
    ));
    let nowhere = Jwt::new(keys(KeySource::File(PathBuf::from("/nowhere/keys.json")))).unwrap_err();
    assert!(
        nowhere
            .to_string()
            .starts_with("--jwks /nowhere/keys.json: it cannot be read")
    );
    let plain = Jwt::new(keys(KeySource::Url("http://login.example/?key=canary".into()))).unwrap_err();
    assert!(matches!(plain, Unusable::Url(_)) && !plain.to_string().contains("canary"));

    let short = Scratch::new([7; 31]);
    let secret = Settings {
        secret_file: Some(short.0.clone()),
        ..Settings::default()
    };
    let refused = Jwt::new(secret.clone()).unwrap_err().to_string();
    assert!(refused.contains("openssl rand -base64 48"), "{refused}");
    short.write([7; 32]);
    assert!(Jwt::new(secret).is_ok());
}

#[tokio::test]
async fn nothing_that_prints_shows_a_secret() {
    let canary = "canary-canary-canary-canary-canary";
    let (file, keys) = (
        Scratch::new(canary),
        Scratch::new(key_set(&[Signer::rsa().jwk("k")])),
    );
    let jwt = Jwt::new(settings(&keys, Some(&file))).unwrap();
    let token = Signer::secret(canary).token(&json!({"alg": "HS256"}), &claims());
    let taken = jwt.verify(&token, now()).await.unwrap();
    let shown = format!("{jwt:?} {taken:?}");
    assert!(!shown.contains(canary) && shown.contains("alice"), "{shown}");
    assert!(!shown.contains(token.split('.').next_back().unwrap()));
    assert_eq!(taken.expires.unix_ms(), (NOW + 600) * 1000);
}
