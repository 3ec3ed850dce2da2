//! The far side of a terminal: what is written to it is read, kept and shown, and questions are answered.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

use portable_pty::PtySize;
use tokio::sync::watch;

use super::Answers;

/// Most bytes kept of what was written, as they came.
const MAX_RAW: usize = 64 << 20;

/// What was written so far.
pub(super) struct Seen {
    pub(super) screen: vt100::Parser,
    pub(super) raw: Vec<u8>,
    /// When each piece of it was read, and where it ends.
    pub(super) arrivals: Vec<(Instant, usize)>,
    /// How much of it was looked at for questions.
    looked: usize,
}

impl Seen {
    pub(super) fn new(cols: u16, rows: u16) -> Seen {
        Seen {
            screen: vt100::Parser::new(nonzero(rows), nonzero(cols), 0),
            raw: Vec::new(),
            arrivals: Vec::new(),
            looked: 0,
        }
    }
}

/// Reads all that is written until the terminal is gone, and answers what it is asked.
pub(super) fn read(
    mut from: Box<dyn Read + Send>,
    seen: &Mutex<Seen>,
    writer: &Mutex<Box<dyn Write + Send>>,
    answers: Answers,
    tell: &watch::Sender<u64>,
) {
    let mut bytes = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let now = Instant::now();
        let mut answer = String::new();
        {
            let mut seen = seen.lock().unwrap();
            seen.screen.process(&bytes[..count]);
            if seen.raw.len() + count <= MAX_RAW {
                seen.raw.extend_from_slice(&bytes[..count]);
                let end = seen.raw.len();
                seen.arrivals.push((now, end));
            }
            let asked = |seen: &Seen, question: &[u8]| {
                let from = seen.looked.saturating_sub(question.len() - 1);
                seen.raw[from..]
                    .windows(question.len())
                    .any(|some| some == question)
            };
            if let Answers::Background(colour) = answers
                && asked(&seen, b"\x1b]11;?\x1b\\")
            {
                answer += &format!("\x1b]11;rgb:{colour}\x1b\\");
            }
            if answers != Answers::Nothing && asked(&seen, b"\x1b[c") {
                answer += "\x1b[?62;22c";
            }
            seen.looked = seen.raw.len();
        }
        if !answer.is_empty() {
            let mut writer = writer.lock().unwrap();
            let _ = writer.write_all(answer.as_bytes()).and_then(|()| writer.flush());
        }
        tell.send_modify(|count| *count += 1);
    }
}

/// The modes, as `stty -g` writes them.
pub(super) fn stty(tty: &Path) -> String {
    let flag = if cfg!(target_os = "linux") { "-F" } else { "-f" };
    let out = Command::new("stty").arg(flag).arg(tty).arg("-g").output();
    let out = out.expect("stty can be run");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

pub(super) fn size(cols: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        ..PtySize::default()
    }
}

pub(super) fn nonzero(number: u16) -> NonZero<u16> {
    NonZero::new(number).expect("a size")
}
