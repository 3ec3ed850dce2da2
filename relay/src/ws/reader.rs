//! Bytes in, messages out: unmasked in place and handed on by reference, whole or, where they came in
//! fragments, put together. No socket, no clock. Keeps bytes only of what is not whole yet; an idle reader
//! holds nothing.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use partyline_shared::protocol::close;

use super::head::Kind;
use super::{Broken, Message};

/// Fragments that every message may have; empty ones would get past every limit of size.
const FRAGMENTS_AT_LEAST: usize = 64;
/// Larger messages may have more: one for each so many bytes that a message may have.
const BYTES_A_FRAGMENT: usize = 256;
/// Pings that wait for their answers, 2 KB: who sends more without reading gets answers to the newest.
const MAX_PINGS: usize = 16;
/// Longest payload of a close, ping or pong, bytes (RFC 6455, 5.5).
pub const MAX_CONTROL: usize = 125;
/// Bytes of a client's mask.
const MASK: usize = 4;

/// What a turn of reading came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came<B> {
    /// All that was whole has been handed on.
    All,
    /// Whoever takes the messages wants no more.
    Stopped(B),
    /// The other side closes, with this code where it says one.
    Close(Option<u16>),
}

/// A message of which fragments have come.
#[derive(Debug)]
struct Parts {
    kind: Kind,
    bytes: Vec<u8>,
    count: usize,
}

/// The reading state of one connection.
#[derive(Debug)]
pub struct Reader {
    max_message: usize,
    /// Of a frame that is not whole yet, from its head on.
    rest: Vec<u8>,
    /// How long `rest` must be before it is worth a look.
    wanted: usize,
    parts: Option<Parts>,
    /// Payloads of the pings that have not been answered, the oldest first.
    pings: VecDeque<Box<[u8]>>,
}

/// One frame's head.
struct Head {
    fin: bool,
    kind: Kind,
    mask: [u8; MASK],
    /// Where the payload begins, and its length.
    start: usize,
    len: usize,
}

const fn protocol(why: &'static str) -> Broken {
    Broken {
        code: Some(close::PROTOCOL_ERROR),
        why,
    }
}

const TOO_BIG: Broken = Broken {
    code: Some(close::TOO_BIG),
    why: "a message was too big",
};
const RULES: Broken = protocol("a frame broke WebSocket's rules");
const UTF8: Broken = Broken {
    code: Some(close::INVALID_DATA),
    why: "a text message was not UTF-8",
};
const FRAGMENTS: Broken = Broken {
    code: Some(close::TOO_BIG),
    why: "a message came in too many fragments",
};

impl Reader {
    /// A connection on which nothing has been read; messages of more than `max_message` bytes end it.
    pub fn new(max_message: usize) -> Reader {
        Reader {
            max_message,
            rest: Vec::new(),
            wanted: 0,
            parts: None,
            pings: VecDeque::new(),
        }
    }

    /// Messages of up to `max_message` bytes are taken from here on.
    pub fn set_max_message(&mut self, max_message: usize) {
        self.max_message = max_message;
    }

    /// What was read and not handed on yet, to be read again: whoever took the messages wanted no more for now.
    pub fn take_rest(&mut self) -> Vec<u8> {
        self.wanted = 0;
        std::mem::take(&mut self.rest)
    }

    /// Whether a ping waits for its answer.
    pub fn has_ping(&self) -> bool {
        !self.pings.is_empty()
    }

    /// The oldest ping's payload, once.
    pub fn take_ping(&mut self) -> Option<Box<[u8]>> {
        let ping = self.pings.pop_front();
        if self.pings.is_empty() {
            self.pings = VecDeque::new();
        }
        ping
    }

    /// Takes what was just read, which is unmasked where it lies, and hands each message on.
    ///
    /// # Errors
    /// [`Broken`] with the code to close with.
    pub fn take<B>(
        &mut self,
        fresh: &mut [u8],
        mut on: impl FnMut(Message<'_>) -> ControlFlow<B>,
    ) -> Result<Came<B>, Broken> {
        if self.rest.is_empty() {
            let (used, came) = self.frames(fresh, &mut on)?;
            self.rest.extend_from_slice(fresh.get(used..).unwrap_or_default());
            return Ok(came);
        }
        self.rest.extend_from_slice(fresh);
        if self.rest.len() < self.wanted {
            return Ok(Came::All);
        }
        let mut whole = std::mem::take(&mut self.rest);
        let (used, came) = self.frames(&mut whole, &mut on)?;
        if used < whole.len() {
            whole.drain(..used);
            self.rest = whole;
        }
        Ok(came)
    }

    /// Goes through the whole frames in `bytes`; answers how many bytes they took.
    fn frames<B>(
        &mut self,
        bytes: &mut [u8],
        on: &mut impl FnMut(Message<'_>) -> ControlFlow<B>,
    ) -> Result<(usize, Came<B>), Broken> {
        let mut at = 0;
        loop {
            let here = bytes.get_mut(at..).unwrap_or_default();
            let Some(head) = Head::parse(here)? else {
                self.wanted = 0;
                return Ok((at, Came::All));
            };
            self.check(&head)?;
            let end = head.start + head.len;
            let Some(payload) = here.get_mut(head.start..end) else {
                self.wanted = end;
                return Ok((at, Came::All));
            };
            unmask(payload, head.mask);
            at += end;
            let flow = match head.kind {
                Kind::Close => return Ok((at, Came::Close(close_code(payload)?))),
                Kind::Ping => {
                    if self.pings.len() >= MAX_PINGS {
                        self.pings.pop_front();
                    }
                    self.pings.push_back((&*payload).into());
                    on(Message::Ping)
                }
                Kind::Pong => on(Message::Pong),
                kind if head.fin && self.parts.is_none() => on(message(kind, payload)?),
                kind => self.part(kind, head.fin, payload, on)?,
            };
            if let ControlFlow::Break(stopped) = flow {
                return Ok((at, Came::Stopped(stopped)));
            }
        }
    }

    /// What a head alone can be refused for: before its payload is waited for.
    fn check(&self, head: &Head) -> Result<(), Broken> {
        if head.kind.is_control() {
            return if head.fin && head.len <= MAX_CONTROL {
                Ok(())
            } else {
                Err(RULES)
            };
        }
        match (&self.parts, head.kind) {
            (None, Kind::Continuation) | (Some(_), Kind::Text | Kind::Binary) => return Err(RULES),
            (Some(parts), _) if parts.count >= max_fragments(self.max_message) => return Err(FRAGMENTS),
            _ => {}
        }
        let before = self.parts.as_ref().map_or(0, |parts| parts.bytes.len());
        if before.saturating_add(head.len) > self.max_message {
            return Err(TOO_BIG);
        }
        Ok(())
    }

    fn part<B>(
        &mut self,
        kind: Kind,
        fin: bool,
        payload: &[u8],
        on: &mut impl FnMut(Message<'_>) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, Broken> {
        let parts = self.parts.get_or_insert_with(|| Parts {
            kind,
            bytes: Vec::new(),
            count: 0,
        });
        parts.count += 1;
        parts.bytes.extend_from_slice(payload);
        if !fin {
            return Ok(ControlFlow::Continue(()));
        }
        match self.parts.take() {
            Some(parts) => Ok(on(message(parts.kind, &parts.bytes)?)),
            None => Ok(ControlFlow::Continue(())),
        }
    }
}

impl Head {
    /// `None` while it is not whole.
    fn parse(bytes: &[u8]) -> Result<Option<Head>, Broken> {
        let &[first, second, ref more @ ..] = bytes else {
            // What is wrong in the first byte need not wait for the second.
            return match bytes.first() {
                Some(&first) => Head::kind(first).map(|_| None),
                None => Ok(None),
            };
        };
        let kind = Head::kind(first)?;
        if second & 0x80 == 0 {
            return Err(protocol("a client's frame was not masked"));
        }
        let (len, more, length_bytes) = match (second & 0x7f, more) {
            (126, &[a, b, ref more @ ..]) => (u64::from(u16::from_be_bytes([a, b])), more, 2),
            (127, &[a, b, c, d, e, f, g, h, ref more @ ..]) => {
                (u64::from_be_bytes([a, b, c, d, e, f, g, h]), more, 8)
            }
            (126 | 127, _) => return Ok(None),
            (len, more) => (u64::from(len), more, 0),
        };
        let &[a, b, c, d, ..] = more else {
            return Ok(None);
        };
        Ok(Some(Head {
            fin: first & 0x80 != 0,
            kind,
            mask: [a, b, c, d],
            start: 2 + length_bytes + MASK,
            // What does not fit is over every limit.
            len: usize::try_from(len).unwrap_or(usize::MAX).min(usize::MAX >> 1),
        }))
    }

    fn kind(first: u8) -> Result<Kind, Broken> {
        // Bits that only an extension may set, and none was agreed on.
        if first & 0x70 != 0 {
            return Err(RULES);
        }
        Kind::from_bits(first & 0x0f).ok_or(RULES)
    }
}

fn max_fragments(max_message: usize) -> usize {
    FRAGMENTS_AT_LEAST.max(max_message / BYTES_A_FRAGMENT)
}

/// Eight bytes at a time: the mask, twice, is a number.
fn unmask(payload: &mut [u8], mask: [u8; MASK]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (eights, last) = payload.as_chunks_mut::<8>();
    for eight in eights {
        *eight = (u64::from_ne_bytes(*eight) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in last.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

fn message(kind: Kind, payload: &[u8]) -> Result<Message<'_>, Broken> {
    if kind == Kind::Text {
        return std::str::from_utf8(payload).map(Message::Text).map_err(|_| UTF8);
    }
    Ok(Message::Binary(payload))
}

/// The code of a close frame's payload, which may be empty.
fn close_code(payload: &[u8]) -> Result<Option<u16>, Broken> {
    let (&[a, b], reason) = match payload.split_first_chunk::<2>() {
        Some(split) => split,
        None if payload.is_empty() => return Ok(None),
        None => return Err(RULES),
    };
    let code = u16::from_be_bytes([a, b]);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(RULES);
    }
    if std::str::from_utf8(reason).is_err() {
        return Err(UTF8);
    }
    Ok(Some(code))
}

#[cfg(test)]
mod tests;
