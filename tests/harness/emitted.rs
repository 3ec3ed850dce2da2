//! What a program may write to a terminal, as a grammar: letters that only show themselves, and the few
//! sequences that our screen is made of. Whatever is not listed here is a fault, so that nobody has to think of
//! every way in which a text could act. It knows neither the program nor its screen.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZero;

use partyline_shared::text::is_unsafe;

mod outside;
#[cfg(test)]
mod tests;

pub use outside::{Outside, outside};

/// Characters without a cell that may follow each other: what the scripts of this world stack on a letter. More
/// is a tower that covers its neighbours.
const MAX_STACKED: usize = 8;

/// Longest number in a sequence: no terminal has more rows, columns or modes.
const MAX_DIGITS: usize = 4;

/// Modes that may be set: alternate screen, cursor, bracketed paste, synchronised output.
const MODES: [u16; 4] = [1049, 25, 2004, 2026];

/// The mode within which a picture is written.
const PICTURE: u16 = 2026;

/// What was written, by what it does.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// Pictures, by their beginnings.
    pub pictures: usize,
    /// What was put into the clipboard.
    pub copied: Vec<String>,
    /// Questions for the background's colour.
    pub asked_background: usize,
    /// Questions for the sort of terminal.
    pub asked_attributes: usize,
    /// Modes as they were set last.
    pub modes: BTreeMap<u16, bool>,
    /// Characters that show themselves.
    pub shown: usize,
}

/// Bytes that have no business on a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, in bytes.
    pub at: usize,
    /// What is wrong.
    pub why: String,
    /// The bytes there.
    pub bytes: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}: {}", self.at, self.why, self.bytes)
    }
}

/// Reads all of `bytes` by the grammar.
///
/// # Errors
/// [`Fault`] at the first byte that is not in it.
pub fn read(bytes: &[u8]) -> Result<Emitted, Fault> {
    let mut reader = Reader {
        all: bytes,
        at: 0,
        stacked: 0,
        emitted: Emitted::default(),
    };
    while reader.at < bytes.len() {
        let begin = reader.at;
        reader.next().map_err(|why| {
            let end = bytes.len().min(begin + 24);
            let from = begin.saturating_sub(12);
            Fault {
                at: begin,
                why,
                bytes: bytes[from..end].escape_ascii().to_string(),
            }
        })?;
    }
    Ok(reader.emitted)
}

/// The same; a fault fails the story.
#[track_caller]
pub fn expect(bytes: &[u8]) -> Emitted {
    read(bytes).unwrap_or_else(|fault| panic!("what was written to the terminal: {fault}"))
}

/// Reads text that goes to a pipe or a file: lines, and no sequence at all.
///
/// # Errors
/// [`Fault`] at the first byte that is not of that sort.
pub fn read_lines(bytes: &[u8]) -> Result<(), Fault> {
    let escape = bytes.iter().position(|byte| *byte == ESC);
    let before = read(&bytes[..escape.unwrap_or(bytes.len())])?;
    match escape {
        None => {
            drop(before);
            Ok(())
        }
        Some(at) => Err(Fault {
            at,
            why: "a sequence among lines".to_owned(),
            bytes: bytes[at..bytes.len().min(at + 24)].escape_ascii().to_string(),
        }),
    }
}

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

struct Reader<'a> {
    all: &'a [u8],
    at: usize,
    /// Characters without a cell since the last that has one.
    stacked: usize,
    emitted: Emitted,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, String> {
        let byte = self.all.get(self.at).ok_or("a sequence that does not end")?;
        self.at += 1;
        Ok(*byte)
    }

    fn next(&mut self) -> Result<(), String> {
        match self.all[self.at] {
            b'\r' | b'\n' => {
                self.at += 1;
                self.stacked = 0;
                Ok(())
            }
            ESC => {
                self.at += 1;
                self.stacked = 0;
                match self.byte()? {
                    b'[' => self.control(),
                    b']' => self.command(),
                    other => Err(format!("ESC {:?}", char::from(other))),
                }
            }
            _ => self.character(),
        }
    }

    fn character(&mut self) -> Result<(), String> {
        let rest = &self.all[self.at..];
        let piece = &rest[..rest.len().min(4)];
        let c = match std::str::from_utf8(piece) {
            Ok(text) => text.chars().next(),
            Err(e) => std::str::from_utf8(&piece[..e.valid_up_to()])
                .ok()
                .and_then(|text| text.chars().next()),
        };
        let c = c.ok_or("not UTF-8")?;
        if is_unsafe(c) {
            return Err(format!("the character {}", c.escape_unicode()));
        }
        self.at += c.len_utf8();
        self.emitted.shown += 1;
        self.stacked = match unicode_width::UnicodeWidthChar::width(c) {
            Some(0) => self.stacked + 1,
            _ => 0,
        };
        match self.stacked > MAX_STACKED {
            true => Err(format!("a tower of more than {MAX_STACKED} characters")),
            false => Ok(()),
        }
    }

    /// CSI: `ESC [`, numbers, a letter.
    fn control(&mut self) -> Result<(), String> {
        let begin = self.at;
        let letter = loop {
            match self.byte()? {
                b'0'..=b'9' | b';' | b'?' if self.at - begin < 40 => {}
                letter => break letter,
            }
        };
        let text = std::str::from_utf8(&self.all[begin..self.at - 1]).map_err(|_| "not ASCII")?;
        let named = || format!("CSI {text}{}", char::from(letter).escape_default());
        if let Some(mode) = text.strip_prefix('?') {
            let mode = mode.parse().ok().filter(|mode| MODES.contains(mode));
            let (Some(mode), b'h' | b'l') = (mode, letter) else {
                return Err(named());
            };
            self.emitted.modes.insert(mode, letter == b'h');
            self.emitted.pictures += usize::from(mode == PICTURE && letter == b'h');
            return Ok(());
        }
        let numbers = numbers(text).ok_or_else(named)?;
        let is_known = match letter {
            b'H' | b'f' => numbers.len() <= 2,
            b'A'..=b'D' | b'G' | b'd' => numbers.len() <= 1,
            b'J' => matches!(numbers[..], [] | [0..=2]),
            b'K' => matches!(numbers[..], [] | [0..=2]),
            b'm' => is_style(&numbers),
            b'c' => {
                self.emitted.asked_attributes += 1;
                text.is_empty() && self.emitted.asked_attributes == 1
            }
            _ => false,
        };
        if is_known { Ok(()) } else { Err(named()) }
    }

    /// OSC: the question for the background, once, and the clipboard.
    fn command(&mut self) -> Result<(), String> {
        let begin = self.at;
        let end = loop {
            match self.byte()? {
                BEL => break self.at - 1,
                ESC if self.byte()? == b'\\' => break self.at - 2,
                ESC => return Err("an OSC that is broken off".to_owned()),
                0x20..=0x7e => {}
                other => return Err(format!("{other:#04x} in an OSC")),
            }
        };
        let text = String::from_utf8_lossy(&self.all[begin..end]).into_owned();
        if text == "11;?" {
            self.emitted.asked_background += 1;
            return match self.emitted.asked_background {
                1 => Ok(()),
                _ => Err("asked for the background again".to_owned()),
            };
        }
        let copied = text.strip_prefix("52;c;").and_then(decoded);
        self.emitted.copied.push(copied.ok_or(format!("OSC {text}"))?);
        Ok(())
    }
}

/// The numbers between `;`, each short; an empty one is 0.
fn numbers(text: &str) -> Option<Vec<u16>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let number = |part: &str| match part.len() {
        0 => Some(0),
        1..=MAX_DIGITS => part.parse().ok(),
        _ => None,
    };
    text.split(';').map(number).collect()
}

/// Bold, dim, italic, underlined, reversed, struck out, none of these, and sixteen colours. 59 takes back a colour
/// of underlines, of which none can be given.
fn is_style(numbers: &[u16]) -> bool {
    let mut rest = numbers;
    loop {
        rest = match rest {
            [] => return true,
            [38 | 48, 5, 0..=15, rest @ ..] => rest,
            [38 | 48, ..] => return false,
            [
                0..=4 | 7 | 9 | 22..=24 | 27 | 29 | 30..=37 | 39 | 40..=47 | 49 | 59 | 90..=97 | 100..=107,
                rest @ ..,
            ] => rest,
            _ => return false,
        };
    }
}

fn decoded(base64: &str) -> Option<String> {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    String::from_utf8(BASE64_STANDARD.decode(base64).ok()?).ok()
}

fn nonzero(number: u16) -> NonZero<u16> {
    NonZero::new(number).expect("a size")
}
