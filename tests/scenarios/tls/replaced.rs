//! Certificate and key are replaced while calls and listeners live.

use harness::Witness;
use harness::certificates::{Authority, Pair, replace};
use harness::wait::{SOON, until};

use super::Home;

#[tokio::test]
async fn nobody_notices_but_who_connects_anew() {
    let home = Home::new();
    let relay = home.relay().await;
    let tunnel = home.tunnel(&relay).await;
    assert!(home.pair.is(&home.authority.seen(relay.addr()).await));
    let mut witnesses = Vec::new();
    for _ in 0..3 {
        witnesses.push(Witness::begin_at(tunnel.addr(), 9000).await);
    }

    let next = home.authority.certify(&["127.0.0.1", "renewed.example.com"]);
    next.put(&home.folder);
    until(SOON, "the new certificate", async || {
        next.is(&home.authority.seen(relay.addr()).await).then_some(())
    })
    .await;

    // The key of another, and then half a certificate.
    let [cert, key] = Pair::paths(&home.folder);
    let other = Authority::new().certify(&["127.0.0.1"]);
    replace(&home.folder, &key, &other.key);
    relay.program().complains(SOON, "it is not the key of").await;
    std::fs::write(&cert, &next.cert[..next.cert.len() / 2]).unwrap();
    relay.program().complains(SOON, "it is damaged").await;
    assert!(
        next.is(&home.authority.seen(relay.addr()).await),
        "the old one stays"
    );

    // Right again.
    let last = home.authority.certify(&["127.0.0.1"]);
    last.put(&home.folder);
    until(SOON, "the last certificate", async || {
        last.is(&home.authority.seen(relay.addr()).await).then_some(())
    })
    .await;
    for witness in witnesses {
        witness.was_not_disturbed().await;
    }
    let told = relay.stop().await.expect_code(0).stderr;
    let times = told.matches("the certificate cannot be replaced").count();
    assert_eq!(times, 2, "each fault once: {told}");
}
