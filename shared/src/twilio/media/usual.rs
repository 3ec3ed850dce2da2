//! Reads a `media` message that is written as Twilio writes it, key by key and without a space. It says
//! `None` to all else, which is not wrong for that: `scan` and serde read it.

use std::borrow::Cow;

use super::{Media, scan};

/// Its sequenceNumber and its audio.
#[inline]
pub(super) fn media(text: &str) -> Option<(Option<u64>, Media<'_>)> {
    let rest = text
        .as_bytes()
        .strip_prefix(br#"{"event":"media","sequenceNumber":""#)?;
    let (sequence_number, rest) = scan::count(rest)?;
    let rest = rest.strip_prefix(br#"","media":{"track":""#)?;
    let (track, rest) = match rest.strip_prefix(b"inbound") {
        Some(rest) => ("inbound", rest),
        None => ("outbound", rest.strip_prefix(b"outbound")?),
    };
    let (_, rest) = scan::count(rest.strip_prefix(br#"","chunk":""#)?)?;
    let (timestamp, rest) = scan::count(rest.strip_prefix(br#"","timestamp":""#)?)?;
    let rest = rest.strip_prefix(br#"","payload":""#)?;
    let from = text.len() - rest.len();
    let (payload, rest) = rest.split_at_checked(scan::long(rest))?;
    let rest = rest.strip_prefix(br#""},"streamSid":""#)?;
    let (_, rest) = rest.split_at_checked(scan::plain(rest))?;
    if rest != br#""}"# {
        return None;
    }
    let media = Media {
        track: Some(Cow::Borrowed(track)),
        timestamp: Some(timestamp),
        payload: Cow::Borrowed(text.get(from..from + payload.len())?),
    };
    Some((Some(sequence_number), media))
}
