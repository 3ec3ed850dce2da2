//! What stands before each frame that the relay writes: whole messages, never masked.

/// The most that a head of ours takes, bytes.
pub const MAX: usize = 10;

/// The kinds of frames (RFC 6455, 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Goes on with the message before.
    Continuation = 0,
    /// UTF-8.
    Text = 1,
    /// Bytes.
    Binary = 2,
    /// The end.
    Close = 8,
    /// Are you there?
    Ping = 9,
    /// Yes.
    Pong = 10,
}

impl Kind {
    /// From the low four bits of a frame's first byte; `None` for those that are reserved.
    pub fn from_bits(bits: u8) -> Option<Kind> {
        Some(match bits {
            0 => Kind::Continuation,
            1 => Kind::Text,
            2 => Kind::Binary,
            8 => Kind::Close,
            9 => Kind::Ping,
            10 => Kind::Pong,
            _ => return None,
        })
    }

    /// Close, ping or pong: short, whole, and allowed between the fragments of a message.
    pub fn is_control(self) -> bool {
        matches!(self, Kind::Close | Kind::Ping | Kind::Pong)
    }
}

/// Appends a whole message of one frame: head, then `payload`.
pub fn put(out: &mut Vec<u8>, kind: Kind, payload: &[u8]) {
    open(out, kind, payload.len());
    out.extend_from_slice(payload);
}

/// Appends the head of a whole message, whose `len` bytes are to follow.
pub fn open(out: &mut Vec<u8>, kind: Kind, len: usize) {
    out.reserve(MAX + len);
    out.push(0x80 | kind as u8);
    match len {
        len @ 0..126 => out.push(len as u8),
        len @ 126..=0xffff => {
            out.push(126);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(127);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_as_short_as_they_may_be() {
        for (len, head) in [
            (0, &[0x82, 0][..]),
            (125, &[0x82, 125]),
            (126, &[0x82, 126, 0, 126]),
            (176, &[0x82, 126, 0, 176]),
            (0xffff, &[0x82, 126, 0xff, 0xff]),
            (0x1_0000, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut out = vec![7];
            put(&mut out, Kind::Binary, &vec![9; len]);
            assert_eq!(out[1..=head.len()], *head);
            assert_eq!(out.len(), 1 + head.len() + len);
        }
    }
}
