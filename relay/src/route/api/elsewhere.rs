//! Requests about calls that other relays have: brought to whoever has the call, and done here for others. What may not
//! be asked is refused here, before anybody else hears of it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use http::{Method, StatusCode};
use partyline_shared::id::CallSid;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::{sleep, timeout};

use super::table::{self, What};
use super::{Asked, run};
use crate::access::Right;
use crate::api::body::{self, Fields};
use crate::api::query::Query;
use crate::api::sources;
use crate::calls::call::Call;
use crate::clock::Now;
use crate::doorman::At;
use crate::errand::{Answered, Errand, Hands, Later, Posted};
use crate::respond::{Answer, Refusal, json as json_answer};
use crate::route::Relay;
use crate::sharing::asks::Asks;

/// How long is waited for what another relay did to be seen here: it is told within some ten milliseconds.
const SHOWN: Duration = Duration::from_millis(500);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// This relay, as who does what others ask for. Gone with it.
pub(crate) struct Here(Weak<Relay>);

impl Here {
    pub(crate) fn of(relay: &Arc<Relay>) -> Here {
        Here(Arc::downgrade(relay))
    }
}

impl Hands for Here {
    fn run(&self, errand: Errand) -> Later<Answered> {
        let relay = self.0.upgrade();
        Box::pin(async move {
            let done = match relay {
                Some(relay) => do_for_another(&relay, &errand).await,
                None => Err(Refusal::moving()),
            };
            Answered::of(done.unwrap_or_else(|refusal| refusal.answer())).await
        })
    }
}

/// Does what a bearer asked of another relay: judged by what is known of it here.
async fn do_for_another(relay: &Relay, errand: &Errand) -> Result<Answer, Refusal> {
    let config = relay.config.load_full();
    let access = relay.doorman.access();
    let grant = access.carried(&errand.grant, Now::take().wall, config.insecure);
    let grant = grant.ok_or_else(|| {
        let message = "the relay that has this call does not know this token; give all relays the same ones";
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
    })?;
    let (route, name) = table::find(&errand.path).ok_or_else(Refusal::not_found)?;
    let method = Method::from_bytes(errand.method.as_bytes()).map_err(|_| Refusal::not_found())?;
    if !route.takes(method.as_str()) {
        return Err(Refusal::not_found());
    }
    let asked = Asked {
        what: route.what,
        method,
        path: &errand.path,
        name,
        grant: &grant,
        at: At {
            door: "api",
            address: errand.address,
        },
    };
    let fields = errand.body.as_ref().map(body::read).transpose()?;
    run(relay, &asked, &Query::parse(None)?, fields.as_ref()).await
}

/// Has a request done by who has its call; `None` where it is to be done here.
pub(super) async fn carry(
    relay: &Relay,
    asks: &Arc<Asks>,
    asked: &Asked<'_>,
    fields: Option<&(Fields, Posted)>,
) -> Option<Result<Answer, Refusal>> {
    match asked.what {
        What::Listeners | What::CallListeners => return gather(relay, asks, asked).await,
        What::Listener => return end(relay, asks, asked).await,
        _ => {}
    }
    let sid = subject(relay, asked, fields.map(|(fields, _)| fields))?;
    let call = relay.registry.known(&sid)?;
    if call.is_ours() || !may(asked, &call) {
        return None;
    }
    let posted = fields.map(|(_, posted)| posted.clone());
    let answered = asks.ask(&sid, &errand(asked, posted)).await?;
    show_here(relay, asked, &call, answered.status).await;
    Some(Ok(answered.answer()))
}

/// What is answered is so here too: who reads next may ask this relay.
async fn show_here(relay: &Relay, asked: &Asked<'_>, call: &Call, status: u16) {
    match (asked.what, status) {
        (What::Pause | What::Resume, 200) => {
            let paused = asked.what == What::Pause;
            let shown = async {
                while call.is_paused() != paused {
                    sleep(LOOK).await;
                }
            };
            // It is done; only that it is seen is late.
            let _ = timeout(SHOWN, shown).await;
        }
        (What::Call, 204) => {
            relay.registry.erase(Now::take(), call.sid());
            relay.state.save(&relay.registry, &relay.twilio).await;
        }
        _ => {}
    }
}

/// The call that a request would change.
fn subject(relay: &Relay, asked: &Asked<'_>, fields: Option<&Fields>) -> Option<CallSid> {
    match asked.what {
        What::Pause | What::Resume | What::Marks => asked.sid().ok(),
        What::Call if asked.method == Method::DELETE => asked.sid().ok(),
        What::Transcript if asked.posts() => asked.sid().ok(),
        What::Stream | What::Complete => sources::asked::call(fields?).ok(),
        What::CallStreams => relay.sources.named(asked.grant, fields?),
        _ => None,
    }
}

/// Whether a bearer may change a call by a request: who may not is told so here, as of a call that is not there.
fn may(asked: &Asked<'_>, call: &Call) -> bool {
    let grant = asked.grant;
    match asked.what {
        What::Pause | What::Resume => grant.has(Right::Pause) && call.is_covered_by(grant),
        What::Marks => call.may_be_marked_by(grant),
        What::Call => grant.is_admin(),
        What::Transcript => grant.publishes_lines_for(call.customer_id().as_deref()),
        _ => grant.publishes_audio_for(call.customer_id().as_deref()),
    }
}

fn errand(asked: &Asked<'_>, body: Option<Posted>) -> Errand {
    Errand {
        method: asked.method.to_string(),
        path: asked.path.to_owned(),
        body,
        grant: asked.grant.to_wire(),
        address: asked.at.address,
    }
}

/// Who is connected at all relays together, each with its relay; relays that did not answer are named.
async fn gather(relay: &Relay, asks: &Arc<Asks>, asked: &Asked<'_>) -> Option<Result<Answer, Refusal>> {
    if !may_see(relay, asked) {
        return None;
    }
    let mine = match run(relay, asked, &Query::parse(None).ok()?, None).await {
        Ok(answer) => Answered::of(answer).await,
        Err(refusal) => return Some(Err(refusal)),
    };
    let mut get = errand(asked, None);
    get.method = Method::GET.to_string();
    let mut missing = Vec::new();
    let mut all = Vec::new();
    let others = asks.ask_all(&get).await;
    let answers = std::iter::once((Arc::from(relay.registry.node()), Some(mine))).chain(others);
    for (node, answered) in answers {
        match answered.and_then(|answered| listeners(&answered)) {
            Some(listeners) => all.extend(listeners.into_iter().map(|one| at(one, &node))),
            None => missing.push(node.to_string()),
        }
    }
    // In the order of coming, as one relay's are.
    let since = ["connected_at", "since"];
    all.sort_by_cached_key(|one| {
        let told = since.iter().find_map(|name| one.get(*name)?.as_str());
        told.map(str::to_owned)
    });
    let body = match missing.as_slice() {
        [] => json!({ "listeners": all }),
        missing => json!({ "listeners": all, "missing": missing }),
    };
    Some(Ok(json_answer(body.to_string())))
}

fn may_see(relay: &Relay, asked: &Asked<'_>) -> bool {
    let there = match asked.what {
        What::CallListeners => asked
            .sid()
            .is_ok_and(|sid| relay.registry.find(asked.grant, &sid).is_some()),
        _ => true,
    };
    asked.grant.is_admin() && there
}

/// What one relay answers.
#[derive(Deserialize)]
struct Listeners {
    listeners: Vec<Map<String, Value>>,
}

/// Those of one relay; none where it does not know the call.
fn listeners(answered: &Answered) -> Option<Vec<Map<String, Value>>> {
    match answered.status {
        200 => Some(serde_json::from_str::<Listeners>(&answered.body).ok()?.listeners),
        404 => Some(Vec::new()),
        _ => None,
    }
}

fn at(mut listener: Map<String, Value>, node: &str) -> Map<String, Value> {
    listener.insert("node".to_owned(), node.into());
    listener
}

/// Ends a listener at whichever relay it is.
async fn end(relay: &Relay, asks: &Arc<Asks>, asked: &Asked<'_>) -> Option<Result<Answer, Refusal>> {
    if !asked.grant.is_admin() || relay.presence.knows(asked.name) {
        return None;
    }
    let mut silent = false;
    for (_, answered) in asks.ask_all(&errand(asked, None)).await {
        match answered.map(|answered| answered.status) {
            Some(204) => return Some(Ok(crate::respond::no_content())),
            Some(404) => {}
            _ => silent = true,
        }
    }
    let message = "the listener is not at any relay that answers, and one has not; try again later";
    let unknown = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
    silent.then_some(Err(unknown))
}
