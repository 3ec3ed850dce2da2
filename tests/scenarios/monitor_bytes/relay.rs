//! A hostile relay: nothing that it says is taken for more than text.

use std::collections::BTreeMap;

use bytes::Bytes;
use harness::impostor::{Impostor, Peer, http};
use harness::supervisor::BACKOFF_FLOOR_MS;
use harness::terminal::{self, Setup, Terminal};
use partyline_shared::protocol::PROTOCOL;
use serde_json::json;

use super::{SIZES, emitted, expect_in_place, quit, texts};

/// Longest reason of a close, bytes.
const REASON: usize = 123;

/// What is longer, in bytes, fills more than its pane.
const LONG: usize = 1000;

/// What a relay has to say, each field with its own mark: the texts in place `at`.
struct Script {
    party: String,
    line: String,
    event: String,
    error: String,
    goodbye: String,
    reason: String,
}

impl Script {
    fn all() -> Vec<Script> {
        let fields = ["pa", "li", "ev", "er", "gb", "cl"].map(|field| {
            let mut all = texts::short(field);
            all.extend(texts::long(field));
            all
        });
        let count = fields[0].len();
        let script = |at: usize| {
            let [party, line, event, error, goodbye, reason] = fields.each_ref().map(|all| all[at].clone());
            let ends = reason.char_indices().map(|(at, c)| at + c.len_utf8());
            let end = ends.take_while(|end| *end <= REASON).last().unwrap_or(0);
            Script {
                party,
                line,
                event,
                error,
                goodbye,
                reason: reason[..end].to_owned(),
            }
        };
        (0..count).map(script).collect()
    }
}

fn mark(text: &str) -> &str {
    &text[..4]
}

async fn greet(peer: &mut Peer, script: &Script) {
    let text = &script.party;
    peer.say(
        &json!({"type": "hello", "protocol": PROTOCOL, "relay": text, "node": text, "features": [text, text],
        "user": {"name": text, "role": text, "allow": [text]}, "time": "2026-11-22T09:00:00.000Z"}),
    )
    .await;
    peer.say(&json!({"type": "calls", "calls": [texts::call("CA1", text)], "more": false}))
        .await;
}

/// All about the one call, and what no relay would say.
async fn tell(peer: &mut Peer, script: &Script) {
    let Script {
        line, event, error, ..
    } = script;
    peer.say(
        &json!({"type": "subscribed", "call_sid": "CA1", "audio_id": 7, "journal": line, "resumed": false,
        "zero_at": "2026-11-22T09:00:00.000Z"}),
    )
    .await;
    for (seq, is_final) in [(1, true), (2, true), (3, false)] {
        peer.say(&json!({"type": "transcript", "call_sid": "CA1", "line": texts::line(seq, line, is_final)}))
            .await;
    }
    for (seq, kind) in (1..).zip([
        "error",
        "mark",
        "call_status",
        "gap",
        "keyword",
        "listener_joined",
        event,
    ]) {
        peer.say(&json!({"type": "event", "call_sid": "CA1", "event": texts::event(seq, kind, event)}))
            .await;
    }
    for (seq, kind) in (8..).zip(["stream_started", "transcription_failed", "error"]) {
        peer.say(&json!({"type": "event", "call_sid": "CA1", "event": texts::event(seq, kind, event)}))
            .await;
    }
    peer.say(
        &json!({"type": "levels", "levels": [{"call_sid": "CA1", "inbound": -18.0, "outbound": 1e300}]}),
    )
    .await;
    peer.say(&json!({"type": "gap", "call_sid": "CA1", "track": "inbound", "from_chunk": 1, "to_chunk": 9, "reason": event}))
        .await;
    peer.say(&json!({"type": error, "message": error})).await;
    peer.say_text(error.clone()).await;
    peer.say_text(format!(r#"{{"type":"{}"#, event)).await;
    peer.say(&json!({"type": "call", "call": {"call_sid": error}}))
        .await;
    peer.send(Bytes::from(error.clone())).await;
}

/// Complains until that is seen: a newer notice takes an older one's place.
async fn complain(peer: &mut Peer, script: &Script, seen: impl Future<Output = ()>) {
    let error = &script.error;
    let complaint = json!({"type": "error", "code": error, "message": error, "re": error});
    tokio::pin!(seen);
    loop {
        peer.say(&complaint).await;
        tokio::select! {
            () = &mut seen => return,
            () = terminal::a_moment(1_000) => {}
        }
    }
}

/// Waits until a text with this mark was written. On a screen that can be looked for; of lines it may have gone by.
async fn shows(terminal: &Terminal, text: &str) {
    if terminal.look(|screen| screen.alternate_screen()) {
        terminal.wait_for(mark(text)).await;
    } else {
        terminal.wait_for_bytes(mark(text).as_bytes()).await;
    }
}

/// The rest of one connection's life.
async fn leave(peer: Peer, script: &Script, terminal: &Terminal) {
    let mut peer = peer;
    peer.say(&json!({"type": "goodbye", "reason": script.goodbye, "retry_after_ms": 1}))
        .await;
    shows(terminal, &script.goodbye).await;
    peer.close(1012, &script.reason).await;
    shows(terminal, &script.reason).await;
}

async fn monitor(impostor: &Impostor, more: &[&str]) -> Terminal {
    let url = impostor.url();
    let mut args = vec!["--relay", url.as_str()];
    args.extend(more);
    let setup = Setup {
        size: SIZES[2],
        env: vec![("PARTYLINE_BACKOFF_FLOOR_MS", BACKOFF_FLOOR_MS.to_owned())],
        ..Setup::default()
    };
    Terminal::partyline(&args, setup).await
}

/// All that it says, one connection after another.
async fn hear_all(
    impostor: &mut Impostor,
    terminal: &Terminal,
    mut shown: impl AsyncFnMut(&Terminal, &Script),
) {
    for script in &Script::all() {
        let mut peer = impostor.peer().await;
        greet(&mut peer, script).await;
        peer.hear_a("subscribe").await;
        tell(&mut peer, script).await;
        shows(terminal, &script.event).await;
        // Of a longer one the end is seen.
        if script.line.len() < LONG {
            shows(terminal, &script.line).await;
        }
        complain(&mut peer, script, shows(terminal, &script.error)).await;
        shown(terminal, script).await;
        leave(peer, script, terminal).await;
        terminal.keys("R");
    }
}

#[tokio::test]
async fn a_hostile_relay_is_only_seen() {
    let mut impostor = Impostor::start().await;
    let terminal = monitor(&impostor, &[]).await;
    hear_all(
        &mut impostor,
        &terminal,
        async |terminal: &Terminal, script: &Script| {
            terminal.wait_for(mark(&script.party)).await;
            expect_in_place(terminal).await;
        },
    )
    .await;
    for status in [
        "503 \u{1b}]0;OWNED\u{7}",
        "500 \u{9b}2J",
        "418 \u{202e}gnp",
        "401 no",
        "403 \u{1b}c",
    ] {
        // What is no HTTP, and what it says in its headers and body, is for nobody's eyes.
        let header = "retry-after: 0\r\nwww-authenticate: \u{1b}]0;OWNED\u{7}\r\nserver: \u{9b}2J\r\n";
        impostor.refuse(http(status, header, &texts::short("bo").concat()));
        let since = format!("HTTP {}", &status[..3]);
        terminal.keys("R");
        terminal
            .wait_until(&since, |screen| {
                let text = screen.contents();
                text.contains(&since) || text.contains("away since") || text.contains("refused since")
            })
            .await;
    }
    quit(&terminal).await;
}

#[tokio::test]
async fn a_hostile_relay_is_only_read_out() {
    let mut impostor = Impostor::start().await;
    let terminal = monitor(&impostor, &["--plain"]).await;
    hear_all(&mut impostor, &terminal, async |_: &Terminal, _: &Script| {}).await;
    // What is not written when it ends is left out, in the middle of a line too.
    terminal
        .wait_until_written("whole lines", |raw| raw.ends_with(b"\r\n"))
        .await;
    terminal.keys("q");
    assert!(terminal.ended().await.success());
    let emitted = emitted(&terminal);
    assert_eq!(emitted.modes, BTreeMap::new(), "lines are all there is");
    assert_eq!(emitted.pictures, 0);
}
