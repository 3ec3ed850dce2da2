//! The monitor in a real terminal, over real relays and calls: what a supervisor presses, and what they see then.
//! What leaving the terminal takes is told elsewhere.

mod demo;
#[cfg(target_os = "linux")]
mod ear;
pub(crate) mod eyes;
mod keys;
mod list;
mod many;
mod plain;
mod reconnects;
mod refusals;
mod several;
mod sizes;
mod tmux;
mod transcript;

use harness::terminal::Setup;
use harness::{Relay, Terminal, TwilioCall};
use partyline_shared::track::Track;

/// An ALSA that knows no card, whatever this machine has: nobody who runs the stories is to hear them.
pub(crate) const NO_CARD: (&str, &str) = ("ALSA_CONFIG_PATH", "/dev/null");

/// A terminal of that size, on a machine without a sound card.
pub(crate) fn sized(columns: u16, rows: u16) -> Setup<'static> {
    Setup {
        size: (columns, rows),
        env: vec![(NO_CARD.0, NO_CARD.1.to_owned())],
        ..Setup::default()
    }
}

/// The monitor over the relay at `url`.
async fn watch(url: &str, setup: Setup<'_>) -> Terminal {
    Terminal::partyline(&["--relay", url], setup).await
}

/// A call that rings.
async fn rings(relay: &Relay, customer: &str) -> TwilioCall {
    let call = TwilioCall::new(relay);
    call.webhook(&[("customer_id", customer)]).await.expect(200);
    call
}

/// So many calls that ring, from `cust01` on: in the order of the list.
async fn ring(relay: &Relay, count: usize) -> Vec<TwilioCall> {
    let mut calls = Vec::new();
    for number in 1..=count {
        calls.push(rings(relay, &format!("cust{number:02}")).await);
    }
    calls
}

/// The agent says something, for good.
async fn say(call: &mut TwilioCall, text: &str) {
    call.says(Track::Inbound, text, true).await.expect(204);
}
