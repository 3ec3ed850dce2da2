//! `--plain`: lines for a screen reader, in a terminal; no escape sequence, no box, and the same keys.

use harness::network::quiet_port;
use harness::{Relay, Terminal};

use super::{rings, say, sized};

#[tokio::test]
async fn what_happens_is_told_in_lines() {
    let at = quiet_port().to_string();
    let relay = Relay::start_on(&at, &[]).await;
    let url = relay.url();
    let mut call = rings(&relay, "cust01").await;
    let terminal = Terminal::partyline(&["--relay", &url, "--plain"], sized(80, 24)).await;
    let tells = async |line: &str| terminal.wait_for_bytes(format!("{line}\r\n").as_bytes()).await;
    tells(&format!("relay {url}: online")).await;
    terminal
        .wait_for_bytes(b"call 1 of 1: ringing, customer cust01")
        .await;
    let mut stream = call.live_stream().await;
    tells("customer cust01: in progress").await;
    say(&mut call, "Good morning.").await;
    tells("agent: Good morning.").await;
    let _other = rings(&relay, "cust02").await;
    tells("new call: ringing, customer cust02").await;
    for (key, line) in [
        ("j", "call 2 of 2: ringing, customer cust02"),
        ("k", "call 1 of 2: in progress, customer cust01"),
        ("\r", "you hear customer cust01"),
        ("+", "volume +2 dB"),
        ("m", "muted"),
        ("1", "only the customer"),
        ("o", "each on one ear alone"),
        ("o", "both sides on both ears"),
        ("p", "are masked"),
        ("p", "are shown"),
        ("/", "type a filter, then Enter"),
        ("cust02\r", "filter cust02: 1 of 2 calls"),
        ("\x1b", "no filter, 2 calls"),
        ("\t\t", "transcript"),
        ("?", "Enter: hear the call, play a line"),
        ("?s", "you hear nothing"),
    ] {
        terminal.keys(key);
        terminal.wait_for_bytes(line.as_bytes()).await;
    }
    stream.stop().await;
    call.status("completed", &[]).await.expect(204);
    tells("customer cust01: ended").await;
    relay.kill().await;
    terminal
        .wait_for_bytes(format!("relay {url}: away since ").as_bytes())
        .await;
    let online = |raw: &[u8]| String::from_utf8_lossy(raw).matches(": online\r\n").count();
    // It may find the relay by itself as soon as there is one.
    let before = online(&terminal.raw());
    let _relay = Relay::start_on(&at, &[]).await;
    terminal.keys("R");
    terminal
        .wait_until_written("the relay again", |raw| online(raw) > before)
        .await;
    terminal.keys("q");
    assert!(terminal.ended().await.success());
    let all = String::from_utf8(terminal.raw()).expect("lines are UTF-8");
    // The harness itself says one thing at the end: a title, by which it knows that all has come.
    let program = all.split("\x1b]0;").next().unwrap_or_default();
    assert!(!program.contains('\x1b'), "an escape sequence: {program:?}");
    assert!(
        program
            .chars()
            .all(|c| !c.is_control() || matches!(c, '\r' | '\n'))
    );
}
