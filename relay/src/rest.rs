//! Twilio's REST API, as far as the relay asks it: forms out, JSON back, an account's own credentials, and no
//! longer than somebody would wait. Decides nothing and repeats nothing. What is sent and answered, credentials
//! and phone numbers reach no log and no error's text: who shows Twilio's own words asks for them.

mod account;
mod answer;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::Full;
use partyline_shared::twilio::form::Form;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;

use crate::config::{Origin, Secret};
use crate::fetch::{self, Place, Unanswered};

pub use self::account::Account;
pub use self::answer::{Answer, Failed, NOT_FOUND, NOT_IN_PROGRESS, Refused};

/// How long a connection may take, with TLS: two round trips around the world, and a lost packet.
pub const CONNECT_TIME: Duration = Duration::from_secs(4);
/// How long an answer may take from then: Twilio's have been there within one second for years.
pub const ANSWER_TIME: Duration = Duration::from_secs(8);
/// Largest answer taken, bytes: a page of [`PAGE`] calls is a quarter of it.
const MAX_ANSWER: usize = 1 << 20;
/// Things on one page of a list.
pub const PAGE: usize = 200;
/// The version in every path.
const VERSION: &str = "2010-04-01";

/// Twilio's API in one place.
#[derive(Debug)]
pub struct Api {
    place: Option<Place>,
    /// Whom it is trusted by, where that is not this machine's to say.
    trust: OnceCell<Arc<ClientConfig>>,
    connect_time: Duration,
    answer_time: Duration,
}

impl Api {
    /// The API at an origin: `config.twilio_api`.
    pub fn new(origin: &Origin) -> Api {
        let authority = origin.authority().parse().ok();
        Api {
            place: authority.map(|authority| Place::new(origin.is_secure(), &authority)),
            trust: OnceCell::new(),
            connect_time: CONNECT_TIME,
            answer_time: ANSWER_TIME,
        }
    }

    /// Reads what is at `path`, which begins with a slash and may have a query; see [`path`].
    ///
    /// # Errors
    /// [`Failed`]; a [`Failed::Refused`] is Twilio's own word.
    pub async fn get(&self, account: &str, token: &Secret, path: &str) -> Result<Answer, Failed> {
        self.send(Method::GET, account, token, path, None).await
    }

    /// Posts a form to `path`.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn post_form(
        &self,
        account: &str,
        token: &Secret,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<Answer, Failed> {
        let form = Form::from_pairs(form.iter().copied()).encode();
        self.send(Method::POST, account, token, path, Some(form)).await
    }

    async fn send(
        &self,
        method: Method,
        account: &str,
        token: &Secret,
        path: &str,
        form: Option<String>,
    ) -> Result<Answer, Failed> {
        let place = self.place.as_ref().ok_or(Failed::Request)?;
        let unanswered = |why: Unanswered| Failed::Unanswered(place.to_string(), why.to_string());
        let too_slow = |_| Failed::TooSlow(place.to_string());
        let request = request(place, method, path, basic(account, token)?, form)?;
        let connect = async {
            let trust = if place.secure {
                Some(self.trust.get_or_try_init(fetch::machines).await?.clone())
            } else {
                None
            };
            place.connect(trust).await
        };
        let line = timeout(self.connect_time, connect).await.map_err(too_slow)?;
        let line = line.map_err(unanswered)?;
        let answer = async {
            let answered = line.ask(request).await?;
            let (status, headers) = (answered.status, answered.headers.clone());
            Ok((status, headers, answered.body(MAX_ANSWER).await?))
        };
        let answer = timeout(self.answer_time, answer).await.map_err(too_slow)?;
        let (status, headers, body) = answer.map_err(unanswered)?;
        Answer::read(place, status, &headers, &body)
    }
}

/// The path of a resource of an account: `Calls.json`, say, and a query behind it.
pub fn path(account: &str, resource: &str) -> String {
    format!("/{VERSION}/Accounts/{account}/{resource}")
}

/// Whether a URL that stands at Twilio's is this page of ours: a query may say whose customer calls, and what stands
/// behind a `#` says to Twilio how often it is to try.
pub fn is_at(url: &str, page: &str) -> bool {
    url.split(['?', '#']).next() == Some(page)
}

fn basic(account: &str, token: &Secret) -> Result<HeaderValue, Failed> {
    let text = format!(
        "Basic {}",
        STANDARD.encode(format!("{account}:{}", token.expose()))
    );
    let mut value = HeaderValue::from_str(&text).map_err(|_| Failed::Request)?;
    value.set_sensitive(true);
    Ok(value)
}

fn request(
    place: &Place,
    method: Method,
    path: &str,
    authorization: HeaderValue,
    form: Option<String>,
) -> Result<Request<Full<Bytes>>, Failed> {
    // What comes from an answer, a next page, may not lead anywhere else.
    if !path.starts_with('/') {
        return Err(Failed::Request);
    }
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, &place.authority)
        .header(
            header::USER_AGENT,
            concat!("partyline-relay/", env!("CARGO_PKG_VERSION")),
        )
        .header(header::ACCEPT, "application/json")
        .header(header::CONNECTION, "close")
        .header(header::AUTHORIZATION, authorization);
    if form.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    let body = Full::from(form.unwrap_or_default());
    request.body(body).map_err(|_| Failed::Request)
}
