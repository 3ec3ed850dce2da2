//! Every flood of `tests/floods/flood.py`, slowhttptest and socat, against a relay as it is run for people: each
//! connection is ended, and a call is heard byte for byte meanwhile. What became of each is printed as a table.

use std::process::Stdio;
use std::time::Duration;

use harness::signed::{ORIGIN, TOKEN};
use harness::wait::{until, within};
use harness::{Guarded, Witness};
use partyline_relay::twilio::signature;
use partyline_shared::twilio::form::Form;
use serde::Deserialize;
use tokio::process::Command;

use super::counted;

/// Each connection lasts for 10 s at most. More is no fault of the relay's where it does not get its turn: these
/// floods keep two cores busy, and the other stories run beside them.
const LASTS: f64 = 10.0 + 5.0;
/// How long the floods of one round may take in all.
const ROUND: Duration = Duration::from_secs(60);
/// How long a call is talked through each round: past what a connection may last.
const TALK_MS: usize = 12_000;
/// How long the last connections may take to be gone once whoever made them is.
const ENDS: Duration = Duration::from_secs(5);
/// Connections that say nothing at once: five times as many as may.
const IDLE: &str = "5000";

/// What became of one flood.
#[derive(Debug, Deserialize)]
struct Row {
    flood: String,
    what: String,
    connections: u64,
    sent: u64,
    ended: u64,
    how: serde_json::Map<String, serde_json::Value>,
    longest_s: f64,
}

impl Row {
    fn markdown(&self) -> String {
        let how: Vec<String> = self.how.iter().map(|(how, n)| format!("{how} × {n}")).collect();
        format!(
            "| {} | {} | {} | {} KB | {} of {}: {} | {} s |",
            self.flood,
            self.what,
            self.connections,
            self.sent / 1024,
            self.ended,
            self.connections,
            how.join(", "),
            self.longest_s
        )
    }
}

/// Rounds of floods that run at once: those that wait, those that send without end, those of a listener. By themselves
/// those that are too many: they take the places of all others.
const ROUNDS: [&[&str]; 4] = [
    &["slow-headers", "slow-body", "slow-read", "refresh", "half-tls"],
    &[
        "header-bomb",
        "long-header",
        "huge-body",
        "garbage",
        "silent-listeners",
        "silent-streams",
    ],
    &[
        "pings",
        "continuations",
        "oversize",
        "messages",
        "stream-pings",
        "noise",
    ],
    &["idle"],
];

/// Runs some floods by our own program.
async fn flood(relay: &Guarded, token: &str, floods: &[&str]) -> Vec<Row> {
    let (host, port) = (relay.addr().ip().to_string(), relay.addr().port().to_string());
    let url = format!("{}/cable", ORIGIN.replacen("https", "wss", 1));
    let signature = signature::sign(TOKEN, &url, &Form::default());
    let mut command = Command::new("python3");
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/floods/flood.py"))
        .args([&host, &port])
        .args(["--token", token, "--signature", &signature, "--sockets", IDLE])
        .args(floods);
    let out = run(command, &floods.join(", ")).await;
    out.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

async fn run(mut command: Command, what: &str) -> String {
    command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let out = within(ROUND, what, command.output()).await;
    let out = out.unwrap_or_else(|e| panic!("{what} cannot be run (make test installs it): {e}"));
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{what}: {stderr}");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Connections as the kernel has them on the relay's side: all but those that are over on both.
fn connections(relay: &Guarded) -> usize {
    const TIME_WAIT: &str = "06";
    const LISTEN: &str = "0A";
    let here = format!(":{:04X}", relay.addr().port());
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel tells");
    let open = |line: &&str| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, state) = (fields.next(), fields.nth(1));
        local.is_some_and(|local| local.ends_with(&here)) && !matches!(state, Some(TIME_WAIT | LISTEN))
    };
    table.lines().filter(open).count()
}

#[tokio::test]
async fn floods_end_and_a_call_is_heard_meanwhile() {
    let relay = Guarded::new();
    let token = relay.token("office", &["--role", "admin"]).await;
    let relay = relay.start(&[]).await;
    println!("| flood | what it is | connections | sent | what the relay ended | longest |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for floods in ROUNDS {
        let witness = Witness::begin_guarded(&relay, &token, TALK_MS).await;
        let rows = flood(&relay, &token, floods).await;
        for row in &rows {
            println!("{}", row.markdown());
        }
        assert_eq!(rows.len(), floods.len());
        for row in &rows {
            assert_eq!(row.ended, row.connections, "left open: {row:?}");
            assert!(row.longest_s < LASTS, "lasted too long: {row:?}");
        }
        witness.was_not_disturbed().await;
    }
    println!("A call with a listener during each round: every byte of it arrived, with no gap.");
    relay.program().signal("TERM");
    let log = relay.ended().await.stderr;
    for counter in ["connections_displaced", "connections_late", "listeners_too_loud"] {
        assert!(counted(&log, counter) > 0, "{counter}");
    }
}

#[tokio::test]
async fn what_others_wrote_to_break_servers_is_ended_too() {
    let relay = Guarded::new();
    let token = relay.token("office", &["--role", "admin"]).await;
    let relay = relay.start(&[]).await;
    let witness = Witness::begin_guarded(&relay, &token, TALK_MS).await;
    let url = format!("{}/healthz", relay.url());
    let slow = |mode: &'static str| {
        let mut command = Command::new("slowhttptest");
        // 200 connections, 100 a second, a piece each second, for 15 s, given up where there is no answer in 3 s.
        command.args([
            mode, "-c", "200", "-r", "100", "-i", "1", "-l", "15", "-p", "3", "-u", &url,
        ]);
        run(command, mode)
    };
    let mut noise = Command::new("sh");
    let target = format!("TCP:{}", relay.addr());
    // It fails where the relay resets, which is what it is to do.
    noise.args([
        "-c",
        "head -c 100000000 /dev/urandom | socat -u - \"$0\" 2>&1; true",
        &target,
    ]);
    let (headers, body, reads, _) = tokio::join!(slow("-H"), slow("-B"), slow("-X"), run(noise, "socat"));
    for (what, said) in [("headers", &headers), ("bodies", &body), ("reads", &reads)] {
        let end = said.lines().rev().find(|line| line.contains("Exit status"));
        let end = end.unwrap_or_else(|| panic!("slowhttptest said no end: {said}"));
        println!(
            "slowhttptest, slow {what}: {}",
            end.replace("\u{1b}[1;36m", "").replace("\u{1b}[0m", "")
        );
        // Who reads slowly has the whole answer in its own kernel and does not know that nobody is there.
        assert!(
            what == "reads" || end.contains("No open connections left"),
            "slow {what}: {said}"
        );
    }
    let open = until(ENDS, "no connection but the call and its listener", async || {
        let open = connections(&relay);
        (open <= 2).then_some(open)
    })
    .await;
    println!("of 600 connections {open} were left, with the call and its listener");
    witness.was_not_disturbed().await;
}
