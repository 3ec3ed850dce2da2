//! 20 ms of one track, held as its own wire bytes: encoded once at its birth, sent as it is to every
//! listener, decoded once at the ear. That is why this type, alone among the logic's, is its own view.
//!
//! ```text
//! u8 kind = 1 | u8 track | u16 flags | u32 audio_id | u32 chunk | u32 timestamp_ms | µ-law, 1 to 160
//! ```
//! all big-endian (contract 4).

use bytes::Bytes;

use super::{BYTES_PER_MS, FRAME_BYTES};
use crate::track::Track;

/// Bytes before the audio.
pub const HEAD: usize = 16;
/// Bytes of a full frame.
pub const MAX_FRAME: usize = HEAD + FRAME_BYTES;
/// The only kind of binary message so far; receivers ignore others.
pub const KIND_AUDIO: u8 = 1;
/// Flag bit 0: out of the relay's memory, not live.
pub const FLAG_REPLAYED: u16 = 1;

/// One frame. Cloning is a reference count, which lies with the bytes in the frame's one piece of memory.
#[derive(Clone, PartialEq, Eq)]
pub struct AudioFrame(Bytes);

/// Room for a frame whose audio is there before its head is known.
#[derive(Debug)]
pub struct Room([u8; MAX_FRAME]);

/// Why a binary message is no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// Shorter than its head, or without audio.
    #[error("a binary message of {0} bytes has no room for a head and audio")]
    TooShort(usize),
    /// More than 160 bytes of audio.
    #[error("a frame of {0} bytes is longer than {MAX_FRAME}")]
    TooLong(usize),
    /// Neither 0 nor 1.
    #[error("no track has the number {0}")]
    Track(u8),
}

impl AudioFrame {
    /// Builds a frame around `mulaw`; what is over 160 bytes is left out (who has more cuts it first).
    pub fn new(track: Track, audio_id: u32, chunk: u32, timestamp_ms: u32, mulaw: &[u8]) -> Self {
        let mut room = Room::default();
        let mulaw = mulaw.get(..FRAME_BYTES).unwrap_or(mulaw);
        if let Some(audio) = room.audio().get_mut(..mulaw.len()) {
            audio.copy_from_slice(mulaw);
        }
        room.fill(track, audio_id, chunk, timestamp_ms, mulaw.len())
    }

    /// Reads a binary message: `Ok(None)` for a kind of a later version.
    ///
    /// # Errors
    /// [`BadFrame`] when the bytes cannot be a frame.
    pub fn parse(wire: Bytes) -> Result<Option<Self>, BadFrame> {
        match wire.first() {
            Some(&KIND_AUDIO) => {}
            Some(_) => return Ok(None),
            None => return Err(BadFrame::TooShort(0)),
        }
        match wire.get(1) {
            _ if wire.len() <= HEAD => Err(BadFrame::TooShort(wire.len())),
            _ if wire.len() > MAX_FRAME => Err(BadFrame::TooLong(wire.len())),
            Some(&track) if track > 1 => Err(BadFrame::Track(track)),
            _ => Ok(Some(AudioFrame(wire))),
        }
    }

    /// The wire bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// Which side.
    pub fn track(&self) -> Track {
        if self.0.get(1) == Some(&1) {
            Track::Outbound
        } else {
            Track::Inbound
        }
    }

    /// Flag bits.
    pub fn flags(&self) -> u16 {
        (self.word(0) & 0xffff) as u16
    }

    /// Whether it comes out of the relay's memory.
    pub fn is_replayed(&self) -> bool {
        self.flags() & FLAG_REPLAYED != 0
    }

    /// The stream's number.
    pub fn audio_id(&self) -> u32 {
        self.word(4)
    }

    /// The relay's own count, by track and stream, from 1.
    pub fn chunk(&self) -> u32 {
        self.word(8)
    }

    /// Twilio's timestamp: ms since the stream began.
    pub fn timestamp_ms(&self) -> u32 {
        self.word(12)
    }

    /// The audio, 1 to 160 bytes.
    pub fn mulaw(&self) -> &[u8] {
        self.0.get(HEAD..).unwrap_or_default()
    }

    /// How long it lasts, ms; a last frame may be shorter than 20.
    pub fn duration_ms(&self) -> u32 {
        self.mulaw().len() as u32 / BYTES_PER_MS
    }

    /// The same audio marked as out of memory; a copy, since the head differs.
    pub fn replayed(&self) -> Self {
        let mut room = Room::default();
        // No frame is longer: who builds one cuts it, who parses one refuses it.
        if let Some(wire) = room.0.get_mut(..self.0.len()) {
            wire.copy_from_slice(&self.0);
        }
        room.0[3] |= FLAG_REPLAYED as u8;
        room.close(self.0.len())
    }

    fn word(&self, at: usize) -> u32 {
        let bytes = self.0.get(at..at + 4).and_then(|b| b.try_into().ok());
        u32::from_be_bytes(bytes.unwrap_or_default())
    }
}

impl Default for Room {
    fn default() -> Self {
        Room([0; MAX_FRAME])
    }
}

impl Room {
    /// Where the audio goes, from its first byte.
    #[inline]
    pub fn audio(&mut self) -> &mut [u8; FRAME_BYTES] {
        let [_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, audio @ ..] = &mut self.0;
        audio
    }

    /// The frame around the first `bytes` of the audio, 160 at most.
    #[inline]
    pub fn fill(
        &mut self,
        track: Track,
        audio_id: u32,
        chunk: u32,
        timestamp_ms: u32,
        bytes: usize,
    ) -> AudioFrame {
        let [id, chunk, at] = [audio_id, chunk, timestamp_ms].map(u32::to_be_bytes);
        if let Some((head, _)) = self.0.split_first_chunk_mut::<HEAD>() {
            *head = [
                KIND_AUDIO,
                track.index() as u8,
                0,
                0,
                id[0],
                id[1],
                id[2],
                id[3],
                chunk[0],
                chunk[1],
                chunk[2],
                chunk[3],
                at[0],
                at[1],
                at[2],
                at[3],
            ];
        }
        self.close(HEAD + bytes.min(FRAME_BYTES))
    }

    /// The array is the owner: its bytes and their count are one allocation, also once there are clones.
    #[inline]
    fn close(&self, bytes: usize) -> AudioFrame {
        let mut wire = Bytes::from_owner(self.0);
        wire.truncate(bytes);
        AudioFrame(wire)
    }
}

impl std::fmt::Debug for AudioFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AudioFrame")
            .field("track", &self.track())
            .field("audio_id", &self.audio_id())
            .field("chunk", &self.chunk())
            .field("timestamp_ms", &self.timestamp_ms())
            .field("bytes", &self.mulaw().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_wire_bytes_are_pinned() {
        let frame = AudioFrame::new(Track::Outbound, 0x0102_0304, 7, 0x0a0b_0c0d, &[0xff, 0x7f]);
        let golden = [
            1, 1, 0, 0, // kind, track, flags
            1, 2, 3, 4, // audio_id
            0, 0, 0, 7, // chunk
            10, 11, 12, 13, // timestamp_ms
            0xff, 0x7f,
        ];
        assert_eq!(frame.bytes().as_ref(), golden);
        assert_eq!(frame.replayed().bytes().get(..4), Some(&[1, 1, 0, 1][..]));
        assert!(frame.replayed().is_replayed() && !frame.is_replayed());
    }

    #[test]
    fn a_kind_of_tomorrow_is_ignored_and_nonsense_refused() {
        assert_eq!(AudioFrame::parse(Bytes::from_static(&[9])), Ok(None));
        assert_eq!(AudioFrame::parse(Bytes::new()), Err(BadFrame::TooShort(0)));
        assert_eq!(AudioFrame::parse(vec![1; 16].into()), Err(BadFrame::TooShort(16)));
        assert_eq!(
            AudioFrame::parse(vec![1; 177].into()),
            Err(BadFrame::TooLong(177))
        );
        let mut wire = vec![0; 20];
        wire.splice(..2, [1, 2]);
        assert_eq!(AudioFrame::parse(wire.into()), Err(BadFrame::Track(2)));
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(outbound: bool, id: u32, chunk: u32, at: u32, audio in prop::collection::vec(any::<u8>(), 1..=160)) {
            let track = if outbound { Track::Outbound } else { Track::Inbound };
            let frame = AudioFrame::new(track, id, chunk, at, &audio);
            let back = AudioFrame::parse(frame.bytes().clone()).unwrap().unwrap();
            prop_assert_eq!((back.track(), back.audio_id(), back.chunk(), back.timestamp_ms(), back.mulaw()),
                (track, id, chunk, at, &audio[..]));
            let again = frame.replayed();
            prop_assert!(again.is_replayed());
            prop_assert_eq!((again.bytes().len(), &again.bytes()[4..]), (frame.bytes().len(), &frame.bytes()[4..]));
        }

        #[test]
        fn no_bytes_can_crash_the_decoder(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(Some(frame)) = AudioFrame::parse(bytes.into()) {
                let _ = (frame.track(), frame.duration_ms(), frame.replayed());
            }
        }
    }
}
