//! One line an event whatever is in it, and what libraries say stays below.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use tracing::subscriber::with_default;
use tracing::{info, trace, warn};

use super::*;

/// All that breaks a line somewhere, or acts on a terminal.
const HOSTILE: &str =
    "a\nb\r\nc\u{1b}[2Jd\u{1b}[31m\u{9b}31me\u{202e}f\u{2028}g\u{85}h\u{200b}i\u{e0041}j\u{7f}k\0l\"m\\n";

/// What the log says of `events`.
fn logged(format: LogFormat, level: &str, colours: bool, events: impl FnOnce()) -> String {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let to = kept.clone();
    let (subscriber, _) = subscriber(format, level, colours, move || Kept(to.clone()));
    with_default(subscriber, events);
    let bytes = kept.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn say(text: &str) {
    info!(%text, quoted = text, debug = ?text, "said: {text}");
}

proptest! {
    #[test]
    fn an_event_is_one_line_whatever_is_in_it(text in prop_oneof![
        Just(HOSTILE.to_owned()),
        ".{0,40}",
        "[\\x00-\\x1f\\x7f-\\x9f\u{2028}-\u{202e}\u{e0000}-\u{e007f}\"\\\\a]{0,40}",
    ]) {
        for format in [LogFormat::Text, LogFormat::Json] {
            let log = logged(format, "info", false, || say(&text));
            let line = log.strip_suffix('\n').unwrap();
            prop_assert!(!line.chars().any(is_unsafe), "{:?}", line);
            if format == LogFormat::Json {
                let value: serde_json::Value = serde_json::from_str(line).unwrap();
                prop_assert_eq!(value["fields"]["quoted"].as_str(), Some(text.as_str()));
            }
        }
    }
}

#[test]
fn on_a_terminal_only_the_logs_own_colours_act() {
    let log = logged(LogFormat::Text, "info", true, || say(HOSTILE));
    assert!(log.contains("\u{1b}[32m"), "{log:?}");
    assert!(!log.contains("\u{1b}[31m"), "{log:?}");
    let mut plain = String::new();
    for (n, piece) in log.split("\u{1b}[").enumerate() {
        let letters = piece.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        plain += if n > 0 {
            letters.strip_prefix('m').expect("a colour, and nothing else")
        } else {
            letters
        };
    }
    assert!(!plain.trim_end_matches('\n').chars().any(is_unsafe), "{plain:?}");
}

#[test]
fn libraries_are_heard_from_info_on_and_we_as_we_were_told() {
    let said = || {
        trace!(target: "hyper::proto::h1", "authorization: canary");
        trace!(target: "tungstenite::protocol", "canary");
        warn!(target: "rustls::conn", "a library warns");
        trace!(target: "partyline_relay::twilio", "ours");
        trace!("ours too");
    };
    for level in [
        "trace",
        "info,hyper=trace,tungstenite=trace,partyline_relay=trace",
    ] {
        let log = logged(LogFormat::Text, level, false, said);
        assert!(!log.contains("canary"), "{log}");
        assert_eq!(log.lines().count(), 3, "{log}");
    }
    let log = logged(LogFormat::Text, "off", false, said);
    assert_eq!(log, "");
}

#[test]
fn a_panic_quotes_nothing_that_it_failed_on() {
    let made: Box<dyn Any + Send> = Box::new(format!("byte index 3 is out of bounds of `{}`", "canary"));
    assert_eq!(said(made.as_ref()), None);
    let written: Box<dyn Any + Send> = Box::new("a word of the program");
    assert_eq!(said(written.as_ref()), Some("a word of the program"));
}

#[test]
fn the_level_changes_while_it_runs_and_nonsense_changes_nothing() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let to = kept.clone();
    let (subscriber, handle) = subscriber(LogFormat::Text, "info", false, move || Kept(to.clone()));
    with_default(subscriber, || {
        let said = |what: &str| {
            tracing::debug!("{what}");
            let text = String::from_utf8(std::mem::take(&mut *kept.lock().unwrap())).unwrap();
            text.contains(what)
        };
        assert!(!said("before"));
        set(&handle, "info,partyline_relay::log=debug").unwrap();
        assert!(said("told more"));
        let nonsense = set(&handle, "partyline_relay=loud").unwrap_err();
        assert!(
            nonsense
                .to_string()
                .contains("`partyline_relay=loud` is no level"),
            "{nonsense}"
        );
        assert!(said("as before"));
        set(&handle, "warn").unwrap();
        assert!(!said("told less"));
    });
}

#[test]
fn a_line_names_the_spans_that_it_is_in() {
    let said = || {
        let outer = tracing::error_span!("connection", n = 7);
        outer.in_scope(|| {
            tracing::error_span!("listener", who = "alice\u{1b}[2J\nbob").in_scope(|| warn!("here"));
        });
    };
    let text = logged(LogFormat::Text, "warn", false, said);
    assert!(text.contains("connection{n=7}:listener{who="), "{text:?}");
    assert!(!text.trim_end().chars().any(is_unsafe), "{text:?}");
    let json: serde_json::Value =
        serde_json::from_str(&logged(LogFormat::Json, "warn", false, said)).unwrap();
    assert_eq!(
        (&json["spans"][0]["n"], &json["spans"][1]["who"]),
        (&7.into(), &"alice\u{1b}[2J\nbob".into())
    );
}
