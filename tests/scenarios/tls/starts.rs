//! What is wrong with certificate and key keeps a relay from starting, and says what to do.

use harness::certificates::{Authority, Pair, replace};
use harness::wait::SOON;
use harness::{Program, Relay, Scratch, binaries};

use super::Home;

#[tokio::test]
async fn a_pair_that_cannot_be_used_is_told_with_its_mend() {
    let home = Home::new();
    let [cert, key] = Pair::paths(&home.folder);
    let other = Authority::new().certify(&["127.0.0.1"]);
    let (right, wrong) = (home.pair.cert.as_str(), other.key.as_str());
    for (file, text, said) in [
        (
            &cert,
            "",
            "--tls-cert FILE: it has no certificate; name a file in PEM",
        ),
        (&cert, right, ""),
        (
            &key,
            wrong,
            "--tls-key FILE: it is not the key of the certificate in",
        ),
        (
            &key,
            right,
            "--tls-key FILE: it has a certificate and no key; name the key here",
        ),
    ] {
        replace(&home.folder, file, text);
        if said.is_empty() {
            continue;
        }
        let flags = home.flags();
        let args = ["serve", "--insecure", "--listen", "127.0.0.1:0"].map(str::to_owned);
        let relay = Program::start(
            &binaries::path(binaries::RELAY),
            args.into_iter().chain(flags),
            &[],
        );
        let done = relay.finish(SOON).await.expect_code(2);
        let said = said.replace("FILE", &file.display().to_string());
        assert!(done.stderr.contains(&said), "{said}\n{}", done.stderr);
        assert_eq!(done.text(), "", "it did not listen");
    }
}

#[tokio::test]
async fn what_clients_would_mind_is_warned_of() {
    let folder = Scratch::new();
    let authority = Authority::new();
    authority.certify_until(&["127.0.0.1"], 2021).put(&folder);
    let [cert, key] = Pair::paths(&folder).map(|path| path.display().to_string());
    let relay = Relay::start(&["--tls-cert", &cert, "--tls-key", &key]).await;
    assert!(relay.url().starts_with("https://"), "{}", relay.url());
    relay
        .program()
        .complains(SOON, "the certificate ended at 2021-01-01")
        .await;
    relay.stop().await.expect_code(0);
}
