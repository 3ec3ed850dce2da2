//! The little of RFC 6455 that both sides of the measurement need: frames in place, masks, and the handshake's
//! text. No fragments and no extensions, which nothing here sends: they are refused by name.

use std::ops::Range;

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// Most bytes of one message: a list of 200 calls is 200 kB.
const MAX_MESSAGE: usize = 16 << 20;
/// Most bytes of a request's or an answer's head.
pub(crate) const MAX_HEAD: usize = 16 << 10;
/// The bit for a whole message, and the one for a mask.
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;

/// One frame within a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// [`TEXT`], [`BINARY`], [`CLOSE`], [`PING`] or [`PONG`].
    pub(crate) op: u8,
    /// Where the payload lies.
    pub(crate) payload: Range<usize>,
    /// What a client has masked it with.
    pub(crate) mask: Option<[u8; 4]>,
}

impl Frame {
    /// The frame that begins at `at`; `None` while a part of it has not come.
    ///
    /// # Errors
    /// What is wrong with it.
    #[inline]
    pub(crate) fn at(bytes: &[u8], at: usize) -> Result<Option<Frame>, &'static str> {
        let rest = &bytes[at..];
        let [first, second, ..] = *rest else {
            return Ok(None);
        };
        if first & 0x70 != 0 {
            return Err("reserved bits are set");
        }
        let (mut head, length) = match second & 0x7f {
            126 if rest.len() < 4 => return Ok(None),
            126 => (4, u64::from(u16::from_be_bytes([rest[2], rest[3]]))),
            127 => match rest.get(2..10).and_then(|length| length.try_into().ok()) {
                Some(length) => (10, u64::from_be_bytes(length)),
                None => return Ok(None),
            },
            short => (2, u64::from(short)),
        };
        if length > MAX_MESSAGE as u64 {
            return Err("a message is too long");
        }
        let mut mask = None;
        if second & MASKED != 0 {
            let Some(key) = rest.get(head..head + 4) else {
                return Ok(None);
            };
            mask = key.try_into().ok();
            head += 4;
        }
        let end = head + length as usize;
        if rest.len() < end {
            return Ok(None);
        }
        if first & FINAL == 0 || first & 0x0f == 0 {
            return Err("a message comes in fragments");
        }
        Ok(Some(Frame {
            op: first & 0x0f,
            payload: at + head..at + end,
            mask,
        }))
    }
}

/// Masks, or takes the mask off again.
#[inline]
pub(crate) fn mask(payload: &mut [u8], key: [u8; 4]) {
    let half = u64::from(u32::from_ne_bytes(key));
    let wide = half | half << 32;
    let mut words = payload.chunks_exact_mut(8);
    for word in &mut words {
        let bytes: [u8; 8] = (&*word).try_into().unwrap_or_default();
        word.copy_from_slice(&(u64::from_ne_bytes(bytes) ^ wide).to_ne_bytes());
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// Begins a client's message whose length is between 126 and 65,535 bytes: [`finish`] it when it is whole.
pub(crate) fn begin(out: &mut Vec<u8>, op: u8) {
    out.clear();
    out.extend_from_slice(&[FINAL | op, MASKED | 126, 0, 0, 0, 0, 0, 0]);
}

/// Writes length and mask of what was begun.
pub(crate) fn finish(out: &mut [u8], key: [u8; 4]) {
    let (head, payload) = out.split_at_mut(8);
    let length = u16::try_from(payload.len()).expect("a message that was begun as a short one");
    assert!(length >= 126, "its head has two bytes for the length");
    head[2..4].copy_from_slice(&length.to_be_bytes());
    head[4..].copy_from_slice(&key);
    mask(payload, key);
}

/// A message of any length; with a key as a client says it.
pub(crate) fn message(op: u8, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let masked = if key.is_some() { MASKED } else { 0 };
    let mut out = vec![FINAL | op];
    match payload.len() {
        short @ ..=125 => out.push(masked | short as u8),
        middle @ ..=0xffff => {
            out.push(masked | 126);
            out.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            out.push(masked | 127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&key.unwrap_or_default()[..if key.is_some() { 4 } else { 0 }]);
    let begins = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = key {
        mask(&mut out[begins..], key);
    }
    out
}

/// Where the head of a request or an answer ends, after its empty line.
pub(crate) fn head_end(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, b"\r\n\r\n").map(|at| at + 4)
}

/// A header's value.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// What a server proves with that it read the key.
pub(crate) fn accept(key: &str) -> String {
    tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_every_length_are_read_where_they_end() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 70_000] {
            for key in [None, Some([1, 2, 3, 4])] {
                let payload = vec![9; length];
                let mut bytes = vec![0xaa; 3];
                bytes.extend(message(BINARY, &payload, key));
                let end = bytes.len();
                bytes.extend([0x81, 0x01]);
                let frame = Frame::at(&bytes, 3).unwrap().unwrap();
                assert_eq!((frame.op, frame.payload.end, frame.mask), (BINARY, end, key));
                if let Some(key) = key {
                    mask(&mut bytes[frame.payload.clone()], key);
                }
                assert_eq!(bytes[frame.payload], payload);
                assert_eq!(Frame::at(&bytes, end), Ok(None));
                for cut in 3..end {
                    if cut < 20 || cut + 2 > end {
                        assert_eq!(Frame::at(&bytes[..cut], 3), Ok(None), "{length} cut at {cut}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_nobody_sends_is_refused() {
        assert!(Frame::at(&[0x01, 1, b'x'], 0).is_err(), "the first fragment");
        assert!(Frame::at(&[0x80, 1, b'x'], 0).is_err(), "the last fragment");
        assert!(Frame::at(&[0xc1, 1, b'x'], 0).is_err(), "compressed");
        assert!(
            Frame::at(&[0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0], 0).is_err(),
            "endless"
        );
    }

    #[test]
    fn a_message_begun_is_the_same_as_one_made_at_once() {
        let key = [7, 0, 255, 3];
        let payload: Vec<u8> = (0..=254).collect();
        let mut out = vec![1, 2, 3];
        begin(&mut out, TEXT);
        out.extend_from_slice(&payload);
        finish(&mut out, key);
        assert_eq!(out, message(TEXT, &payload, Some(key)));
    }

    #[test]
    fn the_handshake_is_the_one_of_the_rfc() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let head = "GET /chat HTTP/1.1\r\nHost: a\r\nsec-websocket-KEY:  k \r\n\r\n";
        assert_eq!(header(head, "Sec-WebSocket-Key"), Some("k"));
        assert_eq!(head_end(head.as_bytes()), Some(head.len()));
        assert_eq!(head_end(b"GET / HTTP/1.1\r\n"), None);
    }
}
