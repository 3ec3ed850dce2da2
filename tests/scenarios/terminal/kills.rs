//! 50 ends at random moments: from before the terminal is entered to the middle of a picture.

use harness::terminal::{Setup, a_moment};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::Scene;

/// Of each sort of end.
const ROUNDS: u64 = 10;

/// Until well after the call is on the screen, ms.
const LATEST: u64 = 700;

async fn signals(name: &str, seed: u64) {
    let scene = Scene::start().await;
    let mut dice = SmallRng::seed_from_u64(seed);
    for round in 0..ROUNDS {
        let at = dice.random_range(0..LATEST);
        let terminal = scene.monitor(Setup::default()).await;
        a_moment(at).await;
        terminal.signal(name);
        let status = terminal.ended().await;
        eprintln!("round {round}: {name} after {at} ms: {status}");
        terminal.expect_as_before();
    }
}

async fn panics(place: &str, seed: u64) {
    let scene = Scene::start().await;
    let mut dice = SmallRng::seed_from_u64(seed);
    for round in 0..ROUNDS {
        let at = dice.random_range(0..LATEST);
        eprintln!("round {round}: a panic of the {place} after {at} ms");
        let env = vec![("PARTYLINE_TEST_PANIC", format!("{place} {at}"))];
        let setup = Setup {
            env,
            ..Setup::default()
        };
        let terminal = scene.monitor(setup).await;
        let status = terminal.ended().await;
        assert!(!status.success());
        terminal.expect_as_before();
        // What it died of stands where it can be read, and in lines.
        let text = terminal.text();
        let said = format!("the {place} panics, as PARTYLINE_TEST_PANIC asks").replace("the task", "a task");
        assert!(text.lines().any(|line| line.trim_end() == said), "{text}");
    }
}

#[tokio::test]
async fn sigint_leaves_the_terminal_as_it_was() {
    signals("INT", 1).await;
}

#[tokio::test]
async fn sigterm_leaves_the_terminal_as_it_was() {
    signals("TERM", 2).await;
}

#[tokio::test]
async fn sighup_leaves_the_terminal_as_it_was() {
    signals("HUP", 3).await;
}

#[tokio::test]
async fn a_panic_of_the_loop_leaves_the_terminal_as_it_was() {
    panics("loop", 4).await;
}

#[tokio::test]
async fn a_panic_of_any_other_part_leaves_the_terminal_as_it_was() {
    panics("task", 5).await;
}
