//! The way to `/cable`: Twilio's streams, and Action Cable's clients, told apart by what they show.

use std::sync::Arc;

use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderValue, Request, StatusCode};
use hyper::body::Incoming;
use partyline_shared::twilio::form::Form;
use tracing::Instrument;

use super::{Relay, admit, hold_listener, refuse_when_leaving};
use crate::cable::session::MAX_MESSAGE;
use crate::cable::socket::{Arrival, run, turn_away};
use crate::config::Config;
use crate::doorman::At;
use crate::limits::preauth::{self, PROVEN_MESSAGE, SEAT_BYTES};
use crate::limits::sockets::{self, TooMany};
use crate::respond::{Answer, Refusal};
use crate::twilio::seat::Seat;
use crate::{twilio, upgrade};

/// What all of Action Cable's subprotocols are called.
const CABLE: &str = "actioncable-";

/// Those that Rails has; the extended one is not spoken here, so it is never agreed on.
const SPOKEN: [&str; 2] = ["actioncable-v1-json", "actioncable-unsupported"];

/// Leads to one or the other.
pub(super) async fn answer(
    relay: &Arc<Relay>,
    config: &Arc<Config>,
    request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    let headers = request.headers();
    let offered: Vec<String> = upgrade::offered(headers, &SEC_WEBSOCKET_PROTOCOL)
        .map(str::to_owned)
        .collect();
    if headers.contains_key(twilio::signature::HEADER) {
        return stream(relay, config, request, &offered).await;
    }
    let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
    let shows_token =
        headers.contains_key(AUTHORIZATION) || query.get("ticket").or_else(|| query.get("token")).is_some();
    if shows_token || offered.iter().any(|name| name.starts_with(CABLE)) {
        return client(relay, config, request, &offered).await;
    }
    stream(relay, config, request, &offered).await
}

/// One of Twilio's streams.
async fn stream(
    relay: &Arc<Relay>,
    config: &Arc<Config>,
    mut request: Request<Incoming>,
    offered: &[String],
) -> Result<Answer, Refusal> {
    let gate = relay.twilio.gate(relay.here(config), &request)?;
    // Before it is looked whether the relay drains: a stream that is let in is waited for.
    let token = relay.streams.token();
    refuse_when_leaving(relay)?;
    let echoed = offered
        .iter()
        .find(|name| !name.starts_with(CABLE))
        .and_then(|name| HeaderValue::from_str(name).ok());
    upgrade::check(&request)?;
    // Who shows a signature waits for nobody who shows none.
    let (seat, max_message) = if gate.shown().is_signed() {
        let held = preauth::signed(&relay.metrics)?;
        (Seat::Signed(held, PROVEN_MESSAGE), PROVEN_MESSAGE)
    } else {
        let at = At::of("cable", &request)?;
        (
            Seat::Unknown(relay.limits.preauth.enter(at.address).await?),
            SEAT_BYTES,
        )
    };
    let (answer, handshake) = upgrade::accept(&mut request, echoed, max_message)?;
    let (registry, stop) = (relay.registry.clone(), relay.stop.clone());
    let serve = async move {
        if let Some(socket) = handshake.socket().await {
            twilio::socket::run(socket, gate, seat, token, registry, stop).await;
        }
    };
    relay.tasks.spawn(serve.in_current_span());
    Ok(answer)
}

/// One of Action Cable's clients. Who it is not is said in its own protocol; all else is refused before that.
async fn client(
    relay: &Arc<Relay>,
    config: &Config,
    mut request: Request<Incoming>,
    offered: &[String],
) -> Result<Answer, Refusal> {
    admit(relay)?;
    upgrade::check(&request)?;
    let agreed = offered
        .iter()
        .find_map(|name| SPOKEN.into_iter().find(|spoken| name == spoken))
        .map(HeaderValue::from_static);
    let at = At::of("cable", &request)?;
    let grant = match relay.doorman.cable(at, &request, config.insecure).await {
        Ok(grant) => grant,
        Err(refusal) if refusal.status == StatusCode::UNAUTHORIZED => {
            let seat = relay.limits.preauth.enter(at.address).await?;
            let (answer, handshake) = upgrade::accept(&mut request, agreed, SEAT_BYTES)?;
            let tell = async move {
                if let Some(socket) = handshake.socket().await {
                    turn_away(socket, seat).await;
                }
            };
            relay.tasks.spawn(tell.in_current_span());
            return Ok(answer);
        }
        Err(refusal) => return Err(refusal),
    };
    let too_many = |error: TooMany| Refusal::too_many(error.to_string(), sockets::COME_BACK);
    let of_token = relay.doorman.socket(&grant).map_err(too_many)?;
    let place = hold_listener(relay, config)?;
    let (answer, handshake) = upgrade::accept(&mut request, agreed, MAX_MESSAGE)?;
    let (relay, tasks) = (relay.clone(), relay.tasks.clone());
    let serve = async move {
        let _place = place;
        if let Some(socket) = handshake.socket().await {
            relay.metrics.listeners_opened.add_one();
            let arrival = Arrival {
                grant,
                held: of_token,
                at,
                doorman: relay.doorman.clone(),
                registry: relay.registry.clone(),
                presence: relay.presence.clone(),
                stop: relay.stop.clone(),
            };
            run(socket, arrival).await;
            relay.metrics.listeners_closed.add_one();
        }
    };
    tasks.spawn(serve.in_current_span());
    Ok(answer)
}
