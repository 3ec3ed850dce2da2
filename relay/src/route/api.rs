//! The way to the scripts' doors, `/api/v1/…`. A path is known before it is asked who comes: what takes no such method
//! says so to everybody, and what needs no token asks for none.

mod table;

use http::{Method, Request};
use hyper::body::Incoming;
use partyline_shared::id::CallSid;

use self::table::What;
use super::{Relay, audio};
use crate::api;
use crate::api::query::Query;
use crate::api::sources::asked::MAX_AUDIO_BODY;
use crate::config::Config;
use crate::doorman::At;
use crate::limits::guests;
use crate::respond::{self, Answer, MAX_BODY, Refusal};

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
    let (registry, presence) = (&relay.registry, &relay.presence);
    let sid = || CallSid::parse(name).map_err(|_| Refusal::not_found());
    match route.what {
        What::Openapi => Ok(api::openapi::answer()),
        What::Audio => audio::answer(relay, config, &request, name).await,
        What::Tickets => Ok(api::tickets::answer(&relay.doorman.ticket(&grant)?)),
        What::Listeners => api::listeners::all(presence, &grant),
        What::Listener => api::listeners::end(presence, &relay.metrics, &grant, name),
        What::Calls => api::calls::list(registry, &grant, &query),
        What::Call if request.method() == Method::DELETE => {
            let answer = api::control::erase(registry, &grant, &sid()?)?;
            // What is gone does not come back with a relay that is started after a kill.
            relay.state.save(registry, &relay.twilio).await;
            Ok(answer)
        }
        What::Call => api::calls::one(registry, &grant, &sid()?),
        What::Pause | What::Resume => {
            let (audit, on) = (relay.doorman.audit(), route.what == What::Pause);
            let answer = api::control::hold(registry, audit, &grant, at, &sid()?, on).await?;
            // A relay that is killed now holds it back when it is started again.
            relay.state.save(registry, &relay.twilio).await;
            Ok(answer)
        }
        What::Transcript if request.method() == Method::POST => {
            api::lines::may_write(&grant)?;
            let sid = sid()?;
            let fields = api::body::read(request, MAX_BODY).await?;
            api::lines::write(registry, &grant, &sid, &fields)
        }
        What::Transcript => api::transcript::lines(registry, &grant, &sid()?, &query),
        What::Events => api::transcript::events(registry, &grant, &sid()?, &query),
        What::CallListeners => api::listeners::of_call(registry, presence, &grant, &sid()?),
        What::CallStreams | What::Complete | What::Stream => {
            api::sources::may_publish(&grant)?;
            let is_audio = route.what == What::Stream;
            let most = if is_audio { MAX_AUDIO_BODY } else { MAX_BODY };
            let fields = api::body::read(request, most).await?;
            match route.what {
                What::CallStreams => relay.sources.create(&grant, &fields),
                What::Complete => relay.sources.complete(&grant, &fields),
                _ => relay.sources.stream(&grant, &fields),
            }
        }
    }
}
