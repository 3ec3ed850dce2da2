//! A source's connection to the API: kept from one request to the next, and opened anew where the relay has closed it.

use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;

use crate::simulate::http::{Client, HttpError, TOTAL, excerpt};

/// Largest answer taken, bytes: they have a line.
const MAX_ANSWER: usize = 64 << 10;
/// A connection that has rested for longer is not used again: the relay may be closing it just now.
const RESTED: Duration = Duration::from_secs(2);

/// One connection at a time.
pub(super) struct Connection<'a> {
    client: &'a Client,
    bearer: Option<String>,
    open: Option<Open>,
}

struct Open {
    sender: SendRequest<Full<Bytes>>,
    used: Instant,
    _pump: AbortOnDropHandle<hyper::Result<()>>,
}

/// What the relay said.
pub(super) struct Said {
    pub(super) status: u16,
    /// After how long to come back, where it said so.
    pub(super) retry_after: Option<Duration>,
    pub(super) body: String,
}

impl Said {
    /// As an error.
    pub(super) fn refusal(&self, path: &str) -> HttpError {
        HttpError::Status(path.to_owned(), self.status, excerpt(&self.body))
    }
}

impl<'a> Connection<'a> {
    /// None yet.
    pub(super) fn new(client: &'a Client, token: Option<&str>) -> Connection<'a> {
        let bearer = token.map(|token| format!("Bearer {token}"));
        Connection {
            client,
            bearer,
            open: None,
        }
    }

    /// Posts JSON, and takes any answer.
    ///
    /// # Errors
    /// [`HttpError`], all but [`HttpError::Status`].
    pub(super) async fn post(&mut self, path: &str, body: &Value) -> Result<Said, HttpError> {
        timeout(TOTAL, self.exchange(path, body))
            .await
            .unwrap_or_else(|_| Err(HttpError::Timeout(path.to_owned())))
    }

    async fn exchange(&mut self, path: &str, body: &Value) -> Result<Said, HttpError> {
        let mut request = Request::post(path)
            .header(header::HOST, self.client.authority())
            .header(
                header::USER_AGENT,
                concat!("partyline-simulate/", env!("CARGO_PKG_VERSION")),
            )
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(bearer) = &self.bearer {
            request = request.header(header::AUTHORIZATION, bearer);
        }
        let request = request
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| HttpError::Request(path.to_owned(), error))?;
        let broken = |error| HttpError::Broken(path.to_owned(), error);
        let mut open = self.opened(path).await?;
        let answer = open.sender.send_request(request).await.map_err(broken)?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
        let body = body.map_err(|_| HttpError::Body(path.to_owned()))?.to_bytes();
        open.used = Instant::now();
        self.open = Some(open);
        Ok(Said {
            status,
            retry_after: retry_after.map(Duration::from_secs),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    /// The connection that there is, or a new one.
    async fn opened(&mut self, path: &str) -> Result<Open, HttpError> {
        if let Some(mut open) = self.open.take()
            && open.used.elapsed() < RESTED
            && open.sender.ready().await.is_ok()
        {
            return Ok(open);
        }
        let stream = TokioIo::new(self.client.connect().await?);
        let shaken = http1::handshake(stream).await;
        let (sender, pump) = shaken.map_err(|error| HttpError::Broken(path.to_owned(), error))?;
        Ok(Open {
            sender,
            used: Instant::now(),
            _pump: AbortOnDropHandle::new(tokio::spawn(pump)),
        })
    }
}
