//! Accepts connections, a task each, within limits of number, size and time.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpListener;
use tracing::{debug, warn};

use crate::peer::{self, Peer};
use crate::route::{Relay, route};
use crate::shards::Shards;
use crate::tls::Stream;

/// How long a request's head may take. Also how long an idle connection is kept for another.
const HEADER_TIME: Duration = Duration::from_secs(5);
/// Header fields of one request: Twilio sends ten.
const MAX_HEADERS: usize = 64;
/// Bytes of one request's head, and of what hyper buffers for writing.
const MAX_HEAD: usize = 32 << 10;
/// Connections open at once: half of what a process may usually open in files here.
const MAX_CONNECTIONS: u64 = 10_000;
/// What the kernel holds for one listener that does not read, bytes: 1.6 s of a two-track call. The
/// default holds minutes, in which nobody would notice.
const SEND_BUFFER: usize = 32 << 10;
/// The kernel gives up a connection that takes nothing of what is sent for so long: twice what a listener
/// has, so that a listener's own limit comes first and is told.
#[cfg(target_os = "linux")]
const UNREAD: Duration = Duration::from_secs(20);
/// A connection without traffic is asked after this long whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// Out of file descriptors: wait, do not die.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Accepts until the relay is told to stop.
pub(crate) async fn run(listener: TcpListener, relay: Arc<Relay>, shards: &Shards) {
    while let Some(accepted) = relay.stop.clone().run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => accept(stream, peer, &relay, shards),
            Err(error) => {
                warn!(%error, "no connection could be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

fn accept(stream: Stream, peer: SocketAddr, relay: &Arc<Relay>, shards: &Shards) {
    if !peer::is_served(&relay.config.load(), peer.ip()) {
        if relay.metrics.connections_unproxied.get() == 0 {
            warn!(%peer, "a connection past the proxy was closed, as further ones will be; name it with --trusted-proxy if it is one");
        }
        relay.metrics.connections_unproxied.add_one();
        return;
    }
    let Some(held) = relay.metrics.connections.try_hold(MAX_CONNECTIONS) else {
        relay.metrics.connections_refused.add_one();
        return;
    };
    relay.metrics.connections_accepted.add_one();
    if let Err(error) = tune(&stream) {
        debug!(%peer, %error, "a socket option was not taken");
    }
    // From this loop's poll to that of its place.
    let stream = match stream.into_std() {
        Ok(stream) => stream,
        Err(error) => return debug!(%peer, %error, "a connection could not be handed over"),
    };
    let (tasks, relay) = (relay.tasks.clone(), relay.clone());
    shards.spawn(&tasks, held, move |place| async move {
        let stream = match Stream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => return debug!(%peer, %error, "a connection could not be taken over"),
        };
        let stop = relay.stop.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            // Kept by the socket that the connection may become.
            request.extensions_mut().insert(place.clone());
            let client = Peer::of(peer.ip(), request.headers(), &relay.config.load().trusted_proxies);
            request.extensions_mut().insert(client);
            let relay = relay.clone();
            async move { Ok::<_, Infallible>(route(&relay, request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        tokio::pin!(connection);
        let done = tokio::select! {
            done = &mut connection => done,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = done {
            debug!(%peer, %error, "connection ended");
        }
    });
}

fn tune(stream: &Stream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER)?;
    // What an answer to HTTP waits for, too: who asks and does not read is not waited for longer.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNREAD))?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE))
}
