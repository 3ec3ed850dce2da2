//! `GET /api/v1/calls` and `GET /api/v1/calls/:sid`.

use partyline_shared::id::CallSid;
use partyline_shared::protocol::codec::to_text;
use partyline_shared::time::UtcTime;

use super::query::Query;
use crate::access::Grant;
use crate::calls::registry::Registry;
use crate::respond::{Answer, Refusal, json};

/// Calls in one answer: a page.
const LIMIT: usize = 200;

/// `?status=live|ended|all&before=TIME&limit=200`: newest first, those that began before TIME.
///
/// # Errors
/// 400 where a parameter cannot be read.
pub fn list(registry: &Registry, grant: &Grant, query: &Query) -> Result<Answer, Refusal> {
    let (live, ended) = match query.once("status")?.unwrap_or("live") {
        "live" => (true, false),
        "ended" => (false, true),
        "all" => (true, true),
        _ => return Err(Refusal::bad_request("status is live, ended or all")),
    };
    let before = match query.once("before")? {
        None => None,
        Some(text) => {
            let time = UtcTime::parse(text);
            let missing = "before is a time like 2026-11-22T09:00:00.000Z";
            Some(time.ok_or_else(|| Refusal::bad_request(missing))?.unix_ms())
        }
    };
    let limit = match query.once("limit")? {
        None => LIMIT,
        Some(text) => match text.parse() {
            Ok(n @ 1..=LIMIT) => n,
            _ => {
                return Err(Refusal::bad_request(format!(
                    "limit is a number from 1 to {LIMIT}"
                )));
            }
        },
    };
    let calls: Vec<String> = registry
        .list(grant)
        .into_iter()
        .filter(|listed| if listed.ended { ended } else { live })
        .filter(|listed| before.is_none_or(|before| listed.started_ms < before))
        .take(limit)
        .map(|listed| listed.told.json().to_owned())
        .collect();
    Ok(json(format!(r#"{{"calls":[{}]}}"#, calls.join(","))))
}

/// One call.
///
/// # Errors
/// 404 where it does not exist or is not granted.
pub fn one(registry: &Registry, grant: &Grant, sid: &CallSid) -> Result<Answer, Refusal> {
    let view = registry.find(grant, sid).and_then(|call| call.shown_to(grant));
    Ok(json(to_text(&view.ok_or_else(Refusal::not_found)?)))
}
