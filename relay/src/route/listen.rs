//! The way to `/listen`: who may come in, and how many.

use std::sync::Arc;

use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderValue, Request};
use hyper::body::Incoming;
use partyline_shared::protocol::{MAX_CLIENT_MESSAGE, PROTOCOL};
use tokio::sync::watch;
use tracing::Instrument;

use super::{Relay, admit, hold_listener};
use crate::access::Grant;
use crate::config::Config;
use crate::doorman::At;
use crate::limits::preauth::SEAT_BYTES;
use crate::limits::sockets::{self, TooMany};
use crate::listen::socket::Arrival;
use crate::respond::{Answer, Refusal};
use crate::{listen, upgrade};

/// Lets a listener in.
pub(super) async fn answer(
    relay: &Arc<Relay>,
    config: &Config,
    mut request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    admit(relay)?;
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
    let shown = match relay.doorman.handshake(at, &request, config.insecure).await? {
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
    let held = hold_listener(relay, config)?;
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
                relays: relay.relays.as_ref().map(watch::Sender::subscribe),
            };
            listen::socket::run(socket, arrival).await;
            relay.metrics.listeners_closed.add_one();
        }
    };
    tasks.spawn(serve.in_current_span());
    Ok(answer)
}
