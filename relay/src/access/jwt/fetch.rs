//! One look at a key set or secret: a file, or one GET. Bounded in size and time; follows no redirect, keeps
//! nothing, decides nothing.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::task::AbortOnDropHandle;

use super::url::Url;

/// Largest document taken, bytes: 64 keys with a chain of certificates each are less.
pub(super) const MAX_DOCUMENT: usize = 256 << 10;
/// How long a fetch may take as a whole: somebody who logs in may be waiting for it.
pub(super) const FETCH_TIME: Duration = Duration::from_secs(5);
/// Most bytes of an answer's head.
const MAX_HEAD: usize = 32 << 10;

/// Why nothing came. Names neither path nor query.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The system's word.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// A pipe, say, which would be waited for.
    #[error("it is no file")]
    NoFile,
    /// Too long.
    #[error("it is over {MAX_DOCUMENT} bytes")]
    TooLarge,
    /// Too slow.
    #[error("it did not answer in time, {FETCH_TIME:?}")]
    TimedOut,
    /// Plain http came out on another machine.
    #[error("its name is no loopback address, and over http anybody on the way could put in keys")]
    NotLoopback,
    /// The certificate, or no TLS.
    #[error("it cannot be trusted: {0}")]
    Tls(io::Error),
    /// No HTTP.
    #[error("it was not answered: {0}")]
    Http(#[from] hyper::Error),
    /// Another answer, a redirect for one.
    #[error("it was answered {0}; give the URL that answers 200 itself")]
    Status(StatusCode),
    /// A URL that HTTP cannot carry.
    #[error("it cannot be asked for")]
    Request,
}

/// The bytes of a file.
///
/// # Errors
/// [`FetchError`].
pub(super) fn file(path: &Path) -> Result<Vec<u8>, FetchError> {
    // Before it is opened, which for a pipe would wait.
    if !path.metadata()?.is_file() {
        return Err(FetchError::NoFile);
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_DOCUMENT as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > MAX_DOCUMENT {
        return Err(FetchError::TooLarge);
    }
    Ok(bytes)
}

/// The body that a URL answers; `trust` instead of what this machine trusts, where it is given.
///
/// # Errors
/// [`FetchError`].
pub(super) async fn url(url: &Url, trust: Option<Arc<ClientConfig>>) -> Result<Vec<u8>, FetchError> {
    within(FETCH_TIME, url, trust).await
}

/// The same, in less time or more.
pub(super) async fn within(
    time: Duration,
    url: &Url,
    trust: Option<Arc<ClientConfig>>,
) -> Result<Vec<u8>, FetchError> {
    let body = async {
        let tcp = TcpStream::connect((url.host.as_str(), url.port)).await?;
        if !url.secure {
            // A name may resolve to anything.
            if !tcp.peer_addr()?.ip().is_loopback() {
                return Err(FetchError::NotLoopback);
            }
            return get(url, tcp).await;
        }
        let trust = match trust {
            Some(trust) => trust,
            // Read at each fetch, which is rare: an authority that was added meanwhile counts.
            None => tokio::task::spawn_blocking(machines)
                .await
                .map_err(io::Error::other)??,
        };
        let name = ServerName::try_from(url.host.clone()).map_err(|_| FetchError::Request)?;
        let tls = TlsConnector::from(trust).connect(name, tcp).await;
        get(url, tls.map_err(FetchError::Tls)?).await
    };
    timeout(time, body).await.unwrap_or(Err(FetchError::TimedOut))
}

async fn get(
    url: &Url,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<Vec<u8>, FetchError> {
    let request = Request::get(&url.path_and_query)
        .header(header::HOST, &url.authority)
        .header(header::ACCEPT, "application/jwk-set+json, application/json")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| FetchError::Request)?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .handshake(TokioIo::new(stream))
        .await?;
    let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let answer = sender.send_request(request).await?;
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status()));
    }
    let body = Limited::new(answer.into_body(), MAX_DOCUMENT).collect().await;
    match body {
        Ok(body) => Ok(body.to_bytes().into()),
        Err(error) => Err(match error.downcast::<hyper::Error>() {
            Ok(broken) => FetchError::Http(*broken),
            Err(_) => FetchError::TooLarge,
        }),
    }
}

/// What this machine trusts, so that a company's own authority is known.
fn machines() -> io::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        let what =
            "this machine trusts no certificate authority; install ca-certificates, or set SSL_CERT_FILE";
        return Err(io::Error::other(what));
    }
    trusting(roots)
}

/// TLS that trusts exactly these.
pub(super) fn trusting(roots: RootCertStore) -> io::Result<Arc<ClientConfig>> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
