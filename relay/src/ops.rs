//! The load balancer's door: whether the process lives, and whether it takes new work; no detail.

use http::StatusCode;

use crate::respond::{Answer, with_type};

/// `GET /healthz`: the process answers.
pub fn healthz() -> Answer {
    with_type(StatusCode::OK, "text/plain; charset=utf-8", "ok\n")
}

/// `GET /readyz`: 503 while the relay leaves or is full.
pub fn readyz(takes_work: bool) -> Answer {
    let (status, text) = if takes_work {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    };
    with_type(status, "text/plain; charset=utf-8", text)
}
