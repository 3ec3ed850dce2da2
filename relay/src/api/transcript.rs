//! `GET /api/v1/calls/:sid/transcript` and `/events`, whole or after what is known.

use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::After;
use partyline_shared::protocol::codec::to_text;
use partyline_shared::twilio::form::Form;

use crate::access::Grant;
use crate::calls::journal::Entry;
use crate::calls::registry::Registry;
use crate::respond::{Answer, Refusal, json};

/// Lines: `?after=SEQ&journal=J`; all that is remembered where J is another numbering.
///
/// # Errors
/// 404 where the call does not exist or is not granted, 400 where `after` is no number.
pub fn lines(registry: &Registry, grant: &Grant, sid: &CallSid, query: &Form) -> Result<Answer, Refusal> {
    let after = after(query)?.map(|(seq, journal)| After {
        journal,
        transcript: seq,
        event: 0,
    });
    read(registry, grant, sid, after, "transcript", |entry| match entry {
        Entry::Line(json) => Some(json),
        Entry::Event(_) => None,
    })
}

/// Events, the same way.
///
/// # Errors
/// As [`lines`].
pub fn events(registry: &Registry, grant: &Grant, sid: &CallSid, query: &Form) -> Result<Answer, Refusal> {
    let after = after(query)?.map(|(seq, journal)| After {
        journal,
        transcript: 0,
        event: seq,
    });
    read(registry, grant, sid, after, "events", |entry| match entry {
        Entry::Event(json) => Some(json),
        Entry::Line(_) => None,
    })
}

fn after(query: &Form) -> Result<Option<(u64, Option<String>)>, Refusal> {
    let Some(text) = query.get("after") else {
        return Ok(None);
    };
    let seq = text
        .parse()
        .map_err(|_| Refusal::bad_request("after is the seq of the last one known"))?;
    Ok(Some((seq, query.filled("journal").map(str::to_owned))))
}

fn read(
    registry: &Registry,
    grant: &Grant,
    sid: &CallSid,
    after: Option<After>,
    name: &str,
    wanted: impl Fn(&Entry) -> Option<&std::sync::Arc<str>>,
) -> Result<Answer, Refusal> {
    let call = registry.find(grant, sid).ok_or_else(Refusal::not_found)?;
    let (journal, entries) = call.remembered(after.as_ref());
    let items: Vec<&str> = entries.iter().filter_map(wanted).map(|json| &**json).collect();
    Ok(json(format!(
        r#"{{"journal":{},"{name}":[{}]}}"#,
        to_text(&journal),
        items.join(",")
    )))
}
