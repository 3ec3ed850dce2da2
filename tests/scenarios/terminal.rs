//! The monitor in a real terminal: whatever ends it, the terminal is as it was.

mod answers;
mod kills;
mod noise;
mod stops;

use harness::terminal::Setup;
use harness::{Program, Relay, Terminal, simulate};

/// The call's customer as a pane shows it: before a port that has these digits there is no space.
const CUSTOMER: &str = " 4711";

/// A relay with one call that goes on, so that there is always something to draw.
pub(crate) struct Scene {
    pub(crate) relay: Relay,
    _call: Program,
}

impl Scene {
    pub(crate) async fn start() -> Scene {
        let relay = Relay::start(&[]).await;
        let call = simulate::start(&relay, &["--duration", "300s", "--loop", "--customer-id", "4711"]);
        Scene { relay, _call: call }
    }

    pub(crate) async fn monitor(&self, setup: Setup<'_>) -> Terminal {
        Terminal::partyline(&["--relay", &self.relay.url()], setup).await
    }

    /// The same, once the call is on the screen.
    pub(crate) async fn ready(&self, setup: Setup<'_>) -> Terminal {
        let terminal = self.monitor(setup).await;
        terminal.wait_for(CUSTOMER).await;
        terminal
    }
}

/// Nothing that was typed is left for whoever reads next.
#[tokio::test]
async fn quitting_gives_the_terminal_back() {
    let scene = Scene::start().await;
    let terminal = scene.ready(Setup::default()).await;
    assert!(terminal.look(|screen| screen.alternate_screen()));
    assert_ne!(terminal.modes(), terminal.modes_before());
    terminal.keys("q");
    assert!(terminal.ended().await.success());
    terminal.expect_as_before();
    assert_eq!(terminal.text().trim_end(), harness::terminal::BEFORE);
}

/// Nobody is left to be told anything, and nothing is left to wait for.
#[tokio::test]
async fn a_terminal_that_goes_ends_it() {
    let scene = Scene::start().await;
    let status = Terminal::gone(&["--relay", &scene.relay.url()]).await;
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn without_a_terminal_it_says_what_works_without() {
    use harness::wait::SOON;
    let scene = Scene::start().await;
    let program = Program::start(
        &harness::binaries::path(harness::binaries::LISTENER),
        ["--relay", &scene.relay.url()],
        &[],
    );
    let done = program.finish(SOON).await.expect_code(1);
    assert!(done.stderr.contains("needs a terminal"), "{}", done.stderr);
    assert!(done.stdout.is_empty());
}
