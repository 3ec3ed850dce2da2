//! Listeners hear what they may, and only as long as they may, over real sockets; rights change while they listen.

use std::time::Duration;

use ::http::Method;
use harness::guarded::{Talk, auth};
use harness::wait::{SOON, until, within};
use harness::{Guarded, Listener};
use partyline_shared::id::CallSid;
use partyline_shared::protocol::client::{ClientMessage, Subscribe};
use partyline_shared::protocol::server::{ErrorCode, ServerMessage};

mod clients;
mod crowds;
mod login;
mod reads;
mod revoked;
mod shows;

/// A change of rights acts within this: the last byte has been sent.
const ACTS: Duration = Duration::from_secs(5);

/// The close code of who is not authorised.
const NOT_AUTHORISED: Option<u16> = Some(4001);

/// Hears a call.
fn subscribe(sid: &CallSid) -> ClientMessage {
    ClientMessage::Subscribe(Subscribe {
        call_sid: sid.clone(),
        audio: true,
        after: None,
        replay_ms: 0,
        save: false,
        saved: None,
    })
}

/// The next message that is about a subscription, or the list of calls losing one.
async fn next_loss(listener: &mut Listener) -> ServerMessage {
    let loss = |message: &ServerMessage| {
        matches!(
            message,
            ServerMessage::Unsubscribed { .. } | ServerMessage::CallRemoved { .. }
        )
    };
    listener.until("the end of a subscription", loss).await
}

/// A grant lost midway: `unsubscribed`, then `call_removed`, and from then on there is no such call.
async fn loses(listener: &mut Listener, sid: &CallSid) {
    let first = within(ACTS, "the change to act", next_loss(listener)).await;
    assert!(
        matches!(&first, ServerMessage::Unsubscribed { call_sid } if call_sid == sid),
        "{first:?}"
    );
    let second = next_loss(listener).await;
    assert!(
        matches!(&second, ServerMessage::CallRemoved { call_sid } if call_sid == sid),
        "{second:?}"
    );
    let frames = |listener: &Listener| {
        let frames = &listener.heard(sid).frames;
        frames.inbound.len() + frames.outbound.len()
    };
    let before = frames(listener);
    listener.say(&subscribe(sid)).await;
    let answer = listener
        .until("an answer", |message| {
            matches!(message, ServerMessage::Error { .. })
        })
        .await;
    let none = ServerMessage::Error {
        code: ErrorCode::NoSuchCall,
        message: "no such call".to_owned(),
        re: Some(sid.to_string()),
    };
    assert_eq!(answer, none);
    assert_eq!(frames(listener), before, "heard after the end");
}
