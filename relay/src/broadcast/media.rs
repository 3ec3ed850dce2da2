//! A frame as `media`. It is made for each frame, on the thread that read it: nothing here locks or asks for memory.

use std::fmt;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::id::CallSid;
use partyline_shared::twilio::media::{payload_len, put_payload};

use super::payload;

const CHUNK: &str = r#"","chunk":""#;
const TIMESTAMP: &str = r#"","timestamp":""#;
const PAYLOAD: &str = r#"","payload":""#;
/// What stands behind the audio.
const TAIL: &str = r#"","format":{"encoding":"audio/x-mulaw","sample_rate":8000,"channels":1}}"#;

/// `media` of one call.
pub struct Media {
    /// All up to the track.
    head: Vec<u8>,
}

impl Media {
    /// Of `call`, behind `before`: what the sender's own message begins with.
    pub fn new(before: &str, call: &CallSid) -> Media {
        let mut head = before.to_owned() + &payload("media", call);
        head.push_str(r#","track":""#);
        Media { head: head.into() }
    }

    /// What all its frames begin with: two of one head make the same of a frame.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// A frame, to be appended.
    pub fn of<'a>(&'a self, frame: &'a AudioFrame) -> Told<'a> {
        Told {
            head: &self.head,
            track: frame.track().as_str(),
            chunk: Digits::of(frame.chunk()),
            timestamp: Digits::of(frame.timestamp_ms()),
            mulaw: frame.mulaw(),
        }
    }
}

impl fmt::Debug for Media {
    /// Nothing of what a client chose to say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media").finish_non_exhaustive()
    }
}

/// One frame, not yet written.
pub struct Told<'a> {
    head: &'a [u8],
    track: &'static str,
    chunk: Digits,
    timestamp: Digits,
    mulaw: &'a [u8],
}

impl Told<'_> {
    /// Bytes that it takes.
    pub fn len(&self) -> usize {
        let before = self.before().iter().map(|part| part.len()).sum::<usize>();
        before + payload_len(self.mulaw.len()) + TAIL.len()
    }

    /// Never: a frame has its track.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Appends it.
    pub fn put(&self, out: &mut Vec<u8>) {
        for part in self.before() {
            out.extend_from_slice(part);
        }
        put_payload(self.mulaw, out);
        out.extend_from_slice(TAIL.as_bytes());
    }

    fn before(&self) -> [&[u8]; 7] {
        [
            self.head,
            self.track.as_bytes(),
            CHUNK.as_bytes(),
            self.chunk.as_bytes(),
            TIMESTAMP.as_bytes(),
            self.timestamp.as_bytes(),
            PAYLOAD.as_bytes(),
        ]
    }
}

/// A number in decimal.
struct Digits {
    text: [u8; 10],
    at: usize,
}

impl Digits {
    fn of(mut number: u32) -> Digits {
        let mut digits = Digits {
            text: [b'0'; 10],
            at: 10,
        };
        for (at, digit) in digits.text.iter_mut().enumerate().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
            digits.at = at;
            if number == 0 {
                break;
            }
        }
        digits
    }

    fn as_bytes(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }
}
