//! Reads a `media` message in one pass, its strings borrowed. It takes what it fully understands and says
//! `None` to all else, also to what may be right: serde reads that, and where both read they agree.

use std::borrow::Cow;

use super::Media;

/// Objects and lists in one another that are followed in a field we do not know; deeper is serde's.
const DEPTH: u32 = 16;

/// Bytes of a string that are looked at eight at a time; longer ones are an identifier's or audio.
const SHORT: usize = 40;

/// The first byte that a string may hold unescaped.
const CONTROL: u8 = 0x20;

/// Digits of a counter that always fit 64 bits.
const DIGITS: usize = 19;

/// One `media` message without escapes and with each field that we know at most once: its sequenceNumber
/// and its audio.
pub(super) fn media(text: &str) -> Option<(Option<u64>, Media<'_>)> {
    let mut scan = Scan {
        text,
        rest: text.as_bytes(),
    };
    scan.space();
    let message = scan.message()?;
    scan.space();
    scan.rest.is_empty().then_some(message)
}

struct Scan<'a> {
    text: &'a str,
    /// What is not read yet.
    rest: &'a [u8],
}

impl<'a> Scan<'a> {
    fn message(&mut self) -> Option<(Option<u64>, Media<'a>)> {
        let (mut is_media, mut sequence_number, mut media) = (false, None, None);
        self.open(b'{')?;
        loop {
            if self.eat(b"\"event\"") {
                self.colon()?;
                if is_media || !self.eat(b"\"media\"") {
                    return None;
                }
                is_media = true;
            } else if self.eat(b"\"sequenceNumber\"") {
                self.colon()?;
                once(&mut sequence_number, self.counter()?)?;
            } else if self.eat(b"\"media\"") {
                self.colon()?;
                once(&mut media, self.audio()?)?;
            } else {
                let key = self.string()?;
                if matches!(key, b"start" | b"dtmf" | b"mark") {
                    return None;
                }
                self.colon()?;
                self.skip(DEPTH)?;
            }
            if self.is_closed(b'}')? {
                break;
            }
        }
        is_media.then_some((sequence_number, media?))
    }

    #[inline]
    fn audio(&mut self) -> Option<Media<'a>> {
        let (mut track, mut timestamp, mut payload) = (None, None, None);
        self.open(b'{')?;
        loop {
            if self.eat(b"\"track\"") {
                self.colon()?;
                once(&mut track, self.text()?)?;
            } else if self.eat(b"\"timestamp\"") {
                self.colon()?;
                once(&mut timestamp, self.counter()?)?;
            } else if self.eat(b"\"payload\"") {
                self.colon()?;
                once(&mut payload, self.text()?)?;
            } else {
                self.string()?;
                self.colon()?;
                self.skip(DEPTH)?;
            }
            if self.is_closed(b'}')? {
                break;
            }
        }
        Some(Media {
            track: track.map(Cow::Borrowed),
            timestamp,
            payload: Cow::Borrowed(payload?),
        })
    }

    /// Past a value that nobody wants, if it is one.
    fn skip(&mut self, depth: u32) -> Option<()> {
        match self.rest.first()? {
            b'"' => self.string().map(drop),
            b'-' | b'0'..=b'9' => self.number(),
            open @ (b'{' | b'[') => self.skip_nested(*open, depth.checked_sub(1)?),
            _ => (self.eat(b"null") || self.eat(b"true") || self.eat(b"false")).then_some(()),
        }
    }

    #[cold]
    fn skip_nested(&mut self, open: u8, depth: u32) -> Option<()> {
        let close = if open == b'{' { b'}' } else { b']' };
        self.open(open)?;
        if self.eat(&[close]) {
            return Some(());
        }
        loop {
            if open == b'{' {
                self.string()?;
                self.colon()?;
            }
            self.skip(depth)?;
            if self.is_closed(close)? {
                return Some(());
            }
        }
    }

    /// A number as JSON has it: no zero in front, digits on both sides of a point.
    #[cold]
    fn number(&mut self) -> Option<()> {
        self.eat(b"-");
        if !self.eat(b"0") {
            self.digits()?;
        }
        if self.eat(b".") {
            self.digits()?;
        }
        if self.eat(b"e") || self.eat(b"E") {
            let _ = self.eat(b"+") || self.eat(b"-");
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let digits = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        self.rest = self.rest.get(digits..)?;
        (digits > 0).then_some(())
    }

    /// A count as string or number, plain digits only.
    #[inline]
    fn counter(&mut self) -> Option<u64> {
        let quoted = self.eat(b"\"");
        let from = self.rest;
        let (count, rest) = count(from)?;
        self.rest = rest;
        let whole = if quoted {
            self.eat(b"\"")
        } else {
            let zero_in_front = from.len() - rest.len() > 1 && from.first() == Some(&b'0');
            !zero_in_front && !matches!(rest.first(), Some(b'.' | b'e' | b'E'))
        };
        whole.then_some(count)
    }

    /// A string whose value is wanted.
    #[inline]
    fn text(&mut self) -> Option<&'a str> {
        let from = self.text.len() - self.rest.len() + 1;
        let bytes = self.string()?;
        self.text.get(from..from + bytes.len())
    }

    /// A string without its quotes; `None` with an escape, or with what JSON wants escaped.
    fn string(&mut self) -> Option<&'a [u8]> {
        let (b'"', inside) = self.rest.split_first()? else {
            return None;
        };
        let (bytes, rest) = inside.split_at_checked(plain(inside))?;
        let (b'"', rest) = rest.split_first()? else {
            return None;
        };
        self.rest = rest;
        Some(bytes)
    }

    /// Into an object or a list, up to what is first in it.
    #[inline]
    fn open(&mut self, with: u8) -> Option<()> {
        self.eat(&[with]).then(|| self.space())
    }

    #[inline]
    fn colon(&mut self) -> Option<()> {
        self.space();
        self.open(b':')
    }

    /// After a value: `true` past its object's or list's end, `false` before the next one.
    #[inline]
    fn is_closed(&mut self, close: u8) -> Option<bool> {
        self.space();
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        if *byte == close {
            return Some(true);
        }
        self.space();
        (*byte == b',').then_some(false)
    }

    #[inline]
    fn space(&mut self) {
        while let Some((b' ' | b'\n' | b'\r' | b'\t', rest)) = self.rest.split_first() {
            self.rest = rest;
        }
    }

    #[inline]
    fn eat(&mut self, what: &[u8]) -> bool {
        match self.rest.strip_prefix(what) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

/// The digits at the beginning, and what follows them; `None` without one or with too many.
#[inline]
pub(super) fn count(text: &[u8]) -> Option<(u64, &[u8])> {
    let (mut count, mut digits) = (0u64, 0);
    for byte in text.iter().take(DIGITS + 1) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        count = count.wrapping_mul(10).wrapping_add(u64::from(digit));
        digits += 1;
    }
    let rest = text.get(digits..)?;
    (digits > 0 && digits <= DIGITS).then_some((count, rest))
}

/// Keeps a field's value; `None` when there is one already, which serde refuses.
fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

/// How many bytes at the beginning are none that ends a string, escapes, or has to be escaped.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let special = special(u64::from_le_bytes(*word));
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
        if at == SHORT {
            return at + long(bytes.get(at..).unwrap_or_default());
        }
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let is_plain = |byte: &&u8| **byte >= CONTROL && **byte != b'"' && **byte != b'\\';
    at + rest.iter().take_while(is_plain).count()
}

/// The same for what is long: found in steps as wide as the processor's, then looked through once more.
pub(super) fn long(bytes: &[u8]) -> usize {
    let end = memchr::memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
    let inside = bytes.get(..end).unwrap_or_default();
    if lowest(inside) >= CONTROL {
        return end;
    }
    inside.iter().take_while(|byte| **byte >= CONTROL).count()
}

/// The lowest byte, sixteen at once and without a branch; the last sixteen may be looked at twice.
fn lowest(bytes: &[u8]) -> u8 {
    let Some(last) = bytes.last_chunk::<16>() else {
        return bytes.iter().copied().min().unwrap_or(u8::MAX);
    };
    let mut lowest = *last;
    for block in bytes.as_chunks::<16>().0 {
        for (low, byte) in lowest.iter_mut().zip(block) {
            *low = (*low).min(*byte);
        }
    }
    lowest.into_iter().fold(u8::MAX, u8::min)
}

/// Marks the first special byte of eight by its highest bit; what it marks above that one means nothing.
#[inline]
fn special(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = zero(word ^ (ONES * b'"' as u64));
    let escape = zero(word ^ (ONES * b'\\' as u64));
    let control = word.wrapping_sub(ONES * CONTROL as u64) & !word;
    (quote | escape | control) & (ONES * 0x80)
}
