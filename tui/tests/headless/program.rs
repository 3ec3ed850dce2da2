//! The program under test.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::timeout;

/// Longer than anything here takes, also on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// How it ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn lines(&self) -> Vec<String> {
        String::from_utf8(self.stdout.clone())
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

pub(crate) fn start(relay: &str, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_partyline"))
        .args(args)
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("PARTYLINE_RELAY", relay)
        .env("PARTYLINE_BACKOFF_FLOOR_MS", "20")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

pub(crate) async fn end(mut child: Child) -> Ended {
    let pid = child.id();
    let waited = tokio::task::spawn_blocking(move || {
        let mut stderr_pipe = child.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut stderr = String::new();
            stderr_pipe.read_to_string(&mut stderr).unwrap();
            stderr
        });
        let mut stdout = Vec::new();
        if let Some(mut pipe) = child.stdout.take() {
            pipe.read_to_end(&mut stdout).unwrap();
        }
        let code = child.wait().unwrap().code();
        Ended {
            code,
            stdout,
            stderr: errors.join().unwrap(),
        }
    });
    match timeout(DEADLINE, waited).await {
        Ok(ended) => ended.unwrap(),
        Err(_) => {
            signal(pid, "KILL");
            panic!("the program did not end within {DEADLINE:?}")
        }
    }
}

pub(crate) async fn run(relay: &str, args: &[&str]) -> Ended {
    end(start(relay, args)).await
}

pub(crate) fn signal(pid: u32, name: &str) {
    assert!(
        Command::new("kill")
            .args([format!("-{name}"), pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

/// A path of this test's own, removed with it.
pub(crate) struct Temp(PathBuf);

impl Temp {
    pub(crate) fn new(name: &str) -> Temp {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        Temp(std::env::temp_dir().join(format!("partyline-{}-{n}-{name}", std::process::id())))
    }

    pub(crate) fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl std::ops::Deref for Temp {
    type Target = std::path::Path;
    fn deref(&self) -> &std::path::Path {
        &self.0
    }
}

impl Drop for Temp {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
