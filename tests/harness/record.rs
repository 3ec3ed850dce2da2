//! A relay's tokens and its audit: who is given a token, by the program, and what is on record, line by line. What
//! a relay wrote is read as it stands; what it will write is waited for.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::binaries;
use crate::program::{Finished, Program};
use crate::relay::Relay;
use crate::scratch::Scratch;
use crate::wait::{SOON, until};

/// A folder with a tokens file and an audit.
#[derive(Debug, Default)]
pub struct Record(Scratch);

impl Record {
    /// Nobody has a token, and nothing happened.
    pub fn new() -> Record {
        Record::default()
    }

    /// The audit's path.
    pub fn audit(&self) -> PathBuf {
        self.0.file("audit.jsonl")
    }

    /// The folder.
    pub fn folder(&self) -> &Scratch {
        &self.0
    }

    /// The tokens file's path.
    pub fn tokens(&self) -> String {
        text(&self.0.file("tokens.toml"))
    }

    /// A new token of `name`; `more` are its role and rights.
    pub async fn add(&self, name: &str, more: &[&str]) -> String {
        let tokens = self.tokens();
        let args = [&["token", "add", "--tokens", &tokens, "--name", name], more].concat();
        run(&args).await.expect_code(0).text().trim().to_owned()
    }

    /// Takes all tokens of `name`.
    pub async fn remove(&self, name: &str) {
        let tokens = self.tokens();
        run(&["token", "remove", "--tokens", &tokens, "--name", name])
            .await
            .expect_code(0);
    }

    /// A relay with these tokens that writes the audit; for tests of who listens it takes Twilio at its word.
    pub async fn relay(&self, more: &[&str]) -> Relay {
        let (tokens, audit) = (self.tokens(), text(&self.audit()));
        let args = [&["--tokens", &tokens, "--audit", &audit], more].concat();
        Relay::start(&args).await
    }

    /// Its whole lines behind byte `from`.
    pub fn since(&self, from: u64) -> Vec<Value> {
        let mut read = String::new();
        let mut file = std::fs::File::open(self.audit()).expect("there is an audit");
        file.seek(SeekFrom::Start(from))
            .expect("it can be read from there");
        file.read_to_string(&mut read).expect("it is text");
        let whole = read.rfind('\n').map_or("", |end| &read[..end]);
        let line =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON ({e}): {line}"));
        whole.lines().map(line).collect()
    }

    /// All of its lines.
    pub fn lines(&self) -> Vec<Value> {
        self.since(0)
    }

    /// Its lines of one event about `who`.
    pub fn of(&self, event: &str, who: &str) -> Vec<Value> {
        let mut lines = self.lines();
        lines.retain(|line| line["event"] == event && line["who"] == who);
        lines
    }

    /// The same, once there are so many.
    pub async fn once(&self, event: &str, who: &str, count: usize) -> Vec<Value> {
        let what = format!("{count} lines {event} of {who}");
        until(SOON, &what, async || {
            let lines = self.of(event, who);
            (lines.len() >= count).then_some(lines)
        })
        .await
    }

    /// How long its whole lines are, bytes; nothing where there is none. Who starts next cuts a torn one off.
    pub fn length(&self) -> u64 {
        let all = std::fs::read(self.audit()).unwrap_or_default();
        let end = all.iter().rposition(|byte| *byte == b'\n');
        end.map_or(0, |end| end as u64 + 1)
    }
}

/// `partyline-relay audit verify` of these files, the newest last.
pub async fn verify(files: &[&Path]) -> Finished {
    let files: Vec<String> = files.iter().map(|file| text(file)).collect();
    let files = files.iter().map(String::as_str);
    run(&["audit", "verify"].into_iter().chain(files).collect::<Vec<_>>()).await
}

async fn run(args: &[&str]) -> Finished {
    Program::start(&binaries::path(binaries::RELAY), args, &[])
        .finish(SOON)
        .await
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}
