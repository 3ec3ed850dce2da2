//! The commands without a screen: their lines go to a terminal too.

use harness::emitted::{Fault, read_lines};
use harness::impostor::{Impostor, http};
use harness::wait::SOON;
use harness::{Finished, Program, binaries};
use partyline_shared::protocol::PROTOCOL;
use partyline_shared::text::is_unsafe;
use serde_json::{Value, json};

use super::texts;

fn all(field: &str) -> Vec<String> {
    let mut all = texts::short(field);
    all.extend(texts::long(field));
    all
}

async fn run(impostor: &Impostor, args: &[&str]) -> Finished {
    let url = impostor.url();
    let mut all = vec!["--relay", url.as_str()];
    all.extend(args);
    Program::start(&binaries::path(binaries::LISTENER), all, &[])
        .finish(SOON)
        .await
}

/// Fails unless both outputs are lines and nothing else; JSON is for programs, which may have towers.
#[track_caller]
fn expect_lines(args: &[&str], done: &Finished) {
    let show = |fault: Fault| panic!("{args:?}: {fault}");
    read_lines(done.stderr.as_bytes()).unwrap_or_else(show);
    if args.contains(&"--json") {
        let text = String::from_utf8(done.stdout.clone()).expect("text");
        let bad = text.chars().find(|c| is_unsafe(*c) && *c != '\n');
        assert_eq!(bad, None, "{args:?}");
        done.json_lines();
    } else {
        read_lines(&done.stdout).unwrap_or_else(show);
    }
}

#[tokio::test]
async fn what_a_relay_answers_is_only_printed() {
    let impostor = Impostor::start().await;
    let calls = all("pa");
    let calls: Vec<Value> = (0..)
        .zip(&calls)
        .map(|(at, text)| texts::call(&format!("CA{at}"), text))
        .collect();
    let lines = all("li");
    let lines: Vec<Value> = (1..)
        .zip(&lines)
        .map(|(seq, text)| texts::line(seq, text, true))
        .collect();
    let events = all("ev");
    let events: Vec<Value> = (1..)
        .zip(&events)
        .map(|(seq, text)| texts::event(seq, "mark", text))
        .collect();
    let count = calls.len();
    impostor.answer("/api/v1/calls", "200 OK", &json!({"calls": calls}));
    impostor.answer("/api/v1/calls/CA1", "200 OK", &calls[1]);
    let said = json!({"journal": "\u{1b}c", "transcript": lines});
    impostor.answer("/api/v1/calls/CA1/transcript", "200 OK", &said);
    let happened = json!({"journal": "\u{1b}c", "events": events});
    impostor.answer("/api/v1/calls/CA1/events", "200 OK", &happened);
    for args in [
        ["calls"].as_slice(),
        &["calls", "--all"],
        &["calls", "--json"],
        &["transcript", "CA1"],
        &["transcript", "CA1", "--json"],
        &["events", "CA1"],
        &["events", "CA1", "--json"],
    ] {
        let done = run(&impostor, args).await.expect_code(0);
        expect_lines(args, &done);
        assert!(done.text().lines().count() >= count, "{args:?}: {}", done.text());
    }
    let info = run(&impostor, &["info"]).await;
    expect_lines(&["info"], &info);
}

#[tokio::test]
async fn a_refusal_is_only_printed() {
    let impostor = Impostor::start().await;
    let statuses = [
        "400 a",
        "401 b",
        "403 c",
        "404 d",
        "500 e",
        "502 \u{1b}]0;OWNED\u{7}",
    ];
    for (status, text) in statuses.iter().cycle().zip(all("er")) {
        let error = json!({"error": {"code": text, "message": text}});
        impostor.answer("/api/v1/calls/CA1/transcript", status, &error);
        let args = ["transcript", "CA1"];
        let done = run(&impostor, &args).await;
        assert_ne!(done.code, Some(0));
        assert!(!done.stderr.is_empty());
        expect_lines(&args, &done);
    }
    for status in statuses {
        let header = "www-authenticate: \u{1b}]0;OWNED\u{7}\r\nlocation: \u{9b}2J\r\n";
        for answer in [
            http(status, header, &all("er").concat()),
            http(status, "", "\u{1b}c"),
            b"\x1b]0;OWNED\x07\r\n\r\n".to_vec(),
            b"HTTP/1.1 101 \x9b2J\r\nupgrade: \x1b[2J\r\n\r\n\x1bc".to_vec(),
        ] {
            impostor.refuse(answer);
            let args = [
                "listen", "CA1", "--output", "-", "--format", "raw", "--track", "inbound",
            ];
            let done = run(&impostor, &args).await;
            expect_lines(&args, &done);
            assert!(!done.stderr.is_empty());
        }
    }
}

/// What a listener is told while it follows.
#[tokio::test]
async fn what_a_relay_says_is_only_printed() {
    for args in [
        ["transcript", "CA1", "--follow"].as_slice(),
        &["transcript", "CA1", "--follow", "--json"],
        &["events", "CA1", "--follow"],
        &["events", "CA1", "--follow", "--json"],
        &["calls", "--watch"],
        &["calls", "--watch", "--json"],
        &["listen", "CA1", "--stats"],
    ] {
        let mut impostor = Impostor::start().await;
        let url = impostor.url();
        let mut given = vec!["--relay", url.as_str()];
        given.extend(args);
        let program = Program::start(&binaries::path(binaries::LISTENER), given, &[]);
        let mut peer = impostor.peer().await;
        let texts = all("li");
        peer.say(
            &json!({"type": "hello", "protocol": PROTOCOL, "relay": texts[2], "node": texts[3],
            "user": {"name": texts[4], "role": texts[5]}, "time": "2026-11-22T09:00:00.000Z"}),
        )
        .await;
        let calls: Vec<Value> = (0..)
            .zip(&texts)
            .map(|(at, text)| texts::call(&format!("CA{at}"), text))
            .collect();
        for page in calls.chunks(1) {
            peer.say(&json!({"type": "calls", "calls": page, "more": true}))
                .await;
        }
        peer.say(&json!({"type": "calls", "calls": [], "more": false}))
            .await;
        if args[0] != "calls" {
            peer.hear_a("subscribe").await;
        }
        peer.say(&json!({"type": "subscribed", "call_sid": "CA1", "audio_id": 7, "journal": "j", "resumed": false}))
            .await;
        for (seq, text) in (1..).zip(&texts) {
            let line = texts::line(seq, text, true);
            peer.say(&json!({"type": "transcript", "call_sid": "CA1", "line": line}))
                .await;
            let event = texts::event(seq, "error", text);
            peer.say(&json!({"type": "event", "call_sid": "CA1", "event": event}))
                .await;
            peer.say(&json!({"type": "call", "call": texts::call("CA2", text)}))
                .await;
            peer.say(&json!({"type": "error", "code": text, "message": text}))
                .await;
            peer.say(&json!({"type": text})).await;
            peer.say_text(text.clone()).await;
        }
        peer.say(&json!({"type": "error", "code": "no_such_call", "message": texts[2], "re": "CA1"}))
            .await;
        peer.say(&json!({"type": "goodbye", "reason": texts[2], "retry_after_ms": 1}))
            .await;
        peer.close(1008, "\u{1b}]0;OWNED\u{7}\u{202e}").await;
        let done = program.finish(SOON).await;
        expect_lines(args, &done);
        assert!(!done.stderr.is_empty(), "{args:?} says why it ends");
    }
}
