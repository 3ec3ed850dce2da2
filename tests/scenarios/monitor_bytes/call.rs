//! A hostile call at an honest relay.

use harness::terminal::{Setup, Terminal};
use harness::{MediaSocket, Relay, TwilioCall, http};
use partyline_shared::text::is_unsafe;
use partyline_shared::track::Track;
use partyline_shared::twilio::form::Form;
use serde_json::json;

use super::{SIZES, expect_in_place, press, quit, texts};

/// A call with these texts wherever it has any: of itself, of a line, of an event.
async fn call(relay: &Relay, at: usize, party: &str, line: &str, event: &str) -> (TwilioCall, MediaSocket) {
    let mut call = TwilioCall::new(relay);
    call.from = match at % 2 {
        0 => party.to_owned(),
        _ => format!("client:{party}"),
    };
    call.to = party.to_owned();
    call.direction = party.to_owned();
    let mut changes = vec![
        ("CallerName", party),
        ("FromCity", party),
        ("ForwardedFrom", party),
    ];
    // By query, by form, or by the stream's own parameters.
    let mut path = "/twilio/voice".to_owned();
    match at % 3 {
        0 => path += &format!("?{}", Form::from_pairs([("customer_id", party)]).encode()),
        1 => changes.push(("customer_id", party)),
        _ => {}
    }
    let form = call.voice_form("ringing", &changes);
    http::post_form(relay.addr(), &path, &form).await.expect(200);
    let mut stream = call.open_stream().await;
    stream.connected().await;
    stream.start(&[("customer_id", party), (party, party)]).await;
    call.leg_status(
        "CAleg",
        "busy",
        &[("To", party), ("From", party), ("ErrorMessage", event)],
    )
    .await
    .expect(204);
    say(&mut call, line).await;
    happen(&mut call, &mut stream, event).await;
    (call, stream)
}

async fn say(call: &mut TwilioCall, line: &str) {
    let started = [("TranscriptionEngine", line), ("LanguageCode", line)];
    call.transcription("transcription-started", &started)
        .await
        .expect(204);
    for track in [Track::Inbound, Track::Outbound] {
        for is_final in [false, true] {
            call.says(track, line, is_final).await.expect(204);
        }
    }
}

async fn happen(call: &mut TwilioCall, stream: &mut MediaSocket, event: &str) {
    for message in [
        json!({"event": event}),
        json!({"event": "mark", "sequenceNumber": "3", "mark": {"name": event}}),
        json!({"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": event}}),
        json!({"event": "media", "media": {"track": event, "timestamp": event, "payload": event}}),
    ] {
        stream
            .raw_text(message.to_string())
            .await
            .expect("the socket takes it");
    }
    let changes = [("StreamName", event), ("StreamError", event)];
    call.stream_callback("MZ1", "stream-error", &changes)
        .await
        .expect(204);
    let changes = [("TranscriptionError", event), ("TranscriptionErrorCode", event)];
    call.transcription("transcription-error", &changes)
        .await
        .expect(204);
}

/// Goes through the list by this key, until each text of `count` calls was on the screen.
async fn look_at_all(
    terminal: &Terminal,
    key: &str,
    field: &str,
    count: usize,
    mut shown: impl AsyncFnMut(&Terminal),
) {
    let mut seen = Vec::new();
    while seen.len() < count {
        let what = format!("one more {field} than {}", seen.len());
        let is_new = |screen: &vt100::Screen| texts::unseen(&screen.contents(), field, &seen).is_some();
        terminal.wait_until(&what, is_new).await;
        seen.extend(texts::unseen(&terminal.text(), field, &seen));
        shown(terminal).await;
        terminal.keys(key);
    }
}

/// Makes it another size, and waits until it is drawn.
async fn resize(terminal: &Terminal, (cols, rows): (u16, u16)) {
    terminal.keys("?");
    terminal.wait_for("Keys").await;
    terminal.resize(cols, rows);
    terminal.keys("?");
    terminal
        .wait_until("the panes again", |screen| !screen.contents().contains("Keys"))
        .await;
}

/// Whatever a call says of itself, in every pane, at every size.
#[tokio::test]
async fn a_hostile_call_is_only_seen() {
    let relay = Relay::start(&[]).await;
    let (parties, lines, events) = (texts::short("pa"), texts::short("li"), texts::short("ev"));
    let mut calls = Vec::new();
    for (at, party) in parties.iter().enumerate() {
        calls.push(call(&relay, at, party, &lines[at], &events[at]).await);
    }
    let count = calls.len();
    let setup = Setup {
        size: SIZES[2],
        ..Setup::default()
    };
    let terminal = Terminal::partyline(&["--relay", &relay.url()], setup).await;
    terminal.wait_for("pa00").await;
    terminal.keys("g");
    look_at_all(&terminal, "\x1b[B", "li", count, expect_in_place).await;
    look_at_all(&terminal, "\x1b[A", "ev", count, expect_in_place).await;
    resize(&terminal, SIZES[1]).await;
    look_at_all(&terminal, "j", "li", count, async |_: &Terminal| {}).await;
    resize(&terminal, SIZES[0]).await;
    look_at_all(&terminal, "k", "pa", count, async |_: &Terminal| {}).await;
    let scroll = [
        "\x1b[5~", "\x1b[H", "k", "\x1b[6~", "\x1b[F", "/2J\r", "n", "\x1b",
    ];
    for _pane in ["call", "transcript", "events", "calls"] {
        press(&terminal, &["\t"]).await;
        press(&terminal, &scroll).await;
    }
    for size in SIZES {
        resize(&terminal, size).await;
        // Masked, heard, sorted, with all sorts of sound; a paste of what the callers say; drawn anew.
        press(
            &terminal,
            &[
                "p", "\r", " ", "l", "m", "1", "o", "+", "s", ">", "e", "p", "\x0c",
            ],
        )
        .await;
        terminal.keys("/");
        terminal.wait_for(": /").await;
        terminal.keys(format!(
            "\x1b[200~{}\x1b[201~",
            parties.concat().replace('\u{1b}', "")
        ));
        press(&terminal, &["\x1b", "\x1b", "g"]).await;
    }
    let has_copied = terminal.raw().windows(5).any(|bytes| bytes == b"\x1b]52;");
    assert!(!has_copied, "nothing is copied before it is asked for");
    while !terminal.text().contains("▌ Transcript") {
        press(&terminal, &["\t"]).await;
    }
    press(&terminal, &["\x1b[F"]).await;
    terminal.keys("y");
    terminal.wait_for_bytes(b"\x1b]52;c;").await;
    let copied = quit(&terminal).await.copied;
    assert_eq!(copied.len(), 1);
    assert!(
        !copied[0].chars().any(is_unsafe) && copied[0].contains("li"),
        "{copied:?}"
    );
}

/// Ten thousand characters of anything, as far as Twilio's requests take them.
#[tokio::test]
async fn names_without_end_are_only_seen() {
    let relay = Relay::start(&[]).await;
    let mut streams = Vec::new();
    let (parties, lines) = (texts::long("pa"), texts::long("li"));
    for (at, (party, line)) in parties.iter().zip(&lines).enumerate() {
        let mut call = TwilioCall::new(&relay);
        // A form is at most 64 KiB, of which each byte may take three.
        if party.len() < 20_000 {
            call.from = party.clone();
            call.to = if at % 2 == 0 { party.clone() } else { call.to };
        }
        call.webhook(&[]).await.expect(200);
        let mut stream = call.open_stream().await;
        stream.connected().await;
        stream.start(&[("customer_id", party)]).await;
        if line.len() < 20_000 {
            call.says(Track::Inbound, line, true).await.expect(204);
            call.says(Track::Outbound, line, false).await.expect(204);
        }
        for name in [party, line] {
            let mark = json!({"event": "mark", "sequenceNumber": "3", "mark": {"name": name}});
            stream
                .raw_text(mark.to_string())
                .await
                .expect("the socket takes it");
        }
        streams.push((call, stream));
    }
    let setup = Setup {
        size: SIZES[2],
        ..Setup::default()
    };
    let terminal = Terminal::partyline(&["--relay", &relay.url()], setup).await;
    terminal.wait_for("pa5").await;
    press(&terminal, &["j"; 6]).await;
    expect_in_place(&terminal).await;
    for size in SIZES {
        resize(&terminal, size).await;
        press(&terminal, &["\t", "\t", "\x1b[5~", "\t", "\t", "k", "p", "p"]).await;
    }
    quit(&terminal).await;
}
