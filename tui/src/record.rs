//! A call into a file, sans-I/O: frames and what is missing go in, bytes come out. The rules are the
//! contract's (section 2): a track starts at its first frame's timestamp, consecutive chunks then join
//! whatever their timestamps, a hole is 20 ms of silence per missing chunk, the file starts with the
//! earlier track, and a last frame is padded.

mod timeline;

use bytes::Bytes;
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::audio::{BYTES_PER_MS, FRAME_BYTES, g711, wav};
use partyline_shared::time::UtcTime;
use partyline_shared::track::{PerTrack, Track};

use timeline::Timeline;

/// How far, in samples, one track may run ahead of the other on live audio before the other is taken as
/// silent up to there: 10 s. A track that has not begun holds the file back for so long.
const LIVE_HOLD: u64 = 10_000 * BYTES_PER_MS as u64;

/// The same while remembered audio is replayed, which a relay may send one track after the other: ten
/// minutes, some 7 MB.
const REPLAY_HOLD: u64 = 600_000 * BYTES_PER_MS as u64;

/// The longest silence that one step may make, in samples: a day. A jump beyond it is no pause but
/// nonsense, and what follows is appended.
const MAX_HOLE: u64 = 86_400_000 * BYTES_PER_MS as u64;

/// What the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// 16-bit samples at 8 kHz, little-endian; stereo where both tracks are kept (left inbound).
    Pcm,
    /// µ-law, one track.
    Mulaw,
}

/// Which tracks are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Two channels.
    Both,
    /// One.
    One(Track),
}

impl Kept {
    /// Whether `track` is among them.
    pub fn has(self, track: Track) -> bool {
        self == Kept::Both || self == Kept::One(track)
    }

    /// Channels of the file.
    pub fn channels(self) -> u16 {
        if self == Kept::Both { 2 } else { 1 }
    }
}

/// Where one track stands in the stream that is being heard.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    last_chunk: Option<u32>,
    /// Samples that the last frame lacks to 20 ms.
    short: u64,
}

/// The recorder; see the module.
#[derive(Debug)]
pub struct Recorder {
    format: Format,
    kept: Kept,
    timeline: Timeline,
    places: PerTrack<Place>,
    /// The file's position of this stream's timestamp 0, in samples; `None` until it is known.
    zero: Option<i64>,
    /// The wall clock at the file's position 0.
    epoch: Option<UtcTime>,
    frames: u64,
    late: u64,
}

impl Recorder {
    /// A recorder that has heard nothing.
    pub fn new(format: Format, kept: Kept) -> Self {
        Recorder {
            format,
            kept,
            timeline: Timeline::new(kept == Kept::Both),
            places: PerTrack::default(),
            zero: Some(0),
            epoch: None,
            frames: 0,
            late: 0,
        }
    }

    /// Another stream begins (or the first): chunk numbers and timestamps start anew.
    ///
    /// Where both streams name the wall clock of their timestamp 0, the difference says how long nobody
    /// was heard, and the file has that silence. Without both, or where they contradict each other (the
    /// new stream would begin inside what is written, or a day later), it is appended: nothing of what
    /// was said is lost or moved over something else, only a pause is shorter.
    pub fn on_stream(&mut self, zero_at: Option<UtcTime>) {
        if self.frames == 0 {
            self.epoch = zero_at.or(self.epoch);
            return;
        }
        self.pad();
        self.places = PerTrack::default();
        let elapsed = zero_at
            .zip(self.epoch)
            .map(|(new, first)| new.unix_ms().saturating_sub(first.unix_ms()));
        self.zero = elapsed
            .map(|ms| ms.saturating_mul(i64::from(BYTES_PER_MS)))
            .filter(|&zero| {
                zero >= 0 && (zero as u64).abs_diff(self.timeline.end().max(0) as u64) <= MAX_HOLE
            });
    }

    /// A frame, after all of its track that came before. One that is older than what was taken is late:
    /// counted, not written.
    pub fn on_frame(&mut self, frame: &AudioFrame) {
        let track = frame.track();
        if !self.kept.has(track) {
            return;
        }
        let channel = self.channel(track);
        let place = *self.places.get(track);
        match place.last_chunk {
            Some(last) if frame.chunk() <= last => {
                self.late += 1;
                return;
            }
            Some(last) => self.silence(channel, u64::from(frame.chunk() - last - 1)),
            None => self.start(channel, frame.timestamp_ms()),
        }
        self.frames += 1;
        let audio = frame.mulaw();
        // A copy: the frame's own bytes may be a piece of a larger buffer, and this one may wait for long.
        if !self.timeline.append(channel, Bytes::copy_from_slice(audio)) {
            self.late += 1;
        }
        let short = FRAME_BYTES.saturating_sub(audio.len()) as u64;
        *self.places.get_mut(track) = Place {
            last_chunk: Some(frame.chunk()),
            short,
        };
        self.timeline.let_go(if frame.is_replayed() {
            REPLAY_HOLD
        } else {
            LIVE_HOLD
        });
    }

    /// Chunks up to `to` will not come. Before a track's first frame that says nothing.
    pub fn on_missed(&mut self, track: Track, to: u32) {
        let place = *self.places.get(track);
        let Some(last) = place.last_chunk.filter(|&last| to > last && self.kept.has(track)) else {
            return;
        };
        self.silence(self.channel(track), u64::from(to - last));
        *self.places.get_mut(track) = Place {
            last_chunk: Some(to),
            short: 0,
        };
        self.timeline.let_go(REPLAY_HOLD);
    }

    /// Nothing more comes: pads last frames, and both channels to one length.
    pub fn finish(&mut self) {
        self.pad();
        self.timeline.finish();
    }

    /// Adds a block of what is settled, at most 32 KiB, to `out`; false when there is nothing more for now.
    pub fn read(&mut self, out: &mut Vec<u8>) -> bool {
        /// Samples taken at a time: 16 KiB a channel as PCM, so that a pause of hours never is in memory.
        const BLOCK: usize = 8192;
        let Some(block) = self.timeline.take(BLOCK) else {
            return false;
        };
        match (self.format, block.right) {
            (Format::Mulaw, _) => out.extend_from_slice(&block.left),
            (Format::Pcm, None) => {
                out.extend(
                    block
                        .left
                        .iter()
                        .flat_map(|&byte| g711::decode(byte).to_le_bytes()),
                );
            }
            (Format::Pcm, Some(right)) => stereo(&block.left, &right, out),
        }
        true
    }

    /// The header before the bytes, `data` of them or unknown; none before raw audio.
    pub fn header(&self, data: Option<u64>) -> Vec<u8> {
        // 4 GiB are 37 hours of stereo; a longer file reads as "until the end".
        let size = data
            .and_then(|bytes| u32::try_from(bytes).ok())
            .unwrap_or(wav::UNKNOWN_SIZE);
        match self.format {
            Format::Mulaw => Vec::new(),
            Format::Pcm => wav::header(self.kept.channels(), size).to_vec(),
        }
    }

    /// Frames taken.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Frames that came when their place was already written, wholly or in part.
    pub fn late(&self) -> u64 {
        self.late
    }

    fn channel(&self, track: Track) -> usize {
        if self.kept == Kept::Both { track.index() } else { 0 }
    }

    fn start(&mut self, channel: usize, timestamp_ms: u32) {
        let at = i64::from(timestamp_ms) * i64::from(BYTES_PER_MS);
        let end = self.timeline.end();
        // The first frame of an appended stream lies at the end of the longer channel.
        let zero = *self.zero.get_or_insert(end.saturating_sub(at));
        self.timeline.start(channel, zero.saturating_add(at), MAX_HOLE);
    }

    fn silence(&mut self, channel: usize, chunks: u64) {
        let samples = chunks * FRAME_BYTES as u64;
        if samples <= MAX_HOLE {
            self.timeline.silence(channel, samples);
        }
    }

    fn pad(&mut self) {
        for track in Track::BOTH {
            let short = std::mem::take(&mut self.places.get_mut(track).short);
            if short > 0 {
                self.timeline.silence(self.channel(track), short);
            }
        }
    }
}

/// Adds both tracks' µ-law side by side, as a WAV of both has it: left and right, 16 bits each. As long as the
/// shorter one.
pub fn stereo(left: &[u8], right: &[u8], out: &mut Vec<u8>) {
    out.extend(left.iter().zip(right).flat_map(|(&l, &r)| {
        let ([a, b], [c, d]) = (g711::decode(l).to_le_bytes(), g711::decode(r).to_le_bytes());
        [a, b, c, d]
    }));
}

#[cfg(test)]
mod tests;
