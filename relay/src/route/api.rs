//! The way to the scripts' doors, `/api/v1/…`. A path is known before it is asked who comes: what takes no such method
//! says so to everybody, and what needs no token asks for none.

mod elsewhere;
mod table;

use http::{Method, Request};
use hyper::body::Incoming;
use partyline_shared::id::CallSid;

use self::table::What;
use super::{Relay, audio};
use crate::access::Grant;
use crate::api;
use crate::api::body::Fields;
use crate::api::query::Query;
use crate::api::sources::asked::MAX_AUDIO_BODY;
use crate::config::Config;
use crate::doorman::At;
use crate::limits::guests;
use crate::respond::{self, Answer, MAX_BODY, Refusal};
pub(crate) use elsewhere::Here;

/// Answers a request for what follows `/api/v1/`.
pub(super) async fn answer(
    relay: &Relay,
    config: &Config,
    request: Request<Incoming>,
    path: &str,
) -> Result<Answer, Refusal> {
    let (route, name) = table::find(path).ok_or_else(Refusal::not_found)?;
    if !route.takes(request.method().as_str()) {
        return Ok(respond::method_not_allowed(route.methods));
    }
    match route.what {
        What::Openapi => return Ok(api::openapi::answer()),
        // Who hears is a listener, and shows who they are as one.
        What::Audio => return audio::answer(relay, config, &request, name).await,
        _ => {}
    }
    let at = At::of("api", &request)?;
    let (doorman, headers) = (&relay.doorman, request.headers());
    let grant = match route.what {
        What::Stream => doorman.audio(at, headers, config.insecure).await?,
        _ => doorman.api(at, headers, config.insecure).await?,
    };
    guests::passed(request.extensions());
    let query = Query::parse(request.uri().query())?;
    let asked = Asked {
        what: route.what,
        method: request.method().clone(),
        path,
        name,
        grant: &grant,
        at,
    };
    let fields = match most_of_body(&asked)? {
        None => None,
        Some(most) => {
            let posted = match route.what {
                What::Marks => api::body::take_any(request, most).await?,
                _ => api::body::take(request, most).await?,
            };
            Some((api::body::read(&posted)?, posted))
        }
    };
    if let Some(asks) = &relay.asks {
        let carried = elsewhere::carry(relay, asks, &asked, fields.as_ref()).await;
        if let Some(answer) = carried {
            return answer;
        }
    }
    run(relay, &asked, &query, fields.as_ref().map(|(fields, _)| fields)).await
}

/// A request whose bearer is known.
struct Asked<'a> {
    what: What,
    method: Method,
    /// After `/api/v1/`.
    path: &'a str,
    /// The name in it.
    name: &'a str,
    grant: &'a Grant,
    at: At,
}

impl Asked<'_> {
    fn sid(&self) -> Result<CallSid, Refusal> {
        CallSid::parse(self.name).map_err(|_| Refusal::not_found())
    }

    fn posts(&self) -> bool {
        self.method == Method::POST
    }
}

/// How much of a body is read, where there is one; who may not post anything is told so before that.
fn most_of_body(asked: &Asked<'_>) -> Result<Option<usize>, Refusal> {
    match asked.what {
        What::Transcript if asked.posts() => {
            api::lines::may_write(asked.grant)?;
            asked.sid()?;
            Ok(Some(MAX_BODY))
        }
        What::Marks => {
            asked.sid()?;
            Ok(Some(MAX_BODY))
        }
        What::CallStreams | What::Complete | What::Stream => {
            api::sources::may_publish(asked.grant)?;
            let is_audio = asked.what == What::Stream;
            Ok(Some(if is_audio { MAX_AUDIO_BODY } else { MAX_BODY }))
        }
        _ => Ok(None),
    }
}

/// What was done is known in Redis too, where there is one that answers: it does not end with this relay.
async fn kept(relay: &Relay) {
    if let Some(asks) = &relay.asks {
        asks.is_kept().await;
    }
}

/// Does what is asked for, here.
async fn run(
    relay: &Relay,
    asked: &Asked<'_>,
    query: &Query,
    fields: Option<&Fields>,
) -> Result<Answer, Refusal> {
    let (registry, presence, grant) = (&relay.registry, &relay.presence, asked.grant);
    let fields = || fields.ok_or_else(Refusal::not_found);
    match asked.what {
        // Asked for before there is a bearer.
        What::Openapi | What::Audio => Err(Refusal::not_found()),
        What::Tickets => Ok(api::tickets::answer(&relay.doorman.ticket(grant).await?)),
        What::Listeners => api::listeners::all(presence, grant),
        What::Listener => api::listeners::end(presence, &relay.metrics, grant, asked.name),
        What::Calls => api::calls::list(registry, grant, query),
        What::Call if asked.method == Method::DELETE => {
            let answer = api::control::erase(registry, grant, &asked.sid()?)?;
            // What is gone does not come back with a relay that is started after a kill.
            relay.state.save(registry, &relay.twilio).await;
            kept(relay).await;
            Ok(answer)
        }
        What::Call => api::calls::one(registry, grant, &asked.sid()?),
        What::Pause | What::Resume => {
            let (audit, on) = (relay.doorman.audit(), asked.what == What::Pause);
            let sid = asked.sid()?;
            let answer = api::control::hold(registry, audit, grant, asked.at, &sid, on).await?;
            // A relay that is killed now holds it back when it is started again.
            relay.state.save(registry, &relay.twilio).await;
            kept(relay).await;
            // Where another relay took it just before, that one has yet to hear of it.
            match registry.known(&sid) {
                Some(call) if !call.is_ours() => Err(Refusal::moving()),
                _ => Ok(answer),
            }
        }
        What::Marks => api::marks::write(registry, grant, &asked.sid()?, fields()?),
        What::Transcript if asked.posts() => api::lines::write(registry, grant, &asked.sid()?, fields()?),
        What::Transcript => api::transcript::lines(registry, grant, &asked.sid()?, query),
        What::Events => api::transcript::events(registry, grant, &asked.sid()?, query),
        What::CallListeners => api::listeners::of_call(registry, presence, grant, &asked.sid()?),
        What::CallStreams => relay.sources.create(grant, fields()?),
        What::Complete => relay.sources.complete(grant, fields()?),
        What::Stream => relay.sources.stream(grant, fields()?),
    }
}
