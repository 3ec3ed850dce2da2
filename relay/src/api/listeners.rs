//! `GET /api/v1/listeners`, `DELETE /api/v1/listeners/:id` and `GET /api/v1/calls/:sid/listeners`: who is connected, who
//! hears or reads a call, and the end of one of them; for admins.

use http::StatusCode;
use partyline_shared::id::CallSid;
use serde_json::{Value, json};
use tracing::info;

use crate::access::Grant;
use crate::calls::registry::Registry;
use crate::metrics::Metrics;
use crate::presence::{Follows, Presence, Seen};
use crate::respond::{Answer, Refusal, json as answer, no_content};

/// `{"listeners":[{"id","name","role","token_id","address","door","connected_at","calls":[{"call_sid","audio","save",
/// "since"}],"frames_sent","bytes_sent","frames_lost"}]}`, in the order of coming.
///
/// # Errors
/// 403 for who is no admin.
pub fn all(presence: &Presence, grant: &Grant) -> Result<Answer, Refusal> {
    admins_only(grant)?;
    let listeners: Vec<Value> = presence.all().iter().map(connected).collect();
    Ok(answer(json!({ "listeners": listeners }).to_string()))
}

/// Ends one: its connection is closed with a code after which nobody comes back by itself.
///
/// # Errors
/// 403 for who is no admin, 404 where nobody of this id is connected.
pub fn end(presence: &Presence, metrics: &Metrics, grant: &Grant, id: &str) -> Result<Answer, Refusal> {
    admins_only(grant)?;
    let (ended, is_news) = presence.dismiss(id).ok_or_else(Refusal::not_found)?;
    if !is_news {
        return Ok(no_content());
    }
    metrics.listeners_dismissed.add_one();
    info!(
        listener = ended.id,
        who = ended.grant.name(),
        token_id = ended.grant.token_id(),
        by = grant.name(),
        by_token_id = grant.token_id(),
        "a listener is ended by an admin"
    );
    Ok(no_content())
}

/// `{"listeners":[{"id","name","role","token_id","address","door","audio","save","since"}]}`, in the order of coming to
/// the call.
///
/// # Errors
/// 404 where the call does not exist or is not granted, 403 for who is no admin.
pub fn of_call(
    registry: &Registry,
    presence: &Presence,
    grant: &Grant,
    sid: &CallSid,
) -> Result<Answer, Refusal> {
    registry.find(grant, sid).ok_or_else(Refusal::not_found)?;
    admins_only(grant)?;
    let seen = presence.all();
    let mut here: Vec<(&Seen, &Follows)> = seen
        .iter()
        .flat_map(|seen| seen.follows.iter().map(move |call| (seen, call)))
        .filter(|(_, call)| call.call_sid == *sid)
        .collect();
    here.sort_by_key(|(_, call)| call.since);
    let listeners: Vec<Value> = here
        .into_iter()
        .map(|(seen, call)| {
            who(
                seen,
                [
                    ("audio", call.audio.into()),
                    ("save", call.save.into()),
                    ("since", json!(call.since)),
                ],
            )
        })
        .collect();
    Ok(answer(json!({ "listeners": listeners }).to_string()))
}

fn admins_only(grant: &Grant) -> Result<(), Refusal> {
    if grant.is_admin() {
        return Ok(());
    }
    let message = "who listens is told to admins only";
    Err(Refusal::new(StatusCode::FORBIDDEN, "not_allowed", message))
}

/// Who it is, and `more` about it.
fn who<const N: usize>(seen: &Seen, more: [(&str, Value); N]) -> Value {
    let token_id = Some(seen.grant.token_id()).filter(|id| !id.is_empty());
    let known = [
        ("id", json!(seen.id)),
        ("name", json!(seen.grant.name())),
        ("role", json!(seen.grant.role().as_str())),
        ("token_id", json!(token_id)),
        ("address", json!(seen.address)),
        ("door", json!(seen.door)),
    ];
    let all = known.into_iter().chain(more);
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn connected(seen: &Seen) -> Value {
    let calls = seen.follows.iter().map(|call| {
        json!({
            "call_sid": call.call_sid,
            "audio": call.audio,
            "save": call.save,
            "since": call.since,
        })
    });
    who(
        seen,
        [
            ("connected_at", json!(seen.since)),
            ("calls", calls.collect()),
            ("frames_sent", seen.frames.into()),
            ("bytes_sent", seen.bytes.into()),
            ("frames_lost", seen.lost.into()),
        ],
    )
}
