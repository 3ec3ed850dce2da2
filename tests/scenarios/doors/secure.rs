//! Without --insecure: what the relay needs to start, and whose pages may connect to it.

use std::net::SocketAddr;

use super::*;

const PUBLIC: &str = "https://calls.example.com";
const READY: &str = "listening on http://";

/// A relay with all that it needs and `extra`; the folder has its tokens.
async fn start(folder: &Scratch, extra: &[&str]) -> (Program, SocketAddr) {
    let tokens = folder.write("tokens", "");
    let tokens = tokens.to_str().expect("a path in UTF-8");
    let mut args = vec![
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--public-url",
        PUBLIC,
        "--tokens",
        tokens,
    ];
    args.extend(extra);
    let env = [("TWILIO_AUTH_TOKEN", "0123456789abcdef")];
    let program = Program::start(&binaries::path(binaries::RELAY), args, &env);
    let line = program.line(SOON, READY, |line| line.starts_with(READY)).await;
    let addr = line.trim_start_matches(READY).parse().expect("an address");
    (program, addr)
}

#[tokio::test]
async fn with_all_that_it_needs_it_starts_and_leaves() {
    let folder = Scratch::new();
    let (relay, at) = start(&folder, &["--trusted-proxy", "10.0.0.0/8"]).await;
    http::get(at, "/healthz").await.expect(200);
    relay.signal("TERM");
    relay.finish(SOON).await.expect_code(0);
}

#[tokio::test]
async fn a_signal_that_comes_at_once_is_heard() {
    let folder = Scratch::new();
    for _ in 0..5 {
        let (relay, at) = start(&folder, &[]).await;
        relay.signal("HUP");
        http::get(at, "/healthz").await.expect(200);
        relay.signal("TERM");
        relay.finish(SOON).await.expect_code(0);
        let (relay, _) = start(&folder, &[]).await;
        relay.signal("TERM");
        relay.finish(SOON).await.expect_code(0);
    }
}

#[tokio::test]
async fn each_missing_part_is_named_and_a_certificate_comes_later() {
    let folder = Scratch::new();
    let tokens = folder.write("tokens", "");
    let tokens = tokens.to_str().expect("a path in UTF-8");
    let gone = folder.file("gone");
    let gone = gone.to_str().expect("a path in UTF-8");
    for (args, said) in [
        (
            vec!["--public-url", PUBLIC],
            "partyline-relay token add --tokens FILE",
        ),
        (vec!["--tokens", tokens], "--public-url https://HOST"),
        (
            vec!["--tokens", tokens, "--public-url", PUBLIC],
            "TWILIO_AUTH_TOKEN",
        ),
        (vec!["--tokens", gone], "cannot be read"),
        (
            vec!["--tokens", tokens, "--listen", "0.0.0.0:0"],
            "--trusted-proxy CIDR",
        ),
        (vec!["--tls-cert", "cert.pem"], "--tls-cert"),
    ] {
        let done = serve(&args).await.expect_code(2);
        assert!(done.stderr.contains(said), "{args:?}:\n{}", done.stderr);
        assert_eq!(done.text(), "", "it did not listen");
    }
}

#[tokio::test]
async fn only_the_public_urls_pages_and_those_listed_connect() {
    let folder = Scratch::new();
    let listed = [
        "--allowed-origin",
        r"https://desk.example.com,/https://[a-z]+\.example\.org/",
    ];
    let (_relay, at) = start(&folder, &listed).await;
    for foreign in [
        "https://evil.example",
        "http://calls.example.com",
        "https://calls.example.com:8443",
        "https://calls.example.com.evil.example",
        "https://app.example.org.evil.example",
        "https://xn--clls-gra.example.com",
        "http://localhost:3000",
        "null",
    ] {
        for path in ["/listen", "/cable", "/api/v1/calls", "/healthz", "/twilio/voice"] {
            let answer = handshake(at, path, &[("origin", foreign)]).await.expect(403);
            assert_eq!(code(&answer), "refused", "{foreign} at {path}");
        }
    }
    // Whatever name it was asked by and whoever is said to have asked: neither is believed, so neither matters.
    for headers in [
        [
            ("origin", "https://calls.example.com:443"),
            ("host", "anything.example"),
        ],
        [
            ("origin", "https://desk.example.com"),
            ("x-forwarded-for", "rubbish"),
        ],
        [
            ("origin", "https://app.example.org"),
            ("forwarded", "for=10.0.0.1"),
        ],
    ] {
        http::send(at, Method::GET, "/healthz", &headers, "")
            .await
            .expect(200);
    }
}
