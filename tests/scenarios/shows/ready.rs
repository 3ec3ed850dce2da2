//! `/readyz` with its reasons, and the admin listener itself.

use std::io::ErrorKind;
use std::net::SocketAddr;

use ::http::Method;
use harness::numbers::admin_of;
use harness::wait::{SOON, until, within};
use harness::{Guarded, Numbers, Program, Relay, TwilioCall, api, binaries, http};
use partyline_shared::time::UtcTime;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{guarded, shown};

async fn detail(admin: SocketAddr, status: u16) -> Value {
    http::get(admin, "/readyz").await.expect(status).json()
}

#[tokio::test]
async fn a_ready_relay_says_what_it_has() {
    let relay = Guarded::new();
    let alice = relay.token("alice", &["--role", "admin"]).await;
    let (relay, admin) = guarded(relay).await;
    let said = detail(admin, 200).await;
    assert_eq!((&said["ready"], &said["draining"]), (&json!(true), &json!(false)));
    assert_eq!(said["calls"], json!({ "live": 0, "max": 10_000 }));
    assert_eq!(said["listeners"], json!({ "connected": 0, "max": 10_000 }));
    let audit = (&said["audit"]["writable"], &said["audit"]["file"]);
    assert_eq!(audit, (&json!(true), &json!(relay.path("audit.jsonl"))));
    assert_eq!(
        (&said["tokens"]["known"], &said["tokens"]["problem"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!((&said["tls"], &said["state"]), (&Value::Null, &Value::Null));
    assert_eq!(said["version"], env!("CARGO_PKG_VERSION"));
    assert!(said["started_at"].as_str().and_then(UtcTime::parse).is_some());
    let (call, _stream) = relay.live_call("777").await;
    let _listener = relay.listen(&alice).await;
    until(SOON, "a call and a listener", async || {
        let said = detail(admin, 200).await;
        let now = (
            &said["calls"]["live"],
            &said["streams"]["live"],
            &said["listeners"]["connected"],
        );
        (now == (&json!(1), &json!(1), &json!(1))).then_some(())
    })
    .await;
    let path = format!("/api/v1/calls/{}", call.sid());
    let known = relay.ask(Method::GET, &path, &alice).await.expect(200).json();
    assert_eq!(known["node"], said["node"]);
    // What it says of the file is what the last look at it found, and a reload would meet.
    std::fs::write(relay.tokens(), "nonsense").expect("it can be written");
    until(SOON, "a problem with the tokens", async || {
        let said = detail(admin, 200).await;
        let problem = said["tokens"]["problem"].as_str()?;
        problem.contains("tokens.toml").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_full_relay_is_not_ready_for_both_who_ask() {
    let relay = Relay::start(&["--admin-listen", "127.0.0.1:0", "--max-calls", "1"]).await;
    let admin = admin_of(relay.program()).await;
    http::get(relay.addr(), "/readyz").await.expect(200);
    let (call, mut stream) = api::live_call(&relay).await;
    assert_eq!(detail(admin, 503).await["calls"], json!({ "live": 1, "max": 1 }));
    http::get(relay.addr(), "/readyz").await.expect(503);
    http::get(admin, "/healthz").await.expect(200);
    TwilioCall::new(&relay).webhook(&[]).await.expect(200);
    let numbers = Numbers::read(admin).await;
    assert_eq!(numbers.get("partyline_ready"), 0.0);
    let refused = "partyline_refusals_total{door=\"twilio\",reason=\"too_many_calls\"}";
    assert_eq!(numbers.get(refused), 1.0);
    stream.stop().await;
    api::call_once(relay.addr(), call.sid(), "the end", |call| {
        call.ended_at.is_some()
    })
    .await;
    detail(admin, 200).await;
}

#[tokio::test]
async fn a_disk_that_takes_nothing_is_told() {
    let relay = Relay::start(&["--admin-listen", "127.0.0.1:0", "--audit", "/dev/full"]).await;
    let admin = admin_of(relay.program()).await;
    let audit = detail(admin, 200).await["audit"].take();
    assert_eq!(
        (&audit["writable"], &audit["takes_listeners"]),
        (&json!(false), &json!(false))
    );
    let numbers = Numbers::read(admin).await;
    assert_eq!(numbers.get("partyline_audit_works"), 0.0);
    assert!(numbers.get("partyline_audit_failures_total") >= 1.0);
}

#[tokio::test]
async fn it_has_its_own_port_and_nothing_else_on_it() {
    let (relay, admin) = shown().await;
    http::get(relay.addr(), "/metrics").await.expect(404);
    for not_here in ["/", "/api/v1/calls", "/twilio/voice", "/listen", "/metrics/"] {
        http::get(admin, not_here).await.expect(404);
    }
    http::send(admin, Method::POST, "/metrics", &[], "")
        .await
        .expect(405);
    let public = http::get(relay.addr(), "/readyz").await.expect(200);
    assert_eq!(public.text(), "ready\n");
    // Taken: the second relay says so, and by which flag.
    let taken = admin.to_string();
    let args = [
        "serve",
        "--insecure",
        "--listen",
        "127.0.0.1:0",
        "--admin-listen",
        &taken,
    ];
    let second = Program::start(&binaries::path(binaries::RELAY), args, &[]);
    let ended = second.finish(SOON).await.expect_code(1);
    assert!(
        ended.stderr.contains(&taken) && ended.stderr.contains("--admin-listen"),
        "{}",
        ended.stderr
    );
    assert!(ended.stdout.is_empty());
    // And stdout has its one line.
    let done = relay.stop().await.expect_code(0);
    assert_eq!(done.text().lines().count(), 1, "{}", done.text());
}

#[tokio::test]
async fn a_head_is_so_large_and_no_larger() {
    let (_relay, admin) = shown().await;
    for (length, status) in [(15 << 10, 200), (17 << 10, 431)] {
        let long = "x".repeat(length);
        http::send(admin, Method::GET, "/healthz", &[("x-long", &long)], "")
            .await
            .expect(status);
    }
}

/// The numbers; nothing where the connection is closed instead.
async fn numbers_if_let_in(admin: SocketAddr) -> Option<Numbers> {
    let mut stream = TcpStream::connect(admin).await.ok()?;
    let ask = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(ask).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200 ").then(|| Numbers::parse(body))
}

#[tokio::test]
async fn who_hoards_its_connections_meets_a_bound_and_lets_go_again() {
    let (_relay, admin) = shown().await;
    let mut hoard = Vec::new();
    for _ in 0..32 {
        hoard.push(TcpStream::connect(admin).await.expect("the kernel takes it"));
    }
    let mut more = TcpStream::connect(admin).await.expect("the kernel takes it");
    let closed = within(SOON, "a bound", more.read(&mut [0])).await;
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    // They were accepted before that one, so what became of them is known by now.
    for (at, one) in hoard.iter().enumerate() {
        let read = one.try_read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(read, Err(ErrorKind::WouldBlock), "the connection {at}");
    }
    drop(hoard);
    let numbers = until(SOON, "room", async || numbers_if_let_in(admin).await).await;
    assert!(numbers.get("partyline_refusals_total{door=\"admin\",reason=\"too_many_connections\"}") >= 1.0);
}
