//! One key, paste or answer at the beginning of some bytes.

use crossterm::event::{KeyCode, KeyModifiers};

use super::{Typed, key};

/// What the bytes begin with.
pub(super) enum Parsed {
    /// So many of them, and what they mean, if anything.
    Whole(usize, Option<Typed>),
    /// More has to come.
    Part,
}

const NONE: KeyModifiers = KeyModifiers::NONE;

/// Longest sequence of parameters, bytes; a terminal sends a fifth of it.
const MAX_CSI: usize = 64;

const PASTE_END: &[u8] = b"\x1b[201~";

pub(super) fn parse(bytes: &[u8]) -> Parsed {
    match *bytes {
        [] => Parsed::Part,
        [0x1b, ref rest @ ..] => escape(rest),
        [byte, ..] if byte < 0x80 => Parsed::Whole(1, Some(plain(byte, NONE))),
        _ => letter(bytes, NONE),
    }
}

/// After an `Esc`.
fn escape(rest: &[u8]) -> Parsed {
    match *rest {
        [] => Parsed::Part,
        [b'[', ref rest @ ..] => control(rest, 2),
        [b']'] => Parsed::Part,
        // Answers are numbered; a person goes on otherwise.
        [b']', next, ..] if next.is_ascii_digit() => answer(rest),
        [b'O'] => Parsed::Part,
        [b'O', last, ..] => Parsed::Whole(3, function(last)),
        [0x1b, ..] => Parsed::Whole(1, Some(key(KeyCode::Esc, NONE))),
        [byte, ..] if byte < 0x80 => Parsed::Whole(2, Some(plain(byte, KeyModifiers::ALT))),
        _ => match letter(rest, KeyModifiers::ALT) {
            Parsed::Whole(length, what) => Parsed::Whole(length + 1, what),
            Parsed::Part => Parsed::Part,
        },
    }
}

fn plain(byte: u8, modifiers: KeyModifiers) -> Typed {
    let ctrl = |c: u8| key(KeyCode::Char(char::from(c)), modifiers | KeyModifiers::CONTROL);
    match byte {
        b'\r' => key(KeyCode::Enter, modifiers),
        b'\t' => key(KeyCode::Tab, modifiers),
        0x7f => key(KeyCode::Backspace, modifiers),
        0 => ctrl(b' '),
        1..=0x1a => ctrl(byte - 1 + b'a'),
        0x1b..=0x1f => ctrl(byte - 0x1c + b'4'),
        _ => character(char::from(byte), modifiers),
    }
}

fn character(c: char, modifiers: KeyModifiers) -> Typed {
    let shift = if c.is_uppercase() {
        KeyModifiers::SHIFT
    } else {
        NONE
    };
    key(KeyCode::Char(c), modifiers | shift)
}

/// A character of more than one byte; what is none is passed over.
fn letter(bytes: &[u8], modifiers: KeyModifiers) -> Parsed {
    let length = match bytes.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return Parsed::Whole(1, None),
    };
    let seen = bytes.get(..length.min(bytes.len())).unwrap_or_default();
    match std::str::from_utf8(seen) {
        Ok(text) => Parsed::Whole(length, text.chars().next().map(|c| character(c, modifiers))),
        Err(error) if error.error_len().is_none() => Parsed::Part,
        Err(_) => Parsed::Whole(1, None),
    }
}

/// After `Esc [`, `before` bytes into the sequence.
fn control(rest: &[u8], before: usize) -> Parsed {
    // The function keys of the Linux console.
    if rest.first() == Some(&b'[') {
        return match rest.get(1) {
            None => Parsed::Part,
            Some(&last) => {
                let number = last.wrapping_sub(b'A').wrapping_add(1);
                let what = (1..=5).contains(&number).then(|| key(KeyCode::F(number), NONE));
                Parsed::Whole(before + 2, what)
            }
        };
    }
    let Some(end) = rest.iter().position(|byte| !matches!(byte, 0x20..=0x3f)) else {
        return match rest.len() > MAX_CSI {
            true => Parsed::Whole(before + rest.len(), None),
            false => Parsed::Part,
        };
    };
    let (text, last) = (rest.get(..end).unwrap_or_default(), rest.get(end).copied());
    match last {
        Some(b'~') if text == b"200" => paste(rest.get(end + 1..).unwrap_or_default(), before + end + 1),
        Some(last @ 0x40..=0x7e) => Parsed::Whole(before + end + 1, meaning(text, last)),
        // Another sequence begins in the middle of it: it was cut short.
        _ => Parsed::Whole(before + end, None),
    }
}

fn meaning(text: &[u8], last: u8) -> Option<Typed> {
    if text.first() == Some(&b'?') {
        return (last == b'c').then_some(Typed::Attributes);
    }
    let mut numbers = text.split(|&byte| byte == b';').map(|part| {
        let digits = part.split(|&byte| byte == b':').next().unwrap_or_default();
        std::str::from_utf8(digits)
            .ok()
            .and_then(|text| text.parse::<u8>().ok())
    });
    let first = numbers.next().flatten();
    let modifiers = held(numbers.next().flatten().unwrap_or(1));
    let code = match (last, first) {
        (b'Z', _) => return Some(key(KeyCode::BackTab, KeyModifiers::SHIFT)),
        (b'~', Some(number)) => match number {
            1 | 7 => KeyCode::Home,
            2 => KeyCode::Insert,
            3 => KeyCode::Delete,
            4 | 8 => KeyCode::End,
            5 => KeyCode::PageUp,
            6 => KeyCode::PageDown,
            11..=15 => KeyCode::F(number - 10),
            17..=21 => KeyCode::F(number - 11),
            23..=24 => KeyCode::F(number - 12),
            _ => return None,
        },
        // Another first number is where the cursor is, or the like.
        (_, None | Some(1)) => match function(last)? {
            Typed::Key(event) => event.code,
            _ => return None,
        },
        _ => return None,
    };
    Some(key(code, modifiers))
}

fn held(number: u8) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let bit = |at: u8, held| if bits & at != 0 { held } else { NONE };
    bit(1, KeyModifiers::SHIFT) | bit(2, KeyModifiers::ALT) | bit(4, KeyModifiers::CONTROL)
}

fn function(last: u8) -> Option<Typed> {
    let code = match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        _ => return None,
    };
    Some(key(code, NONE))
}

fn paste(rest: &[u8], before: usize) -> Parsed {
    let Some(end) = rest.windows(PASTE_END.len()).position(|bytes| bytes == PASTE_END) else {
        return Parsed::Part;
    };
    let text = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
    Parsed::Whole(before + end + PASTE_END.len(), Some(Typed::Paste(text)))
}

/// `Esc ] number ; … BEL` or `… Esc \`; `rest` begins with the bracket.
fn answer(rest: &[u8]) -> Parsed {
    let Some(end) = rest.iter().position(|byte| matches!(byte, 0x07 | 0x1b | 0x18)) else {
        return Parsed::Part;
    };
    let text = rest.get(1..end).unwrap_or_default();
    let length = match (rest.get(end), rest.get(end + 1)) {
        (Some(0x1b), None) => return Parsed::Part,
        (Some(0x1b), Some(b'\\')) => end + 2,
        // Cut short by another sequence.
        (Some(0x1b), _) => end,
        _ => end + 1,
    };
    let colour = std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.strip_prefix("11;"));
    Parsed::Whole(length + 1, colour.and_then(rgb).map(Typed::Background))
}

/// `rgb:ffff/ffff/ffff`, of one to four digits each, possibly `rgba`, or `#ffffff`.
fn rgb(text: &str) -> Option<[u8; 3]> {
    let part = |digits: &str| {
        let most = match digits.len() {
            1..=4 => (1u32 << (4 * digits.len())) - 1,
            _ => return None,
        };
        let value = u32::from_str_radix(digits, 16).ok()?;
        u8::try_from(value * 255 / most).ok()
    };
    if let Some(digits) = text.strip_prefix('#') {
        let size = digits.len() / 3;
        let at = |index: usize| part(digits.get(index * size..(index + 1) * size)?);
        return Some([at(0)?, at(1)?, at(2)?]);
    }
    let (_, colours) = text.strip_prefix("rgb").and_then(|text| text.split_once(':'))?;
    let mut parts = colours.split('/').map(part);
    Some([parts.next()??, parts.next()??, parts.next()??])
}
