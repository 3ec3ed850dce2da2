//! The way to a call's live audio, `/api/v1/calls/:sid/audio.wav`: whoever comes by it is a listener, with all that one
//! needs: a token or ticket, a place, and that the relay does not leave.

use std::time::Instant;

use http::{Method, Request};
use hyper::body::Incoming;
use partyline_shared::id::CallSid;

use super::{Relay, admit, hold_listener};
use crate::access::Source;
use crate::api::audio::{self, Arrival};
use crate::api::query::Query;
use crate::config::Config;
use crate::doorman::At;
use crate::limits::guests;
use crate::limits::sockets;
use crate::respond::{Answer, Refusal};

/// Lets a player in; `sid` is as the path has it.
pub(super) async fn answer(
    relay: &Relay,
    config: &Config,
    request: &Request<Incoming>,
    sid: &str,
) -> Result<Answer, Refusal> {
    admit(relay)?;
    let at = At::of("api", request)?;
    let grant = match relay.doorman.handshake(at, request, config.insecure).await? {
        Some(grant) => {
            if grant.source() != Source::Insecure {
                relay.limits.request(Instant::now(), grant.token_id())?;
            }
            grant
        }
        None => relay.doorman.api(at, request.headers(), config.insecure).await?,
    };
    guests::passed(request.extensions());
    // Every connection has one: see `server`.
    let visit = guests::visit(request.extensions()).ok_or_else(Refusal::not_found)?;
    let query = Query::parse(request.uri().query())?;
    let kept = audio::kept(query.once("track")?)?;
    let sid = CallSid::parse(sid).map_err(|_| Refusal::not_found())?;
    let call = audio::find(&relay.registry, &relay.doorman, at, &grant, &sid)?;
    if request.method() == Method::HEAD {
        return Ok(audio::head());
    }
    let socket = relay.doorman.socket(&grant);
    let socket = socket.map_err(|error| Refusal::too_many(error.to_string(), sockets::COME_BACK))?;
    let held = hold_listener(relay, config)?;
    audio::begin(Arrival {
        grant,
        at,
        call,
        kept,
        socket,
        held,
        visit,
        doorman: relay.doorman.clone(),
        registry: relay.registry.clone(),
        presence: relay.presence.clone(),
        stop: relay.stop.clone(),
    })
    .await
}
