//! What `partyline` and `partyline-relay simulate` say where TLS does not come about: what is wrong, and what to do.

use harness::certificates::Authority;
use harness::wait::SOON;
use harness::{Finished, Program, Relay, Scratch, binaries};

use super::Home;

/// What each way to a relay says, with this file of trusted certificates.
async fn says(url: &str, trust: &str) -> [Finished; 3] {
    let env = [("SSL_CERT_FILE", trust)];
    let calls = ["--relay", url, "calls"];
    let listen = ["--relay", url, "listen", "CA1", "--output", "-"];
    let simulate = ["simulate", "--relay", url, "--duration", "1s"];
    let started = [
        Program::start(&binaries::path(binaries::LISTENER), calls, &env),
        Program::start(&binaries::path(binaries::LISTENER), listen, &env),
        Program::start(&binaries::path(binaries::RELAY), simulate, &env),
    ];
    let [calls, listen, simulate] = started;
    [
        calls.finish(SOON).await,
        listen.finish(SOON).await,
        simulate.finish(SOON).await,
    ]
}

/// Fails unless each of them fails and says all of these.
async fn all_say(url: &str, trust: &str, said: &[&str]) {
    for done in says(url, trust).await {
        assert!(
            matches!(done.code, Some(1 | 2)),
            "{:?}: {}",
            done.code,
            done.stderr
        );
        for said in said {
            assert!(done.stderr.contains(said), "{said}:\n{}", done.stderr);
        }
        assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    }
}

#[tokio::test]
async fn an_authority_of_a_companys_own_is_trusted_where_it_is_named() {
    let home = Home::new();
    let relay = home.relay().await;
    let trust = home.authority.file(&home.folder);
    let env = [("SSL_CERT_FILE", trust.as_str())];
    let args = ["--relay", &relay.url(), "calls", "--json"].map(str::to_owned);
    let calls = Program::start(&binaries::path(binaries::LISTENER), args, &env);
    assert_eq!(calls.finish(SOON).await.expect_code(0).text(), "");
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn who_made_the_certificate_is_not_known() {
    let home = Home::new();
    let relay = home.relay().await;
    // Also where an authority of the same name is known, as after it was made anew.
    for name in ["Somebody else's", "A story's authority"] {
        let stranger = Authority::named(name).file(&home.folder);
        let said = [
            "not trusted",
            "an authority that this machine does not know",
            "SSL_CERT_FILE",
        ];
        all_say(&relay.url(), &stranger, &said).await;
    }
    let nobody = home.folder.write("nobody.pem", "").display().to_string();
    let said = ["trusts no certificate authority", "SSL_CERT_FILE"];
    all_say(&relay.url(), &nobody, &said).await;
    relay
        .program()
        .complains(SOON, "it may not trust the certificate")
        .await;
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn the_certificate_is_another_names() {
    let home = Home::known_as(&["calls.example.com"]);
    let relay = home.relay().await;
    let trust = home.authority.file(&home.folder);
    all_say(
        &relay.url(),
        &trust,
        &["another name's (calls.example.com)", "check"],
    )
    .await;
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn the_certificate_has_expired() {
    let home = Home::new();
    home.authority
        .certify_until(&["127.0.0.1"], 2021)
        .put(&home.folder);
    let relay = home.relay().await;
    let trust = home.authority.file(&home.folder);
    all_say(&relay.url(), &trust, &["it has expired", "renew it"]).await;
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn the_address_is_the_wrong_kind() {
    let home = Home::new();
    let relay = home.relay().await;
    let trust = home.authority.file(&home.folder);
    let plainly = format!("http://{}", relay.addr());
    all_say(&plainly, &trust, &["https://"]).await;
    relay.stop().await.expect_code(0);

    let plain = Relay::start(&[]).await;
    let (secretly, folder) = (format!("https://{}", plain.addr()), Scratch::new());
    let trust = Authority::new().file(&folder);
    all_say(&secretly, &trust, &["TLS", "http://"]).await;
    plain.stop().await.expect_code(0);
}
