//! The full-screen monitor, as the configuration wants it: over the relays it names, or over a demo.

use crate::client::backoff::Backoff;
#[cfg(feature = "demo")]
use crate::config::Source;
use crate::config::relays::Chosen;
use crate::config::{Config, paths};
use crate::ear::sound::Wish;
use crate::failure::Failure;
use crate::run::{self, Setup, Target};

pub(super) async fn run(config: &Config, backoff: Backoff) -> Result<(), Failure> {
    let target = |chosen: &Chosen| {
        let (name, chosen) = (chosen.name.clone(), chosen.clone());
        Target {
            name,
            relay: Box::new(move || chosen.relay()),
        }
    };
    for chosen in &config.relays {
        match chosen.relay() {
            Ok(relay) => super::warn_if_exposed(&relay),
            // Nothing to show but this: better said where it can be read.
            Err(failure) if config.relays.len() == 1 => return Err(failure),
            // The monitor says it where the others are shown, and finds a token that comes later.
            Err(_) => {}
        }
    }
    let targets = config.relays.iter().map(target).collect();
    let sound = super::ear::sound(config).await?;
    Box::pin(run::monitor(setup(config, targets, backoff, sound))).await
}

/// The monitor over three simulated calls.
#[cfg(feature = "demo")]
pub(super) async fn demo(config: &Config, backoff: Backoff) -> Result<(), Failure> {
    if config.relays.iter().any(|chosen| chosen.source == Source::Flag) {
        let text =
            "the demo brings a relay of its own: leave --relay out, or leave `demo` out to see that relay";
        return Err(Failure::Usage(text.to_owned()));
    }
    let sound = super::ear::sound(config).await?;
    let demo = crate::demo::Demo::start().await?;
    let relay = demo.relay()?;
    let target = Target {
        name: "demo".to_owned(),
        relay: Box::new(move || Ok(relay.clone())),
    };
    let seen = Box::pin(run::monitor(setup(config, vec![target], backoff, sound))).await;
    demo.end().await;
    seen
}

fn setup(config: &Config, relays: Vec<Target>, backoff: Backoff, sound: Wish) -> Setup {
    Setup {
        relays,
        backoff,
        sound,
        ears: config.ears.value,
        plain: config.plain.value,
        theme: config.theme.value,
        glyphs: config.glyphs.value,
        read_only: config.read_only.value,
        clips: config.clips.value.clone(),
        // Without a folder there is no log; the monitor works all the same.
        log: paths::log().filter(|log| {
            log.parent()
                .is_some_and(|parent| paths::make_private(parent).is_ok())
        }),
    }
}
