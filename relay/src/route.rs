//! Path and subprotocol to door. Knows all doors; every request passes the check of who may ask first.

pub(crate) mod api;
mod audio;
mod cable;
mod listen;
mod page;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use partyline_shared::protocol::server::Relays;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::api::sources::Sources;
use crate::broker::commons::Commons;
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::config::Config;
use crate::doorman::Doorman;
use crate::limits::{Limits, guests, sockets};
use crate::metrics::{Held, Metrics};
use crate::presence::Presence;
use crate::respond::{self, Answer, Refusal};
use crate::sharing::Sharing;
use crate::sharing::asks::Asks;
use crate::state::State;
use crate::stop::Stop;
use crate::twilio::door::{Door, Here};
use crate::{ops, origin, tls, twilio};

/// After so long a listener that finds the relay draining may look again whether another has taken its place.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// What stands before the scripts' doors.
const API: &str = "/api/v1/";

/// The monitoring page, with what is below it.
const PAGE: &str = "/calls_monitoring";

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
    /// Calls whose audio comes by HTTP.
    pub sources: Arc<Sources>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Who is connected as a listener.
    pub presence: Arc<Presence>,
    /// What those may take who have shown nothing yet, or the wrong thing.
    pub limits: Arc<Limits>,
    /// What a relay that is started again knows.
    pub state: Arc<State>,
    /// The relay among others, where calls are shared.
    pub sharing: Option<Arc<Sharing>>,
    /// What is asked of calls that other relays have, likewise.
    pub asks: Option<Arc<Asks>>,
    /// By what it speaks TLS, where it does so by itself.
    pub tls: Option<Arc<tls::Server>>,
    /// The address in use, with its real port.
    pub local: SocketAddr,
    /// When it was built.
    pub began: Now,
    /// What may happen once among all relays that share calls.
    pub commons: Arc<Commons>,
    /// How this one stands with the others, for who listens: whoever keeps calls in step says so. `None` where there are
    /// none.
    pub relays: Option<watch::Sender<Relays>>,
    /// Called when the relay leaves.
    pub stop: Stop,
    /// Every connection and socket: who stops the relay waits for them.
    pub tasks: TaskTracker,
    /// Twilio's streams among them, from the handshake on, and those of sources: a relay that drains waits for these.
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
        "/cable" => cable::answer(relay, &config, request).await,
        "/listen" => listen::answer(relay, &config, request).await,
        _ if path.starts_with("/twilio/") => relay.twilio.webhook(relay.here(&config), request).await,
        _ => match (path.strip_prefix(API), path.strip_prefix(PAGE)) {
            (Some(rest), _) => api::answer(relay, &config, request, rest).await,
            (_, Some(rest)) => page::answer(relay, &config, &request, rest).await,
            (None, None) => Err(Refusal::not_found()),
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
        let synced = self.sharing.as_ref().is_none_or(|sharing| sharing.is_synced());
        synced && !self.stop.is_draining() && self.registry.has_room()
    }
}

fn get(
    request: &Request<Incoming>,
    answer: impl FnOnce() -> Result<Answer, Refusal>,
) -> Result<Answer, Refusal> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        answer()
    } else {
        Ok(respond::method_not_allowed("GET, HEAD"))
    }
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

/// Whether somebody may come to listen: the relay does not leave, and has memory for it.
fn admit(relay: &Relay) -> Result<(), Refusal> {
    refuse_when_leaving(relay)?;
    if relay.limits.memory.refuses_listeners() {
        relay.metrics.requests_shed.add_one();
        relay.metrics.listeners_refused.add_one();
        return Err(busy("memory is short, and calls come first; come back later"));
    }
    Ok(())
}

/// A place among the listeners of the relay.
fn hold_listener(relay: &Relay, config: &Config) -> Result<Held, Refusal> {
    let held = relay.metrics.listeners.try_hold(config.max_listeners as u64);
    held.ok_or_else(|| {
        relay.metrics.listeners_refused.add_one();
        let message = "as many listeners as --max-listeners allows are connected; come back later";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_listeners", message)
    })
}
