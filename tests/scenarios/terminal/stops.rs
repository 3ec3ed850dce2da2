//! Ctrl-Z and back, as a shell sees it.

use harness::Terminal;
use harness::terminal::Setup;

use super::{CUSTOMER, Scene};

async fn in_a_shell(scene: &Scene) -> Terminal {
    let shell = Terminal::shell(Setup::default()).await;
    shell.keys(format!("partyline --relay {}\r", scene.relay.url()));
    shell.wait_for(CUSTOMER).await;
    shell
}

async fn is_stopped(shell: &Terminal) {
    shell.wait_for("Stopped").await;
    shell
        .wait_until("the shell's screen", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor() && screen.contents().contains("ready>")
        })
        .await;
    // The shell's own modes while it reads a line differ from those that it gives to programs.
    shell.keys("echo modes=$(stty -g)\r");
    shell.wait_for(&format!("modes={}", shell.modes_before())).await;
}

async fn is_back(shell: &Terminal) {
    shell
        .wait_until("the monitor's screen", |screen| {
            screen.alternate_screen() && screen.hide_cursor() && screen.contents().contains(CUSTOMER)
        })
        .await;
}

#[tokio::test]
async fn ctrl_z_stops_it_and_fg_draws_it_anew() {
    let scene = Scene::start().await;
    let shell = in_a_shell(&scene).await;
    for _ in 0..3 {
        shell.keys("\x1a");
        is_stopped(&shell).await;
        shell.keys("clear; fg\r");
        is_back(&shell).await;
    }
    // It has the keys again.
    shell.keys("?");
    shell.wait_for("Ctrl-U").await;
    shell.keys("\x03");
    shell
        .wait_until("the shell", |screen| !screen.alternate_screen())
        .await;
}

#[tokio::test]
async fn a_stop_by_signal_and_a_walk_in_the_background_are_survived() {
    let scene = Scene::start().await;
    let shell = in_a_shell(&scene).await;
    shell.keys("\x1a");
    is_stopped(&shell).await;
    // In the background it goes on without the terminal; a stop finds it there. It has to have stopped before it is
    // wanted in front again.
    shell.keys("clear; bg; kill -TSTP %1; until [ -n \"$(jobs -s)\" ]; do :; done; echo did=$?\r");
    shell.wait_for("did=0").await;
    shell.keys("clear; fg\r");
    is_back(&shell).await;
    shell.keys("q");
    shell
        .wait_until("the shell", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor()
        })
        .await;
    shell.keys("clear; echo modes=$(stty -g)\r");
    shell.wait_for(&format!("modes={}", shell.modes_before())).await;
}

#[tokio::test]
async fn a_stopped_one_can_be_ended() {
    let scene = Scene::start().await;
    let shell = in_a_shell(&scene).await;
    shell.keys("\x1a");
    is_stopped(&shell).await;
    shell.keys("clear; pid=$(jobs -p); kill %1; while kill -0 $pid 2> /dev/null; do :; done; echo gone=$?\r");
    shell.wait_for("gone=0").await;
    assert!(shell.look(|screen| !screen.alternate_screen()));
}
