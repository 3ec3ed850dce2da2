//! Who gets in and who does not, at every door; how the relay starts, refuses to start, and leaves.

mod secure;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use ::http::Method;
use harness::listener::Item;
use harness::program::{Finished, Program};
use harness::wait::{SOON, within};
use harness::{Listener, Relay, Scratch, TwilioCall, api, binaries, http};
use partyline_shared::call::{Call, StreamState};
use partyline_shared::protocol::server::ServerMessage;
use partyline_shared::track::Track;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A WebSocket handshake's headers.
const UPGRADE: [(&str, &str); 4] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
];

/// A GET of `path` as a handshake, with `changes` replacing headers or added; an empty value takes one away.
async fn handshake(relay: SocketAddr, path: &str, changes: &[(&str, &str)]) -> http::Answer {
    let mut headers: Vec<(&str, &str)> = UPGRADE.to_vec();
    headers.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    headers.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    http::send(relay, Method::GET, path, &headers, "").await
}

fn code(answer: &http::Answer) -> String {
    answer.json()["error"]["code"]
        .as_str()
        .expect("the one shape of errors")
        .to_owned()
}

#[tokio::test]
async fn a_foreign_page_or_proxy_is_refused_at_every_door() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    let port = at.port();
    for foreign in [
        ("host", "evil.example"),
        ("host", "evil.example:80"),
        ("host", "127.0.0.1.evil.example"),
        ("host", "10.0.0.1"),
        ("forwarded", "for=192.0.2.60"),
        ("x-forwarded-for", "192.0.2.60"),
        ("x-forwarded-proto", "https"),
        ("origin", "https://evil.example"),
        ("origin", "http://localhost.evil.example"),
        ("origin", "null"),
    ] {
        for path in ["/listen", "/cable"] {
            let answer = handshake(at, path, &[foreign]).await.expect(403);
            assert_eq!(code(&answer), "refused", "{foreign:?} at {path}");
        }
        for path in ["/api/v1/calls", "/healthz", "/nowhere"] {
            http::send(at, Method::GET, path, &[foreign], "")
                .await
                .expect(403);
        }
        let form = ("content-type", "application/x-www-form-urlencoded");
        http::send(
            at,
            Method::POST,
            "/twilio/voice",
            &[form, foreign],
            "CallSid=CA1&To=%2B1",
        )
        .await
        .expect(403);
    }
    assert_eq!(api::listed(at, "?status=all").await, []);
    for ours in [
        ("origin", "http://localhost:3000".to_owned()),
        ("origin", format!("http://127.0.0.1:{port}")),
        ("origin", "http://[::1]".to_owned()),
        ("host", format!("localhost:{port}")),
        ("host", "[::1]".to_owned()),
    ] {
        http::send(at, Method::GET, "/healthz", &[(ours.0, &ours.1)], "")
            .await
            .expect(200);
        handshake(at, "/listen", &[(ours.0, &ours.1)]).await.expect(101);
    }
}

#[tokio::test]
async fn a_handshake_that_is_none_is_told_why() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    for path in ["/listen", "/cable"] {
        for (change, status) in [
            (("connection", ""), 426),
            (("upgrade", ""), 426),
            (("upgrade", "h2c"), 426),
            (("sec-websocket-version", "8"), 426),
            (("sec-websocket-version", ""), 426),
            (("sec-websocket-key", ""), 400),
            (("sec-websocket-key", "c2hvcnQ="), 400),
            (("sec-websocket-key", "no base64 at all!"), 400),
        ] {
            let answer = handshake(at, path, &[change]).await.expect(status);
            assert!(!code(&answer).is_empty(), "{change:?} at {path}");
        }
        let post = http::send(at, Method::POST, path, &UPGRADE, "").await;
        assert!([405, 426].contains(&post.status.as_u16()), "{}", post.status);
    }
    let protocol = "sec-websocket-protocol";
    let agreed = handshake(at, "/listen", &[(protocol, "partyline.v9, partyline.v1")])
        .await
        .expect(101);
    assert_eq!(agreed.header(protocol), "partyline.v1");
    handshake(at, "/listen", &[(protocol, "partyline.v9")])
        .await
        .expect(400);
    let none = handshake(at, "/listen", &[]).await.expect(101);
    assert_eq!(none.header(protocol), "");
    let echoed = handshake(at, "/cable", &[(protocol, "audio.twilio.com")])
        .await
        .expect(101);
    assert_eq!(echoed.header(protocol), "audio.twilio.com");
    let cable = handshake(at, "/cable", &[(protocol, "actioncable-v1-json")])
        .await
        .expect(101);
    assert_eq!(cable.header(protocol), "actioncable-v1-json");
    assert_eq!(http::get(at, "/healthz").await.expect(200).text(), "ok\n");
    assert_eq!(http::get(at, "/readyz").await.expect(200).text(), "ready\n");
    http::send(at, Method::POST, "/healthz", &[], "")
        .await
        .expect(405);
    assert_eq!(
        http::send(at, Method::HEAD, "/healthz", &[], "")
            .await
            .expect(200)
            .text(),
        ""
    );
}

#[tokio::test]
async fn listeners_past_the_limit_are_told_to_come_back() {
    let relay = Relay::start(&["--max-listeners", "1"]).await;
    let first = Listener::connect(relay.addr()).await;
    let answer = handshake(relay.addr(), "/listen", &[]).await.expect(503);
    assert_eq!(code(&answer), "too_many_listeners");
    first.close().await;
    harness::wait::until(SOON, "the place to be free", async || {
        Listener::open(relay.addr(), None).await.ok()
    })
    .await;
}

/// Says `first` and then `again` every now and then until the relay has closed; what it answered.
async fn drip(relay: SocketAddr, first: &[u8], again: &[u8]) -> Vec<u8> {
    let socket = TcpStream::connect(relay).await.expect("the relay is there");
    let (mut read, mut write) = socket.into_split();
    write.write_all(first).await.expect("the relay reads");
    let again = again.to_vec();
    let dripping = tokio::spawn(async move {
        while write.write_all(&again).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let mut answer = Vec::new();
    let _ = within(
        SOON,
        "the relay to close on one who drips",
        read.read_to_end(&mut answer),
    )
    .await;
    dripping.abort();
    answer
}

#[tokio::test]
async fn who_says_too_little_or_too_much_is_closed() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    let head = format!("GET /api/v1/calls HTTP/1.1\r\nHost: {at}\r\nX-Slow: ");
    let body = format!(
        "POST /twilio/status HTTP/1.1\r\nHost: {at}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9999\r\n\r\n"
    );
    let (silent, slow, dripped) = tokio::join!(
        drip(at, b"", b""),
        drip(at, head.as_bytes(), b"a"),
        drip(at, body.as_bytes(), b"a"),
    );
    let text = |answer: Vec<u8>| String::from_utf8(answer).expect("HTTP is text");
    assert_eq!(text(silent), "");
    let slow = text(slow);
    assert!(slow.is_empty() || slow.starts_with("HTTP/1.1 408"), "{slow}");
    let dripped = text(dripped);
    assert!(
        dripped.starts_with("HTTP/1.1 400") && dripped.contains("within 5 s"),
        "{dripped}"
    );

    let many: String = (0..200).map(|n| format!("X-{n}: y\r\n")).collect();
    let bomb = format!("GET /healthz HTTP/1.1\r\nHost: {at}\r\n{many}\r\n");
    let answer = text(drip(at, bomb.as_bytes(), b"").await);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    let long = format!(
        "GET /healthz HTTP/1.1\r\nHost: {at}\r\nX-Long: {}",
        "y".repeat(60 << 10)
    );
    let answer = text(drip(at, long.as_bytes(), b"y").await);
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    http::get(at, "/healthz").await.expect(200);
}

async fn serve(args: &[&str]) -> Finished {
    let relay = binaries::path(binaries::RELAY);
    let args = ["serve"].iter().chain(args);
    Program::start(Path::new(&relay), args, &[]).finish(SOON).await
}

#[tokio::test]
async fn a_relay_that_cannot_start_says_all_that_is_wrong() {
    let done = serve(&["--listen", "127.0.0.1:0"]).await.expect_code(2);
    for missing in [
        "Twilio auth token",
        "--public-url",
        "--tokens or --jwks",
        "--insecure",
    ] {
        assert!(
            done.stderr.contains(missing),
            "{missing} is not named:\n{}",
            done.stderr
        );
    }
    let done = serve(&["--insecure", "--listen", "0.0.0.0:0"])
        .await
        .expect_code(2);
    assert!(done.stderr.contains("loopback"), "{}", done.stderr);
    let folder = Scratch::new();
    let config = folder.write("relay.toml", "retention = \"soon\"\nmax_cals = 3\n");
    let done = serve(&[
        "--insecure",
        "--listen",
        "127.0.0.1:0",
        "--config",
        config.to_str().unwrap(),
    ])
    .await
    .expect_code(2);
    for wrong in ["`max_cals`", "`max_calls`", "`soon`", "line 1", "line 2"] {
        assert!(
            done.stderr.contains(wrong),
            "{wrong} is not named:\n{}",
            done.stderr
        );
    }
    serve(&["--no-such-flag"]).await.expect_code(2);
    let taken = Relay::start(&[]).await;
    let done = serve(&["--insecure", "--listen", &taken.addr().to_string()])
        .await
        .expect_code(1);
    assert!(done.stderr.contains("--listen"), "{}", done.stderr);
    assert_eq!(done.text(), "", "it did not listen");
}

#[tokio::test]
async fn told_to_leave_it_says_goodbye_to_everyone() {
    let relay = Relay::start(&[]).await;
    let mut call = TwilioCall::new(&relay);
    let mut stream = call.live_stream().await;
    let live = |call: &Call| call.stream == StreamState::Live;
    api::call_once(relay.addr(), call.sid(), "the stream to be live", live).await;
    let mut listeners = vec![
        Listener::connect(relay.addr()).await,
        Listener::connect(relay.addr()).await,
    ];
    listeners[0].subscribe(call.sid()).await;
    stream.play(&[1; 800], &[2; 800], Duration::ZERO).await;
    listeners[0]
        .until_so("the audio", |l| {
            l.heard(call.sid()).audio(Track::Outbound).len() == 800
        })
        .await;
    call.says(Track::Inbound, "The last word.", true)
        .await
        .expect(204);
    // Who has connected and says nothing holds nobody up.
    let _idle = TcpStream::connect(relay.addr())
        .await
        .expect("the relay is there");
    relay.program().signal("TERM");
    for listener in &mut listeners {
        let goodbye = |m: &ServerMessage| matches!(m, ServerMessage::Goodbye { .. });
        let said = listener.until("goodbye", goodbye).await;
        let ServerMessage::Goodbye {
            reason,
            retry_after_ms,
        } = said
        else {
            unreachable!()
        };
        assert_eq!(reason, "draining");
        assert!((1..=10_000).contains(&retry_after_ms), "{retry_after_ms}");
        let next = listener.next("the close").await;
        assert!(matches!(next, Item::Closed(Some(1001))), "{next:?}");
    }
    assert_eq!(listeners[0].heard(call.sid()).finals(), ["The last word."]);
    assert_eq!(stream.closed().await, Some(1001));
    let addr = relay.addr();
    let done = relay.ended(SOON).await.expect_code(0);
    assert_eq!(
        done.text(),
        format!("listening on http://{addr}\n"),
        "the first line, and the only one"
    );
}

#[tokio::test]
async fn told_twice_it_ends_at_once() {
    let relay = Relay::start(&[]).await;
    // A request whose body does not come is waited for, five seconds.
    let mut socket = TcpStream::connect(relay.addr())
        .await
        .expect("the relay is there");
    let head = format!(
        "POST /twilio/status HTTP/1.1\r\nHost: {}\r\nContent-Length: 99\r\n\r\nCallSid=",
        relay.addr()
    );
    socket.write_all(head.as_bytes()).await.expect("the relay reads");
    http::get(relay.addr(), "/healthz").await.expect(200);
    relay.program().signal("TERM");
    relay.program().complains(SOON, "told to stop").await;
    relay.program().signal("TERM");
    relay.ended(Duration::from_secs(3)).await.expect_code(0);
}
