//! Listeners that may, and listeners that may not, by every way in which somebody can say who it is.

use std::net::SocketAddr;

use ::http::HeaderValue;
use futures_util::{SinkExt, StreamExt};
use harness::wait::{SOON, within};
use harness::{Listener, http};
use partyline_shared::protocol::client::ClientMessage;
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::super::{JWT_SECRET, jwt};
use super::{Run, TWILIO};

pub(super) async fn listen(run: &Run) {
    let at = run.relay.addr();
    let login = run.canaries.plant("a login's token", jwt(JWT_SECRET, "carol"));
    let bearer = [("authorization", &*format!("Bearer {}", run.token))];
    let ticket = http::send(at, ::http::Method::POST, "/api/v1/tickets", &bearer, "").await;
    let ticket = ticket.expect(200).json()["ticket"]
        .as_str()
        .expect("a ticket")
        .to_owned();
    let ticket = run.canaries.plant("a ticket", ticket);
    let call = run.call();
    call.webhook(&[]).await.expect(200);

    let mut alice = Listener::connect_as(at, &run.token).await;
    alice.subscribe(call.sid()).await;
    talk(run, &mut alice).await;
    alice.say(&ClientMessage::Auth { token: login.clone() }).await;
    let wrong = run
        .canaries
        .plant("a wrong token", "pl_canarycanarycanarycanarycanarycanarycanaryca");
    alice.say(&ClientMessage::Auth { token: wrong.clone() }).await;
    assert_eq!(alice.closed().await, Some(4001));

    let forged = run.canaries.plant(
        "a forged login",
        jwt("another secret of another login, as long", "mallory"),
    );
    let auth = |token: &str| format!(r#"{{"type":"auth","token":"{token}"}}"#);
    let identifier = run.canaries.plant("identifier", "canary-identifier");
    for (path, header, says, expected) in [
        (
            "/listen".to_owned(),
            Some(format!("Bearer {login}")),
            None,
            "hello",
        ),
        (format!("/listen?ticket={ticket}"), None, None, "hello"),
        (format!("/listen?ticket={ticket}"), None, None, "401"),
        ("/listen".to_owned(), None, Some(auth(&run.token)), "hello"),
        ("/listen".to_owned(), None, Some(auth(&wrong)), "4001"),
        ("/listen".to_owned(), None, Some(auth(&forged)), "4001"),
        ("/listen".to_owned(), Some(format!("Bearer {wrong}")), None, "401"),
        (
            "/listen".to_owned(),
            Some(format!("Bearer {forged}")),
            None,
            "401",
        ),
        (
            "/listen".to_owned(),
            Some(format!("Bearer {TWILIO}")),
            None,
            "401",
        ),
        ("/listen".to_owned(), Some(format!("Basic {wrong}")), None, "401"),
        (format!("/listen?token={wrong}"), None, Some(auth(&wrong)), "4001"),
        (format!("/cable?token={wrong}"), None, None, "unauthorized"),
        (format!("/cable?ticket={ticket}"), None, None, "unauthorized"),
        (
            "/cable".to_owned(),
            Some(format!("Bearer {login}")),
            Some(format!(
                r#"{{"command":"subscribe","identifier":"{identifier}"}}"#
            )),
            "welcome",
        ),
    ] {
        let came = visit(run, at, &path, header.as_deref(), says.as_deref()).await;
        assert!(came.contains(expected), "{expected}: {came}");
    }
}

/// What no client says.
async fn talk(run: &Run, alice: &mut Listener) {
    let junk = run.canaries.plant("junk", "canary-junk");
    for text in [
        format!(r#"{{"type":"{junk}"}}"#),
        format!("{{{junk}"),
        format!(r#"{{"type":"subscribe","call_sid":"{junk} !"}}"#),
        format!(r#"{{"type":"subscribe","call_sid":{{"{junk}":1}}}}"#),
        format!(r#"{{"type":"auth","token":["{junk}"]}}"#),
        format!(r#"{{"type":"watch","levels_hz":"{junk}"}}"#),
        format!(r#"{{"type":"subscribe","call_sid":"CA1","after":{{"journal":"{junk}"}}}}"#),
    ] {
        alice.say_text(text).await;
    }
}

/// Comes, says something, and gives the first answer, or how it was refused.
async fn visit(run: &Run, at: SocketAddr, path: &str, header: Option<&str>, says: Option<&str>) -> String {
    let mut request = format!("ws://{at}{path}").into_client_request().expect("a URL");
    if let Some(header) = header {
        let value = HeaderValue::from_str(header).expect("a header");
        request.headers_mut().insert("authorization", value);
    }
    let stream = TcpStream::connect(at).await.expect("the relay is there");
    let mut socket = match within(SOON, path, client_async(request, stream)).await {
        Ok((socket, _)) => socket,
        Err(Error::Http(answer)) => {
            let body = String::from_utf8_lossy(answer.body().as_deref().unwrap_or_default()).into_owned();
            run.canaries.told(format!("{:?} {body}", answer.headers()));
            return answer.status().to_string();
        }
        Err(error) => panic!("{path}: {error}"),
    };
    if let Some(text) = says {
        socket
            .send(Message::text(text))
            .await
            .expect("the socket takes it");
    }
    match within(SOON, path, socket.next()).await {
        Some(Ok(Message::Close(Some(close)))) => {
            run.canaries.told(close.reason.to_string());
            u16::from(close.code).to_string()
        }
        Some(Ok(message)) => message.to_string(),
        other => panic!("{path}: {other:?}"),
    }
}
