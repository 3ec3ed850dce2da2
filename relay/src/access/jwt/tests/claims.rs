//! Well-signed tokens: for whom, from when, until when, and what they grant.

use serde_json::{Value, json};

use super::forge::{Signer, claims, claims_but, header};
use super::{NOW, Scratch, key_set, now, settings, with_keys};
use crate::access::jwt::refused::Refused;
use crate::access::jwt::{Jwt, LEEWAY, Verified};
use crate::access::{Right, Role};

async fn check(jwt: &Jwt, signer: &Signer, claims: &str) -> Result<Verified, Refused> {
    let token = signer.raw(&header("EdDSA", "k").to_string(), claims);
    jwt.check(&token, now()).await
}

#[tokio::test]
async fn a_good_token_grants_what_it_says_until_it_expires() {
    let signer = Signer::ed25519();
    let jwt = with_keys(&[signer.jwk("k")]);
    let token = signer.token(&header("EdDSA", "k"), &claims());
    let alice = jwt.verify(&token, now()).await.unwrap();
    assert_eq!((alice.name.as_str(), alice.role), ("alice", Role::User));
    assert_eq!(
        (alice.customers.as_slice(), alice.allow.as_slice()),
        (&["12345".to_owned()][..], &[Right::Save][..])
    );
    assert_eq!(alice.expires.unix_ms(), (NOW + 600) * 1000);
    assert_eq!(alice.token_id.len(), 16);
    assert!(!token.contains(&alice.token_id));
    assert!(jwt.still_valid(&alice, now().plus_ms(599_999)));
    assert!(!jwt.still_valid(&alice, now().plus_ms(600_000)));
    let again = jwt.verify(&token, now()).await.unwrap();
    assert_eq!(again.token_id, alice.token_id);
    let other = check(&jwt, &signer, &claims_but("jti", json!("2")).to_string()).await;
    assert_ne!(other.unwrap().token_id, alice.token_id);
}

#[tokio::test]
async fn what_is_not_for_us_or_not_now_is_refused() {
    let signer = Signer::ed25519();
    let jwt = with_keys(&[signer.jwk("k")]);
    let table: &[(&str, Value, Option<Refused>)] = &[
        ("exp", json!(null), Some(Refused::Expired)),
        ("exp", json!(NOW + 1), None),
        ("exp", json!(NOW as f64 + 0.5), None),
        ("exp", json!(NOW), Some(Refused::Expired)),
        ("exp", json!(NOW - 1), Some(Refused::Expired)),
        ("exp", json!(0), Some(Refused::Expired)),
        ("exp", json!(-1e300), Some(Refused::Expired)),
        ("exp", json!(1e300), None),
        ("exp", json!("4102444800"), Some(Refused::Claims)),
        ("exp", json!([4_102_444_800_i64]), Some(Refused::Claims)),
        ("nbf", json!(null), None),
        ("nbf", json!(NOW + LEEWAY), None),
        ("nbf", json!(NOW + LEEWAY + 1), Some(Refused::NotYet)),
        ("nbf", json!(1e300), Some(Refused::NotYet)),
        ("nbf", json!("0"), Some(Refused::Claims)),
        ("iat", json!(NOW + 3600), None),
        ("iss", json!(null), Some(Refused::Issuer)),
        ("iss", json!("https://login.example"), Some(Refused::Issuer)),
        ("iss", json!("https://LOGIN.example/"), Some(Refused::Issuer)),
        ("iss", json!(["https://login.example/"]), Some(Refused::Claims)),
        ("aud", json!(null), Some(Refused::Audience)),
        ("aud", json!(""), Some(Refused::Audience)),
        ("aud", json!([]), Some(Refused::Audience)),
        ("aud", json!("Partyline"), Some(Refused::Audience)),
        ("aud", json!("partyline2"), Some(Refused::Audience)),
        ("aud", json!(["other"]), Some(Refused::Audience)),
        ("aud", json!(["other", "partyline"]), None),
        ("aud", json!({"partyline": 1}), Some(Refused::Claims)),
        ("sub", json!(null), Some(Refused::Subject)),
        ("sub", json!(""), Some(Refused::Subject)),
        ("sub", json!("  "), Some(Refused::Subject)),
        ("sub", json!("a\nb"), Some(Refused::Subject)),
        ("sub", json!("a\u{202e}b"), Some(Refused::Subject)),
        ("sub", json!("\u{1b}[2J"), Some(Refused::Subject)),
        ("sub", json!("é".repeat(255)), None),
        ("sub", json!("é".repeat(256)), Some(Refused::Subject)),
        ("sub", json!(7), Some(Refused::Claims)),
        ("partyline", json!(null), Some(Refused::Grant)),
        ("partyline", json!("admin"), Some(Refused::Claims)),
        ("partyline", json!({"customers": ["1"]}), Some(Refused::Claims)),
        ("partyline", json!({"role": "root"}), Some(Refused::Grant)),
        ("partyline", json!({"role": "Admin"}), Some(Refused::Grant)),
        ("partyline", json!({"role": ["admin"]}), Some(Refused::Claims)),
        ("partyline", json!({"role": "admin"}), None),
        (
            "partyline",
            json!({"role": "user", "customers": "1"}),
            Some(Refused::Claims),
        ),
        (
            "partyline",
            json!({"role": "user", "customers": null, "allow": null}),
            None,
        ),
    ];
    for (name, value, expected) in table {
        let claims = claims_but(name, value.clone()).to_string();
        let refused = check(&jwt, &signer, &claims).await.err();
        assert_eq!(refused, *expected, "{name} {value}");
    }
    for text in [
        "",
        "null",
        "[]",
        "7",
        "{\"exp\":1e999}",
        "{\"exp\":1,\"exp\":9e12}",
        "\u{feff}{}",
    ] {
        let refused = check(&jwt, &signer, text).await.err();
        assert_eq!(refused, Some(Refused::Claims), "{text}");
    }
}

#[tokio::test]
async fn a_right_that_is_not_known_gives_nothing() {
    let signer = Signer::ed25519();
    let jwt = with_keys(&[signer.jwk("k")]);
    let granted = json!({"role": "transcriber", "customers": ["1", "2"], "allow": ["fly", "pause"]});
    let claims = claims_but("partyline", granted).to_string();
    let taken = check(&jwt, &signer, &claims).await.unwrap();
    assert_eq!((taken.role, taken.allow), (Role::Transcriber, vec![Right::Pause]));
}

#[tokio::test]
async fn issuer_and_audience_are_looked_at_where_they_are_set() {
    let signer = Signer::ed25519();
    let file = Scratch::new(key_set(&[signer.jwk("k")]));
    let lax = super::Settings {
        issuer: None,
        audience: None,
        ..settings(&file, None)
    };
    let jwt = Jwt::new(lax).unwrap();
    for name in ["iss", "aud"] {
        for value in [json!(null), json!("anything")] {
            let claims = claims_but(name, value).to_string();
            assert!(check(&jwt, &signer, &claims).await.is_ok());
        }
    }
}
