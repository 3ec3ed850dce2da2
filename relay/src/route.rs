//! Path and subprotocol to door. Knows all doors; every request passes the check of who may ask first.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::{MAX_CLIENT_MESSAGE, PROTOCOL};
use partyline_shared::twilio::form::Form;
use tokio_util::task::TaskTracker;

use crate::access::Grant;
use crate::calls::registry::Registry;
use crate::config::Config;
use crate::doorman::{At, Doorman};
use crate::limits::Limits;
use crate::limits::preauth::{PROVEN_MESSAGE, SEAT_BYTES, SEAT_TIME, SIGNED};
use crate::limits::sockets::{self, TooMany};
use crate::listen::socket::Arrival;
use crate::metrics::Metrics;
use crate::respond::{self, Answer, Refusal};
use crate::stop::Stop;
use crate::twilio::door::{Door, Here};
use crate::twilio::seat::Seat;
use crate::{api, listen, ops, origin, twilio, upgrade};

/// What the doors share.
pub struct Relay {
    /// In force now; swapped whole.
    pub config: ArcSwap<Config>,
    /// Every call.
    pub registry: Arc<Registry>,
    /// Twilio's door.
    pub twilio: Arc<Door>,
    /// Who knows listeners and scripts.
    pub doorman: Arc<Doorman>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// What those may take who have shown nothing yet, or the wrong thing.
    pub limits: Arc<Limits>,
    /// The address in use, with its real port.
    pub local: SocketAddr,
    /// Called when the relay leaves.
    pub stop: Stop,
    /// Every connection and socket: who stops the relay waits for them.
    pub tasks: TaskTracker,
}

/// Answers one request.
pub async fn route(relay: &Arc<Relay>, request: Request<Incoming>) -> Answer {
    relay.metrics.requests.add_one();
    let config = relay.config.load_full();
    if let Err(refused) = origin::check(&config, request.headers()) {
        relay.metrics.requests_refused.add_one();
        return Refusal::new(origin::Refused::STATUS, "refused", refused.to_string()).answer();
    }
    let path = request.uri().path().to_owned();
    let answered = match path.as_str() {
        "/healthz" => get(&request, || Ok(ops::healthz())),
        "/readyz" => get(&request, || Ok(ops::readyz(relay.takes_work()))),
        "/cable" => cable(relay, &config, request).await,
        "/listen" => listen(relay, &config, request).await,
        "/api/v1/tickets" => tickets(relay, &config, &request).await,
        _ if path.starts_with("/twilio/") => relay.twilio.webhook(relay.here(&config), request).await,
        _ => match path.strip_prefix("/api/v1/calls") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                calls(relay, &config, &request, rest).await
            }
            _ => Err(Refusal::not_found()),
        },
    };
    answered.unwrap_or_else(|refusal| refusal.answer())
}

impl Relay {
    fn here<'a>(&self, config: &'a Arc<Config>) -> Here<'a> {
        Here {
            config,
            local: self.local,
            draining: self.stop.is_cancelled(),
        }
    }

    fn takes_work(&self) -> bool {
        !self.stop.is_cancelled() && self.registry.has_room()
    }
}

fn get(
    request: &Request<Incoming>,
    answer: impl FnOnce() -> Result<Answer, Refusal>,
) -> Result<Answer, Refusal> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        answer()
    } else {
        Ok(respond::method_not_allowed("GET"))
    }
}

/// Twilio's streams; Action Cable's clients come to the same path and are told apart by what they show.
async fn cable(
    relay: &Arc<Relay>,
    config: &Arc<Config>,
    mut request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    let headers = request.headers();
    let offered: Vec<String> = upgrade::offered(headers, &SEC_WEBSOCKET_PROTOCOL)
        .map(str::to_owned)
        .collect();
    let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
    let shows_token =
        headers.contains_key(AUTHORIZATION) || query.get("ticket").or_else(|| query.get("token")).is_some();
    let offers_cable = offered.iter().any(|name| name.starts_with("actioncable-"));
    if !headers.contains_key(twilio::signature::HEADER) && (offers_cable || shows_token) {
        let message = "this version of the relay does not speak Action Cable yet; listeners use /listen";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "not_available", message));
    }
    let gate = relay.twilio.gate(relay.here(config), &request)?;
    refuse_when_leaving(relay)?;
    let echoed = offered
        .iter()
        .find(|name| !name.starts_with("actioncable-"))
        .and_then(|name| HeaderValue::from_str(name).ok());
    upgrade::check(&request)?;
    // Who shows a signature waits for nobody who shows none.
    let (seat, max_message) = if gate.shown().is_signed() {
        let seat = relay.metrics.streams_waiting.try_hold(SIGNED);
        (
            Seat::Signed(seat.ok_or_else(too_many_streams)?, PROVEN_MESSAGE),
            PROVEN_MESSAGE,
        )
    } else {
        let at = At::of("cable", &request)?;
        (
            Seat::Unknown(relay.limits.preauth.enter(at.address).await?),
            SEAT_BYTES,
        )
    };
    let (answer, handshake) = upgrade::accept(&mut request, echoed, max_message)?;
    let (registry, stop) = (relay.registry.clone(), relay.stop.clone());
    relay.tasks.spawn(async move {
        if let Some(socket) = handshake.socket().await {
            twilio::socket::run(socket, gate, seat, registry, stop).await;
        }
    });
    Ok(answer)
}

async fn listen(
    relay: &Arc<Relay>,
    config: &Config,
    mut request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    refuse_when_leaving(relay)?;
    let offered: Vec<&str> = upgrade::offered(request.headers(), &SEC_WEBSOCKET_PROTOCOL).collect();
    // A client that offers none is taken for one that speaks it; one that offers only others is not.
    let agreed = offered
        .contains(&PROTOCOL)
        .then_some(HeaderValue::from_static(PROTOCOL));
    if agreed.is_none() && !offered.is_empty() {
        return Err(Refusal::bad_request(format!("offer the subprotocol {PROTOCOL}")));
    }
    upgrade::check(&request)?;
    let at = At::of("listen", &request)?;
    let shown = match relay.doorman.handshake(at, &request).await? {
        None if config.insecure => Some(Grant::insecure()),
        shown => shown,
    };
    let too_many = |error: TooMany| Refusal::too_many(error.to_string(), sockets::COME_BACK);
    let (shown, max_message) = match shown {
        Some(grant) => {
            let held = relay.doorman.socket(&grant).map_err(too_many)?;
            (Ok((grant, held)), MAX_CLIENT_MESSAGE)
        }
        None => (Err(relay.limits.preauth.enter(at.address).await?), SEAT_BYTES),
    };
    let Some(held) = relay.metrics.listeners.try_hold(config.max_listeners as u64) else {
        relay.metrics.listeners_refused.add_one();
        let message = "as many listeners as --max-listeners allows are connected; come back later";
        return Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_listeners",
            message,
        ));
    };
    let (answer, handshake) = upgrade::accept(&mut request, agreed, max_message)?;
    let relay = relay.clone();
    relay.tasks.clone().spawn(async move {
        let _held = held;
        if let Some(socket) = handshake.socket().await {
            relay.metrics.listeners_opened.add_one();
            let arrival = Arrival {
                shown,
                at,
                doorman: relay.doorman.clone(),
                registry: relay.registry.clone(),
                stop: relay.stop.clone(),
            };
            listen::socket::run(socket, arrival).await;
            relay.metrics.listeners_closed.add_one();
        }
    });
    Ok(answer)
}

fn too_many_streams() -> Refusal {
    let message = "too many streams have not begun yet";
    Refusal::too_many(message, SEAT_TIME)
}

fn refuse_when_leaving(relay: &Relay) -> Result<(), Refusal> {
    if !relay.stop.is_cancelled() {
        return Ok(());
    }
    let message = "the relay is leaving; come back later";
    Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "draining", message))
}

async fn tickets(relay: &Relay, config: &Config, request: &Request<Incoming>) -> Result<Answer, Refusal> {
    if request.method() != Method::POST {
        return Ok(respond::method_not_allowed("POST"));
    }
    let at = At::of("api", request)?;
    let grant = relay.doorman.api(at, request.headers(), config.insecure).await?;
    Ok(api::tickets::answer(&relay.doorman.ticket(&grant)?))
}

/// `rest` is what follows `/api/v1/calls`.
async fn calls(
    relay: &Relay,
    config: &Config,
    request: &Request<Incoming>,
    rest: &str,
) -> Result<Answer, Refusal> {
    let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
    let at = At::of("api", request)?;
    let grant = relay.doorman.api(at, request.headers(), config.insecure).await?;
    let registry = &relay.registry;
    let parts: Vec<&str> = rest.split('/').skip(1).collect();
    let sid = |text: &str| CallSid::parse(text).map_err(|_| Refusal::not_found());
    match (rest, parts.as_slice()) {
        ("", _) => get(request, || api::calls::list(registry, &grant, &query)),
        (_, [call]) => get(request, || api::calls::one(registry, &grant, &sid(call)?)),
        (_, [call, "transcript"]) => get(request, || {
            api::transcript::lines(registry, &grant, &sid(call)?, &query)
        }),
        (_, [call, "events"]) => get(request, || {
            api::transcript::events(registry, &grant, &sid(call)?, &query)
        }),
        (_, [call, "listeners"]) => get(request, || api::listeners::of_call(registry, &grant, &sid(call)?)),
        _ => Err(Refusal::not_found()),
    }
}
