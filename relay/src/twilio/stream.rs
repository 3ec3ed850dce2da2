//! One Media Streams socket without the socket: text in; start, frames, gaps, stop out. No clock: order
//! is what sequenceNumber and timestamp say.

use std::borrow::Cow;

use partyline_shared::audio::frame::{AudioFrame, Room};
use partyline_shared::audio::{BYTES_PER_MS, FRAME_BYTES, FRAME_MS};
use partyline_shared::protocol::close;
use partyline_shared::protocol::server::GapReason;
use partyline_shared::track::{PerTrack, Track};
use partyline_shared::twilio::media::{self, Media, Message, Start};

use crate::calls::fanout::{Gap, Item};

/// A step between two frames of a track that is longer than the frame and this, ms, is a hole even where
/// no message is missing: Twilio's timestamps jitter by a few ms, and half a frame of error is no frame.
const SLACK_MS: u32 = 30;

/// What a message was.
#[derive(Debug)]
pub enum Said {
    /// The stream begins; nothing before it was media.
    Started(Box<Start>),
    /// Frames and gaps were appended.
    Media,
    /// A key was pressed, on a two-way stream.
    Digit(String),
    /// A mark was reached, on a two-way stream.
    Mark(String),
    /// The stream ends.
    Stopped,
    /// Nothing to do: `connected`.
    Nothing,
}

/// A message that is skipped; the stream goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Skip {
    /// Not a message at all.
    #[error("not a Media Streams message")]
    NotAMessage,
    /// An event of a later version, or of nobody's.
    #[error("unknown event")]
    UnknownEvent,
    /// Audio that is none.
    #[error("the payload is not base64 audio")]
    Payload,
    /// Neither inbound nor outbound.
    #[error("unknown track")]
    Track,
    /// No timestamp, or one past 49 days.
    #[error("media without a usable timestamp")]
    Timestamp,
    /// A second start on one socket.
    #[error("start came twice")]
    StartTwice,
}

/// A message after which the stream cannot go on.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fatal {
    /// Nobody's stream begins so.
    #[error("media arrived before start")]
    MediaBeforeStart,
    /// Audio that nobody here can hear.
    #[error(
        "the audio is {encoding} at {rate} Hz, {channels} channels; only audio/x-mulaw at 8000 Hz, 1 is taken"
    )]
    Format {
        /// Its encoding, cut to what a log can take.
        encoding: String,
        /// Samples a second.
        rate: u32,
        /// Channels.
        channels: u32,
        /// The stream and the call that it names.
        start: Box<Start>,
    },
}

impl Fatal {
    /// What the socket is closed with.
    pub fn close_code(&self) -> u16 {
        match self {
            Fatal::MediaBeforeStart => close::PROTOCOL_ERROR,
            Fatal::Format { .. } => close::INVALID_DATA,
        }
    }
}

/// What is wrong with a message.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Wrong {
    /// It is skipped.
    #[error(transparent)]
    Skip(#[from] Skip),
    /// The stream is closed.
    #[error(transparent)]
    Fatal(#[from] Fatal),
}

#[derive(Debug, Default)]
struct Side {
    /// The newest frame's timestamp and length, ms; none before the first.
    last: Option<(u32, u32)>,
    chunk: u32,
    /// A message of the socket was missing since this track's last frame.
    jumped: bool,
}

/// The state of one socket.
#[derive(Debug)]
pub struct Stream {
    audio_id: u32,
    started: bool,
    only_track: Option<Track>,
    sequence: Option<u64>,
    sides: PerTrack<Side>,
    /// Decoded payload of more than one frame; kept, so that a frame costs no allocation but its own.
    audio: Vec<u8>,
}

impl Stream {
    /// A socket that has said nothing; its frames will carry `audio_id`.
    pub fn new(audio_id: u32) -> Stream {
        Stream {
            audio_id,
            started: false,
            only_track: None,
            sequence: None,
            sides: PerTrack::default(),
            audio: Vec::new(),
        }
    }

    /// The number its frames carry.
    pub fn audio_id(&self) -> u32 {
        self.audio_id
    }

    /// Takes one text message; frames and gaps are appended to `out` in order.
    ///
    /// # Errors
    /// [`Wrong::Skip`] where the message is to be left out, [`Wrong::Fatal`] where the socket is to be closed.
    pub fn on_text(&mut self, text: &str, out: &mut Vec<Item>) -> Result<Said, Wrong> {
        if let Some((sequence, media)) = media::audio(text) {
            self.count(sequence);
            return self.heard(Some(&media), out);
        }
        let message = Message::parse_any(text).map_err(|_| Skip::NotAMessage)?;
        self.count(message.sequence_number);
        match message.event.as_ref() {
            "media" => self.heard(message.media.as_ref(), out),
            "start" => self.start(message.start.ok_or(Skip::NotAMessage)?),
            "stop" => Ok(Said::Stopped),
            "dtmf" => Ok(Said::Digit(short(&message.dtmf.ok_or(Skip::NotAMessage)?.digit))),
            "mark" => Ok(Said::Mark(short(&message.mark.ok_or(Skip::NotAMessage)?.name))),
            "connected" => Ok(Said::Nothing),
            _ => Err(Skip::UnknownEvent.into()),
        }
    }

    fn heard(&mut self, media: Option<&Media<'_>>, out: &mut Vec<Item>) -> Result<Said, Wrong> {
        let media = media.ok_or(Wrong::from(Skip::NotAMessage));
        match media.and_then(|media| self.media(media, out)) {
            Ok(()) => Ok(Said::Media),
            Err(wrong) => {
                // Audio that cannot be taken is missing, as if its message had not come.
                self.jumped();
                Err(wrong)
            }
        }
    }

    /// Twilio counts every message of a socket: a jump says that some were thrown away.
    fn count(&mut self, sequence: Option<u64>) {
        let Some(sequence) = sequence else { return };
        if self
            .sequence
            .is_some_and(|last| sequence > last.saturating_add(1))
        {
            self.jumped();
        }
        self.sequence = Some(sequence);
    }

    /// Audio is missing, of which track nobody knows: both look for it at their next frame.
    fn jumped(&mut self) {
        self.sides.inbound.jumped = true;
        self.sides.outbound.jumped = true;
    }

    fn start(&mut self, start: Start) -> Result<Said, Wrong> {
        if self.started {
            return Err(Skip::StartTwice.into());
        }
        if let Some(format) = &start.media_format
            && (format.encoding.as_str(), format.sample_rate, format.channels) != ("audio/x-mulaw", 8000, 1)
        {
            let (encoding, rate, channels) = (short(&format.encoding), format.sample_rate, format.channels);
            let start = Box::new(start);
            return Err(Fatal::Format {
                encoding,
                rate,
                channels,
                start,
            }
            .into());
        }
        self.started = true;
        self.only_track = match start.tracks.as_slice() {
            [one] => Track::parse(one),
            _ => None,
        };
        Ok(Said::Started(Box::new(start)))
    }

    fn media(&mut self, media: &Media<'_>, out: &mut Vec<Item>) -> Result<(), Wrong> {
        if !self.started {
            return Err(Fatal::MediaBeforeStart.into());
        }
        let track = match &media.track {
            Some(track) => Track::parse(track).ok_or(Skip::Track)?,
            None => self.only_track.unwrap_or(Track::Inbound),
        };
        let timestamp = media
            .timestamp
            .and_then(|t| u32::try_from(t).ok())
            .ok_or(Skip::Timestamp)?;
        // One frame, which is what Twilio sends, is decoded where it stays.
        let mut room = Room::default();
        let whole = media::decode_payload_into(&media.payload, room.audio());
        if whole.is_none() {
            media::decode_payload(&media.payload, &mut self.audio).map_err(|_| Skip::Payload)?;
        }
        let side = self.sides.get_mut(track);
        let missing = side.missing_before(timestamp);
        side.jumped = false;
        if missing > 0 {
            let from_chunk = side.chunk.saturating_add(1);
            side.chunk = side.chunk.saturating_add(missing);
            let gap = Gap {
                track,
                from_chunk,
                to_chunk: side.chunk,
                reason: GapReason::Upstream,
            };
            out.push(Item::Gap(gap));
        }
        if let Some(bytes) = whole {
            side.chunk = side.chunk.saturating_add(1);
            side.last = Some((timestamp, bytes as u32 / BYTES_PER_MS));
            out.push(Item::Frame(room.fill(
                track,
                self.audio_id,
                side.chunk,
                timestamp,
                bytes,
            )));
            return Ok(());
        }
        // Each piece follows the one before by 20 ms of media time.
        let mut at = timestamp;
        for piece in self.audio.chunks(FRAME_BYTES) {
            side.chunk = side.chunk.saturating_add(1);
            out.push(Item::Frame(AudioFrame::new(
                track,
                self.audio_id,
                side.chunk,
                at,
                piece,
            )));
            side.last = Some((at, piece.len() as u32 / BYTES_PER_MS));
            at = at.saturating_add(FRAME_MS);
        }
        Ok(())
    }
}

impl Side {
    /// Frames of 20 ms between this track's last frame and one at `timestamp`: looked for where a
    /// message was missed, or the step is too long for jitter. A track that starts late has no gap.
    fn missing_before(&self, timestamp: u32) -> u32 {
        let Some((last, length)) = self.last else { return 0 };
        let step = timestamp.saturating_sub(last);
        if !self.jumped && step <= length + SLACK_MS {
            return 0;
        }
        (step.saturating_sub(length).saturating_add(FRAME_MS / 2)) / FRAME_MS
    }
}

/// A foreign text cut and cleaned to what an event or a log can take.
fn short(text: &str) -> String {
    let cleaned: Cow<'_, str> = partyline_shared::text::clean(text).into();
    cleaned.chars().take(128).collect()
}

#[cfg(test)]
mod tests;
