//! `POST /api/v1/tickets`: what opens one connection where no header can be set.

use serde_json::json;

use crate::access::Issued;
use crate::respond::{Answer, json as answer_json};

/// `{"ticket","expires_at"}`.
pub fn answer(issued: &Issued) -> Answer {
    let body = json!({ "ticket": issued.ticket, "expires_at": issued.expires_at });
    answer_json(body.to_string())
}
