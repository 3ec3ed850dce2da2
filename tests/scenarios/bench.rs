//! The load program believes nobody: it finds all that a relay delivers, and all that one does wrong.
#![cfg(target_os = "linux")]

use std::time::Duration;

use harness::wait::SOON;
use harness::{Finished, Program, Relay, binaries};
use serde_json::Value;

/// A run of two seconds, with all that goes before and after it.
const A_RUN: Duration = Duration::from_secs(60);
/// What is asked of every relay here: 5 calls, 2 tracks, 2 listeners.
const LOAD: [&str; 14] = [
    "load",
    "--calls",
    "5",
    "--tracks",
    "2",
    "--listeners",
    "2",
    "--seconds",
    "2",
    "--warmup",
    "0.5",
    "--settle-ms",
    "100",
    "--relay",
];
/// Frames sent: 5 calls of 2 tracks, 50 a second each.
const SENT: u64 = 5 * 2 * 100;

/// Runs the load program against `relay`, with more than [`LOAD`].
async fn load(relay: &str, more: &[&str]) -> (Finished, Value) {
    let args = LOAD.iter().chain([&relay]).chain(more);
    let program = Program::start(&binaries::path(binaries::BENCH), args, &[]);
    let done = program.finish(A_RUN).await;
    let report = serde_json::from_slice(&done.stdout)
        .unwrap_or_else(|e| panic!("no report ({e})\nstderr: {}", done.stderr));
    (done, report)
}

/// A floor, and where it listens.
async fn floor(more: &[&str]) -> (Program, String) {
    let args = ["floor", "--port", "0"].iter().chain(more);
    let floor = Program::start(&binaries::path(binaries::BENCH), args, &[]);
    let line = floor.line(SOON, "where it listens", |_| true).await;
    let addr = line.strip_prefix("listening on http://").expect("an address");
    (floor, addr.to_owned())
}

fn count(report: &Value, what: &str) -> u64 {
    report[what]
        .as_u64()
        .unwrap_or_else(|| panic!("no {what} in {report}"))
}

/// Nothing is wrong, and as much was delivered.
#[track_caller]
fn all_is_right(report: &Value, delivered: u64) {
    for (what, expected) in [
        ("frames_planned", SENT),
        ("frames_sent", SENT),
        ("expected", delivered),
        ("delivered", delivered),
        ("missing", 0),
        ("duplicated", 0),
        ("corrupt", 0),
        ("out_of_order", 0),
        ("misrouted", 0),
    ] {
        assert_eq!(count(report, what), expected, "{what} in {report:#}");
    }
    let latency = &report["latency_ms"];
    assert!(latency["count"].as_u64() > Some(0), "{report:#}");
    assert!(latency["p50"].as_f64() > Some(0.0), "{report:#}");
    assert_eq!(report["errors"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn a_floor_delivers_all() {
    let (floor, addr) = floor(&[]).await;
    let pid = floor.pid().to_string();
    let (done, report) = load(&addr, &["--pid", &pid]).await;
    all_is_right(&report, 2 * SENT);
    let server = &report["server"];
    for cost in ["cpu_us_per_frame_in", "cpu_us_per_delivered", "cpu_percent"] {
        assert!(server[cost].as_f64() > Some(0.0), "{cost} in {report:#}");
    }
    assert!(server["rss_kb"]["start"].as_u64() > Some(0), "{report:#}");
    done.expect_code(0);
}

#[tokio::test]
async fn a_relay_delivers_all_to_all_that_read() {
    let relay = Relay::start(&[]).await;
    let addr = relay.addr().to_string();
    let (done, report) = load(&addr, &["--voice-path", "/twilio/voice", "--together"]).await;
    all_is_right(&report, 2 * SENT);
    done.expect_code(0);

    // Beside as many that speak Action Cable.
    let (done, report) = load(
        &addr,
        &["--voice-path", "/twilio/voice", "--cable-listeners", "2"],
    )
    .await;
    all_is_right(&report, 4 * SENT);
    done.expect_code(0);

    // Listeners at another address: the same relay.
    let (done, report) = load(&addr, &["--listen-relay", &addr, "--voice-path", "/twilio/voice"]).await;
    all_is_right(&report, 2 * SENT);
    done.expect_code(0);

    let others = ["--idle", "3", "--slow", "2", "--late", "3", "--seed", "7"];
    let (done, report) = load(&addr, &others).await;
    let expected = count(&report, "expected");
    assert!(expected > 2 * SENT, "late listeners expect something: {report:#}");
    all_is_right(&report, expected);
    assert_eq!(report["late"]["first_frame_ms"]["count"], 3);
    done.expect_code(0);
}

#[tokio::test]
async fn what_a_relay_does_wrong_is_found_and_named() {
    tokio::join!(
        found("drop", "missing", None),
        found("flip", "corrupt", Some("a frame with a wrong byte")),
        found("swap", "out_of_order", Some("came after a later one")),
        found("double", "duplicated", Some("came twice")),
        found("stray", "misrouted", Some("is of call")),
    );
}

/// A floor with that fault is counted there and nowhere else, and its first error says so.
async fn found(fault: &str, counted: &str, named: Option<&str>) {
    let (_floor, addr) = floor(&["--fault", fault]).await;
    let (done, report) = load(&addr, &[]).await;
    // One in fifty, for each of two listeners; what would have come last may have nothing to be swapped with.
    let count_of = count(&report, counted);
    assert!((38..=40).contains(&count_of), "{fault}: {report:#}");
    for other in ["duplicated", "out_of_order", "misrouted", "corrupt"] {
        assert!(
            other == counted || count(&report, other) == 0,
            "{fault}: {report:#}"
        );
    }
    if let Some(named) = named {
        let error = report["errors"][0].as_str().unwrap_or_default();
        assert!(error.contains(named), "{fault}: {report:#}");
    }
    done.expect_code(1);
}

#[tokio::test]
async fn what_cannot_be_measured_is_no_result() {
    let bench = binaries::path(binaries::BENCH);
    for args in [
        &["load"][..],
        &["load", "--relay", "192.0.2.1:80"],
        &["load", "--relay", "127.0.0.1:1", "--calls", "0"],
        // Nobody listens there: only root may, and nobody does.
        &["load", "--relay", "127.0.0.1:1"],
    ] {
        let done = Program::start(&bench, args, &[])
            .finish(SOON)
            .await
            .expect_code(2);
        assert!(
            !done.stderr.is_empty() && done.stdout.is_empty(),
            "{args:?}: {done:?}"
        );
    }
}
