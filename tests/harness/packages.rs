//! Packages of Node and Python that stories need: installed beside what cargo builds the first time that a story asks
//! for them, exactly as a lock file in the tree says. Writes nothing into the tree.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};

/// What this process has looked after; whoever else asks waits for it.
static DONE: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);

/// The folder whose `node_modules` has what `tests/FROM/package-lock.json` names: to be run in.
pub fn node(from: &str) -> PathBuf {
    installed("node", from)
}

/// The environment whose `bin` has what `tests/FROM/requirements.txt` names.
pub fn python(from: &str) -> PathBuf {
    installed("python", from)
}

/// `target/node-FROM` for a test in `target/debug/deps`.
fn installed(kind: &str, from: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    let target = test
        .ancestors()
        .nth(3)
        .expect("a test lies in target/PROFILE/deps");
    let folder = target.join(format!("{kind}-{}", from.replace('/', "-")));
    let mut done = DONE.lock().unwrap_or_else(PoisonError::into_inner);
    if done.contains(&folder) {
        return folder;
    }
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let install = Command::new(tests.join("install.sh"))
        .args([kind, from])
        .arg(&folder)
        .output();
    let install = install.unwrap_or_else(|e| panic!("tests/install.sh cannot be run: {e}"));
    assert!(
        install.status.success(),
        "what tests/{from} needs was not installed:\n{}{}",
        String::from_utf8_lossy(&install.stdout),
        String::from_utf8_lossy(&install.stderr)
    );
    done.insert(folder.clone());
    folder
}
