//! The real `partyline`, without a screen.

use crate::binaries;
use crate::program::Program;

/// Least back-off between connection attempts in stories, ms: so that fifty cuts take seconds. The
/// program's own floor is for people and networks.
pub const BACKOFF_FLOOR_MS: &str = "20";

/// Starts `partyline --relay URL ARGS…`, e.g. `["listen", sid, "--output", "x.wav"]`. The URL may be a
/// [`crate::Network`]'s.
pub fn start(url: &str, args: &[&str]) -> Program {
    let mut all = vec!["--relay", url];
    all.extend(args);
    Program::start(
        &binaries::path(binaries::LISTENER),
        all,
        &[("PARTYLINE_BACKOFF_FLOOR_MS", BACKOFF_FLOOR_MS)],
    )
}
