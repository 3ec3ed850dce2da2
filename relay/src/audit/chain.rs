//! Lines and their hashes: an entry into a line that names the one before it, and a line back into what the
//! chain needs of it. Bytes in, bytes out: no file, no clock.

use std::fmt;

use partyline_shared::time::UtcTime;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::entry::{Entry, Event};

/// Most of one text that is kept, characters: names, ids and reasons are far shorter, and what a client can
/// choose must not fill the disk.
pub const MAX_TEXT: usize = 256;

/// Longest line, bytes: seven texts of which each character is escaped as six bytes have 11 KB, the rest of a
/// line less than one.
pub const MAX_LINE: usize = 16 << 10;

/// What stands between a line's text and its hash.
const BEFORE_HASH: &[u8] = b",\"hash\":\"";
/// What ends a line.
const AFTER_HASH: &[u8] = b"\"}";
/// A hash as it is written: hex digits.
const HEX: usize = 64;

/// What every line begins with.
pub(super) const BEGINS: &[u8] = b"{\"seq\":";

/// A SHA-256, written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; 32]);

impl Hash {
    /// What the first line of a chain names as the hash before it.
    pub const NONE: Hash = Hash([0; 32]);

    /// Reads 64 lower-case hex digits.
    pub fn parse(text: &[u8]) -> Option<Hash> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        if text.len() != HEX {
            return None;
        }
        let mut hash = [0; 32];
        for (byte, [high, low]) in hash.iter_mut().zip(text.as_chunks().0) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Hash(hash))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// Where a chain stands: the number and the hash of its last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The last line's number; 0 where there is none.
    pub seq: u64,
    /// The last line's hash.
    pub hash: Hash,
}

impl Link {
    /// Before the first line.
    pub const START: Link = Link {
        seq: 0,
        hash: Hash::NONE,
    };
}

/// All keys, in the contract's order; `hash` follows.
#[derive(Serialize)]
struct Text<'a> {
    seq: u64,
    at: UtcTime,
    event: Event,
    who: Option<&'a str>,
    role: Option<&'static str>,
    token_id: Option<&'a str>,
    address: Option<std::net::IpAddr>,
    door: Option<&'static str>,
    call_sid: Option<&'a str>,
    customer_id: Option<&'a str>,
    node: &'a str,
    from: Option<UtcTime>,
    to: Option<UtcTime>,
    seconds: Option<f64>,
    bytes: Option<u64>,
    reason: Option<&'a str>,
    prev: Hash,
}

/// Adds the line of `entry`, with its line end, to `out`; gives where the chain stands then.
pub fn add_line(after: Link, node: &str, entry: &Entry, out: &mut Vec<u8>) -> Link {
    let seq = after.seq.saturating_add(1);
    let text = Text {
        seq,
        at: entry.at,
        event: entry.event,
        who: entry.who.as_deref().map(cut),
        role: entry.role.map(crate::access::Role::as_str),
        token_id: entry.token_id.as_deref().map(cut),
        address: entry.address,
        door: entry.door,
        call_sid: entry.call_sid.as_ref().map(|sid| sid.as_str()),
        customer_id: entry.customer_id.as_deref().map(cut),
        node: cut(node),
        from: entry.from,
        to: entry.to,
        // To the millisecond: more digits say nothing.
        seconds: entry.seconds.map(|s| (s * 1000.0).round() / 1000.0),
        bytes: entry.bytes,
        reason: entry.reason.as_deref().map(cut),
        prev: after.hash,
    };
    // No key but texts, and the times' own writing does not fail.
    #[allow(clippy::expect_used)]
    let text = serde_json::to_vec(&text).expect("a line can be written");
    let hash = Hash(Sha256::digest(&text).into());
    out.extend_from_slice(text.strip_suffix(b"}").unwrap_or(&text));
    out.extend_from_slice(BEFORE_HASH);
    out.extend_from_slice(hash.to_string().as_bytes());
    out.extend_from_slice(AFTER_HASH);
    out.push(b'\n');
    Link { seq, hash }
}

fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_TEXT).map(|(at, _)| at);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// What the chain needs of a line that is whole: its hash is that of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number.
    pub seq: u64,
    /// The hash of the line before.
    pub prev: Hash,
    /// Its own hash.
    pub hash: Hash,
    /// What happened.
    pub event: String,
    /// Why.
    pub reason: Option<String>,
}

impl Line {
    /// Where the chain stands after it.
    pub fn link(&self) -> Link {
        Link {
            seq: self.seq,
            hash: self.hash,
        }
    }

    /// Reads a line without its line end, and checks its hash.
    ///
    /// # Errors
    /// Why it is no line as it was written.
    pub fn read(line: &[u8]) -> Result<Line, Unsound> {
        #[derive(Deserialize)]
        struct Read {
            seq: u64,
            event: String,
            reason: Option<String>,
            prev: String,
        }
        if line.len() > MAX_LINE {
            return Err(Unsound::Long);
        }
        let rest = line.strip_suffix(AFTER_HASH).ok_or(Unsound::Unhashed)?;
        let (rest, hash) = rest
            .split_last_chunk::<HEX>()
            .and_then(|(rest, hex)| Some((rest, Hash::parse(hex)?)))
            .ok_or(Unsound::Unhashed)?;
        let text = rest.strip_suffix(BEFORE_HASH).ok_or(Unsound::Unhashed)?;
        let mut digest = Sha256::new();
        digest.update(text);
        digest.update(b"}");
        if hash != Hash(digest.finalize().into()) {
            return Err(Unsound::Altered);
        }
        let text = [text, b"}"].concat();
        let read: Read = serde_json::from_slice(&text).map_err(|_| Unsound::Strange)?;
        Ok(Line {
            seq: read.seq,
            prev: Hash::parse(read.prev.as_bytes()).ok_or(Unsound::Strange)?,
            hash,
            event: read.event,
            reason: read.reason,
        })
    }
}

/// Why bytes are no line of the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// No line is as long.
    #[error("it is longer than any line of the audit ({MAX_LINE} bytes)")]
    Long,
    /// The end of a line is not there.
    #[error("it does not end with a hash")]
    Unhashed,
    /// Text and hash do not belong together.
    #[error("its hash is not that of its text: it was altered")]
    Altered,
    /// The hash is right, and yet no relay wrote this.
    #[error("it has no seq, event and prev: no relay wrote it")]
    Strange,
}
