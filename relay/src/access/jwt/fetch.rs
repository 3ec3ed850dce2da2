//! One look at a key set or secret: a file, or one GET. Bounded in size and time; follows no redirect, keeps
//! nothing, decides nothing.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode, header};
use http_body_util::Full;
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;

use super::url::Url;
use crate::fetch::Unanswered;

/// Largest document taken, bytes: 64 keys with a chain of certificates each are less.
pub(super) const MAX_DOCUMENT: usize = 256 << 10;
/// How long a fetch may take as a whole: somebody who logs in may be waiting for it.
pub(super) const FETCH_TIME: Duration = Duration::from_secs(5);

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

impl From<Unanswered> for FetchError {
    fn from(why: Unanswered) -> FetchError {
        match why {
            Unanswered::Io(error) => FetchError::Io(error),
            Unanswered::NotLoopback => FetchError::NotLoopback,
            Unanswered::Tls(error) => FetchError::Tls(error),
            Unanswered::Http(error) => FetchError::Http(error),
            Unanswered::TooLarge => FetchError::TooLarge,
            Unanswered::Name => FetchError::Request,
        }
    }
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
    timeout(time, get(url, trust))
        .await
        .unwrap_or(Err(FetchError::TimedOut))
}

async fn get(url: &Url, trust: Option<Arc<ClientConfig>>) -> Result<Vec<u8>, FetchError> {
    let request = Request::get(&url.path_and_query)
        .header(header::HOST, &url.place.authority)
        .header(header::ACCEPT, "application/jwk-set+json, application/json")
        .header(header::CONNECTION, "close")
        .body(Full::default())
        .map_err(|_| FetchError::Request)?;
    let answer = url.place.connect(trust).await?.ask(request).await?;
    if answer.status != StatusCode::OK {
        return Err(FetchError::Status(answer.status));
    }
    Ok(answer.body(MAX_DOCUMENT).await?.into())
}
