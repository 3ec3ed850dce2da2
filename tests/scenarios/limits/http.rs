//! What a request may be: header fields, bytes of its head and of its body, fields of its form, and how many requests
//! a connection may make that shows nothing.

use std::net::SocketAddr;

use harness::Relay;
use harness::wait::{SOON, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends these bytes and reads to the end; gives each answer's status.
async fn statuses(relay: SocketAddr, bytes: &[u8]) -> Vec<u16> {
    let mut socket = TcpStream::connect(relay).await.expect("the relay accepts");
    let (mut from, mut to) = socket.split();
    let mut all = Vec::new();
    // What is too much is not read to its end, so that writing may fail.
    let (_, read) = tokio::join!(
        to.write_all(bytes),
        within(SOON, "the end", from.read_to_end(&mut all))
    );
    let _ = read;
    let text = String::from_utf8_lossy(&all);
    let answers = text.split("HTTP/1.1 ").skip(1);
    answers
        .filter_map(|answer| answer.get(..3)?.parse().ok())
        .collect()
}

/// A request whose connection is to end with its answer.
fn request(line: &str, headers: &[String], body: &str) -> Vec<u8> {
    let mut text = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    headers.iter().for_each(|header| text += &format!("{header}\r\n"));
    text += &format!("\r\n{body}");
    text.into_bytes()
}

/// `count` header fields in all, two of which every request here has.
fn fields(count: usize) -> Vec<u8> {
    let more: Vec<String> = (2..count).map(|n| format!("X-{n}: 1")).collect();
    request("GET /healthz", &more, "")
}

/// A form of so many fields, or bytes.
fn form(body: &str) -> Vec<u8> {
    let headers = [
        "Content-Type: application/x-www-form-urlencoded".to_owned(),
        format!("Content-Length: {}", body.len()),
    ];
    request("POST /twilio/status", &headers, body)
}

/// `count` fields of which one names a call.
fn fields_of_form(count: usize) -> Vec<u8> {
    let more: Vec<String> = (1..count).map(|n| format!("f{n}=1")).collect();
    form(&format!("CallSid=CA1&{}", more.join("&")))
}

/// A body of exactly so many bytes.
fn bytes_of_form(count: usize) -> Vec<u8> {
    let name = "CallSid=CA1&x=";
    form(&format!("{name}{}", "y".repeat(count - name.len())))
}

#[tokio::test]
async fn a_request_is_so_large_and_no_larger() {
    let relay = Relay::start(&[]).await;
    let at = relay.addr();
    for (what, within_it, past_it, status) in [
        ("64 header fields", fields(64), fields(65), 431),
        (
            "1,024 fields of a form",
            fields_of_form(1024),
            fields_of_form(1025),
            413,
        ),
        (
            "64 KiB of body",
            bytes_of_form(64 << 10),
            bytes_of_form((64 << 10) + 1),
            413,
        ),
    ] {
        let fine = statuses(at, &within_it).await;
        assert!(matches!(fine[..], [200 | 204]), "{what}: {fine:?}");
        assert_eq!(statuses(at, &past_it).await, [status], "past {what}");
    }
    // Bytes of a head: hyper looks when it reads, so that a little less is fine and a little more is not.
    let head = |bytes: usize| request("GET /healthz", &[format!("X-Long: {}", "x".repeat(bytes))], "");
    assert_eq!(statuses(at, &head(31 << 10)).await, [200]);
    assert_eq!(statuses(at, &head(64 << 10)).await, [431]);
    assert_eq!(statuses(at, &fields(2)).await, [200], "it goes on");
}

#[tokio::test]
async fn who_shows_nothing_has_sixteen_requests_a_connection() {
    const GUEST_REQUESTS: usize = partyline_relay::limits::guests::GUEST_REQUESTS as usize;
    let relay = Relay::start(&[]).await;
    let ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(GUEST_REQUESTS + 1);
    let answers = statuses(relay.addr(), &ask).await;
    assert_eq!(answers, vec![200; GUEST_REQUESTS]);
    // Who shows what counts (here: is let in by --insecure) has as many as it wants.
    let mut known = b"GET /api/v1/calls HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(3 * GUEST_REQUESTS);
    known.extend(request("GET /healthz", &[], ""));
    assert_eq!(
        statuses(relay.addr(), &known).await,
        vec![200; 3 * GUEST_REQUESTS + 1]
    );
}
