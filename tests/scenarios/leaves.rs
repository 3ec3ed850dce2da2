//! How a relay leaves: who is still served, who is refused, who is told, when it is gone, and what the service manager
//! hears of it. Over relays as processes, by signals.

mod ends;
mod fifty;
mod manager;

use std::time::Duration;

use harness::listener::Item;
use harness::{Listener, MediaSocket, Record, Relay, TwilioCall, api};
use partyline_shared::protocol::server::ServerMessage;

/// Long enough that a relay which is gone has not waited for it.
const NEVER: [&str; 2] = ["--drain-timeout", "1h"];

/// Between two frames where nobody minds.
const AT_ONCE: Duration = Duration::ZERO;

/// A relay with tokens and an audit, a live call, and a listener who hears it.
async fn heard_call(record: &Record, more: &[&str]) -> (Relay, TwilioCall, MediaSocket, Listener) {
    let alice = record.add("alice", &["--role", "admin"]).await;
    let relay = record.relay(more).await;
    let (call, stream) = api::live_call(&relay).await;
    let mut listener = Listener::connect_as(relay.addr(), &alice).await;
    listener.subscribe(call.sid()).await;
    (relay, call, stream, listener)
}

/// Reads to the end; gives after how many milliseconds each goodbye asks to come back, and the close code.
async fn to_the_end(listener: &mut Listener) -> (Vec<u64>, Option<u16>) {
    let mut goodbyes = Vec::new();
    loop {
        match listener.next("the rest").await {
            Item::Closed(code) => return (goodbyes, code),
            Item::Text(message) => {
                if let ServerMessage::Goodbye {
                    reason,
                    retry_after_ms,
                } = *message
                {
                    assert_eq!(reason, "draining");
                    goodbyes.push(retry_after_ms);
                }
            }
            Item::Frame(_) => {}
        }
    }
}

/// Fails unless the end of a listener is that of one who was told.
#[track_caller]
fn expect_told((goodbyes, code): (Vec<u64>, Option<u16>)) -> u64 {
    assert_eq!((goodbyes.len(), code), (1, Some(1001)), "{goodbyes:?}");
    assert!((1..=10_000).contains(&goodbyes[0]), "{goodbyes:?}");
    goodbyes[0]
}
