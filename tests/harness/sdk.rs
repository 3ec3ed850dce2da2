//! Twilio's own library, in Node, as an oracle.

use std::path::Path;
use std::process::Command;

use crate::packages;

/// What the oracle says, a line each. See `tests/sdk/oracle.js` for what it can be asked.
pub fn ask(question: &[&str]) -> Vec<serde_json::Value> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let answer = Command::new("node")
        .arg(tests.join("sdk/oracle.js"))
        .args(question)
        .current_dir(packages::node("sdk"))
        .output()
        .unwrap_or_else(|e| panic!("node cannot be run ({e}); tests/install.sh test installs it"));
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "the oracle failed: {said}");
    let lines = String::from_utf8(answer.stdout).expect("the oracle writes UTF-8");
    let read = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON ({e}): {line}"));
    lines.lines().map(read).collect()
}
