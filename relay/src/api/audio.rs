//! `GET /api/v1/calls/:sid/audio.wav?track=inbound|outbound|both`: a live call as a WAV without end, for any player. Who
//! takes it keeps it, as far as the relay can tell, so it needs the right to; and is on record before the first sample.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`jitter`] | frames to samples on a clock (a machine) |
//! | `body` | pumps a call through it into the answer |
//! | `watch` | ends it when the listener may not hear it any more, or does not read |
//! | `record` | that it is heard, and no more, on record |
//!
//! The file ends as a file does when the call ends. Whatever else ends it breaks it off, so that nobody takes a part for
//! the whole.

mod body;
pub mod jitter;
mod record;
mod watch;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, StatusCode};
use http_body_util::{BodyExt, Either};
use partyline_shared::audio::wav;
use partyline_shared::id::CallSid;
use partyline_shared::track::Track;

use crate::access::{Grant, Right};
use crate::audit::{Entry, Event};
use crate::calls::call::Call;
use crate::calls::registry::Registry;
use crate::clock::Now;
use crate::doorman::{At, Doorman};
use crate::limits::guests::Visit;
use crate::limits::sockets;
use crate::metrics::Held;
use crate::presence::Presence;
use crate::respond::{Answer, Body, Refusal};
use crate::stop::Stop;
use body::Live;
use record::Heard;

pub use jitter::Kept;

/// A proxy that would collect an answer before it hands it on hands on what there is (nginx, and others after it).
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Who comes to hear what.
pub struct Arrival {
    /// Who it is.
    pub grant: Grant,
    /// From where, and by which door.
    pub at: At,
    /// The call, which the grant covers.
    pub call: Arc<Call>,
    /// Which tracks.
    pub kept: Kept,
    /// Its place among the sockets of its token.
    pub socket: sockets::Held,
    /// Its place among the listeners of the relay.
    pub held: Held,
    /// The connection that it came by.
    pub visit: Arc<Visit>,
    /// Who knows bearers.
    pub doorman: Arc<Doorman>,
    /// Every call.
    pub registry: Arc<Registry>,
    /// Who is connected.
    pub presence: Arc<Presence>,
    /// The relay's word to leave.
    pub stop: Stop,
}

/// Which tracks `?track=` names: both where it names none.
///
/// # Errors
/// 400 for anything else.
pub fn kept(track: Option<&str>) -> Result<Kept, Refusal> {
    match track {
        None | Some("both") => Ok(Kept::Both),
        Some("inbound") => Ok(Kept::One(Track::Inbound)),
        Some("outbound") => Ok(Kept::One(Track::Outbound)),
        Some(_) => Err(Refusal::bad_request("track is inbound, outbound or both")),
    }
}

/// The call of this name, for who may keep its audio.
///
/// # Errors
/// 404 where it does not exist or is not granted; 403 where only the right is missing, which goes on record.
pub fn find(
    registry: &Registry,
    doorman: &Doorman,
    at: At,
    grant: &Grant,
    sid: &CallSid,
) -> Result<Arc<Call>, Refusal> {
    let call = registry.find(grant, sid).ok_or_else(Refusal::not_found)?;
    if !grant.has(Right::Save) {
        let refused = Entry::new(Now::take().wall, Event::Refused)
            .by(grant.name(), grant.role(), grant.token_id())
            .through(at.door, at.address)
            .of_call(sid.clone(), call.customer_id().as_deref());
        doorman
            .audit()
            .refuse(Instant::now(), refused, record::NEEDS_SAVE);
        return Err(needs_save());
    }
    Ok(call)
}

fn needs_save() -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, "not_allowed", record::NEEDS_SAVE)
}

/// What a listener would be answered, without listening.
pub fn head() -> Answer {
    answer(Either::Right(Silent.boxed_unsync()))
}

/// Lets somebody hear. Begins at once, whether or not anybody speaks; of a call that is over there is only the header.
///
/// # Errors
/// 503 where it cannot be put on record; 404 where the call is gone meanwhile.
pub async fn begin(arrival: Arrival) -> Result<Answer, Refusal> {
    let head = Bytes::copy_from_slice(&wav::header(arrival.kept.channels(), wav::UNKNOWN_SIZE));
    if arrival.call.ended().is_some() {
        return Ok(answer(crate::respond::whole(head)));
    }
    let heard = Heard::begin(
        arrival.doorman.audit().clone(),
        arrival.at,
        &arrival.grant,
        &arrival.call,
    )
    .await?;
    let live = Live::begin(head, arrival, heard)?;
    Ok(answer(Either::Right(live.boxed_unsync())))
}

fn answer(body: Body) -> Answer {
    let mut answer = Answer::new(body);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
    headers.insert(UNBUFFERED, HeaderValue::from_static("no"));
    answer
}

/// A body of which nobody is told how long it is: what a HEAD is answered has none.
#[derive(Debug)]
struct Silent;

impl hyper::body::Body for Silent {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Ready(None)
    }
}
