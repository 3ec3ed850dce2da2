//! `partyline-relay simulate` as a process: Twilio's whole part, over the network.

use crate::binaries;
use crate::program::Program;
use crate::relay::Relay;

/// Starts it against `relay`; `args` are its own, e.g. `["--duration", "2s", "--check"]`.
pub fn start(relay: &Relay, args: &[&str]) -> Program {
    let url = relay.url();
    let mut all = vec!["simulate", "--relay", &url];
    all.extend(args);
    Program::start(&binaries::path(binaries::RELAY), all, &[])
}
