//! The monitor's loop: wait, update, perform effects, draw.

use std::path::PathBuf;

use crate::audio::player;
use crate::client::backoff::Backoff;
use crate::client::relay::Relay;
use crate::failure::Failure;

/// A relay to connect to.
pub struct Target {
    /// Its name in config.toml, else its address.
    pub name: String,
    /// Where it is, and as whom; read anew before each attempt, since a token may have been stored meanwhile.
    pub relay: Box<dyn Fn() -> Result<Relay, Failure> + Send>,
}

/// How the monitor is to be.
pub struct Setup {
    /// The relays; at least one.
    pub relays: Vec<Target>,
    /// How long to stay away from a relay that is not there.
    pub backoff: Backoff,
    /// The sound card.
    pub sound: player::Settings,
    /// Lines instead of a screen, for screen readers.
    pub plain: bool,
    /// Which background to draw for: asked of the terminal without.
    pub theme: Option<ThemeChoice>,
    /// Where the log goes; nowhere without.
    pub log: Option<PathBuf>,
}

/// `--theme`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThemeChoice {
    /// Light letters on dark.
    Dark,
    /// Dark letters on light.
    Light,
    /// No colour at all.
    Mono,
}

/// Runs the monitor until the user leaves it.
///
/// # Errors
/// [`Failure::Failed`] where there is no terminal to draw on.
pub async fn monitor(_setup: Setup) -> Result<(), Failure> {
    Ok(())
}
