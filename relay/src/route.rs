//! Path and subprotocol to door. Knows all doors; every request passes the check of who may ask first.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::{MAX_CLIENT_MESSAGE, PROTOCOL};
use partyline_shared::twilio::form::Form;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::access::Grant;
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::config::Config;
use crate::doorman::{At, Doorman};
use crate::limits::preauth::{self, PROVEN_MESSAGE, SEAT_BYTES};
use crate::limits::sockets::{self, TooMany};
use crate::limits::{Limits, guests};
use crate::listen::socket::Arrival;
use crate::metrics::Metrics;
use crate::presence::Presence;
use crate::respond::{self, Answer, Refusal};
use crate::stop::Stop;
use crate::twilio::door::{Door, Here};
use crate::twilio::seat::Seat;
use crate::{api, listen, ops, origin, tls, twilio, upgrade};

/// After so long a listener that finds the relay draining may look again whether another has taken its place.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What stands before a listener's id.
const LISTENER: &str = "/api/v1/listeners/";

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
    /// Who is connected as a listener.
    pub presence: Arc<Presence>,
    /// What those may take who have shown nothing yet, or the wrong thing.
    pub limits: Arc<Limits>,
    /// By what it speaks TLS, where it does so by itself.
    pub tls: Option<Arc<tls::Server>>,
    /// The address in use, with its real port.
    pub local: SocketAddr,
    /// When it was built.
    pub began: Now,
    /// Called when the relay leaves.
    pub stop: Stop,
    /// Every connection and socket: who stops the relay waits for them.
    pub tasks: TaskTracker,
    /// Twilio's streams among them, from the handshake on: a relay that drains waits for these.
    pub streams: TaskTracker,
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
    if let Some(answer) = shed(relay, &request, &path) {
        return answer;
    }
    let answered = match path.as_str() {
        "/healthz" => get(&request, || Ok(ops::healthz())),
        "/readyz" => get(&request, || Ok(ops::readyz(relay.takes_work()))),
        "/cable" => cable(relay, &config, request).await,
        "/listen" => listen(relay, &config, request).await,
        "/api/v1/listeners" => listeners(relay, &config, &request, None).await,
        "/api/v1/tickets" => tickets(relay, &config, &request).await,
        _ if path.starts_with("/twilio/") => relay.twilio.webhook(relay.here(&config), request).await,
        _ if path.starts_with(LISTENER) => {
            let id = path.strip_prefix(LISTENER);
            listeners(relay, &config, &request, id).await
        }
        _ => match path.strip_prefix("/api/v1/calls") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                calls(relay, &config, &request, rest).await
            }
            _ => Err(Refusal::not_found()),
        },
    };
    answered.unwrap_or_else(|refusal| refusal.answer())
}

/// Where files are short only Twilio is served, and who asks how the relay is; either keeps no connection.
fn shed(relay: &Relay, request: &Request<Incoming>, path: &str) -> Option<Answer> {
    if relay.metrics.connections.get() <= relay.limits.files.for_anyone {
        return None;
    }
    let signed = request.headers().contains_key(twilio::signature::HEADER);
    let mut answer = match path {
        "/cable" if signed => return None,
        _ if path.starts_with("/twilio/") => return None,
        "/healthz" => ops::healthz(),
        "/readyz" => ops::readyz(relay.takes_work()),
        _ => {
            relay.metrics.requests_shed.add_one();
            let message = "too many connections are open, and calls come first; come back later";
            busy(message).answer()
        }
    };
    guests::last(&mut answer);
    Some(answer)
}

fn busy(message: &str) -> Refusal {
    Refusal {
        retry_after: Some(sockets::COME_BACK),
        ..Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
    }
}

impl Relay {
    fn here<'a>(&self, config: &'a Arc<Config>) -> Here<'a> {
        Here {
            config,
            local: self.local,
            draining: self.stop.is_draining(),
        }
    }

    /// Whether the relay leaves.
    pub fn is_draining(&self) -> bool {
        self.stop.is_draining()
    }

    /// Whether new calls and listeners are welcome.
    pub fn takes_work(&self) -> bool {
        !self.stop.is_draining() && self.registry.has_room()
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
    // Before it is looked whether the relay drains: a stream that is let in is waited for.
    let token = relay.streams.token();
    refuse_when_leaving(relay)?;
    let echoed = offered
        .iter()
        .find(|name| !name.starts_with("actioncable-"))
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

async fn listen(
    relay: &Arc<Relay>,
    config: &Config,
    mut request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    refuse_when_leaving(relay)?;
    if relay.limits.memory.refuses_listeners() {
        relay.metrics.requests_shed.add_one();
        relay.metrics.listeners_refused.add_one();
        return Err(busy("memory is short, and calls come first; come back later"));
    }
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
    let (relay, tasks) = (relay.clone(), relay.tasks.clone());
    let serve = async move {
        let _held = held;
        if let Some(socket) = handshake.socket().await {
            relay.metrics.listeners_opened.add_one();
            let arrival = Arrival {
                shown,
                at,
                doorman: relay.doorman.clone(),
                registry: relay.registry.clone(),
                presence: relay.presence.clone(),
                stop: relay.stop.clone(),
            };
            listen::socket::run(socket, arrival).await;
            relay.metrics.listeners_closed.add_one();
        }
    };
    tasks.spawn(serve.in_current_span());
    Ok(answer)
}

fn refuse_when_leaving(relay: &Relay) -> Result<(), Refusal> {
    if !relay.stop.is_draining() {
        return Ok(());
    }
    relay.metrics.draining_refused.add_one();
    let message = "the relay is leaving; come back later";
    Err(Refusal {
        retry_after: Some(LOOK_AGAIN),
        ..Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "draining", message)
    })
}

async fn tickets(relay: &Relay, config: &Config, request: &Request<Incoming>) -> Result<Answer, Refusal> {
    if request.method() != Method::POST {
        return Ok(respond::method_not_allowed("POST"));
    }
    let at = At::of("api", request)?;
    let grant = relay.doorman.api(at, request.headers(), config.insecure).await?;
    guests::passed(request.extensions());
    Ok(api::tickets::answer(&relay.doorman.ticket(&grant)?))
}

/// All of them, or the one of this `id`.
async fn listeners(
    relay: &Relay,
    config: &Config,
    request: &Request<Incoming>,
    id: Option<&str>,
) -> Result<Answer, Refusal> {
    let at = At::of("api", request)?;
    let grant = relay.doorman.api(at, request.headers(), config.insecure).await?;
    match id {
        None => get(request, || api::listeners::all(&relay.presence, &grant)),
        Some(_) if request.method() != Method::DELETE => Ok(respond::method_not_allowed("DELETE")),
        Some(id) => api::listeners::end(&relay.presence, &relay.metrics, &grant, id),
    }
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
    guests::passed(request.extensions());
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
        (_, [call, "listeners"]) => get(request, || {
            api::listeners::of_call(registry, &relay.presence, &grant, &sid(call)?)
        }),
        _ => Err(Refusal::not_found()),
    }
}
