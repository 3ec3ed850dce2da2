//! Path and subprotocol to door. Knows all doors; every request passes the check of who may ask first.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use partyline_shared::id::CallSid;
use partyline_shared::protocol::{MAX_CLIENT_MESSAGE, PROTOCOL};
use partyline_shared::twilio::form::Form;
use partyline_shared::twilio::media::MAX_MESSAGE;
use tokio_util::task::TaskTracker;

use crate::access::Grant;
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::config::Config;
use crate::listen::session::Session;
use crate::metrics::Metrics;
use crate::respond::{self, Answer, Refusal};
use crate::stop::Stop;
use crate::twilio::webhook::{self, Whereto};
use crate::{api, listen, ops, origin, twilio, upgrade};

/// What the doors share.
pub struct Relay {
    /// In force now; swapped whole.
    pub config: ArcSwap<Config>,
    /// Every call.
    pub registry: Arc<Registry>,
    /// Counters.
    pub metrics: Arc<Metrics>,
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
        "/cable" => cable(relay, request),
        "/listen" => listen(relay, &config, request),
        _ if path.starts_with("/twilio/") => twilio(relay, &config, request).await,
        _ => match path.strip_prefix("/api/v1/calls") {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => calls(relay, &request, rest),
            _ => Err(Refusal::not_found()),
        },
    };
    answered.unwrap_or_else(|refusal| refusal.answer())
}

impl Relay {
    fn takes_work(&self) -> bool {
        !self.stop.is_cancelled() && self.registry.has_room()
    }

    /// What a request without a token may do: everything, where --insecure lets it in at all.
    fn grant(&self, _headers: &HeaderMap) -> Grant {
        Grant::insecure()
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
fn cable(relay: &Arc<Relay>, mut request: Request<Incoming>) -> Result<Answer, Refusal> {
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
    refuse_when_leaving(relay)?;
    let echoed = offered
        .iter()
        .find(|name| !name.starts_with("actioncable-"))
        .and_then(|name| HeaderValue::from_str(name).ok());
    let (answer, handshake) = upgrade::accept(&mut request, echoed, MAX_MESSAGE)?;
    let (registry, stop) = (relay.registry.clone(), relay.stop.clone());
    relay.tasks.spawn(async move {
        if let Some(socket) = handshake.socket().await {
            twilio::socket::run(socket, registry, stop).await;
        }
    });
    Ok(answer)
}

fn listen(relay: &Arc<Relay>, config: &Config, mut request: Request<Incoming>) -> Result<Answer, Refusal> {
    refuse_when_leaving(relay)?;
    let offered: Vec<&str> = upgrade::offered(request.headers(), &SEC_WEBSOCKET_PROTOCOL).collect();
    // A client that offers none is taken for one that speaks it; one that offers only others is not.
    let agreed = offered
        .contains(&PROTOCOL)
        .then_some(HeaderValue::from_static(PROTOCOL));
    if agreed.is_none() && !offered.is_empty() {
        return Err(Refusal::bad_request(format!("offer the subprotocol {PROTOCOL}")));
    }
    let grant = relay.grant(request.headers());
    let (answer, handshake) = upgrade::accept(&mut request, agreed, MAX_CLIENT_MESSAGE)?;
    let Some(held) = relay.metrics.listeners.try_hold(config.max_listeners as u64) else {
        relay.metrics.listeners_refused.add_one();
        let message = "as many listeners as --max-listeners allows are connected; come back later";
        return Err(Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_listeners",
            message,
        ));
    };
    let relay = relay.clone();
    relay.tasks.clone().spawn(async move {
        let _held = held;
        if let Some(socket) = handshake.socket().await {
            relay.metrics.listeners_opened.add_one();
            let outlet = socket.writer().clone();
            let session = Session::new(Now::take(), relay.registry.clone(), grant, Some(outlet));
            listen::socket::run(socket, session, relay.stop.clone()).await;
            relay.metrics.listeners_closed.add_one();
        }
    });
    Ok(answer)
}

fn refuse_when_leaving(relay: &Relay) -> Result<(), Refusal> {
    if !relay.stop.is_cancelled() {
        return Ok(());
    }
    let message = "the relay is leaving; come back later";
    Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "draining", message))
}

async fn twilio(relay: &Relay, config: &Config, request: Request<Incoming>) -> Result<Answer, Refusal> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if ![
        "/twilio/voice",
        "/twilio/notice",
        "/twilio/status",
        "/twilio/stream",
        "/twilio/transcription",
    ]
    .contains(&path)
    {
        return Err(Refusal::not_found());
    }
    if parts.method != Method::POST {
        return Ok(respond::method_not_allowed("POST"));
    }
    let form = Form::parse(&respond::read_form(&parts.headers, body).await?);
    let query = Form::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let now = Now::take();
    let xml = |text: String| {
        Ok(respond::with_type(
            StatusCode::OK,
            twilio::twiml::CONTENT_TYPE,
            text,
        ))
    };
    match path {
        "/twilio/voice" => {
            let (base, host) = (config.base(relay.local), config.host(relay.local));
            let to = Whereto {
                base: &base,
                host: &host,
                draining: relay.stop.is_cancelled(),
            };
            return xml(webhook::voice(now, config, &relay.registry, to, &query, &form));
        }
        "/twilio/notice" => return xml(webhook::notice(config)),
        "/twilio/status" => webhook::status(now, &relay.registry, &form),
        "/twilio/stream" => webhook::stream(now, &relay.registry, &form),
        _ => webhook::transcription(now, &relay.registry, &form),
    }
    Ok(respond::no_content())
}

/// `rest` is what follows `/api/v1/calls`.
fn calls(relay: &Relay, request: &Request<Incoming>, rest: &str) -> Result<Answer, Refusal> {
    let query = Form::parse(request.uri().query().unwrap_or_default().as_bytes());
    let grant = relay.grant(request.headers());
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
