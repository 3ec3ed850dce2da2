//! The monitoring page's modules in Node: each by itself, and its connection against a real relay. A browser runs them
//! as they are; so does this.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use harness::wait::{SOON, until};
use harness::{Network, Program, Relay, TwilioCall, http, packages, speech};
use partyline_shared::track::Track;
use serde_json::Value;

/// Frames of each track: 4 s.
const FRAMES: usize = 200;

/// How often the wire is cut meanwhile.
const CUTS: usize = 3;

/// What the page logs of each socket.
const CONNECTED: &str = "Partyline: connected";

fn units() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("page/unit")
}

#[test]
fn the_modules_hold_by_themselves() {
    let mut tests: Vec<PathBuf> = std::fs::read_dir(units())
        .expect("the tests lie in a folder")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    tests.sort();
    assert!(tests.len() >= 6, "{tests:?}");
    let done = Command::new("node")
        .args(["--no-warnings", "--test", "--test-reporter=tap"])
        .args(tests)
        .output()
        .unwrap_or_else(|e| panic!("node cannot be run ({e}); tests/install.sh test installs it"));
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    // A run that found nothing would succeed too.
    let passed = said.lines().find_map(|line| line.strip_prefix("# pass "));
    let passed: usize = passed
        .and_then(|count| count.parse().ok())
        .expect("it says how many");
    assert!(passed >= 60, "{passed} tests ran");
}

/// The audio of a track, whose chunks count from 1 without a hole.
fn audio(heard: &Value, track: &str) -> Vec<u8> {
    let frames = heard[track].as_array().expect("a list of frames");
    let mut audio = Vec::new();
    for (at, frame) in frames.iter().enumerate() {
        assert_eq!(frame["chunk"], at + 1, "{track}");
        audio.extend(
            STANDARD
                .decode(frame["mulaw"].as_str().expect("base64"))
                .expect("base64"),
        );
    }
    audio
}

/// How many lines of a log are this one.
fn count(log: &str, text: &str) -> usize {
    log.lines().filter(|line| *line == text).count()
}

/// A call of human speech, heard and read by the page's own connection over a wire that is cut three times: every byte
/// and every line comes once and in order, and each of the old page's three states is logged for each socket.
#[tokio::test]
async fn its_connection_hears_all_of_a_call_over_a_wire_that_is_cut() {
    let relay = Relay::start(&[]).await;
    let wire = Network::to(relay.addr(), 7).await;
    let mut call = TwilioCall::new(&relay);
    call.webhook(&[]).await.expect(200);
    let sid = call.sid().to_string();
    let folder = packages::node("page/unit");
    let script = units().join("live.mjs");
    let (frames, lines) = (FRAMES.to_string(), CUTS.to_string());
    let args = [
        "--no-warnings",
        &script.to_string_lossy(),
        &wire.url(),
        &sid,
        &frames,
        &lines,
        &folder.to_string_lossy(),
    ];
    let page = Program::start(Path::new("node"), args, &[]);
    let confirmed = format!("Partyline: subscription confirmed {sid}");
    let path = format!("/api/v1/calls/{sid}");
    until(SOON, "the page to listen", async || {
        let call = http::get(relay.addr(), &path).await.expect(200).json();
        (call["listeners"] == 1).then_some(())
    })
    .await;
    let mut stream = call.live_stream().await;
    let inbound = speech::piece(speech::LONG[0], 1_000, FRAMES * 20);
    let outbound = speech::piece(speech::LONG[1], 1_000, FRAMES * 20);
    let piece = inbound.len() / (CUTS + 1) / 160 * 160;
    let mut said = Vec::new();
    for part in 0..=CUTS {
        let end = if part == CUTS {
            inbound.len()
        } else {
            (part + 1) * piece
        };
        let range = part * piece..end;
        let pace = Duration::from_millis(20);
        stream.play(&inbound[range.clone()], &outbound[range], pace).await;
        if part < CUTS {
            // Each socket is cut after what is logged of it below.
            until(SOON, "the page to be subscribed", async || {
                let log = page.stderr();
                let (open, subscribed) = (count(&log, CONNECTED), count(&log, &confirmed));
                (open > part && subscribed >= open).then_some(())
            })
            .await;
            wire.cut();
            let text = format!("words after {part}");
            call.says(Track::BOTH[part % 2], &text, true).await.expect(204);
            said.push(text);
        }
    }
    let done = page.finish(SOON).await.expect_code(0);
    let heard: Value = serde_json::from_str(&done.text()).expect("one JSON object");
    assert_eq!(heard["missed"], serde_json::json!([]));
    assert!(
        audio(&heard, "inbound") == inbound,
        "inbound is not what was said"
    );
    assert!(
        audio(&heard, "outbound") == outbound,
        "outbound is not what was said"
    );
    assert_eq!(heard["lines"], serde_json::json!(said));
    // The connection that the ticket came over may still stand, and is cut too.
    assert!(wire.cuts() >= CUTS);
    let sockets = heard["sockets"].as_u64().expect("a number") as usize;
    assert!(sockets > 1, "{heard}");
    let logged = |text: &str| count(&done.stderr, text);
    assert_eq!(logged(CONNECTED), sockets, "{}", done.stderr);
    assert!(logged(&confirmed) >= sockets, "{}", done.stderr);
    assert!(logged("Partyline: receiving") > 1, "{}", done.stderr);
    stream.hang_up().await;
    relay.stop().await.expect_code(0);
}
