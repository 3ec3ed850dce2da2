//! `GET /api/v1/calls/:sid/listeners`: who hears or reads a call; for admins.

use http::StatusCode;
use partyline_shared::id::CallSid;
use serde_json::json;

use crate::access::Grant;
use crate::calls::registry::Registry;
use crate::respond::{Answer, Refusal, json as answer};

/// `{"listeners":[{"name","audio","since"}]}`, in the order of coming.
///
/// # Errors
/// 404 where the call does not exist or is not granted, 403 for who is no admin.
pub fn of_call(registry: &Registry, grant: &Grant, sid: &CallSid) -> Result<Answer, Refusal> {
    let call = registry.find(grant, sid).ok_or_else(Refusal::not_found)?;
    if !grant.is_admin() {
        let message = "who listens is told to admins only";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "not_allowed", message));
    }
    let listeners: Vec<serde_json::Value> = call
        .listeners()
        .into_iter()
        .map(|l| json!({ "name": l.name, "audio": l.audio, "since": l.since }))
        .collect();
    Ok(answer(json!({ "listeners": listeners }).to_string()))
}
