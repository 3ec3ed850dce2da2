//! One exchange of HTTP with another machine: connects, speaks TLS by what this machine trusts, sends a request,
//! takes its answer, bounded. Follows no redirect, keeps no connection, decides nothing. Plain http never leaves
//! this machine. Whoever asks bounds the time.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::task::AbortOnDropHandle;

/// Most bytes of an answer's head.
const MAX_HEAD: usize = 32 << 10;

/// Where somebody answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Whether it is TLS.
    pub(crate) secure: bool,
    /// A name or address, without brackets.
    pub(crate) host: String,
    /// Where to connect.
    pub(crate) port: u16,
    /// As the Host header has it.
    pub(crate) authority: String,
}

/// Why there is no answer. Names neither path nor query.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The system's word.
    #[error("it cannot be reached: {0}")]
    Io(#[from] io::Error),
    /// Plain http came out on another machine.
    #[error(
        "its name is no loopback address, and over http anybody on the way could read and alter what is said"
    )]
    NotLoopback,
    /// The certificate, or no TLS.
    #[error("it cannot be trusted: {0}")]
    Tls(io::Error),
    /// No HTTP.
    #[error("it was not answered: {0}")]
    Http(#[from] hyper::Error),
    /// More than whoever asked takes.
    #[error("its answer is too long")]
    TooLarge,
    /// No name that TLS knows.
    #[error("it cannot be asked for")]
    Name,
}

impl Place {
    /// From what stands between the scheme and the path.
    pub(crate) fn new(secure: bool, authority: &http::uri::Authority) -> Place {
        Place {
            secure,
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            authority: authority.as_str().to_owned(),
        }
    }

    /// Whether the name says that it is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host.as_str();
        host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    /// A connection to it; `trust` instead of what this machine trusts, where it is given.
    pub(crate) async fn connect(&self, trust: Option<Arc<ClientConfig>>) -> Result<Line, Unanswered> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
        if !self.secure {
            // A name may resolve to anything.
            if !tcp.peer_addr()?.ip().is_loopback() {
                return Err(Unanswered::NotLoopback);
            }
            return Ok(Line(Box::new(tcp)));
        }
        let trust = match trust {
            Some(trust) => trust,
            None => machines().await?,
        };
        let name = ServerName::try_from(self.host.clone()).map_err(|_| Unanswered::Name)?;
        let tls = TlsConnector::from(trust).connect(name, tcp).await;
        Ok(Line(Box::new(tls.map_err(Unanswered::Tls)?)))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority)
    }
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// A connection, for one request.
pub(crate) struct Line(Box<dyn Wire>);

impl Line {
    /// Sends a request, which names its host itself, and takes the head of the answer.
    pub(crate) async fn ask(self, request: Request<Full<Bytes>>) -> Result<Answered, Unanswered> {
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .handshake(TokioIo::new(self.0))
            .await?;
        let connection = AbortOnDropHandle::new(tokio::spawn(connection));
        let (head, body) = sender.send_request(request).await?.into_parts();
        Ok(Answered {
            status: head.status,
            headers: head.headers,
            body,
            _connection: connection,
        })
    }
}

/// An answer whose body has not been read.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Incoming,
    _connection: AbortOnDropHandle<hyper::Result<()>>,
}

impl Answered {
    /// The body, of at most so many bytes.
    pub(crate) async fn body(self, most: usize) -> Result<Bytes, Unanswered> {
        match Limited::new(self.body, most).collect().await {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) => Err(match error.downcast::<hyper::Error>() {
                Ok(broken) => Unanswered::Http(*broken),
                Err(_) => Unanswered::TooLarge,
            }),
        }
    }
}

/// What this machine trusts, so that a company's own authority is known. Read each time: an authority that was
/// added meanwhile counts.
pub(crate) async fn machines() -> io::Result<Arc<ClientConfig>> {
    let read = || {
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if added == 0 {
            let what =
                "this machine trusts no certificate authority; install ca-certificates, or set SSL_CERT_FILE";
            return Err(io::Error::other(what));
        }
        trusting(roots)
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(io::Error::other)?
}

/// TLS that trusts exactly these.
pub(crate) fn trusting(roots: RootCertStore) -> io::Result<Arc<ClientConfig>> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
