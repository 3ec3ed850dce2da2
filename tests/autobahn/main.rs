//! An echo server over the relay's own upgrade and WebSocket, for Autobahn's test suite to talk to: what it says
//! of this one holds for every door. It has nothing of the relay's but `upgrade`, `ws` and a place for connections.
//! `make autobahn` runs both; alone it is `cargo run -p partyline-tests --example autobahn -- ADDR`.
// What fails here cannot be tested.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::convert::Infallible;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use partyline_relay::metrics::Gauge;
use partyline_relay::shards::{Place, Shards};
use partyline_relay::upgrade;
use partyline_relay::ws::Message;
use partyline_relay::ws::reader::Came;
use partyline_relay::ws::socket::Socket;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

/// Bytes of one message: the suite's largest have 16 MiB, and its most fragments, 65,537, come with this. The doors
/// take 16 KiB or 64 KiB.
const MAX_MESSAGE: usize = 32 << 20;
/// Connections at once: the suite opens one after the other.
const CONNECTIONS: u64 = 64;

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout)] // where it listens, for the script
async fn main() {
    let addr = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let listener = TcpListener::bind(&addr).await.expect("the address is free");
    println!("{}", listener.local_addr().expect("it is bound"));
    let (shards, tasks, open) = (
        Shards::here().expect("there are threads"),
        TaskTracker::new(),
        Arc::<Gauge>::default(),
    );
    loop {
        let (stream, _) = listener.accept().await.expect("there are files left");
        if let Some(held) = open.try_hold(CONNECTIONS) {
            shards.spawn(&tasks, held, |place| serve(stream, place));
        }
    }
}

async fn serve(stream: TcpStream, place: Arc<Place>) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(place.clone());
        async move {
            let answer = match upgrade::accept(&mut request, None, MAX_MESSAGE) {
                Ok((answer, handshake)) => {
                    tokio::spawn(async move {
                        if let Some(socket) = handshake.socket().await {
                            echo(socket).await;
                        }
                    });
                    answer
                }
                Err(refusal) => refusal.answer(),
            };
            Ok::<_, Infallible>(answer)
        }
    });
    // Who breaks off here is the suite, which knows why.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

/// Says back whatever is said, and closes as the doors do.
async fn echo(mut socket: Socket) {
    loop {
        let mut said = Vec::new();
        let came = poll_fn(|cx| {
            socket.poll_turn(cx, |message| {
                match message {
                    Message::Text(text) => said.push((true, text.as_bytes().to_vec())),
                    Message::Binary(bytes) => said.push((false, bytes.to_vec())),
                    Message::Ping | Message::Pong => {}
                }
                ControlFlow::<Infallible>::Continue(())
            })
        })
        .await;
        for (is_text, bytes) in said {
            match std::str::from_utf8(&bytes) {
                Ok(text) if is_text => socket.text(text),
                _ => socket.binary(&bytes),
            }
        }
        if poll_fn(|cx| socket.poll_flush(cx)).await.is_err() {
            return;
        }
        match came {
            Ok(Came::All) => {}
            Ok(Came::Close(code)) => return socket.answer_close(code).await,
            Ok(Came::Stopped(never)) => match never {},
            Err(broken) => match broken.code {
                Some(code) => return socket.close(code, broken.why).await,
                None => return,
            },
        }
    }
}
