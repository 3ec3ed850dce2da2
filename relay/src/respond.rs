//! What the relay answers over HTTP, and how it reads a body: one shape of error, bounded in size and
//! time. A leaf: every door may use it.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, UPGRADE, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Either, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde_json::json;

/// Every answer.
pub type Answer = Response<Body>;

/// An answer's body: whole, since most are small, or as it comes.
pub type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, Infallible>>;

/// Largest body taken, bytes: a webhook of Twilio has 2 to 4 KB.
pub const MAX_BODY: usize = 64 << 10;

/// How long a body may take: Twilio's come in one packet, and a slow one holds a connection.
pub const BODY_TIME: Duration = Duration::from_secs(5);

/// A refusal, as every door says it: `{"error":{"code","message"}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// For a program.
    pub code: &'static str,
    /// For a person: what to do.
    pub message: String,
    /// After how long to come back, told in `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// A refusal.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// Too much was asked for: 429, and after how long again; whole seconds, rounded up, are told.
    pub fn too_many(message: impl Into<String>, retry_after: Duration) -> Refusal {
        Refusal {
            retry_after: Some(retry_after),
            ..Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message)
        }
    }

    /// There is nothing of that name, or nothing that is granted: the two look the same.
    pub fn not_found() -> Refusal {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is nothing here by that name",
        )
    }

    /// The call goes from one relay to another at this moment: nothing was done.
    pub fn moving() -> Refusal {
        let message = "the call goes from one relay to another at this moment; nothing was done, try again";
        Refusal {
            retry_after: Some(Duration::from_secs(1)),
            ..Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
        }
    }

    /// Something is wrong with what was asked.
    pub fn bad_request(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// What says so, as JSON.
    pub fn body(&self) -> String {
        json!({ "error": { "code": self.code, "message": self.message } }).to_string()
    }

    /// The answer that says so.
    pub fn answer(&self) -> Answer {
        let mut answer = with_type(self.status, "application/json", self.body());
        if self.status == StatusCode::UPGRADE_REQUIRED {
            answer
                .headers_mut()
                .insert(UPGRADE, HeaderValue::from_static("websocket"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            answer
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
            answer
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

/// A body that is all there.
pub fn whole(body: impl Into<Bytes>) -> Body {
    Either::Left(Full::new(body.into()))
}

/// An answer with a content type.
pub fn with_type(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(whole(body));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// JSON, not to be stored: it is about calls.
pub fn json(body: impl Into<Bytes>) -> Answer {
    with_type(StatusCode::OK, "application/json", body)
}

/// Nothing to say.
pub fn no_content() -> Answer {
    let mut answer = Response::new(whole(Bytes::new()));
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}

/// The path exists, the method does not.
pub fn method_not_allowed(allowed: &'static str) -> Answer {
    let message = format!("this path takes {allowed}");
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message);
    let mut answer = refusal.answer();
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// Reads a body of up to `most` bytes, within [`BODY_TIME`].
///
/// # Errors
/// A [`Refusal`] with 413 or 400 when it is too large, or does not come.
pub async fn read_body(body: Incoming, most: usize) -> Result<Bytes, Refusal> {
    let whole = tokio::time::timeout(BODY_TIME, Limited::new(body, most).collect()).await;
    match whole {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!("a body has {most} bytes at most");
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message))
        }
        Ok(Err(_)) => Err(Refusal::bad_request("the body broke off")),
        Err(_) => Err(Refusal::bad_request("the body did not come within 5 s")),
    }
}
