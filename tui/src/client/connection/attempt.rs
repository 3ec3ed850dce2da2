//! One attempt to connect, and what its failure means.

use std::time::Duration;

use http::header::{HeaderMap, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_PROTOCOL};
use http::{Request, StatusCode};
use partyline_shared::protocol::{MAX_MESSAGE, PROTOCOL};
use partyline_shared::text::clean;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{Error as WsError, ProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::client::dial::{CONNECT_TIMEOUT, Stream, dial, distrust, no_http};
use crate::client::relay::Relay;
use crate::failure::Failure;

/// What a refusal without words means (401, 4001).
pub(in crate::client) const UNKNOWN: &str = "the relay wants a token, or another one: run `partyline login URL`, \
     or give it with --token-file or PARTYLINE_TOKEN";

/// What a refusal of who is known means (403).
pub(in crate::client) const FORBIDDEN: &str = "the relay, or a proxy before it, knows us and lets us in all the same not \
     (HTTP 403): its operator may have to grant it; another token goes with `partyline login URL` or --token-file";

/// How a relay that is about to leave names its refusal (503).
const DRAINING: &str = "draining";

/// Bytes read at a time. tungstenite's own 128 KiB would be the largest thing this program holds.
const READ_BUFFER: usize = 4096;

/// Bytes that may wait to be written: our messages are small, so more is a relay that does not read.
const MAX_WRITE_BUFFER: usize = 256 << 10;

/// Why there is no socket.
#[derive(Debug)]
pub(super) enum NoSocket {
    /// It would be the same next time.
    Never(Failure),
    /// TLS says that it is not who it should be: what, and what to do.
    Untrusted(String),
    /// Another time it may be otherwise; not if nobody was ever there and we do not wait.
    Unreachable(String),
    /// There is a relay, and it says "later".
    Later(String, Option<Duration>),
}

pub(super) async fn connect(relay: &Relay) -> Result<WebSocketStream<Stream>, NoSocket> {
    match tokio::time::timeout(CONNECT_TIMEOUT, upgrade(relay)).await {
        Ok(result) => result,
        Err(_) => Err(NoSocket::Unreachable("no answer within 5 s".to_owned())),
    }
}

async fn upgrade(relay: &Relay) -> Result<WebSocketStream<Stream>, NoSocket> {
    let stream = dial(relay).await.map_err(|e| match distrust(relay, &e) {
        Some(why) => NoSocket::Untrusted(why),
        None => NoSocket::Unreachable(e.to_string()),
    })?;
    // tungstenite wants a whole URI and an uninterrupted set of headers, and uses its path.
    let uri = format!(
        "ws://{}:{}{}",
        bracketed(relay.host()),
        relay.port(),
        relay.path("/listen")
    );
    let mut request = Request::get(uri)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", generate_key())
        .body(())
        .map_err(|e| NoSocket::Never(Failure::Failed(e.to_string())))?;
    request.headers_mut().extend(relay.headers());
    request
        .headers_mut()
        .insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    let mut config = WebSocketConfig::default();
    config.read_buffer_size = READ_BUFFER;
    config.write_buffer_size = 0;
    config.max_write_buffer_size = MAX_WRITE_BUFFER;
    config.max_message_size = Some(MAX_MESSAGE);
    config.max_frame_size = Some(MAX_MESSAGE);
    match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(error) => Err(refusal(relay, error)),
    }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

fn refusal(relay: &Relay, error: WsError) -> NoSocket {
    let no_relay = |why: String| {
        NoSocket::Never(Failure::Failed(format!(
            "there is no Partyline relay at {relay} ({why}); check --relay"
        )))
    };
    match error {
        WsError::Http(response) => match response.status() {
            StatusCode::UNAUTHORIZED => NoSocket::Never(Failure::NotAuthorised(UNKNOWN.to_owned())),
            StatusCode::FORBIDDEN => NoSocket::Never(Failure::NotAuthorised(FORBIDDEN.to_owned())),
            status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => NoSocket::Later(
                takes_nobody(status, response.body().as_deref().unwrap_or_default()),
                retry_after(response.headers()),
            ),
            // A proxy in front of a relay that is being restarted.
            status if status.is_server_error() => NoSocket::Unreachable(format!("HTTP {}", status.as_u16())),
            status => no_relay(match https_only(response.body().as_deref()) {
                Some(said) => said,
                None => format!("HTTP {}", status.as_u16()),
            }),
        },
        WsError::Protocol(ProtocolError::HttparseError(_)) => {
            NoSocket::Never(Failure::Failed(no_http(relay)))
        }
        WsError::Io(error) => NoSocket::Unreachable(error.to_string()),
        // A proxy whose relay is down takes the connection and drops it.
        WsError::Protocol(ProtocolError::HandshakeIncomplete)
        | WsError::ConnectionClosed
        | WsError::AlreadyClosed => NoSocket::Unreachable("it hung up".to_owned()),
        other => no_relay(format!("no {PROTOCOL}: {other}")),
    }
}

/// Why it takes nobody: `body` is what came of the answer together with its head.
fn takes_nobody(status: StatusCode, body: &[u8]) -> String {
    let said: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let code = said
        .as_ref()
        .and_then(|said| said.pointer("/error/code")?.as_str());
    if code == Some(DRAINING) {
        "the relay is about to leave and takes nobody new".to_owned()
    } else {
        format!("the relay takes nobody now (HTTP {})", status.as_u16())
    }
}

/// What a relay says on its TLS port to who speaks plain HTTP there.
fn https_only(body: Option<&[u8]>) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body?).ok()?;
    let error = body.get("error")?;
    (error.get("code")? == "https_only")
        .then(|| error.get("message").and_then(|said| said.as_str()).map(clean))?
}

/// `Retry-After` in seconds; a date, which no relay sends, is left to the back-off.
pub(in crate::client) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
