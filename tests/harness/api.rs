//! What a script sees of calls: the reading side of /api/v1, as the contract's shapes. What can only be
//! asked for is asked for until it is so, or until the deadline.

use std::net::SocketAddr;

use partyline_shared::call::{Call, StreamState};
use partyline_shared::event::{Event, EventKind};
use partyline_shared::id::CallSid;
use partyline_shared::line::Line;
use serde::de::DeserializeOwned;

use crate::wait::{SOON, until};
use crate::{MediaSocket, Relay, TwilioCall, http};

/// One call, once it is known and `so`.
pub async fn call_once(relay: SocketAddr, sid: &CallSid, what: &str, so: impl Fn(&Call) -> bool) -> Call {
    let path = format!("/api/v1/calls/{sid}");
    until(SOON, what, async || {
        let answer = http::get(relay, &path).await;
        if answer.status == 404 {
            return None;
        }
        let call = shape(answer.expect(200).json());
        so(&call).then_some(call)
    })
    .await
}

/// One call as it stands.
pub async fn call(relay: SocketAddr, sid: &CallSid) -> Call {
    shape(
        http::get(relay, &format!("/api/v1/calls/{sid}"))
            .await
            .expect(200)
            .json(),
    )
}

/// What is remembered of its lines.
pub async fn lines(relay: SocketAddr, sid: &CallSid) -> Vec<Line> {
    let path = format!("/api/v1/calls/{sid}/transcript");
    shape(http::get(relay, &path).await.expect(200).json()["transcript"].take())
}

/// What is remembered of its events.
pub async fn events(relay: SocketAddr, sid: &CallSid) -> Vec<Event> {
    let path = format!("/api/v1/calls/{sid}/events");
    shape(http::get(relay, &path).await.expect(200).json()["events"].take())
}

/// The first event of a kind, once there is one for which `so` holds.
pub async fn event_once(
    relay: SocketAddr,
    sid: &CallSid,
    kind: EventKind,
    so: impl Fn(&Event) -> bool,
) -> Event {
    until(SOON, &format!("the event {kind} of {sid}"), async || {
        let events = events(relay, sid).await;
        events.into_iter().find(|event| event.kind == kind && so(event))
    })
    .await
}

/// The names of the calls that `/api/v1/calls` lists, in its order; `query` begins with `?`, or is empty.
pub async fn listed(relay: SocketAddr, query: &str) -> Vec<CallSid> {
    let mut body = http::get(relay, &format!("/api/v1/calls{query}"))
        .await
        .expect(200)
        .json();
    let calls: Vec<Call> = shape(body["calls"].take());
    calls.into_iter().map(|call| call.call_sid).collect()
}

fn shape<T: DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value.clone())
        .unwrap_or_else(|e| panic!("not the contract's shape ({e}): {value}"))
}

/// A call with a stream that the relay has already accepted.
pub async fn live_call(relay: &Relay) -> (TwilioCall, MediaSocket) {
    let call = TwilioCall::new(relay);
    let stream = live_stream(relay, &call).await;
    (call, stream)
}

/// The same for a call that may have been there before.
pub async fn live_stream(relay: &Relay, call: &TwilioCall) -> MediaSocket {
    let stream = call.live_stream().await;
    let live = |call: &Call| call.stream == StreamState::Live;
    call_once(relay.addr(), call.sid(), "the stream to be live", live).await;
    stream
}
