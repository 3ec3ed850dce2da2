//! A connection's first seconds. Who does not finish the handshake in time is let go; why one failed is counted, and
//! told a few times: anybody can cause it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{Error, InvalidMessage};
use tokio_rustls::server::TlsStream;
use tracing::{debug, info};

use super::server::Server;
use crate::metrics::{Counter, Metrics};

/// How long a handshake may take: two ways to the other side of the world and back are one second.
const HANDSHAKE_TIME: Duration = Duration::from_secs(5);

/// How a record of a handshake begins.
const HANDSHAKE: u8 = 22;

/// What who speaks HTTP here is told. It ends with the connection.
const PLAIN: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n\
    {\"error\":{\"code\":\"https_only\",\"message\":\"this port speaks TLS: write https:// in the address\"}}";

/// How long it may take to hear that, and bytes that are read of it meanwhile: what lies unread when a connection is
/// dropped makes the kernel reset it, and a reset overtakes the answer.
const PLAIN_TIME: Duration = Duration::from_secs(1);
const PLAIN_MOST: u64 = 64 << 10;

/// Why a handshake failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Its time was over.
    Late,
    /// Who connects does not speak TLS; `http` where it speaks that.
    Plain { http: bool },
    /// Nothing in common.
    Incompatible,
    /// The client ended it, by an alert.
    Refused,
    /// It broke off, or was none.
    Broken,
    /// The connection was closed before anything was said, as who only looks whether a port is open does.
    Nothing,
}

impl Failure {
    /// What rustls says, sorted.
    pub(super) fn of(error: &io::Error) -> Failure {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            Some(Error::PeerIncompatible(_) | Error::NoApplicationProtocol) => Failure::Incompatible,
            Some(Error::AlertReceived(_)) => Failure::Refused,
            Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => Failure::Plain { http: false },
            _ => Failure::Broken,
        }
    }

    fn counter(self, metrics: &Metrics) -> &Counter {
        match self {
            Failure::Late => &metrics.tls_late,
            Failure::Plain { .. } => &metrics.tls_plain,
            Failure::Incompatible => &metrics.tls_incompatible,
            Failure::Refused => &metrics.tls_refused,
            Failure::Broken | Failure::Nothing => &metrics.tls_broken,
        }
    }

    fn why(self) -> &'static str {
        match self {
            Failure::Late => "it took too long",
            Failure::Plain { http: true } => {
                "it is plain HTTP: its address begins with http:// instead of https://"
            }
            Failure::Plain { http: false } => "it is no TLS",
            Failure::Incompatible => "the client has no TLS version, cipher or protocol that is spoken here",
            Failure::Refused => "the client ended it: it may not trust the certificate",
            Failure::Broken => "it broke off",
            Failure::Nothing => "nothing was said",
        }
    }
}

impl Server {
    /// Puts TLS on a connection; `None` where that did not come to its end.
    pub async fn accept(&self, tcp: TcpStream, peer: SocketAddr) -> Option<Box<TlsStream<TcpStream>>> {
        let until = Instant::now() + HANDSHAKE_TIME;
        let spoken = timeout_at(until, speaks_tls(&tcp)).await;
        if let Err(failure) = spoken.unwrap_or(Err(Failure::Late)) {
            self.failed(failure, peer);
            if failure == (Failure::Plain { http: true }) {
                let _ = timeout(PLAIN_TIME, answer_plain(tcp)).await;
            }
            return None;
        }
        let acceptor = TlsAcceptor::from(self.current().config.clone());
        // With the alert that says what is wrong, where there is one.
        let accepted = timeout_at(until, Box::pin(acceptor.accept(tcp))).await;
        let failure = match accepted {
            Ok(Ok(tls)) => {
                self.metrics.tls_handshakes.add_one();
                return Some(Box::new(tls));
            }
            Ok(Err(error)) => Failure::of(&error),
            Err(_) => Failure::Late,
        };
        self.failed(failure, peer);
        None
    }

    fn failed(&self, failure: Failure, peer: SocketAddr) {
        failure.counter(&self.metrics).add_one();
        let why = failure.why();
        if failure == Failure::Nothing {
            return debug!(%peer, why, "a TLS handshake failed");
        }
        if let Some(untold) = self.tells(Instant::now().into()) {
            info!(%peer, why, untold, "a TLS handshake failed");
        }
    }
}

/// Looks at the first byte without taking it.
async fn speaks_tls(tcp: &TcpStream) -> Result<(), Failure> {
    let mut first = [0];
    match tcp.peek(&mut first).await {
        Ok(0) => Err(Failure::Nothing),
        Ok(_) if first == [HANDSHAKE] => Ok(()),
        // Methods are in capitals.
        Ok(_) => Err(Failure::Plain {
            http: first.first().is_some_and(u8::is_ascii_uppercase),
        }),
        Err(_) => Err(Failure::Broken),
    }
}

async fn answer_plain(mut tcp: TcpStream) -> io::Result<()> {
    tcp.write_all(PLAIN.as_bytes()).await?;
    tcp.shutdown().await?;
    tokio::io::copy(&mut tcp.take(PLAIN_MOST), &mut tokio::io::sink()).await?;
    Ok(())
}
