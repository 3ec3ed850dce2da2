//! Scripts, and whoever else finds the relay: API requests, paths that are none, and bytes that are no HTTP.

use ::http::Method;
use harness::http;
use harness::wait::{SOON, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::jwt;
use super::Run;

pub(super) async fn ask(run: &Run) {
    let at = run.relay.addr();
    let plant = |what, text: &str| run.canaries.plant(what, text);
    let good = format!("Bearer {}", run.token);
    let query = plant("a script's query", "canary-script-query");
    let calls = format!("/api/v1/calls?status=all&x={query}");
    let listed = http::send(at, Method::GET, &calls, &[("authorization", &good)], "")
        .await
        .expect(200);
    assert!(listed.text().contains(&run.customer), "who may see it does");

    let forged = jwt("another secret of another login, as long", "eve");
    let wrong = plant(
        "a script's wrong token",
        "pl_scriptcanaryscriptcanaryscriptcanaryscriptca",
    );
    let id = plant("a call that nobody knows", "CAcanaryunknown");
    let (bad, basic, login) = (
        format!("Bearer {wrong}"),
        format!("Basic {wrong}"),
        format!("Bearer {forged}"),
    );
    run.canaries.plant("a script's forged login", forged);
    let forwarded = plant("a forwarded address", "canary.forwarded.example");
    let agent = plant("a user agent", "CanaryAgent/1.0");
    let cookie = plant("a cookie", "session=canary-cookie");
    let origin = plant("an origin", "https://canary-origin.example");
    let host = plant("a host", "canary-host.example");
    for (method, path, headers) in [
        (Method::GET, calls.clone(), &[("authorization", bad.as_str())][..]),
        (Method::GET, calls.clone(), &[("authorization", &basic)]),
        (Method::GET, calls.clone(), &[("authorization", &login)]),
        (
            Method::GET,
            calls.clone(),
            &[("cookie", &cookie), ("user-agent", &agent)],
        ),
        (Method::GET, format!("{calls}&token={}", run.token), &[]),
        (
            Method::GET,
            format!("/api/v1/calls/{id}"),
            &[("authorization", &good)],
        ),
        (
            Method::GET,
            format!("/api/v1/calls/{id}/events?after={query}"),
            &[("authorization", &good)],
        ),
        (
            Method::GET,
            "/api/v1/calls?limit=canary".to_owned(),
            &[("authorization", &good), ("x-forwarded-for", &forwarded)],
        ),
        (
            Method::POST,
            format!("/api/v1/tickets?{query}"),
            &[("authorization", &bad)],
        ),
        (
            Method::POST,
            format!("/{id}?{query}"),
            &[("authorization", &good)],
        ),
        (Method::DELETE, calls.clone(), &[("authorization", &good)]),
        (
            Method::GET,
            calls.clone(),
            &[("authorization", &good), ("origin", &origin)],
        ),
        (Method::GET, format!("/listen?ticket={wrong}"), &[("host", &host)]),
    ] {
        let answer = http::send(at, method, &path, headers, "").await;
        let status = run.canaries.refused(answer);
        assert!(status >= 400, "{path}: {status}");
    }
    let raw = plant("bytes that are no HTTP", "canary-raw-bytes");
    for bytes in [
        format!("{raw}\r\n\r\n"),
        format!("GET /{raw} HTTP/1.1\r\n{raw}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", raw.repeat(4096)),
    ] {
        let mut socket = TcpStream::connect(at).await.expect("the relay is there");
        // It may have heard enough before all is said.
        let _ = socket.write_all(bytes.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = within(SOON, "the relay to close", socket.read_to_end(&mut answer)).await;
        run.canaries.told(String::from_utf8_lossy(&answer).into_owned());
    }
}
