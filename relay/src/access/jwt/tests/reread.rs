//! Another configuration of a login, put in force while tokens are out.

use super::forge::{Signer, claims, header};
use super::*;

#[tokio::test]
async fn who_would_not_be_let_in_any_more_is_out_and_the_others_stay() {
    let signer = Signer::ed25519();
    let keys = Scratch::new(key_set(&[signer.jwk("k")]));
    let jwt = Jwt::new(settings(&keys, None)).unwrap();
    let token = signer.token(&header("EdDSA", "k"), &claims());
    let alice = jwt.verify(&token, now()).await.unwrap();
    let mut changes = jwt.changes();
    let expecting = |audience: &str| Settings {
        audience: Some(audience.to_owned()),
        ..settings(&keys, None)
    };
    let same = jwt.read(settings(&keys, None)).await.unwrap();
    assert!(
        !changes.has_changed().unwrap(),
        "what was read only is not in force"
    );
    jwt.apply(same);
    assert!(changes.has_changed().unwrap() && jwt.still_valid(&alice, now()));
    changes.mark_unchanged();
    jwt.apply(jwt.read(expecting("another")).await.unwrap());
    assert!(changes.has_changed().unwrap() && !jwt.still_valid(&alice, now()));
    assert!(jwt.verify(&token, now()).await.is_none());
    jwt.apply(jwt.read(settings(&keys, None)).await.unwrap());
    assert!(jwt.still_valid(&alice, now()));
    // No login at all, and one again.
    jwt.apply(jwt.read(Settings::default()).await.unwrap());
    assert!(!jwt.still_valid(&alice, now()) && jwt.verify(&token, now()).await.is_none());
    jwt.apply(jwt.read(settings(&keys, None)).await.unwrap());
    assert!(jwt.still_valid(&alice, now()));
}

#[tokio::test]
async fn keys_that_cannot_be_had_are_told_and_change_nothing() {
    let signer = Signer::ed25519();
    let keys = Scratch::new(key_set(&[signer.jwk("k")]));
    let jwt = Jwt::new(settings(&keys, None)).unwrap();
    let token = signer.token(&header("EdDSA", "k"), &claims());
    let nowhere = Settings {
        jwks: Some(KeySource::Url("http://127.0.0.1:1/keys".to_owned())),
        ..Settings::default()
    };
    let told = jwt.read(nowhere).await.unwrap_err().to_string();
    assert!(told.contains("--jwks at"), "{told}");
    keys.write("no keys");
    assert!(jwt.read(settings(&keys, None)).await.is_err());
    assert!(
        jwt.verify(&token, now()).await.is_some(),
        "what was known stays in force"
    );
}

#[tokio::test]
async fn looks_at_places_that_are_left_are_still_counted() {
    let signer = Signer::ed25519();
    let [keys, others] = [(); 2].map(|()| Scratch::new(key_set(&[signer.jwk("k")])));
    let jwt = running(settings(&keys, None));
    let looks = || {
        let totals = jwt.totals();
        totals
            .iter()
            .find(|(name, _)| *name == "jwt_key_looks")
            .unwrap()
            .1
    };
    while looks() == 0 {
        tokio::task::yield_now().await;
    }
    jwt.apply(jwt.read(settings(&others, None)).await.unwrap());
    assert!(looks() >= 1);
    while looks() < 2 {
        tokio::task::yield_now().await;
    }
}
