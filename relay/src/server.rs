//! Accepts connections, a task each, within limits of number, size and time.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioTimer;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::either::Either;
use tracing::{Instrument, debug, error_span, warn};

use crate::limits::files;
use crate::limits::guests::{self, LAST_ANSWER, Over};
use crate::metrics::Held;
use crate::peer::{self, Peer};
use crate::route::{Relay, route};
use crate::shards::{Place, Shards};
use crate::sparing::Sparing;

pub(crate) mod wire;

use wire::Wire;

/// How long a request's head may take. Also how long an idle connection is kept for another.
const HEADER_TIME: Duration = Duration::from_secs(5);
/// Header fields of one request: Twilio sends ten.
const MAX_HEADERS: usize = 64;
/// Bytes of one request's head, and of what hyper buffers for writing.
const MAX_HEAD: usize = 32 << 10;
/// What the kernel holds for one listener that does not read, bytes: 1.6 s of a two-track call. The
/// default holds minutes, in which nobody would notice.
const SEND_BUFFER: usize = 32 << 10;
/// The kernel gives up a connection that takes nothing of what is answered for so long.
#[cfg(target_os = "linux")]
const UNREAD: Duration = Duration::from_secs(9);
/// A connection without traffic is asked after this long whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// How many more than fit are open while those that make room for them end: half of the files kept back.
const OVERLAP: u64 = files::RESERVE / 2;
/// How long one that has made room for another may take to be gone before the other is refused. It does within
/// milliseconds; while it is waited for, nobody is accepted.
const LEAVES: Duration = Duration::from_secs(1);
/// A wait after an accept that failed, out of file descriptors or memory: wait, do not die. Doubled by each further
/// one, up to …
const BACK_OFF: Duration = Duration::from_millis(10);
/// … this.
const MAX_BACK_OFF: Duration = Duration::from_secs(1);

/// How long it may take to take in who has connected by then: they are handed on one by one, and none waits.
const SEEN_OUT: Duration = Duration::from_secs(1);
/// How long a handshake that has begun by then may go on.
const LAST_HANDSHAKE: Duration = Duration::from_secs(1);
/// Requests that are on their way when everybody leaves are still read for so long: a client that keeps its connections
/// may just have sent one.
const ON_ITS_WAY: Duration = Duration::from_millis(100);
/// Connections that are still taken when everybody leaves: as many as the kernel keeps waiting. Who goes on connecting
/// keeps no relay from ending.
const LAST: usize = 4_096;

/// Accepts until the relay is told to stop.
pub(crate) async fn run(listener: TcpListener, relay: Arc<Relay>, shards: &Shards) {
    let stop = relay.stop.clone();
    let (mut wait, mut told) = (BACK_OFF, Sparing::default());
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, peer)) => {
                wait = BACK_OFF;
                accept(stream, peer, &relay, shards).await;
            }
            // One that went before it was accepted: the next may be there already.
            Err(error) if is_its_own(&error) => debug!(%error, "a connection went before it was accepted"),
            Err(error) => {
                relay.metrics.connections_failed.add_one();
                // Who shows nothing makes room for who may.
                relay.limits.guests.make_room();
                if let Some(untold) = told.tell(Instant::now()) {
                    warn!(%error, untold, "no connection could be accepted; raise LimitNOFILE if it says too many files");
                }
                stop.run_until_cancelled(sleep(wait)).await;
                wait = (wait * 2).min(MAX_BACK_OFF);
            }
        }
    }
    if let Ok(listener) = listener.into_std() {
        let _ = timeout(SEEN_OUT, see_out(&listener, &relay, shards)).await;
    }
}

/// Whoever the kernel has let in by now may have said something, and would not know whether it was heard: they get their
/// answer.
async fn see_out(listener: &std::net::TcpListener, relay: &Arc<Relay>, shards: &Shards) {
    for _ in 0..LAST {
        let (stream, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) if is_its_own(&error) => continue,
            Err(_) => return,
        };
        if stream.set_nonblocking(true).is_ok()
            && let Ok(stream) = TcpStream::from_std(stream)
        {
            accept(stream, peer, relay, shards).await;
        }
    }
}

/// Whether an accept failed for what became of that one connection, not for what the relay lacks.
fn is_its_own(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, PermissionDenied};
    let kind = error.kind();
    matches!(
        kind,
        ConnectionAborted | ConnectionReset | Interrupted | PermissionDenied
    )
}

/// A place among the open connections. Where all are taken, somebody who has shown nothing makes room; those that come
/// faster than others go wait in the kernel's queue meanwhile, since any of them may be Twilio.
async fn hold(relay: &Relay) -> Option<Held> {
    let (connections, most) = (&relay.metrics.connections, relay.limits.files.most);
    if let Some(held) = connections.try_hold(most) {
        return Some(held);
    }
    if !relay.limits.guests.make_room() {
        return None;
    }
    timeout(LEAVES, connections.hold(most + OVERLAP)).await.ok()
}

async fn accept(stream: TcpStream, peer: SocketAddr, relay: &Arc<Relay>, shards: &Shards) {
    if !peer::is_served(&relay.config.load(), peer.ip()) {
        if relay.metrics.connections_unproxied.get() == 0 {
            warn!(%peer, "a connection past the proxy was closed, as further ones will be; name it with --trusted-proxy if it is one");
        }
        relay.metrics.connections_unproxied.add_one();
        return;
    }
    let Some(held) = hold(relay).await else {
        relay.metrics.connections_refused.add_one();
        return;
    };
    // This machine and a proxy ask for many.
    let is_one = !peer::is_many(&relay.config.load(), peer.ip());
    let (visit, displaced) = relay.limits.guests.enter(Instant::now(), peer.ip(), is_one);
    // Whatever is said of this connection carries its number; on the way of a frame nothing is said. An error's span is
    // there at every level.
    let span = error_span!("connection", n = relay.metrics.connections_accepted.next(), %peer);
    if let Err(error) = tune(&stream) {
        debug!(%peer, %error, "a socket option was not taken");
    }
    // From this loop's poll to that of its place.
    let stream = match stream.into_std() {
        Ok(stream) => stream,
        Err(error) => return debug!(%peer, %error, "a connection could not be handed over"),
    };
    let (tasks, relay) = (relay.tasks.clone(), relay.clone());
    let serve = move |place: Arc<Place>| async move {
        let stream = match TcpStream::from_std(stream) {
            Ok(stream) => stream,
            Err(error) => return debug!(%peer, %error, "a connection could not be taken over"),
        };
        let stop = relay.stop.clone();
        let (guest, told) = (visit.clone(), visit.clone());
        let over = visit.over(displaced);
        tokio::pin!(over);
        let stream = match &relay.tls {
            None => Either::Left(stream),
            Some(tls) => tokio::select! {
                stream = tls.accept(stream, peer) => match stream {
                    Some(stream) => Either::Right(stream),
                    None => return,
                },
                () = async { stop.cancelled().await; sleep(LAST_HANDSHAKE).await } => return,
                _ = &mut over => return,
            },
        };
        let service = service_fn(move |mut request: Request<Incoming>| {
            // Kept by the socket that the connection may become.
            request.extensions_mut().insert(place.clone());
            request.extensions_mut().insert(guest.clone());
            let guest = guest.clone();
            let client = Peer::of(peer.ip(), request.headers(), &relay.config.load().trusted_proxies);
            request.extensions_mut().insert(client);
            let relay = relay.clone();
            async move {
                let mut answer = route(&relay, request).await;
                guest.answered(&mut answer);
                if relay.stop.is_cancelled() && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
                    guests::last(&mut answer);
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD)
            .serve_connection(Wire::new(stream, visit.clone()), service)
            .with_upgrades();
        tokio::pin!(connection);
        let served = async {
            tokio::select! {
                done = &mut connection => done,
                () = stop.cancelled() => {
                    // hyper closes what it has read nothing of, whatever is there to be read.
                    if let Ok(done) = timeout(ON_ITS_WAY, &mut connection).await {
                        return done;
                    }
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
                over = &mut over => {
                    connection.as_mut().graceful_shutdown();
                    let late = matches!(over, Over::Late(_));
                    let done = match over {
                        Over::Displaced => timeout(Duration::ZERO, &mut connection).await.ok(),
                        Over::Late(displaced) => tokio::select! {
                            done = timeout(LAST_ANSWER, &mut connection) => done.ok(),
                            () = displaced.gone() => None,
                        },
                    };
                    done.unwrap_or_else(|| {
                        debug!(%peer, late, "a connection that had shown nothing was closed");
                        visit.cut();
                        Ok(())
                    })
                }
            }
        };
        let done = tokio::select! {
            done = served => done,
            () = told.hung_up() => return debug!(%peer, "a connection was ended in the middle of an answer"),
        };
        if let Err(error) = done {
            debug!(%peer, %error, "connection ended");
        }
    };
    shards.spawn(&tasks, held, move |place| serve(place).instrument(span));
}

fn tune(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SEND_BUFFER)?;
    // Who asks and does not read is not waited for; a socket is given longer, by its own limit.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNREAD))?;
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE))
}
