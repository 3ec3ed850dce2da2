//! One request as Twilio makes it: its headers, its signature, its patience. Connects to the relay,
//! whatever host the URL names.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use partyline_shared::twilio::form::Form;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_util::either::Either;
use tokio_util::task::AbortOnDropHandle;

use crate::trust::{self, NoAuthority};
use crate::twilio::signature;

use super::sid;
use super::url::{Relay, Url};

/// Twilio's patience with a connect.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// Twilio's patience with the whole request.
pub(super) const TOTAL: Duration = Duration::from_secs(15);
/// Largest answer taken, bytes: Twilio refuses TwiML over 64 KB.
const MAX_ANSWER: usize = 64 << 10;

/// Makes requests to one relay.
#[derive(Clone)]
pub(super) struct Client {
    relay: Relay,
    token: Option<String>,
    /// Whom TLS trusts, where it is spoken: looked up once, for all calls.
    trust: Option<Arc<ClientConfig>>,
}

/// Bytes to the relay and back.
pub(super) type Wire = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// What came back.
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// As text; TwiML is UTF-8.
    pub(super) body: String,
}

/// Why nothing usable came back.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nobody listens there.
    #[error("{0} does not accept connections ({1}): is the relay running there?")]
    Connect(String, std::io::Error),
    /// TLS did not come about.
    #[error("{0}: {1}")]
    Untrusted(String, String),
    /// Twilio's 5 s are over.
    #[error("{0} did not accept a connection within {CONNECT:?}")]
    ConnectTimeout(String),
    /// Twilio's 15 s are over.
    #[error("{0} was not answered within {TOTAL:?}, and Twilio waits no longer")]
    Timeout(String),
    /// The connection broke, or what came is no HTTP.
    #[error("{0} was not answered: {1}")]
    Broken(String, hyper::Error),
    /// The answer broke off or is longer than Twilio takes.
    #[error("the answer of {0} broke off or is over {MAX_ANSWER} bytes")]
    Body(String),
    /// A path or header that HTTP cannot carry.
    #[error("{0} cannot be requested: {1}")]
    Request(String, http::Error),
    /// An answer, but not the one that Twilio wants.
    #[error("{0} was answered {1}{2}")]
    Status(String, u16, String),
}

impl Client {
    /// For a relay; signs with `token` where there is one.
    ///
    /// # Errors
    /// [`NoAuthority`] where TLS is spoken and this machine trusts nobody.
    pub(super) fn new(relay: Relay, token: Option<String>) -> Result<Self, NoAuthority> {
        let trust = relay.tls.as_ref().map(|_| trust::machine()).transpose()?;
        Ok(Client { relay, token, trust })
    }

    /// Opens a connection to the relay.
    ///
    /// # Errors
    /// [`HttpError::Connect`], [`HttpError::ConnectTimeout`] and [`HttpError::Untrusted`].
    pub(super) async fn connect(&self) -> Result<Wire, HttpError> {
        let to = &self.relay.authority;
        timeout(CONNECT, self.open())
            .await
            .map_err(|_| HttpError::ConnectTimeout(to.clone()))?
    }

    async fn open(&self) -> Result<Wire, HttpError> {
        let to = &self.relay.authority;
        let failed = |error| HttpError::Connect(to.clone(), error);
        let stream = TcpStream::connect(to).await.map_err(failed)?;
        // Small messages that must not wait for each other's acknowledgement.
        let _ = stream.set_nodelay(true);
        let (Some(name), Some(trust)) = (&self.relay.tls, &self.trust) else {
            return Ok(Either::Left(stream));
        };
        let connecting = TlsConnector::from(trust.clone()).connect(name.clone(), stream);
        match Box::pin(connecting).await {
            Ok(tls) => Ok(Either::Right(Box::new(tls))),
            Err(error) => Err(match trust::explain(&error) {
                Some(why) => HttpError::Untrusted(to.clone(), why),
                None => failed(error),
            }),
        }
    }

    /// For the Host header.
    pub(super) fn authority(&self) -> &str {
        &self.relay.authority
    }

    /// The signature of a request, where requests are signed.
    pub(super) fn sign(&self, url: &Url, form: Option<&Form>) -> Option<String> {
        self.token
            .as_ref()
            .map(|token| signature::sign(token, &url.whole(), form.unwrap_or(&Form::default())))
    }

    /// Sends a form by `method` to what Twilio knows as `url`, and takes any answer.
    ///
    /// # Errors
    /// [`HttpError`], all but [`HttpError::Status`].
    pub(super) async fn send(&self, method: Method, url: &Url, form: &Form) -> Result<Answer, HttpError> {
        timeout(TOTAL, self.exchange(method, url, form))
            .await
            .unwrap_or_else(|_| Err(HttpError::Timeout(url.path.clone())))
    }

    /// As [`Client::send`]; any answer but 2xx is an error.
    ///
    /// # Errors
    /// [`HttpError`].
    pub(super) async fn callback(&self, method: Method, url: &Url, form: &Form) -> Result<Answer, HttpError> {
        let answer = self.send(method, url, form).await?;
        if (200..300).contains(&answer.status) {
            Ok(answer)
        } else {
            Err(refusal(url, &answer))
        }
    }

    async fn exchange(&self, method: Method, url: &Url, form: &Form) -> Result<Answer, HttpError> {
        let name = || url.path.clone();
        let (url, body, signed) = if method == Method::GET {
            let query = match &url.query {
                Some(query) => format!("{query}&{}", form.encode()),
                None => form.encode(),
            };
            (url.at(&url.path, Some(query)), String::new(), None)
        } else {
            (url.clone(), form.encode(), Some(form))
        };
        let mut request = Request::builder()
            .method(&method)
            .uri(url.path_and_query())
            .header(header::HOST, self.authority())
            .header(header::USER_AGENT, "TwilioProxy/1.1")
            .header(header::ACCEPT, "*/*")
            .header("i-twilio-idempotency-token", sid::uuid());
        if signed.is_some() {
            request = request.header(
                header::CONTENT_TYPE,
                "application/x-www-form-urlencoded; charset=UTF-8",
            );
        }
        if let Some(signature) = self.sign(&url, signed) {
            request = request.header("x-twilio-signature", signature);
        }
        let request = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| HttpError::Request(name(), e))?;

        let stream = TokioIo::new(self.connect().await?);
        let broken = |e| HttpError::Broken(name(), e);
        let (mut sender, connection) = http1::handshake(stream).await.map_err(broken)?;
        let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
        let answer = sender.send_request(request).await.map_err(broken)?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
        let body = body.map_err(|_| HttpError::Body(name()))?.to_bytes();
        Ok(Answer {
            status,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

/// A refusal with the first of what it says, since relays explain themselves.
pub(super) fn refusal(url: &Url, answer: &Answer) -> HttpError {
    HttpError::Status(url.path.clone(), answer.status, excerpt(&answer.body))
}

/// The first line of an answer's body, where it has one, ready to be put behind a status.
pub(super) fn excerpt(body: &str) -> String {
    /// Characters of it: an explanation, no page.
    const MOST: usize = 200;
    let line = body.trim().lines().next().unwrap_or_default();
    let line: String = partyline_shared::text::clean(line).chars().take(MOST).collect();
    if line.is_empty() {
        line
    } else {
        format!(": {line}")
    }
}
