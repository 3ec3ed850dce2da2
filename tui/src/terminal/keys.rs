//! Bytes of a terminal to keys, pasted text and answers. No clock: time is an argument, in ms. Whatever has the
//! shape of an answer is taken whole and is never a key, however late it comes and wherever it is cut.

mod sequence;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use sequence::{Parsed, parse};

/// How long an `Esc` waits for what may belong to it, ms: two packets of one key arrive closer together, and
/// nobody notices the wait.
const ESC_MS: u64 = 50;

/// The same while the terminal owes us an answer: a slow line may cut it anywhere.
const OWED_ESC_MS: u64 = 1_000;

/// How long an answer, once begun, may take to its end, ms; what there is of it is thrown away then.
const ANSWER_MS: u64 = 2_000;

/// Longest answer or paste kept, bytes: a colour takes 30, and a filter or search is no novel.
const MAX_LONG: usize = 4_096;

/// Something that was typed, or said by the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A key.
    Key(KeyEvent),
    /// Pasted text; no key.
    Paste(String),
    /// Its background, red, green and blue, 255 at most.
    Background([u8; 3]),
    /// What sort of terminal it is: the answer that all give, and the end of all answers.
    Attributes,
}

/// The state: what has come and is not whole yet.
#[derive(Debug, Default)]
pub struct Keys {
    waiting: Vec<u8>,
    /// When the newest of it came.
    since: u64,
    owed: bool,
}

impl Keys {
    /// Whether the terminal owes us an answer.
    pub fn set_owed(&mut self, owed: bool) {
        self.owed = owed;
    }

    /// Bytes came.
    pub fn on_bytes(&mut self, now: u64, bytes: &[u8]) -> Vec<Typed> {
        self.since = now;
        let mut typed = Vec::new();
        // At a few bytes a time what waits stays short, however much comes at once.
        for chunk in bytes.chunks(MAX_LONG) {
            self.waiting.extend_from_slice(chunk);
            self.take(&mut typed);
        }
        typed
    }

    /// When [`Keys::on_deadline`] wants to be called.
    pub fn deadline(&self) -> Option<u64> {
        let wait = match self.waiting.as_slice() {
            [] => return None,
            [0x1b] if self.owed => OWED_ESC_MS,
            [0x1b, b'[' | b']', _, ..] => ANSWER_MS,
            [0x1b, b'[' | b']'] if self.owed => OWED_ESC_MS,
            _ => ESC_MS,
        };
        Some(self.since.saturating_add(wait))
    }

    /// Time has passed: an `Esc` that stayed alone was the key, and what was cut short is nothing.
    pub fn on_deadline(&mut self, now: u64) -> Vec<Typed> {
        let mut typed = Vec::new();
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return typed;
        }
        match *self.waiting.as_slice() {
            [0x1b] => typed.push(key(KeyCode::Esc, KeyModifiers::NONE)),
            [0x1b, c @ (b'[' | b']' | b'O')] => {
                typed.push(key(KeyCode::Char(char::from(c)), KeyModifiers::ALT));
            }
            _ => {}
        }
        self.waiting.clear();
        typed
    }

    fn take(&mut self, typed: &mut Vec<Typed>) {
        let mut rest = self.waiting.as_slice();
        while !rest.is_empty() {
            match parse(rest) {
                Parsed::Whole(length, what) => {
                    typed.extend(what);
                    rest = rest.get(length.max(1)..).unwrap_or_default();
                }
                Parsed::Part => break,
            }
        }
        let mut rest = rest.to_vec();
        if rest.len() > 2 * MAX_LONG {
            // The beginning says what it is, the end is where its last byte is looked for.
            rest.drain(MAX_LONG..rest.len() - MAX_LONG);
        }
        if typed.contains(&Typed::Attributes) {
            self.owed = false;
        }
        self.waiting = rest;
    }
}

fn key(code: KeyCode, modifiers: KeyModifiers) -> Typed {
    Typed::Key(KeyEvent::new(code, modifiers))
}

#[cfg(test)]
mod tests;
