//! One request of the relay's HTTP interface, over a connection of its own: the commands that ask once ask
//! here, since an answer has an end and a socket has none.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use partyline_shared::call::Call;
use partyline_shared::event::Event;
use partyline_shared::id::CallSid;
use partyline_shared::text::clean;
use partyline_shared::time::UtcTime;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::connection::retry_after;
use super::dial::{CONNECT_TIMEOUT, dial, distrust, no_http};
use super::relay::Relay;
use crate::failure::Failure;

/// Largest answer taken, bytes: 2,000 lines of 4,096 characters of four bytes are 33 MB.
const MAX_ANSWER: usize = 64 << 20;

/// How long an answer may take to arrive.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a relay that says "later" is asked, and the longest wait between.
const TRIES: u32 = 4;
const LONGEST_WAIT: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Deserialize)]
struct ErrorDetail {
    message: String,
}

/// GETs `resource` (from `/api` on, with its query) and reads the JSON; `call` is what a 404 is about.
///
/// # Errors
/// [`Failure`], by the relay's status where it answered.
pub async fn get<T: DeserializeOwned>(
    relay: &Relay,
    resource: &str,
    call: Option<&str>,
) -> Result<T, Failure> {
    ask(relay, &Method::GET, resource, call).await
}

/// Has a call held back, or let go where `on` is false; the call as it stands then.
///
/// # Errors
/// [`Failure`], by the relay's status where it answered.
pub async fn hold(relay: &Relay, call: &CallSid, on: bool) -> Result<Call, Failure> {
    let what = if on { "pause" } else { "resume" };
    let resource = format!("/api/v1/calls/{call}/{what}");
    ask(relay, &Method::POST, &resource, Some(call.as_str())).await
}

/// Marks a moment of a call for all who see it: now, or `at`. Asked for once, since a second time would be a second mark.
///
/// # Errors
/// [`Failure`], by the relay's status where it answered.
pub async fn mark(relay: &Relay, call: &CallSid, at: Option<UtcTime>) -> Result<Event, Failure> {
    let resource = format!("/api/v1/calls/{call}/marks");
    let fields = at.map_or_else(|| json!({}), |at| json!({ "at": at }));
    let response = send(relay, &Method::POST, &resource, Some(&fields)).await?;
    answer(relay, response, Some(call.as_str())).await
}

/// What is asked for may be asked for again.
async fn ask<T: DeserializeOwned>(
    relay: &Relay,
    method: &Method,
    resource: &str,
    call: Option<&str>,
) -> Result<T, Failure> {
    let mut tries = 0;
    loop {
        tries += 1;
        let response = request(relay, method, resource).await?;
        let later = matches!(
            response.status(),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        );
        if later && tries < TRIES {
            let asked = retry_after(response.headers()).unwrap_or(Duration::from_secs(1));
            tokio::time::sleep(asked.min(LONGEST_WAIT)).await;
            continue;
        }
        return answer(relay, response, call).await;
    }
}

/// GETs `resource`, as [`get`] does, and says how it was answered; asks once.
///
/// # Errors
/// [`Failure::Failed`] where nobody answered.
pub async fn status(relay: &Relay, resource: &str) -> Result<StatusCode, Failure> {
    let response = request(relay, &Method::GET, resource).await;
    response.map(|response| response.status())
}

async fn request(relay: &Relay, method: &Method, resource: &str) -> Result<Response<Incoming>, Failure> {
    send(relay, method, resource, None).await
}

async fn send(
    relay: &Relay,
    method: &Method,
    resource: &str,
    fields: Option<&Value>,
) -> Result<Response<Incoming>, Failure> {
    let unreachable = |why: &dyn std::fmt::Display| {
        Failure::Failed(format!(
            "cannot reach the relay at {relay}: {why}; does it run? check --relay"
        ))
    };
    let stream = tokio::time::timeout(CONNECT_TIMEOUT, dial(relay))
        .await
        .map_err(|_| unreachable(&"no answer within 5 s"))?
        .map_err(|e| distrust(relay, &e).map_or_else(|| unreachable(&e), Failure::Failed))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|e| unreachable(&e))?;
    // Ends with the sender, or with the answer that is read through it.
    tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(relay.path(resource))
        .body(Full::new(Bytes::from(
            fields.map(Value::to_string).unwrap_or_default(),
        )))
        .map_err(|e| unreachable(&e))?;
    *request.headers_mut() = relay.headers();
    request.headers_mut().insert(
        header::ACCEPT,
        header::HeaderValue::from_static("application/json"),
    );
    if fields.is_some() {
        let json = header::HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
    }
    tokio::time::timeout(ANSWER_TIMEOUT, sender.send_request(request))
        .await
        .map_err(|_| unreachable(&"no answer within 30 s"))?
        .map_err(|e| match e {
            e if e.is_canceled() || e.is_incomplete_message() => unreachable(&"it hung up"),
            e if e.is_parse() => Failure::Failed(no_http(relay)),
            e => unreachable(&e),
        })
}

async fn answer<T: DeserializeOwned>(
    relay: &Relay,
    response: Response<Incoming>,
    call: Option<&str>,
) -> Result<T, Failure> {
    let status = response.status();
    let body = tokio::time::timeout(
        ANSWER_TIMEOUT,
        Limited::new(response.into_body(), MAX_ANSWER).collect(),
    )
    .await
    .map_err(|_| {
        Failure::Failed(format!(
            "the relay at {relay} did not finish its answer within 30 s"
        ))
    })?
    .map_err(|e| Failure::Failed(format!("the relay at {relay} broke off its answer: {e}")))?
    .to_bytes();
    let said = serde_json::from_slice::<ErrorBody>(&body)
        .ok()
        .map(|body| clean(&body.error.message));
    match (status, call, said) {
        (StatusCode::OK | StatusCode::CREATED, ..) => serde_json::from_slice(&body).map_err(|_| {
            Failure::Failed(format!(
                "{relay} does not answer as a Partyline relay does; check --relay"
            ))
        }),
        (StatusCode::UNAUTHORIZED, _, said) => Err(Failure::NotAuthorised(
            said.unwrap_or_else(|| super::connection::UNKNOWN.to_owned()),
        )),
        (StatusCode::FORBIDDEN, _, said) => Err(Failure::NotAuthorised(
            said.unwrap_or_else(|| super::connection::FORBIDDEN.to_owned()),
        )),
        // A proxy, or another server, has 404s of its own; the relay's say what is missing.
        (StatusCode::NOT_FOUND, Some(call), Some(_)) => Err(Failure::NoSuchCall(call.to_owned())),
        (StatusCode::NOT_FOUND, ..) => Err(Failure::Failed(format!(
            "there is no Partyline relay at {relay} (HTTP 404); check --relay"
        ))),
        (status, _, said) => Err(Failure::Failed(format!(
            "the relay at {relay} answered {}{}",
            status.as_u16(),
            said.map(|text| format!(": {text}")).unwrap_or_default()
        ))),
    }
}
