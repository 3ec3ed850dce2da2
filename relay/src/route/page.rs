//! The way to the monitoring page, `/calls_monitoring`: for a browser the page and its files, which anybody may have;
//! for a script what `/api/v1/calls` says, for whom it says it.

use http::header::HOST;
use http::{Method, Request};
use hyper::body::Incoming;
use partyline_shared::id::CallSid;

use super::{Relay, get};
use crate::api::query::Query;
use crate::config::{Config, Origin};
use crate::doorman::At;
use crate::limits::guests;
use crate::respond::{Answer, Refusal, method_not_allowed};
use crate::{api, page};

/// Below this are the page's files.
const FILES: &str = "/assets/";

/// Answers a request for what follows `/calls_monitoring`.
pub(super) async fn answer(
    relay: &Relay,
    config: &Config,
    request: &Request<Incoming>,
    rest: &str,
) -> Result<Answer, Refusal> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(method_not_allowed("GET, HEAD"));
    }
    if let Some(name) = rest.strip_prefix(FILES) {
        return page::file(name, request.headers());
    }
    let call = match rest.strip_prefix('/') {
        None if rest.is_empty() => None,
        Some("") => None,
        Some(call) if !call.contains('/') => Some(call),
        _ => return Err(Refusal::not_found()),
    };
    if page::accept::prefers_html(request.headers()) {
        // The same whether there is such a call or not: the page finds out by what its token lets it see.
        return Ok(page::html(&sockets(relay, config, request)));
    }
    let at = At::of("page", request)?;
    let grant = relay.doorman.api(at, request.headers(), config.insecure).await?;
    guests::passed(request.extensions());
    let mut answer = get(request, || match call {
        None => {
            let query = Query::parse(request.uri().query())?;
            api::calls::list(&relay.registry, &grant, &query)
        }
        Some(call) => {
            let sid = CallSid::parse(call).map_err(|_| Refusal::not_found())?;
            api::calls::one(&relay.registry, &grant, &sid)
        }
    })?;
    page::varies(&mut answer);
    Ok(answer)
}

/// Where the page may connect to: the public URL's host. Under --insecure it is opened by any of this machine's own
/// names, and `origin` has looked at that one already.
fn sockets(relay: &Relay, config: &Config, request: &Request<Incoming>) -> Vec<String> {
    let scheme = if relay.tls.is_some() { "https" } else { "http" };
    let here = config.insecure.then(|| {
        let host = request.headers().get(HOST)?.to_str().ok()?;
        Origin::parse(&format!("{scheme}://{host}"))
    });
    let mut sockets: Vec<String> = config
        .public_url
        .iter()
        .chain(&here.flatten())
        .map(page::policy::socket)
        .collect();
    sockets.dedup();
    sockets
}
