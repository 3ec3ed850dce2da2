//! One exchange with a relay or with whoever stands in its place: resolves the name, connects, speaks TLS as strictly as
//! Twilio does, sends a request, takes the answer. Says at which of these it ended, since each has another mend.

use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_util::task::AbortOnDropHandle;

use crate::config::Origin;
use crate::{fetch, trust};

/// Largest body taken, bytes: what a relay answers here is a line.
const MAX_BODY: usize = 64 << 10;

/// Who is asked, and where.
pub(super) struct Target {
    secure: bool,
    host: String,
    port: u16,
    authority: String,
    /// Where to connect instead of where the name leads.
    at: Option<SocketAddr>,
}

/// What was answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The certificate that was shown.
    pub(super) certificate: Option<CertificateDer<'static>>,
}

/// Where an exchange ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unasked {
    /// The name leads nowhere.
    #[error("its name cannot be resolved: {0}")]
    Name(io::Error),
    /// Nobody takes the connection.
    #[error("nobody takes the connection: {0}")]
    Connect(io::Error),
    /// This machine trusts nobody.
    #[error("{0}")]
    Trust(io::Error),
    /// The certificate, or no TLS.
    #[error("{0}")]
    Tls(String),
    /// No HTTP.
    #[error("it does not answer as HTTP does: {0}")]
    Http(#[from] hyper::Error),
    /// More than an answer.
    #[error("its answer breaks off, or is too long")]
    Body,
    /// Nothing that can be sent.
    #[error("its name is none that can be asked")]
    Request,
}

impl Unasked {
    /// Whoever took the connection and let go of it again is not there either.
    fn in_tls(error: io::Error) -> Unasked {
        trust::explain(&error).map_or(Unasked::Connect(error), Unasked::Tls)
    }
}

impl Target {
    /// Where an origin's name leads.
    pub(super) fn of(origin: &Origin) -> Target {
        Target {
            secure: origin.is_secure(),
            host: origin.host().to_owned(),
            port: origin.port(),
            authority: origin.authority().to_owned(),
            at: None,
        }
    }

    /// The same by name, at an address of our own; `secure` where TLS is spoken there.
    pub(super) fn here(self, at: SocketAddr, secure: bool) -> Target {
        Target {
            secure,
            at: Some(at),
            ..self
        }
    }
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// Asks once.
///
/// # Errors
/// [`Unasked`].
pub(super) async fn ask(
    target: &Target,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Result<Answer, Unasked> {
    let addresses: Vec<SocketAddr> = match target.at {
        Some(at) => vec![at],
        None => {
            let found = lookup_host((target.host.as_str(), target.port)).await;
            found.map_err(Unasked::Name)?.collect()
        }
    };
    let tcp = TcpStream::connect(addresses.as_slice())
        .await
        .map_err(Unasked::Connect)?;
    let (line, certificate): (Box<dyn Wire>, _) = if target.secure {
        let trust = fetch::machines().await.map_err(Unasked::Trust)?;
        let name = ServerName::try_from(target.host.clone()).map_err(|_| Unasked::Request)?;
        let tls = TlsConnector::from(trust)
            .connect(name, tcp)
            .await
            .map_err(Unasked::in_tls)?;
        let shown = tls.get_ref().1.peer_certificates();
        let first = shown.and_then(|chain| chain.first().cloned().map(CertificateDer::into_owned));
        (Box::new(tls), first)
    } else {
        (Box::new(tcp), None)
    };
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, &target.authority);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| Unasked::Request)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(line)).await?;
    let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let (head, body) = sender.send_request(request).await?.into_parts();
    // What follows an upgrade is no body.
    let body = if head.status == StatusCode::SWITCHING_PROTOCOLS {
        Bytes::new()
    } else {
        let body = Limited::new(body, MAX_BODY).collect().await;
        body.map_err(|_| Unasked::Body)?.to_bytes()
    };
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body,
        certificate,
    })
}
