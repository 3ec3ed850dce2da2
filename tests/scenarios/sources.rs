//! Calls whose audio and lines come by HTTP, from what is not Twilio: they are calls like any other, they are reached by
//! who may, and what is wrong with a request is said.

mod bodies;
mod leaving;
mod simulated;
mod speaks;
mod strangers;

use std::net::SocketAddr;

use ::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use harness::http::{self, Answer};
use serde_json::{Value, json};

/// The sources' way in.
const CALLS: &str = "/api/v1/call_streams";
const STREAM: &str = "/api/v1/call_streams/stream";
const COMPLETE: &str = "/api/v1/call_streams/complete";

/// Posts JSON with a token; with none where it is empty.
async fn post(at: SocketAddr, path: &str, token: &str, body: &Value) -> Answer {
    send(at, path, token, "application/json", body.to_string()).await
}

/// Posts what is said to be of this type.
async fn send(at: SocketAddr, path: &str, token: &str, kind: &str, body: impl Into<bytes::Bytes>) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("content-type", kind), ("authorization", bearer.as_str())];
    let shown = if token.is_empty() { 1 } else { 2 };
    http::send(at, Method::POST, path, &headers[..shown], body).await
}

/// A call of this customer, made now; gives its name.
async fn made(at: SocketAddr, token: &str, customer: &str) -> String {
    let answer = post(at, CALLS, token, &json!({ "customer_id": customer })).await;
    let sid = answer.expect(201).json()["call_sid"].take();
    sid.as_str().expect("a name").to_owned()
}

/// Audio of a track as a source posts it.
fn audio(sid: &str, track: &str, mulaw: &[u8]) -> Value {
    json!({ "call_sid": sid, "track": track, "payload": STANDARD.encode(mulaw) })
}
