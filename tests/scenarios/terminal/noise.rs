//! What libraries print, while a screen is up.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use harness::terminal::Setup;

use super::Scene;

/// Whatever writes to error output, of that the screen shows nothing; the log has it, for this user alone.
#[cfg(target_os = "linux")] // elsewhere one cannot write to another program's error output
#[tokio::test]
async fn what_is_printed_reaches_the_log_and_not_the_screen() {
    const NOISE: &str = "ALSA lib: no such card";
    let scene = Scene::start().await;
    let terminal = scene.ready(Setup::default()).await;
    let stderr = format!("/proc/{}/fd/2", terminal.pid());
    let stderr = std::fs::OpenOptions::new().append(true).open(stderr);
    writeln!(stderr.unwrap(), "{NOISE}").unwrap();
    terminal.keys("?");
    terminal.wait_for("Ctrl-U").await;
    terminal.keys("\x03");
    assert!(terminal.ended().await.success());
    terminal.expect_as_before();
    let raw = terminal.raw();
    assert!(!raw.windows(NOISE.len()).any(|some| some == NOISE.as_bytes()));
    let log = terminal.home().file(".local/state/partyline/partyline.log");
    let said = std::fs::read_to_string(&log).unwrap_or_else(|e| panic!("no log {}: {e}", log.display()));
    assert!(said.contains(NOISE), "{said}");
    let mode = std::fs::metadata(&log).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
