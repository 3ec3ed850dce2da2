//! From Twilio's text to a listener's bytes by looking for four keys: true of what the load program sends, and
//! of nothing else.

use base64_simd::{AsOut, STANDARD};
use memchr::memmem;

/// The WebSocket's head, ours, and 20 ms of audio, bytes.
pub(super) const FRAME: usize = WS_HEAD + HEAD + AUDIO;
const WS_HEAD: usize = 4;
const HEAD: usize = 16;
const AUDIO: usize = 160;
/// The same audio in base64.
const AUDIO_BASE64: usize = 216;
/// `CA` and 32 digits.
const SID: usize = 34;

/// Where the keys end that are looked for.
pub(super) struct Finder {
    track: Key,
    chunk: Key,
    timestamp: Key,
    payload: Key,
    started: Key,
    subscribed: Key,
}

struct Key(memmem::Finder<'static>);

impl Key {
    fn new(key: &'static [u8]) -> Key {
        Key(memmem::Finder::new(key))
    }

    /// What follows it.
    #[inline]
    fn after<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        text.get(self.0.find(text)? + self.0.needle().len()..)
    }
}

#[inline]
fn number(digits: &[u8]) -> u32 {
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| {
        number.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'))
    })
}

impl Finder {
    pub(super) fn new() -> Finder {
        Finder {
            track: Key::new(br#""track":""#),
            chunk: Key::new(br#""chunk":""#),
            timestamp: Key::new(br#""timestamp":""#),
            payload: Key::new(br#""payload":""#),
            started: Key::new(br#""callSid":""#),
            subscribed: Key::new(br#""call_sid":""#),
        }
    }

    /// The CallSid of Twilio's `start`.
    pub(super) fn start<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        self.started.after(text)?.get(..SID)
    }

    /// The CallSid that a listener asks for.
    pub(super) fn subscribe<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        self.subscribed.after(text)?.get(..SID)
    }

    /// Makes the one frame that all listeners get; `None` when this is no audio.
    #[inline]
    pub(super) fn media(&self, text: &[u8], out: &mut [u8; FRAME]) -> Option<()> {
        let track = self.track.after(text)?;
        let chunk = self.chunk.after(track)?;
        let timestamp = self.timestamp.after(chunk)?;
        let payload = self.payload.after(timestamp)?.get(..AUDIO_BASE64)?;
        let outbound = track.first() == Some(&b'o');
        out[..4].copy_from_slice(&[0x82, 126, 0, (HEAD + AUDIO) as u8]);
        out[4..8].copy_from_slice(&[1, u8::from(outbound), 0, 0]);
        out[8..12].copy_from_slice(&1_u32.to_be_bytes());
        out[12..16].copy_from_slice(&number(chunk).to_be_bytes());
        out[16..20].copy_from_slice(&number(timestamp).to_be_bytes());
        let audio = STANDARD.decode(payload, out[WS_HEAD + HEAD..].as_out()).ok()?;
        (audio.len() == AUDIO).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twilios_text_becomes_a_listeners_frame() {
        let audio: Vec<u8> = (0..160).collect();
        let payload = STANDARD.encode_to_string(&audio);
        let text = format!(
            r#"{{"event":"media","sequenceNumber":"9","media":{{"track":"outbound","chunk":"258","timestamp":"5160","payload":"{payload}"}},"streamSid":"MZ1"}}"#
        );
        let mut out = [0; FRAME];
        Finder::new().media(text.as_bytes(), &mut out).unwrap();
        let frame = crate::ws::Frame::at(&out, 0).unwrap().unwrap();
        assert_eq!((frame.op, frame.payload), (crate::ws::BINARY, 4..FRAME));
        assert_eq!(out[4..20], [1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 0, 0, 0x14, 0x28]);
        assert_eq!(out[20..], audio);
        assert_eq!(Finder::new().media(br#"{"event":"mark"}"#, &mut out), None);
    }

    #[test]
    fn a_call_is_known_by_its_sid() {
        let sid = format!("CA{:032x}", 7);
        let start = format!(r#"{{"start":{{"callSid":"{sid}","tracks":[]}}}}"#);
        assert_eq!(Finder::new().start(start.as_bytes()), Some(sid.as_bytes()));
        let subscribe = format!(r#"{{"type":"subscribe","call_sid":"{sid}"}}"#);
        assert_eq!(
            Finder::new().subscribe(subscribe.as_bytes()),
            Some(sid.as_bytes())
        );
        assert_eq!(Finder::new().subscribe(br#"{"call_sid":"CA"}"#), None);
    }
}
