//! `POST /api/v1/calls/:sid/pause`, `/resume` and `DELETE /api/v1/calls/:sid`: what may be done to a call. Who holds a
//! call back or lets it go is on record before that happens. Says nothing of what is in a call.

use std::time::Instant;

use http::StatusCode;
use partyline_shared::call::Call as View;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::codec::to_text;
use tracing::info;

use crate::access::{Grant, Right};
use crate::audit::{Audit, Entry, Event};
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::doorman::At;
use crate::respond::{Answer, Refusal, json, no_content};

const NEEDS_PAUSE: &str = "holding a call back, and letting it go, needs the right pause";

/// Holds a call back, or lets it go where `on` is false: the `Call` as it stands then. A call that stands so already is
/// left as it is, one that is over too: it may come back, and lines may still join it.
///
/// # Errors
/// 404 where the call does not exist or is not granted, 403 without the right, 503 where it cannot be put on record, or
/// goes from one relay to another at this moment.
pub async fn hold(
    registry: &Registry,
    audit: &Audit,
    grant: &Grant,
    at: At,
    sid: &CallSid,
    on: bool,
) -> Result<Answer, Refusal> {
    let call = registry.find(grant, sid).ok_or_else(Refusal::not_found)?;
    let entry = |event| {
        Entry::new(Now::take().wall, event)
            .by(grant.name(), grant.role(), grant.token_id())
            .through(at.door, at.address)
            .of_call(sid.clone(), call.customer_id().as_deref())
    };
    if !grant.has(Right::Pause) {
        audit.refuse(Instant::now(), entry(Event::Refused), NEEDS_PAUSE);
        return Err(Refusal::new(StatusCode::FORBIDDEN, "not_allowed", NEEDS_PAUSE));
    }
    if call.is_paused() == on {
        // It may have changed hands since it was found.
        let view = call.shown_to(grant).ok_or_else(Refusal::not_found)?;
        return Ok(shown(&view));
    }
    let event = if on { Event::Pause } else { Event::Resume };
    if let Err(failed) = audit.write(entry(event)).await {
        tracing::warn!(call = %sid, event = event.as_str(), %failed, "not done, since it cannot be put on record");
        let message = "this cannot be put on record now, so it is not done; try again later";
        return Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            message,
        ));
    }
    let now = Now::take();
    // Only where it is still the one that is known: it may have been forgotten meanwhile, or changed hands.
    let known = registry.find(grant, sid);
    let done = known.and_then(|call| {
        if on {
            call.pause(now, grant)
        } else {
            call.resume(now, grant)
        }
    });
    let Some(view) = done else {
        audit.tell(entry(Event::Refused).because("the call was gone before it was done"));
        // Or it is another relay's by now.
        let moved = registry.find(grant, sid).is_some_and(|call| !call.is_ours());
        return Err(if moved {
            Refusal::moving()
        } else {
            Refusal::not_found()
        });
    };
    Ok(shown(&view))
}

/// Forgets a call for good, live or over: nothing of it is remembered, and nothing that still comes of it is taken.
///
/// # Errors
/// 404 where the call does not exist or is not granted, 403 for who is no admin.
pub fn erase(registry: &Registry, grant: &Grant, sid: &CallSid) -> Result<Answer, Refusal> {
    registry.find(grant, sid).ok_or_else(Refusal::not_found)?;
    if !grant.is_admin() {
        let message = "only admins erase calls";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "not_allowed", message));
    }
    if !registry.erase(Now::take(), sid) {
        return Err(Refusal::not_found());
    }
    info!(
        call = %sid,
        by = grant.name(),
        by_token_id = grant.token_id(),
        "a call is erased by an admin"
    );
    Ok(no_content())
}

fn shown(view: &View) -> Answer {
    json(to_text(view))
}
