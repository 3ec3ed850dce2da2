//! What an operator sees: numbers that add up with what was sent, readiness with its reasons, lines of the log that belong
//! together; and that nothing of what people say, or of who they are, is in it.

mod lines;
mod names;
mod ready;
mod sums;

use std::net::SocketAddr;

use harness::numbers::admin_of;
use harness::{Guarded, Relay};

/// Shows its numbers on a port of its own.
const SHOWN: [&str; 2] = ["--admin-listen", "127.0.0.1:0"];

/// A relay under --insecure that shows its numbers, and where.
async fn shown() -> (Relay, SocketAddr) {
    let relay = Relay::start(&SHOWN).await;
    let admin = admin_of(relay.program()).await;
    (relay, admin)
}

/// The same as it is run for people.
async fn guarded(relay: Guarded) -> (Guarded, SocketAddr) {
    let relay = relay.start(&SHOWN).await;
    let admin = admin_of(relay.program()).await;
    (relay, admin)
}
