//! HTTP to WebSocket: the only place where hyper meets `ws`. With hyper in front, the handshake's checks are
//! ours.

use std::sync::Arc;
#[cfg(target_os = "linux")]
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_util::either::Either;

use crate::respond::{Answer, Refusal};
use crate::server::wire::Wire;
use crate::shards::Place;
use crate::ws::socket::Socket;

/// The kernel gives up a socket that takes nothing of what is sent for so long: twice what a listener has, so that a
/// listener's own limit comes first and is told.
#[cfg(target_os = "linux")]
const UNREAD: Duration = Duration::from_secs(20);

/// What a handshake has to become.
pub struct Handshake {
    upgrade: OnUpgrade,
    max_message: usize,
    place: Arc<Place>,
}

/// Checks an upgrade request, before anything is looked up for it.
///
/// # Errors
/// A [`Refusal`] with 426 or 400 where it is no WebSocket handshake of version 13.
pub fn check(request: &Request<Incoming>) -> Result<(), Refusal> {
    let headers = request.headers();
    if request.method() != Method::GET
        || !has_token(headers, &CONNECTION, "upgrade")
        || !has_token(headers, &UPGRADE, "websocket")
    {
        let message = "this path is a WebSocket: connect with a WebSocket client";
        return Err(Refusal::new(
            StatusCode::UPGRADE_REQUIRED,
            "upgrade_required",
            message,
        ));
    }
    if headers
        .get(SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != "13")
    {
        let message = "this relay speaks WebSocket version 13";
        return Err(Refusal::new(
            StatusCode::UPGRADE_REQUIRED,
            "upgrade_required",
            message,
        ));
    }
    let key = headers
        .get(SEC_WEBSOCKET_KEY)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default();
    if STANDARD.decode(key).map_or(0, |key| key.len()) != 16 {
        return Err(Refusal::bad_request(
            "Sec-WebSocket-Key is not 16 bytes in base64",
        ));
    }
    Ok(())
}

/// Checks an upgrade request and makes the answer 101, with `subprotocol` where one was agreed.
///
/// # Errors
/// As [`check`].
pub fn accept(
    request: &mut Request<Incoming>,
    subprotocol: Option<HeaderValue>,
    max_message: usize,
) -> Result<(Answer, Handshake), Refusal> {
    check(request)?;
    let key = request.headers().get(SEC_WEBSOCKET_KEY);
    let key = key.map(HeaderValue::as_bytes).unwrap_or_default();
    let mut answer = Answer::new(crate::respond::whole(Bytes::new()));
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let accept_key = HeaderValue::from_str(&derive_accept_key(key)).map_err(|_| Refusal::not_found())?;
    let out = answer.headers_mut();
    out.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    out.insert(UPGRADE, HeaderValue::from_static("websocket"));
    out.insert(SEC_WEBSOCKET_ACCEPT, accept_key);
    if let Some(subprotocol) = subprotocol {
        out.insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
    }
    let place: Option<&Arc<Place>> = request.extensions().get();
    // Every connection has one: see `server`.
    let place = place.cloned().ok_or_else(Refusal::not_found)?;
    Ok((
        answer,
        Handshake {
            upgrade: hyper::upgrade::on(request),
            max_message,
            place,
        },
    ))
}

/// Whether a comma-separated header names `token`, in any case.
pub fn has_token(headers: &HeaderMap, name: &http::HeaderName, token: &str) -> bool {
    offered(headers, name).any(|offered| offered.eq_ignore_ascii_case(token))
}

/// The tokens of a comma-separated header, in order.
pub fn offered<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .map(str::trim)
}

/// A socket that does not read has its own limit, which is told; the kernel's comes after that.
fn patient(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(UNREAD)) {
        tracing::debug!(%error, "a socket option was not taken");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

impl Handshake {
    /// Waits for the 101 to be on its way and takes the socket over; `None` where it went meanwhile.
    pub async fn socket(self) -> Option<Socket> {
        let upgraded = self.upgrade.await.ok()?;
        let parts = upgraded.downcast::<Wire>().ok()?;
        let (early, max_message, place) = (&parts.read_buf, self.max_message, self.place);
        Some(match parts.io.into_stream()? {
            Either::Left(stream) => {
                patient(&stream);
                Socket::new(stream, early, max_message, place)
            }
            Either::Right(tls) => {
                let (stream, tls) = tls.into_inner();
                patient(&stream);
                Socket::under_tls(stream, tls, early, max_message, place)
            }
        })
    }
}
