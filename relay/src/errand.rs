//! What a script asks of a call that another relay has, as it is carried there, and its answer. Knows neither how that is
//! carried nor what is done: `route` does it, `sharing` carries it.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};

use crate::respond::{Answer, Refusal, no_content, with_type};

/// Something that is waited for.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A request whose bearer is known.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// `POST`.
    pub method: String,
    /// After `/api/v1/`.
    pub path: String,
    /// What was posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Posted>,
    /// Who asks, as `Grant::to_wire` says it.
    pub grant: String,
    /// From where, for the record.
    pub address: IpAddr,
}

/// A body.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// It is `application/x-www-form-urlencoded`, rather than JSON.
    pub form: bool,
    /// Itself.
    pub text: String,
}

/// What came of it: a small answer, which is JSON where it is anything.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// Of HTTP.
    pub status: u16,
    /// `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// May be empty.
    pub body: String,
}

/// Who does here what others ask for.
pub trait Hands: Send + Sync {
    /// Does it.
    fn run(&self, errand: Errand) -> Later<Answered>;
}

impl Answered {
    /// An answer, whole.
    pub async fn of(answer: Answer) -> Answered {
        let (head, body) = answer.into_parts();
        let retry_after = head.headers.get(RETRY_AFTER);
        let retry_after = retry_after.and_then(|after| Some(after.to_str().ok()?.to_owned()));
        // Its error is none that can be.
        let body = body
            .collect()
            .await
            .map_or_else(|_| Bytes::new(), |body| body.to_bytes());
        Answered {
            status: head.status.as_u16(),
            retry_after,
            body: String::from_utf8_lossy(&body).into_owned(),
        }
    }

    /// A refusal.
    pub fn refused(refusal: &Refusal) -> Answered {
        Answered {
            status: refusal.status.as_u16(),
            retry_after: None,
            body: refusal.body(),
        }
    }

    /// The same answer here. What is no status is a relay's that cannot be understood.
    pub fn answer(self) -> Answer {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        if status == StatusCode::NO_CONTENT {
            return no_content();
        }
        let mut answer = with_type(status, "application/json", self.body);
        let after = self
            .retry_after
            .and_then(|after| HeaderValue::from_str(&after).ok());
        if let Some(after) = after {
            answer.headers_mut().insert(RETRY_AFTER, after);
        }
        answer
    }
}

/// Without what is said in it.
impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Errand")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Posted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Posted")
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answered")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::respond::{Refusal, json};

    #[tokio::test]
    async fn an_answer_is_the_same_at_another_relay() {
        let answers = [
            json("{\"a\":\"µ\"}"),
            no_content(),
            Refusal::not_found().answer(),
            Refusal::too_many("later", Duration::from_millis(1_200)).answer(),
        ];
        for answer in answers {
            let (status, headers) = (answer.status(), answer.headers().clone());
            let carried = Answered::of(answer).await;
            let text = serde_json::to_string(&carried).unwrap();
            assert!(!format!("{carried:?}").contains('µ'));
            let read: Answered = serde_json::from_str(&text).unwrap();
            assert_eq!(read, carried);
            let again = read.answer();
            assert_eq!((again.status(), again.headers()), (status, &headers));
            assert_eq!(Answered::of(again).await, carried);
        }
    }
}
