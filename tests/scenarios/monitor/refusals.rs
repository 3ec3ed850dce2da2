//! An address at which there is no relay, or one that does not want us: what to do is said.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

use super::eyes::until;
use super::{sized, watch};

/// A server that answers every request alike, and the same for the rest of the story.
async fn answering(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("a bound port");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let mut filled = 0;
            while !request[..filled].ends_with(b"\r\n\r\n") {
                match stream.read(&mut request[filled..]).await {
                    Ok(count @ 1..) => filled += count,
                    _ => break,
                }
            }
            let head = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
        }
    });
    addr
}

#[tokio::test]
async fn nobody_there_is_said_and_tried_again() {
    // Bound, and nobody listens at it: who connects is refused, and nobody else is given the port.
    let closed = TcpSocket::new_v4().expect("a socket");
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    closed.bind(any).expect("a free port");
    let closed_at = closed.local_addr().expect("a bound port");
    let terminal = watch(&format!("http://{closed_at}"), sized(110, 30)).await;
    until(&terminal, "that nobody is there", |seen| {
        seen.has("away since")
            && seen.has("refused")
            && (seen.says("next try in") || seen.says("trying now"))
            && seen.has("Not connected to a relay.")
    })
    .await;
}

/// Each says what to do; none is an end.
#[tokio::test]
async fn who_refuses_us_says_what_to_do() {
    for (answer, says) in [
        ("401 Unauthorized", "partyline login"),
        ("403 Forbidden", "operator"),
        ("404 Not Found", "check --relay"),
    ] {
        let at = answering(answer).await;
        let terminal = watch(&format!("http://{at}"), sized(110, 30)).await;
        until(&terminal, &format!("{answer}: {says:?}"), |seen| {
            seen.says("refuses since") && seen.says(says)
        })
        .await;
        terminal.keys("q");
        assert!(terminal.ended().await.success(), "{answer}");
    }
}
