//! `GET /api/v1/calls/:sid/transcript` and `/events`, whole or after what is known.

use partyline_shared::id::CallSid;
use partyline_shared::protocol::codec::to_text;

use super::query::Query;
use crate::access::Grant;
use crate::calls::call::Kind;
use crate::calls::encoded::Encoded;
use crate::calls::registry::Registry;
use crate::respond::{Answer, Refusal, json};

/// Lines: `?after=SEQ&journal=J`; all that is remembered where J is another numbering.
///
/// # Errors
/// 404 where the call does not exist or is not granted, 400 where `after` is no number or a parameter is there twice.
pub fn lines(registry: &Registry, grant: &Grant, sid: &CallSid, query: &Query) -> Result<Answer, Refusal> {
    read(registry, grant, sid, query, Kind::Lines)
}

/// Events, the same way.
///
/// # Errors
/// As [`lines`].
pub fn events(registry: &Registry, grant: &Grant, sid: &CallSid, query: &Query) -> Result<Answer, Refusal> {
    read(registry, grant, sid, query, Kind::Events)
}

fn read(
    registry: &Registry,
    grant: &Grant,
    sid: &CallSid,
    query: &Query,
    kind: Kind,
) -> Result<Answer, Refusal> {
    let after = after(query)?;
    let call = registry.find(grant, sid).ok_or_else(Refusal::not_found)?;
    let read = call.remembered(grant, kind, after);
    let (journal, items) = read.ok_or_else(Refusal::not_found)?;
    let name = match kind {
        Kind::Lines => "transcript",
        Kind::Events => "events",
    };
    let items: Vec<&str> = items.iter().map(Encoded::json).collect();
    Ok(json(format!(
        r#"{{"journal":{},"{name}":[{}]}}"#,
        to_text(&journal),
        items.join(",")
    )))
}

fn after(query: &Query) -> Result<Option<(u64, Option<String>)>, Refusal> {
    let journal = query.once("journal")?.filter(|journal| !journal.is_empty());
    let Some(text) = query.once("after")? else {
        return Ok(None);
    };
    let seq = text
        .parse()
        .map_err(|_| Refusal::bad_request("after is the seq of the last one known"))?;
    Ok(Some((seq, journal.map(str::to_owned))))
}
