//! A listener that has shown no token yet: a browser cannot set a header, so its first message says who it is. Until
//! then nothing is told to it, and it has a seat of those that are few.

use std::future::poll_fn;
use std::ops::ControlFlow;

use partyline_shared::protocol::client::ClientMessage;
use partyline_shared::protocol::codec::from_client;
use partyline_shared::protocol::{MAX_CLIENT_MESSAGE, close};

use crate::access::Grant;
use crate::doorman::{At, Doorman};
use crate::limits::Seat;
use crate::pump::End;
use crate::stop::Stop;
use crate::ws::reader::Came;
use crate::ws::socket::Socket;
use crate::ws::{Broken, Message};

/// Waits for `auth`, and looks who that is.
pub(super) async fn wait_for_auth(
    socket: &mut Socket,
    mut seat: Seat,
    doorman: &Doorman,
    at: At,
    stop: &Stop,
) -> Result<Grant, End> {
    let deadline = tokio::time::sleep_until(seat.deadline().into());
    let displaced = seat.displaced();
    tokio::pin!(deadline, displaced);
    let token = loop {
        let (mut bytes, mut token) = (0, None);
        let came = {
            let read = poll_fn(|cx| {
                socket.poll_turn(cx, |message| {
                    bytes += message.cost();
                    if let Message::Text(text) = message
                        && let Ok(Some(ClientMessage::Auth { token: shown })) = from_client(text)
                    {
                        token = Some(shown);
                        return ControlFlow::Break(());
                    }
                    ControlFlow::Continue(())
                })
            });
            tokio::select! {
                biased;
                came = read => came,
                () = &mut displaced => return Err(End::Close(close::TOO_MANY, "too many connections without a token")),
                () = stop.draining() => return Err(End::Close(close::GOING_AWAY, "the relay leaves")),
                () = &mut deadline => return Err(End::Close(close::NOT_AUTHORISED, "no token within 5 s")),
            }
        };
        match came {
            Ok(Came::Stopped(()) | Came::All) => {}
            Ok(Came::Close(code)) => return Err(End::Closed(code)),
            Err(Broken {
                code: Some(code),
                why,
            }) => return Err(End::Close(code, why)),
            Err(Broken { code: None, .. }) => return Err(End::Gone),
        }
        if let Some(token) = token {
            break token;
        }
        if seat.heard(bytes).is_err() {
            return Err(End::Close(close::TOO_BIG, "too much was said before a token"));
        }
    };
    match doorman.bearer(at, &token).await {
        Ok(grant) => {
            seat.passed();
            socket.proven(MAX_CLIENT_MESSAGE);
            Ok(grant)
        }
        Err(_) => Err(End::Close(close::NOT_AUTHORISED, "not authorised")),
    }
}
