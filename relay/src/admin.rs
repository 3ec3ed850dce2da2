//! The operator's door, on a listener of its own: `/metrics`, `/readyz` with its reasons, `/healthz`. Whoever reaches it
//! may read it, so nothing in it is anybody's: no number, no token, no name of who listens. Knows the whole relay, and
//! changes nothing in it.
//!
//! | file | what |
//! | --- | --- |
//! | `shown` | the relay in families of numbers |
//! | `process` | what the system says of this process |
//! | `text` | families as Prometheus reads them |
//! | `ready` | why it is ready, or not |
//! | `redis` | what is shared with other relays |

mod process;
mod ready;
mod redis;
mod shown;
#[cfg(test)]
mod tests;
mod text;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use crate::ops;
use crate::respond::{self, Answer, Refusal, with_type};
use crate::route::Relay;

/// Connections at once: a few scrapers and a person. What is asked here costs a look at every call.
const MAX_CONNECTIONS: usize = 32;
/// How long a request's head may take. Also how long an idle connection is kept, which is more than the 15 s between
/// two scrapes of most.
const HEADER_TIME: Duration = Duration::from_secs(30);
/// How long a connection may last at all: who reads an answer byte by byte does not keep its place for ever.
const CONNECTION_TIME: Duration = Duration::from_secs(600);
/// Header fields of one request.
const MAX_HEADERS: usize = 32;
/// Bytes of one request's head.
const MAX_HEAD: usize = 16 << 10;
/// Out of file descriptors: wait, do not die.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// The listener, bound.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    local: SocketAddr,
}

impl Admin {
    /// Listens, and says in the log where: stdout has one line only, which is not this one.
    ///
    /// # Errors
    /// When the address is taken, or is none of this machine's.
    pub async fn bind(addr: SocketAddr) -> io::Result<Admin> {
        let listener = TcpListener::bind(addr).await?;
        let local = listener.local_addr()?;
        info!("metrics on http://{local}/metrics, readiness in detail on http://{local}/readyz");
        if is_public(local.ip()) {
            warn!(
                %local,
                "--admin-listen is no address of this machine or a private network: whoever reaches it reads how many calls there are; bind it to loopback, or let a firewall guard it"
            );
        }
        Ok(Admin { listener, local })
    }

    /// The address in use, with its real port.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Serves until it is dropped: who asks how a relay leaves is answered while it does.
    pub async fn run(self, relay: Arc<Relay>) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = self.listener.accept().await;
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok(_) if connections.len() >= MAX_CONNECTIONS => relay.metrics.admin_refused.add_one(),
                Ok((stream, peer)) => drop(connections.spawn(serve(stream, peer, relay.clone()))),
                Err(error) => {
                    warn!(%error, "no connection to the admin listener could be accepted");
                    sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }
}

/// Neither this machine's, nor a private network's, nor a link's own.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => !(v4.is_loopback() || v4.is_private() || v4.is_link_local()),
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()),
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, relay: Arc<Relay>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let relay = relay.clone();
        async move { Ok::<_, Infallible>(answer(&relay, request.method(), request.uri().path())) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(CONNECTION_TIME, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => debug!(%peer, %error, "an admin's connection ended"),
        Err(_) => debug!(%peer, "an admin's connection lasted too long"),
    }
}

fn answer(relay: &Relay, method: &Method, path: &str) -> Answer {
    if !matches!(path, "/metrics" | "/readyz" | "/healthz") {
        return Refusal::not_found().answer();
    }
    if !matches!(*method, Method::GET | Method::HEAD) {
        return respond::method_not_allowed("GET, HEAD");
    }
    match path {
        "/metrics" => match text::write(&shown::families(relay), &process::families(relay.began.wall)) {
            Ok(text) => with_type(StatusCode::OK, text::CONTENT_TYPE, text),
            Err(_) => Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "the numbers could not be written",
            )
            .answer(),
        },
        "/readyz" => ready::answer(relay),
        _ => ops::healthz(),
    }
}
