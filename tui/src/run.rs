//! The monitor's loop: wait, update, perform effects, draw. Nothing in it waits for a relay, a sound card or the
//! terminal, so that none of them holds up another.
//!
//! | room | what is in it |
//! | --- | --- |
//! | [`monitor`](self::monitor()), `turn` | the pieces in order · the loop |
//! | `effects` | what the app wants done |
//! | `relays`, `wishes`, `translate` | a task per relay · what it is wanted for · its words in the app's |
//! | `sound` | what the player says |
//! | `clips`, `once` | what is kept of it, on its way to the disk · what is asked for once |
//! | `input`, `signals` | what is typed · what the system says |
//! | `view`, `canvas`, `pace`, `output` | screen or lines · pictures as bytes · when to draw · bytes out |
//! | `fault` | a panic that a test asks for |

pub mod canvas;
mod clips;
mod effects;
mod fault;
mod input;
mod once;
mod output;
mod pace;
mod relays;
mod signals;
pub(crate) mod sink;
mod sound;
mod translate;
mod turn;
mod view;
mod wishes;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::app::seats;
use crate::app::state::App;
use crate::audio::{desk, memory};
use crate::client::backoff::Backoff;
use crate::client::relay::Relay;
use crate::ear::sound::{Sound, Wish};
use crate::event::{Ears, RelayId};
use crate::failure::Failure;
use crate::logging::Diverted;
use crate::terminal::{Manner, Terminal};
use clips::Shelf;
use input::Input;
use relays::Keeper;
use signals::Signals;
use sound::Said;
use turn::{Clock, Loop};
use view::View;
use wishes::Wishes;

/// Events that wait for the loop, of all relays. It takes them faster than they can come, except for a moment
/// while it draws.
const EVENTS: usize = 1_024;

/// How long the relays' goodbyes may take, all at once; the terminal is given back before.
const GOODBYE: Duration = Duration::from_millis(500);

// What the app takes for granted of the player.
const _: () = assert!(seats::HEARD_MOST == desk::SEATS);
const _: () = assert!(seats::REMEMBERED_MS == memory::REMEMBERED_MS as u64);

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
    /// Where sound comes from.
    pub sound: Wish,
    /// What goes to which ear at first.
    pub ears: Ears,
    /// Lines instead of a screen, for screen readers.
    pub plain: bool,
    /// Which background to draw for: asked of the terminal without.
    pub theme: Option<ThemeChoice>,
    /// What meters and waveforms are drawn with.
    pub glyphs: Glyphs,
    /// Nothing is changed at a relay, and no audio is kept.
    pub read_only: bool,
    /// Where clips go; nowhere without.
    pub clips: Option<PathBuf>,
    /// Where the log goes, in a folder that is there; nowhere without.
    pub log: Option<PathBuf>,
}

/// `--glyphs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyphs {
    /// Eight dots a cell.
    Braille,
    /// Eighths of a cell.
    Block,
    /// Nothing but ASCII.
    Ascii,
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

/// Runs the monitor until the user leaves it, or the terminal does.
///
/// # Errors
/// [`Failure::Failed`] where there is no terminal to draw on, or a part of the program has panicked.
pub async fn monitor(setup: Setup) -> Result<(), Failure> {
    let unable = |e: io::Error| Failure::Failed(format!("the system does not let the monitor start: {e}"));
    // From here on a signal ends the loop and not the process, so that the terminal is given back.
    let signals = Signals::new().map_err(unable)?;
    let is_dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    let manner = if setup.plain || is_dumb {
        Manner::Lines
    } else {
        Manner::Screen
    };
    // Error output that the user has sent elsewhere tears no picture.
    let diverted = io::stderr()
        .is_terminal()
        .then(|| Diverted::begin(setup.log.as_deref()));
    let terminal = Terminal::enter(manner, diverted.and_then(Result::ok))?;
    let mut input = Input::new(&terminal).map_err(unable)?;
    let Some((view, typed)) = View::open(&terminal, &mut input, manner, setup.theme, setup.glyphs).await
    else {
        return Ok(());
    };

    let said = Said::default();
    let tell = said.clone();
    let chosen_device = setup.sound.device();
    let mut player = Sound::start(setup.sound, move |from_sound| tell.tell(from_sound));
    let goodbye = player.goodbye();
    let clock = Clock::start();
    let named = |target: &Target| {
        let address = (target.relay)().map_or_else(|_| target.name.clone(), |relay| relay.to_string());
        (target.name.clone(), address)
    };
    let mut app = App::new(setup.relays.iter().map(named).collect(), clock.now());
    app.read_only = setup.read_only;
    app.mix.ears = setup.ears;
    app.chosen_device = chosen_device;

    let (events_in, events) = mpsc::channel(EVENTS);
    let mut keepers = JoinSet::new();
    let mut wishes = Vec::new();
    let shelf = Shelf::new(setup.clips);
    for (at, target) in setup.relays.into_iter().enumerate() {
        let (wish, wished) = watch::channel(Wishes::default());
        wishes.push(wish);
        keepers.spawn(
            Keeper {
                id: RelayId(u16::try_from(at).unwrap_or(u16::MAX)),
                target,
                backoff: setup.backoff.clone(),
                shelf: shelf.clone(),
                wishes: wished,
                events: events_in.clone(),
            }
            .run(),
        );
    }
    drop(events_in);

    let broken = terminal.broken();
    let mut the_loop = Loop::new(app, clock, terminal, view, player, said, wishes);
    let ended = Box::pin(the_loop.run(signals, input, events, typed)).await;
    // The terminal first; then the wishes, which the relays' tasks live by.
    drop(the_loop);
    let _ = tokio::time::timeout(GOODBYE, async { while keepers.join_next().await.is_some() {} }).await;
    if let Some(goodbye) = goodbye {
        goodbye.said().await;
    }
    if broken.is_cancelled() {
        return Err(Failure::Failed(
            "a part of the program has failed, as said above; please report it".to_owned(),
        ));
    }
    ended
}
