//! Twilio's own library, in Node, as an oracle: it is installed beside what cargo builds the first time that a
//! story asks it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What the oracle says, a line each. See `tests/sdk/oracle.js` for what it can be asked.
pub fn ask(question: &[&str]) -> Vec<serde_json::Value> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let answer = Command::new("node")
        .arg(tests.join("sdk/oracle.js"))
        .args(question)
        .current_dir(installed(tests))
        .output()
        .unwrap_or_else(|e| panic!("node cannot be run ({e}); tests/install.sh test installs it"));
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "the oracle failed: {said}");
    let lines = String::from_utf8(answer.stdout).expect("the oracle writes UTF-8");
    let read = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON ({e}): {line}"));
    lines.lines().map(read).collect()
}

/// The folder with the library in it; `target/twilio-sdk` for a test in `target/debug/deps`.
fn installed(tests: &Path) -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let test = std::env::current_exe().expect("this test has a path");
        let target = test
            .ancestors()
            .nth(3)
            .expect("a test lies in target/PROFILE/deps");
        let folder = target.join("twilio-sdk");
        let install = Command::new(tests.join("install.sh"))
            .arg("sdk")
            .arg(&folder)
            .output();
        let done = install.unwrap_or_else(|e| panic!("tests/install.sh cannot be run: {e}"));
        assert!(
            done.status.success(),
            "Twilio's library was not installed:\n{}{}",
            String::from_utf8_lossy(&done.stdout),
            String::from_utf8_lossy(&done.stderr)
        );
        folder
    })
}
