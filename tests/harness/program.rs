//! One running program: its output is read all the time, so that it never waits for us, and kept within
//! bounds; it is killed when the story ends. A story that fails shows the end of what it wrote to stderr.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::scratch::Scratch;
use crate::wait::within;

/// Most of stdout kept, bytes: an hour of stereo WAV is 115 MB and no story is as long.
const MAX_STDOUT: usize = 64 << 20;
/// Most of stderr kept, bytes; what is older is forgotten.
const MAX_STDERR: usize = 256 << 10;
/// How long the end of stderr is waited for when stdout has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a program has written so far; `changed` tells its length and, at the end, that it is the end.
struct Output {
    kept: Arc<Mutex<Vec<u8>>>,
    changed: watch::Receiver<bool>,
}

impl Output {
    fn of(mut pipe: impl AsyncRead + Unpin + Send + 'static, max: usize) -> Output {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (tell, changed) = watch::channel(false);
        let into = kept.clone();
        tokio::spawn(async move {
            let mut chunk = vec![0; 16 << 10];
            while let Ok(count @ 1..) = pipe.read(&mut chunk).await {
                let mut kept = into.lock().unwrap();
                kept.extend_from_slice(&chunk[..count]);
                let over = kept.len().saturating_sub(max);
                kept.drain(..over);
                drop(kept);
                tell.send_replace(false);
            }
            tell.send_replace(true);
        });
        Output { kept, changed }
    }

    fn bytes(&self) -> Vec<u8> {
        self.kept.lock().unwrap().clone()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.kept.lock().unwrap()).into_owned()
    }

    /// The first thing that `find` finds in what was written; `None` when the output ended without it.
    async fn find<T>(&self, mut find: impl FnMut(&[u8]) -> Option<T>) -> Option<T> {
        let mut changed = self.changed.clone();
        loop {
            let ended = *changed.borrow_and_update();
            if let Some(found) = find(&self.kept.lock().unwrap()) {
                return Some(found);
            }
            if ended || changed.changed().await.is_err() {
                return None;
            }
        }
    }
}

/// How a program ended, and all that it wrote.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All of stdout.
    pub stdout: Vec<u8>,
    /// The end of stderr.
    pub stderr: String,
}

impl Finished {
    /// Stdout as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Stdout as one JSON value a line.
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let read =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON ({e}): {line}"));
        self.text().lines().map(read).collect()
    }

    /// Fails the story unless the exit code is this one.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Finished {
        assert_eq!(
            self.code,
            Some(code),
            "exit code\nstdout: {}\nstderr: {}",
            self.text(),
            self.stderr
        );
        self
    }
}

/// A running program.
pub struct Program {
    name: String,
    child: Child,
    stdout: Output,
    stderr: Output,
    _home: Scratch,
}

impl Program {
    /// Starts `path` in an environment without the developer's own settings: a home of its own, no
    /// `PARTYLINE_…`, `TWILIO_…`, `SSL_CERT_…` or `REDIS_URL` but those in `env`.
    pub fn start(
        path: &Path,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        env: &[(&str, &str)],
    ) -> Program {
        let home = Scratch::new();
        let mut command = Command::new(path);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let prefixed = ["PARTYLINE_", "TWILIO_", "SSL_CERT_"];
            if prefixed.iter().any(|prefix| text.starts_with(prefix)) || text == "REDIS_URL" {
                command.env_remove(&name);
            }
        }
        command
            .args(args)
            .env("HOME", home.path())
            .env("XDG_CONFIG_HOME", home.path())
            .env("XDG_STATE_HOME", home.path())
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {}: {e}", path.display()));
        let stdout = Output::of(child.stdout.take().expect("stdout is a pipe"), MAX_STDOUT);
        let stderr = Output::of(child.stderr.take().expect("stderr is a pipe"), MAX_STDERR);
        Program {
            name: path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            child,
            stdout,
            stderr,
            _home: home,
        }
    }

    /// Its process number; 0 after it ended.
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// Stdout so far.
    pub fn stdout(&self) -> Vec<u8> {
        self.stdout.bytes()
    }

    /// The end of stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// The first whole line on stdout for which `wanted` holds.
    pub async fn line(&self, limit: Duration, what: &str, mut wanted: impl FnMut(&str) -> bool) -> String {
        let find = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
            whole.lines().find(|line| wanted(line)).map(str::to_owned)
        };
        self.found(limit, what, self.stdout.find(find)).await
    }

    /// Waits until stderr has `text`.
    pub async fn complains(&self, limit: Duration, text: &str) {
        let find = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(text).then_some(());
        self.found(limit, text, self.stderr.find(find)).await;
    }

    /// Waits until stdout has at least this many bytes.
    pub async fn wrote(&self, limit: Duration, bytes: usize) {
        let find = |seen: &[u8]| (seen.len() >= bytes).then_some(());
        let what = format!("{bytes} bytes on stdout");
        self.found(limit, &what, self.stdout.find(find)).await;
    }

    async fn found<T>(&self, limit: Duration, what: &str, find: impl Future<Output = Option<T>>) -> T {
        let name = &self.name;
        match within(limit, &format!("{name}: {what}"), find).await {
            Some(found) => found,
            None => {
                // Its reason is written by now, but perhaps not yet read; it may also live on without stdout.
                let _ = timeout(LAST_WORDS, self.stderr.find(|_| None::<()>)).await;
                panic!("{name} ended without: {what}\nstderr: {}", self.stderr())
            }
        }
    }

    /// Sends a signal by name: `TERM`, `INT`, `HUP`, `STOP`, `CONT`.
    pub fn signal(&self, signal: &str) {
        let pid = self
            .child
            .id()
            .unwrap_or_else(|| panic!("{} has ended already", self.name));
        let sent = std::process::Command::new("sh")
            .args(["-c", "kill -s \"$0\" \"$1\"", signal, &pid.to_string()])
            .status();
        assert!(
            sent.is_ok_and(|s| s.success()),
            "cannot send {signal} to {}",
            self.name
        );
    }

    /// Waits for its end.
    pub async fn finish(mut self, limit: Duration) -> Finished {
        let what = format!("the end of {}", self.name);
        let ended = within(limit, &what, async {
            let status = self.child.wait().await.expect("a child can be waited for");
            // What it wrote last may still be in the pipe.
            self.stdout.find(|_| None::<()>).await;
            self.stderr.find(|_| None::<()>).await;
            status
        });
        let code = ended.await.code();
        Finished {
            code,
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }

    /// Ends it as a power cut would.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("a child can be killed");
    }

    /// Processor time it has used so far, s.
    pub fn cpu_seconds(&self) -> f64 {
        let path = format!("/proc/{}/stat", self.pid());
        let stat = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        // The name before may have anything in it, and is in brackets.
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let ticks: u64 = [11, 12]
            .map(|at| fields[at].parse::<u64>().expect("ticks"))
            .iter()
            .sum();
        ticks as f64 / rustix::param::clock_ticks_per_second() as f64
    }

    /// Resident memory, kB.
    pub fn rss_kb(&self) -> u64 {
        let path = format!("/proc/{}/status", self.pid());
        let status = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
        let field = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = field.and_then(|f| f.split_whitespace().next()?.parse().ok());
        number.unwrap_or_else(|| panic!("{path} has no VmRSS"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- stderr of {}:\n{}---", self.name, self.stderr());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::SOON;

    fn shell(script: &str) -> Program {
        Program::start(Path::new("/bin/sh"), ["-c", script], &[("GREETING", "hello")])
    }

    #[tokio::test]
    async fn output_and_exit_code_arrive_whole() {
        let program = shell("echo $GREETING; echo '{\"a\":1}'; printf end >&2; exit 3");
        program.line(SOON, "a greeting", |line| line == "hello").await;
        let done = program.finish(SOON).await.expect_code(3);
        assert_eq!(
            (done.text().as_str(), done.stderr.as_str()),
            ("hello\n{\"a\":1}\n", "end")
        );
    }

    #[tokio::test]
    async fn a_signal_reaches_it() {
        let program = shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.02; done");
        program.line(SOON, "ready", |line| line == "ready").await;
        assert!(program.rss_kb() > 0);
        program.signal("TERM");
        program.finish(SOON).await.expect_code(7);
    }

    #[tokio::test]
    #[should_panic(expected = "sh ended without: a second line\nstderr: sorry")]
    async fn an_end_too_early_shows_why() {
        let program = shell("echo first; echo sorry >&2; exit 1");
        program.line(SOON, "a second line", |line| line == "second").await;
    }
}
