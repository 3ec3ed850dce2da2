//! Keys that change elsewhere while tokens come in, and providers that fail meanwhile.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::forge::{Signer, claims, header};
use super::provider::{Answers, Provider};
use super::{Scratch, key_set, now, settings};
use crate::access::jwt::fetch::{self, FetchError, MAX_DOCUMENT};
use crate::access::jwt::refresh::Pace;
use crate::access::jwt::url::Url;
use crate::access::jwt::{Jwt, KeySource, Settings};
use crate::access::{Access, Right, Source};

/// A schedule that never comes by itself, and asks that always do.
const ON_DEMAND: Pace = Pace {
    every: Duration::from_secs(3600),
    retry: Duration::from_secs(3600),
    apart: Duration::ZERO,
};
/// A schedule without a pause.
const ALWAYS: Pace = Pace {
    every: Duration::from_millis(1),
    retry: Duration::from_millis(1),
    apart: Duration::from_secs(3600),
};

struct Relay {
    jwt: Arc<Jwt>,
    _task: AbortOnDropHandle<()>,
}

fn run(jwt: Arc<Jwt>) -> Relay {
    let task = tokio::spawn(jwt.clone().run(std::future::pending()));
    Relay {
        jwt,
        _task: AbortOnDropHandle::new(task),
    }
}

fn relay(provider: &Provider, pace: Pace) -> Relay {
    let settings = Settings {
        jwks: Some(KeySource::Url(provider.url())),
        ..Settings::default()
    };
    run(Jwt::with(settings, [pace; 2], provider.trust.clone()).unwrap())
}

fn total(jwt: &Jwt, name: &str) -> u64 {
    jwt.totals()
        .into_iter()
        .find(|(known, _)| *known == name)
        .unwrap()
        .1
}

fn keys(keys: &[Value]) -> Answers {
    Answers::Keys(keys.to_vec())
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it_and_one_taken_back_ends_what_it_granted() {
    let (first, second) = (Signer::ed25519(), Signer::p256());
    let provider = Provider::start(keys(&[first.jwk("1")])).await;
    let relay = relay(&provider, ON_DEMAND);
    let old = first.token(&header("EdDSA", "1"), &claims());
    let new = second.token(&header("ES256", "2"), &claims());
    // The very first token waits for the first look.
    let alice = relay.jwt.verify(&old, now()).await.unwrap();
    let mut changes = relay.jwt.changes();

    provider.now_answers(keys(&[first.jwk("1"), second.jwk("2")]));
    let bob = relay.jwt.verify(&new, now()).await.unwrap();
    assert!(
        changes.has_changed().unwrap(),
        "who waits for changes is told of this one"
    );
    changes.mark_unchanged();
    assert!(relay.jwt.still_valid(&alice, now()), "both count");

    provider.now_answers(keys(&[second.jwk("2")]));
    let stranger = first.token(&header("EdDSA", "3"), &claims());
    assert!(relay.jwt.verify(&stranger, now()).await.is_none());
    assert!(changes.has_changed().unwrap());
    assert!(!relay.jwt.still_valid(&alice, now()) && relay.jwt.still_valid(&bob, now()));
    assert!(relay.jwt.verify(&old, now()).await.is_none());
}

#[tokio::test]
async fn another_key_under_an_old_name_ends_what_the_old_one_granted() {
    let (first, second) = (Signer::ed25519(), Signer::ed25519());
    let provider = Provider::start(keys(&[first.jwk("k")])).await;
    let relay = relay(&provider, ALWAYS);
    let token = first.token(&header("EdDSA", "k"), &claims());
    let alice = relay.jwt.verify(&token, now()).await.unwrap();
    let mut changes = relay.jwt.changes();
    provider.now_answers(keys(&[second.jwk("k")]));
    changes.changed().await.unwrap();
    assert!(!relay.jwt.still_valid(&alice, now()));

    // The same key under another name is the same.
    let token = second.token(&header("EdDSA", "k"), &claims());
    let bob = relay.jwt.verify(&token, now()).await.unwrap();
    provider.now_answers(keys(&[second.jwk("renamed")]));
    provider.asked_again(3).await;
    let renamed = second.token(&header("EdDSA", "renamed"), &claims());
    assert!(relay.jwt.verify(&renamed, now()).await.is_some());
    assert!(relay.jwt.still_valid(&bob, now()) && !changes.has_changed().unwrap());
}

#[tokio::test]
async fn while_the_provider_fails_old_keys_stay_and_an_empty_set_takes_them_back() {
    let signer = Signer::ed25519();
    let provider = Provider::start(keys(&[signer.jwk("k")])).await;
    let relay = relay(&provider, ALWAYS);
    let token = signer.token(&header("EdDSA", "k"), &claims());
    let alice = relay.jwt.verify(&token, now()).await.unwrap();
    let mut changes = relay.jwt.changes();
    let status = |line: &str| Answers::Raw(format!("HTTP/1.1 {line}\r\n\r\n{{\"keys\":[]}}").into_bytes());
    for bad in [
        status("500 Oops"),
        status("404 Not Found"),
        status("204 No Content"),
        status("302 Found\r\nLocation: http://127.0.0.1:1/"),
        status("200 OK\r\nContent-Length: 100"),
        Answers::Raw(b"HTTP/1.1 200 OK\r\n\r\n<html>".to_vec()),
        Answers::Raw(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
        Answers::Raw(Vec::new()),
        Answers::Closes,
        Answers::TooMuch,
    ] {
        provider.now_answers(bad);
        let before = total(&relay.jwt, "jwt_key_looks_failed");
        // The second one was asked after the answer changed, and is over once there is a third.
        provider.asked_again(3).await;
        assert!(total(&relay.jwt, "jwt_key_looks_failed") > before);
        assert!(relay.jwt.verify(&token, now()).await.is_some());
        assert!(relay.jwt.still_valid(&alice, now()) && !changes.has_changed().unwrap());
    }
    provider.now_answers(keys(&[]));
    changes.changed().await.unwrap();
    assert!(!relay.jwt.still_valid(&alice, now()));
    assert!(relay.jwt.verify(&token, now()).await.is_none());
    provider.now_answers(keys(&[signer.jwk("k")]));
    changes.changed().await.unwrap();
    assert!(relay.jwt.still_valid(&alice, now()), "and gives them back");
}

#[tokio::test]
async fn a_provider_that_is_slow_is_not_waited_for() {
    for answers in [Answers::Nothing, Answers::Drips] {
        let provider = Provider::start(answers).await;
        let url = Url::parse(&provider.url()).unwrap();
        let slow = fetch::within(Duration::from_millis(200), &url, None).await;
        assert!(matches!(slow, Err(FetchError::TimedOut)), "{slow:?}");
    }
}

#[tokio::test]
async fn a_provider_that_says_too_much_is_not_heard_out() {
    let long = [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", MAX_DOCUMENT + 1).into_bytes(),
        vec![b' '; MAX_DOCUMENT + 1],
    ];
    for answers in [Answers::TooMuch, Answers::Raw(long.concat())] {
        let provider = Provider::start(answers).await;
        let much = fetch::url(&Url::parse(&provider.url()).unwrap(), None).await;
        assert!(matches!(much, Err(FetchError::TooLarge)), "{much:?}");
    }
    let head = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 1 << 20]].concat();
    let provider = Provider::start(Answers::Raw(head)).await;
    let head = fetch::url(&Url::parse(&provider.url()).unwrap(), None).await;
    assert!(matches!(head, Err(FetchError::Http(_))), "{head:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_no_error_shows_the_query() {
    let elsewhere = Provider::start(keys(&[Signer::ed25519().jwk("k")])).await;
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: {}\r\n\r\n", elsewhere.url());
    let provider = Provider::start(Answers::Raw(redirect.into_bytes())).await;
    let error = fetch::url(&Url::parse(&provider.url()).unwrap(), None)
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Status(status) if status == 302));
    assert_eq!(elsewhere.asked(), 0);
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[tokio::test]
async fn over_tls_only_who_can_be_trusted_is_believed() {
    let signer = Signer::ed25519();
    let provider = Provider::start_tls(keys(&[signer.jwk("k")])).await;
    let token = signer.token(&header("EdDSA", "k"), &claims());
    let trusting = relay(&provider, ON_DEMAND);
    assert!(trusting.jwt.verify(&token, now()).await.is_some());

    let other = Provider::start_tls(keys(&[signer.jwk("k")])).await;
    let url = Url::parse(&other.url()).unwrap();
    let error = fetch::url(&url, provider.trust.clone()).await.unwrap_err();
    assert!(
        matches!(error, FetchError::Tls(_)),
        "another's certificate: {error}"
    );
    let by_address = Url::parse(&other.url().replace("localhost", "127.0.0.1")).unwrap();
    let error = fetch::url(&by_address, other.trust.clone()).await.unwrap_err();
    assert!(
        matches!(error, FetchError::Tls(_)),
        "another name's certificate: {error}"
    );
    let plain = Provider::start(Answers::Closes).await;
    let url = Url::parse(&plain.url().replace("http://", "https://")).unwrap();
    let error = fetch::url(&url, other.trust.clone()).await.unwrap_err();
    assert!(matches!(error, FetchError::Tls(_)), "no TLS: {error}");
}

#[tokio::test]
async fn files_are_read_again_and_one_that_is_half_written_changes_nothing() {
    let (first, second) = (Signer::ed25519(), Signer::ed25519());
    let keys = Scratch::new(key_set(&[first.jwk("1")]));
    let secret = Scratch::new([1; 32]);
    let relay = run(Jwt::with(settings(&keys, Some(&secret)), [ALWAYS; 2], None).unwrap());
    let mut changes = relay.jwt.changes();
    let by_key = first.token(&header("EdDSA", "1"), &claims());
    let by_secret = Signer::secret([1; 32]).token(&header("HS256", ""), &claims());
    let alice = relay.jwt.verify(&by_key, now()).await.unwrap();
    let bob = relay.jwt.verify(&by_secret, now()).await.unwrap();

    let failed = || total(&relay.jwt, "jwt_key_looks_failed");
    keys.write("{\"keys\":[");
    secret.write([1; 31]);
    while failed() < 4 {
        tokio::task::yield_now().await;
    }
    assert!(relay.jwt.still_valid(&alice, now()) && relay.jwt.still_valid(&bob, now()));
    assert!(!changes.has_changed().unwrap());

    keys.write(key_set(&[second.jwk("2")]));
    changes.changed().await.unwrap();
    assert!(!relay.jwt.still_valid(&alice, now()) && relay.jwt.still_valid(&bob, now()));
    secret.write([2; 32]);
    changes.changed().await.unwrap();
    assert!(!relay.jwt.still_valid(&bob, now()));
    assert!(relay.jwt.verify(&by_secret, now()).await.is_none());
    let by_secret = Signer::secret([2; 32]).token(&header("HS256", ""), &claims());
    assert!(relay.jwt.verify(&by_secret, now()).await.is_some());
}

#[tokio::test]
async fn it_stops_when_it_is_told_also_while_it_waits_for_a_provider() {
    let provider = Provider::start(Answers::Nothing).await;
    let settings = Settings {
        jwks: Some(KeySource::Url(provider.url())),
        ..Settings::default()
    };
    let jwt = Jwt::new(settings).unwrap();
    let stop = CancellationToken::new();
    let task = tokio::spawn(jwt.run(stop.clone().cancelled_owned()));
    provider.asked_again(1).await;
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn access_knows_the_bearers_of_a_login_as_long_as_their_key_counts() {
    let signer = Signer::ed25519();
    let keys = Scratch::new(key_set(&[signer.jwk("k")]));
    let relay = run(Jwt::with(settings(&keys, None), [ALWAYS; 2], None).unwrap());
    let access = Access::new(None, Some(relay.jwt.clone())).unwrap();
    let watching = AbortOnDropHandle::new(tokio::spawn(access.clone().watch(|_| {})));
    let token = signer.token(&header("EdDSA", "k"), &claims());
    let alice = access.bearer(&token, now()).await.unwrap();
    assert_eq!((alice.name(), alice.source()), ("alice", Source::Jwt));
    assert!(alice.covers(Some("12345")) && !alice.covers(Some("1")) && !alice.covers(None));
    assert!(alice.has(Right::Save) && !alice.has(Right::Pause));
    let ticket = access.ticket(&alice, now()).unwrap();
    assert_eq!(
        access.redeem(&ticket.ticket, now()).unwrap().token_id(),
        alice.token_id()
    );
    assert!(access.renewed(&alice, now()).is_some());
    assert!(
        access.renewed(&alice, now().plus_ms(600_000)).is_none(),
        "it is over"
    );

    let late = access.ticket(&alice, now()).unwrap();
    // So that it has begun to watch.
    tokio::task::yield_now().await;
    let mut changes = access.changes();
    keys.write(key_set(&[Signer::p256().jwk("k")]));
    changes.changed().await.unwrap();
    assert!(access.renewed(&alice, now()).is_none(), "its key counts no more");
    assert!(access.redeem(&late.ticket, now()).is_none());
    assert!(access.bearer(&token, now()).await.is_none());
    drop(watching);
}
