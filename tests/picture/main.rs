//! The README's picture: `make picture` opens the demo in a terminal of its own, listens to a call, and
//! draws what stands on the screen then. So the picture is never better than the program. Where this machine is
//! Linux the tests' sound card plays, so that it is the picture of somebody who hears something.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::print_stdout)]

mod svg;

use std::path::PathBuf;

use harness::Terminal;
use harness::terminal::Setup;

/// Columns and rows: wide enough for panes side by side, small enough to be read in a README.
const SIZE: (u16, u16) = (120, 32);

/// What the first call's customer says at last: by then waveform, transcript and events are full.
const SAID: &str = "Sure. It is four";

fn main() {
    let to = std::env::args_os()
        .nth(1)
        .map_or_else(|| PathBuf::from("assets/screen.svg"), PathBuf::from);
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let picture = runtime.block_on(async {
        #[cfg_attr(not(target_os = "linux"), allow(unused_mut))]
        let mut env = vec![("LANG", "C.UTF-8".to_owned())];
        #[cfg(target_os = "linux")]
        let card = harness::Card::start(48_000, 0.0);
        #[cfg(target_os = "linux")]
        env.push((card.env().0, card.env().1.to_owned()));
        let setup = Setup {
            size: SIZE,
            env,
            ..Setup::default()
        };
        let terminal = Terminal::partyline(&["demo"], setup).await;
        terminal.wait_for("4711").await;
        terminal.keys("\r");
        terminal.wait_for(SAID).await;
        let picture = terminal.look(|screen| svg::of(screen, "partyline"));
        terminal.keys("q");
        terminal.ended().await;
        picture
    });
    std::fs::write(&to, picture).expect("the picture can be written");
    println!("{}", to.display());
}
