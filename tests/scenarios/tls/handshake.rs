//! The first seconds of a connection: what is spoken, what is refused, and who does not come to an end.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use harness::certificates::Offer;
use harness::wait::{SOON, until, within};
use harness::{Witness, http};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::Home;

/// Of each kind of half handshake at once.
const HALVES: usize = 20;

/// A handshake's first message with this version as its newest.
fn hello(minor: u8) -> Vec<u8> {
    let mut body = vec![3, minor];
    body.extend([7; 32]);
    // No session; ECDHE with AES in CBC and AES-128; no compression.
    body.extend([0, 0, 4, 0xc0, 0x09, 0xc0, 0x13, 1, 0]);
    // Signatures by ECDSA with SHA-256, and the group P-256.
    body.extend([0, 16, 0, 13, 0, 4, 0, 2, 4, 3, 0, 10, 0, 4, 0, 2, 0, 23]);
    let mut message = vec![1, 0, 0, body.len() as u8];
    message.extend(body);
    let mut record = vec![22, 3, 1, 0, message.len() as u8];
    record.extend(message);
    record
}

/// All that comes until the end; `None` where it is a reset.
async fn to_the_end(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut came = Vec::new();
    match within(SOON, "the relay to close", stream.read_to_end(&mut came)).await {
        Ok(_) => Some(came),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => None,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn versions_and_protocols_are_what_they_should_be() {
    let home = Home::new();
    let relay = home.relay().await;
    let connect = async |offer: Offer| home.authority.connect(relay.addr(), &offer).await;
    for offer in [Offer::old(), Offer::new(), Offer::default()] {
        connect(offer).await.unwrap_or_else(|e| panic!("refused: {e}"));
    }
    let both = Offer {
        protocols: &["h2", "http/1.1"],
        ..Offer::default()
    };
    let agreed = connect(both).await.expect("one of the two is spoken");
    assert_eq!(agreed.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let newer = Offer {
        protocols: &["h2"],
        ..Offer::default()
    };
    let refused = connect(newer).await.expect_err("HTTP/2 alone is not spoken");
    assert!(refused.to_string().contains("NoApplicationProtocol"), "{refused}");

    // What nobody should speak any more: TLS 1.0 and 1.1.
    for minor in [1, 2] {
        let mut stream = TcpStream::connect(relay.addr()).await.unwrap();
        stream.write_all(&hello(minor)).await.unwrap();
        let came = to_the_end(&mut stream).await.expect("an alert");
        // Fatal: the version.
        assert_eq!(came[5..], [2, 70], "{came:?}");
    }
    relay.stop().await.expect_code(0);
}

#[tokio::test]
async fn half_a_handshake_is_let_go_and_a_call_goes_on() {
    let home = Home::new();
    let relay = home.relay().await;
    let tunnel = home.tunnel(&relay).await;
    let witness = Witness::begin_at(tunnel.addr(), 8000).await;
    let mut halves = Vec::new();
    for n in 0..3 * HALVES {
        let mut stream = TcpStream::connect(relay.addr()).await.unwrap();
        let hello = hello(3);
        let said = match n % 3 {
            0 => &hello[..0],
            1 => &hello[..3],
            _ => &hello[..hello.len() - 1],
        };
        stream.write_all(said).await.unwrap();
        halves.push(stream);
    }
    // One that says a byte a second has no more time.
    let drips = tokio::spawn(drip(relay.addr()));
    for mut stream in halves {
        to_the_end(&mut stream).await;
    }
    let said = drips.await.expect("it ends");
    assert!(
        said < hello(3).len(),
        "it was let go before it had said all: {said}"
    );
    witness.was_not_disturbed().await;
    relay.stop().await.expect_code(0);
}

async fn drip(relay: SocketAddr) -> usize {
    let stream = TcpStream::connect(relay).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let mut one = [0];
    for (n, byte) in hello(3).into_iter().enumerate() {
        if write.write_all(&[byte]).await.is_err() {
            return n;
        }
        tokio::select! {
            _ = read.read(&mut one) => return n,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
    hello(3).len()
}

#[tokio::test]
async fn who_speaks_no_tls_is_told_or_let_go() {
    let home = Home::new();
    let relay = home.relay().await;
    let tunnel = home.tunnel(&relay).await;
    let answer = http::get(relay.addr(), "/healthz").await.expect(400);
    assert_eq!(answer.json()["error"]["code"], "https_only");
    assert!(answer.text().contains("https://"), "{}", answer.text());
    http::get(tunnel.addr(), "/healthz").await.expect(200);
    for rubbish in [&b"\x00\x01\x02"[..], b"\x80\x2e\x01\x03\x01\x00", b"hello"] {
        let mut stream = TcpStream::connect(relay.addr()).await.unwrap();
        stream.write_all(rubbish).await.unwrap();
        assert_eq!(
            to_the_end(&mut stream).await.unwrap_or_default(),
            b"",
            "{rubbish:?}"
        );
    }
    let told = relay.stop().await.expect_code(0).stderr;
    for why in ["it is plain HTTP", "it is no TLS"] {
        assert!(told.contains(why), "{told}");
    }
}

/// The kernel took the connection before the relay knew that it leaves, and the client has said nothing but hello.
#[tokio::test]
async fn who_has_connected_when_it_leaves_is_answered() {
    let home = Home::new();
    let relay = home.relay().await;
    let (addr, authority) = (relay.addr(), home.authority.clone());
    relay.program().signal("STOP");
    let mut asking = JoinSet::new();
    for _ in 0..HALVES {
        let authority = authority.clone();
        asking.spawn(async move {
            let offer = Offer::default();
            let mut stream = authority.connect(addr, &offer).await?;
            stream
                .write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
                .await?;
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).await?;
            Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer).into_owned())
        });
    }
    until(SOON, "all to be with the kernel", async || {
        let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux has one");
        let port = format!(":{:04X}", addr.port());
        let of = |line: &&str| {
            line.split_whitespace()
                .nth(2)
                .is_some_and(|to| to.ends_with(&port))
        };
        (table.lines().filter(of).count() >= HALVES).then_some(())
    })
    .await;
    relay.program().signal("TERM");
    relay.program().signal("CONT");
    relay.ended(SOON).await.expect_code(0);
    for answer in within(SOON, "all answers", asking.join_all()).await {
        assert!(
            answer.as_ref().is_ok_and(|head| head.starts_with("HTTP/1.1 ")),
            "{answer:?}"
        );
    }
}
