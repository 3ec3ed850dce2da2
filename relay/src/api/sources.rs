//! `POST /api/v1/call_streams`, `/stream` and `/complete`: calls whose audio comes by HTTP, from what is not Twilio. Such
//! a call is a call like any other: its audio is played into it in real time, and nobody who listens can tell. A
//! source reaches the calls that it made, and no others: those answer as if there were none.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`stream`] | sans-I/O: pieces of audio in, frames out when it is time for them |
//! | [`asked`] | what is asked for, field by field |
//! | `live` | one call: what is posted, and the task that plays it |
//! | `name` | what a call is called (pure) |

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use partyline_shared::id::CallSid;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::body::Fields;
use crate::access::{Grant, Role};
use crate::calls::call::Standing;
use crate::calls::parties::FromWebhook;
use crate::calls::registry::{NotFollowed, Registry};
use crate::clock::Now;
use crate::lock::lock;
use crate::respond::{Answer, Refusal, with_type};
use crate::stop::Stop;

pub mod asked;
mod live;
mod name;
pub mod stream;

use asked::{Audio, New};
use live::{Ground, Source};
use name::Owner;

/// After so long a source that found no room may look again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Calls that are kept before it is looked for the first time which are forgotten elsewhere.
const FEW: usize = 256;

/// The sources of one relay.
pub struct Sources {
    registry: Arc<Registry>,
    ground: Arc<Ground>,
    all: Mutex<All>,
}

/// As many as there are calls, at most twice: the names of those whose retention is over go when there are too many.
#[derive(Default)]
struct All {
    calls: HashMap<CallSid, Arc<Source>>,
    /// At so many it is looked.
    full: usize,
}

impl Sources {
    /// None yet. Their tasks are `tasks`, their live streams are among `streams`, which a relay that drains waits for.
    pub fn new(registry: Arc<Registry>, stop: Stop, tasks: TaskTracker, streams: TaskTracker) -> Sources {
        let metrics = registry.metrics().clone();
        let leaving = CancellationToken::new();
        Sources {
            registry,
            ground: Arc::new(Ground {
                metrics,
                stop,
                tasks,
                streams,
                leaving,
                gone: stream::GONE,
            }),
            all: Mutex::default(),
        }
    }

    /// Every stream is to leave, also those to come.
    pub fn leave(&self) {
        self.ground.leaving.cancel();
    }

    /// Makes a call, `{"customer_id","from"?,"to"?,"direction"?,"external_id"?}`: 201 with `{"call_sid"}`. The same
    /// `external_id` of the same bearer for the same customer is the same call, and the same answer.
    ///
    /// # Errors
    /// 400 where a field is missing or wrong or the call was erased, 403 where the customer is not the bearer's, 503
    /// where there are too many calls or the relay leaves.
    pub fn create(&self, grant: &Grant, fields: &Fields) -> Result<Answer, Refusal> {
        let new = New::read(fields)?;
        if !grant.publishes_audio_for(Some(&new.customer_id)) {
            let message = "this token publishes for other customers; say one of its own as customer_id";
            return Err(Refusal::new(StatusCode::FORBIDDEN, "not_allowed", message));
        }
        let owner = Owner::of(grant);
        let sid = owner
            .call(&new.customer_id, new.external_id.as_deref())
            .ok_or_else(Refusal::not_found)?;
        let mut all = lock(&self.all);
        if self.known(&mut all, &sid).is_some() {
            return Ok(named(StatusCode::CREATED, &sid));
        }
        let token = self.ground.token()?;
        let now = Now::take();
        let call = self.registry.open(now, &sid).map_err(|why| match why {
            NotFollowed::Erased => live::erased(),
            NotFollowed::TooManyCalls => Refusal {
                retry_after: Some(LOOK_AGAIN),
                ..Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_calls", why.to_string())
            },
        })?;
        call.introduced(
            now,
            FromWebhook {
                parties: new.parties,
                customer_id: Some(new.customer_id),
                ..FromWebhook::default()
            },
            owner.mark(),
        );
        let source = Source::new(&call, owner.mark());
        source.begin(call, now, &self.ground, token);
        all.keep(sid.clone(), source);
        Ok(named(StatusCode::CREATED, &sid))
    }

    /// The call that [`Sources::create`] would make, where that is the same each time.
    pub fn named(&self, grant: &Grant, fields: &Fields) -> Option<CallSid> {
        let new = New::read(fields).ok()?;
        let external = new.external_id.as_deref()?;
        Owner::of(grant).call(&new.customer_id, Some(external))
    }

    /// Takes audio, `{"call_sid","track","payload"}`: 202 with `{"ahead_ms"}`, how much of the track waits to be heard.
    ///
    /// # Errors
    /// 400 where a field is missing or wrong or the call is over, 404 where it is none of the bearer's, 413 where it is
    /// too much at once, 429 where it is too far ahead, 503 where its stream was lost and the relay leaves.
    pub fn stream(&self, grant: &Grant, fields: &Fields) -> Result<Answer, Refusal> {
        let audio = Audio::read(fields)?;
        let (source, standing) = self.find(grant, &audio.call_sid)?;
        if standing == Standing::Over {
            self.ground.metrics.audio_late.add_one();
            return Err(live::over());
        }
        let ahead = source.publish(&self.ground, audio.track, &audio.mulaw)?;
        let ahead_ms = ahead.as_millis() as u64;
        let body = json!({ "ahead_ms": ahead_ms }).to_string();
        Ok(with_type(StatusCode::ACCEPTED, "application/json", body))
    }

    /// Ends a call, `{"call_sid"}`: 200 with it. What waits is played first; once more does nothing.
    ///
    /// # Errors
    /// 400 where the field is missing or wrong, 404 where the call is none of the bearer's.
    pub fn complete(&self, grant: &Grant, fields: &Fields) -> Result<Answer, Refusal> {
        let sid = asked::call(fields)?;
        let (source, standing) = self.find(grant, &sid)?;
        if standing == Standing::Live {
            source.complete();
        }
        Ok(named(StatusCode::OK, &sid))
    }

    /// A source's call that is remembered: of this relay, or one that it has of another which is gone.
    fn known(&self, all: &mut All, sid: &CallSid) -> Option<Arc<Source>> {
        let known = all.calls.get(sid).filter(|source| source.call().is_some());
        if let Some(source) = known {
            return Some(source.clone());
        }
        let call = self.registry.known(sid)?;
        let source = Source::new(&call, call.maker()?);
        all.keep(sid.clone(), source.clone());
        Some(source)
    }

    /// A call that the bearer made, or any where it is an admin.
    fn find(&self, grant: &Grant, sid: &CallSid) -> Result<(Arc<Source>, Standing), Refusal> {
        let source = self.known(&mut lock(&self.all), sid);
        let mine = |source: &Arc<Source>| grant.is_admin() || source.owner == Owner::of(grant).mark();
        let source = source.filter(mine).ok_or_else(Refusal::not_found)?;
        let call = source.call().ok_or_else(Refusal::not_found)?;
        match call.standing_for(grant) {
            Standing::Nothing => Err(Refusal::not_found()),
            standing => Ok((source, standing)),
        }
    }
}

impl All {
    fn keep(&mut self, sid: CallSid, source: Arc<Source>) {
        self.calls.insert(sid, source);
        if self.calls.len() >= self.full.max(FEW) {
            self.calls.retain(|_, source| source.call().is_some());
            self.full = self.calls.len() * 2;
        }
    }
}

/// Whether a bearer publishes audio at all, whatever the call: what it is told says nothing of calls.
///
/// # Errors
/// A [`Refusal`] with 403.
pub fn may_publish(grant: &Grant) -> Result<(), Refusal> {
    if matches!(grant.role(), Role::Admin | Role::Source) {
        return Ok(());
    }
    let message = "audio is published by tokens of the role source or admin";
    Err(Refusal::new(StatusCode::FORBIDDEN, "not_allowed", message))
}

fn named(status: StatusCode, sid: &CallSid) -> Answer {
    with_type(status, "application/json", json!({ "call_sid": sid }).to_string())
}
