//! What crosses between relays, as bytes: frames as they are, what is missing between them, what is remembered, how loud
//! calls are. A message is taken whole or not at all; pure.
//!
//! ```text
//! u8 version = 1, then sections:
//! u8 kind = 1 | sid | u32 audio_id | i64 zero_at, ms since 1970 | u16 items          what is said now
//! u8 kind = 2 | sid | u32 audio_id | i64 zero_at | u32 ms | u8 last | u16 items      a part of the last so many ms
//! u8 kind = 3 | u16 calls, each: sid | (u64 squares | u32 samples) inbound, outbound   energy since the last such
//! item:  u8 0 | u8 bytes | a frame's wire bytes   or   u8 1 | u8 track | u32 from | u32 to | u8 reason
//! sid:   u8 bytes | them
//! ```
//! all big-endian.

use bytes::Bytes;
use partyline_shared::audio::frame::{AudioFrame, MAX_FRAME};
use partyline_shared::audio::level::Energy;
use partyline_shared::id::{CallSid, MAX_ID};
use partyline_shared::protocol::server::GapReason;
use partyline_shared::time::UtcTime;
use partyline_shared::track::{PerTrack, Track};

use crate::calls::fanout::{Gap, Item, StreamInfo};

const VERSION: u8 = 1;
const LIVE: u8 = 1;
const REPLAYED: u8 = 2;
const LEVELS: u8 = 3;
const FRAME: u8 = 0;
const GAP: u8 = 1;

/// Bytes of a message, at most: what Redis copies for each relay that hears it, and what others wait behind for half a
/// millisecond where the network does a gigabit a second.
pub(super) const MOST: usize = 64 << 10;

/// Bytes that the largest section's head and one item of it take, at most.
const LARGEST: usize = 1 + (1 + MAX_ID) + 4 + 8 + 4 + 1 + 2 + (2 + MAX_FRAME);

/// Why a message is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no message of this version, or not all of one")]
pub(super) struct Bad;

/// A section of a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    /// What is said now.
    Live {
        call_sid: CallSid,
        stream: StreamInfo,
        items: Vec<Item>,
    },
    /// A part of what is remembered.
    Replayed {
        call_sid: CallSid,
        /// `None` where there never was one.
        stream: Option<StreamInfo>,
        /// How much was asked for.
        ms: u32,
        /// Nothing of it follows.
        last: bool,
        items: Vec<Item>,
    },
    /// How loud calls were since they were told last.
    Levels(Vec<(CallSid, PerTrack<Energy>)>),
}

/// Writes one message.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    /// Where the open section counts its items, and how many it has.
    count: Option<(usize, u16)>,
    last_at: usize,
}

impl<'a> Writer<'a> {
    /// A message without sections, in memory that is used again.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Writer<'a> {
        out.clear();
        out.push(VERSION);
        Writer {
            out,
            count: None,
            last_at: 0,
        }
    }

    /// Whether another section with an item in it has room.
    pub(super) fn has_room(&self) -> bool {
        self.out.len() + LARGEST <= MOST
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.out.len() <= 1
    }

    /// What follows is of this call and stream.
    pub(super) fn live(&mut self, call_sid: &CallSid, stream: StreamInfo) {
        self.begin(LIVE, call_sid, Some(stream));
        self.counted();
    }

    /// What follows is remembered of this one.
    pub(super) fn replayed(&mut self, call_sid: &CallSid, stream: Option<StreamInfo>, ms: u32) {
        self.begin(REPLAYED, call_sid, stream);
        self.out.extend(ms.to_be_bytes());
        self.last_at = self.out.len();
        self.out.push(0);
        self.counted();
    }

    /// Nothing of that follows in another message.
    pub(super) fn is_last(&mut self) {
        if let Some(last) = self.out.get_mut(self.last_at) {
            *last = 1;
        }
    }

    /// What follows are calls' energies.
    pub(super) fn levels(&mut self) {
        self.out.push(LEVELS);
        self.counted();
    }

    /// A frame or a gap of the section. A stream is none of those.
    pub(super) fn item(&mut self, item: &Item) {
        match item {
            Item::Frame(frame) => {
                let bytes = frame.bytes();
                self.out.extend([FRAME, bytes.len() as u8]);
                self.out.extend_from_slice(bytes);
            }
            Item::Gap(gap) => {
                self.out.extend([GAP, gap.track.index() as u8]);
                self.out.extend(gap.from_chunk.to_be_bytes());
                self.out.extend(gap.to_chunk.to_be_bytes());
                self.out.push(reason_byte(gap.reason));
            }
            Item::Stream(_) => return,
        }
        self.one_more();
    }

    /// A call's energy, in a section of those.
    pub(super) fn level(&mut self, call_sid: &CallSid, energy: &PerTrack<Energy>) {
        self.sid(call_sid);
        for track in Track::BOTH {
            let Energy { squares, samples } = energy.get(track);
            self.out.extend(squares.to_be_bytes());
            let samples = u32::try_from(*samples).unwrap_or(u32::MAX);
            self.out.extend(samples.to_be_bytes());
        }
        self.one_more();
    }

    fn begin(&mut self, kind: u8, call_sid: &CallSid, stream: Option<StreamInfo>) {
        self.out.push(kind);
        self.sid(call_sid);
        let (audio_id, zero_at) = stream.map_or((0, 0), |one| (one.audio_id, one.zero_at.unix_ms()));
        self.out.extend(audio_id.to_be_bytes());
        self.out.extend(zero_at.to_be_bytes());
    }

    fn sid(&mut self, call_sid: &CallSid) {
        let sid = call_sid.as_str().as_bytes();
        // No id is longer than 64.
        self.out.push(sid.len() as u8);
        self.out.extend_from_slice(sid);
    }

    fn counted(&mut self) {
        self.count = Some((self.out.len(), 0));
        self.out.extend([0, 0]);
    }

    fn one_more(&mut self) {
        if let Some((at, items)) = &mut self.count {
            *items = items.saturating_add(1);
            let [high, low] = items.to_be_bytes();
            if let Some([first, second]) = self.out.get_mut(*at..*at + 2) {
                (*first, *second) = (high, low);
            }
        }
    }
}

/// Reads a message. Frames lie in its own memory; nothing is copied.
///
/// # Errors
/// [`Bad`], and then nothing of it counts.
pub(super) fn read(message: Bytes) -> Result<Vec<Part>, Bad> {
    let mut reader = Reader { left: message };
    if reader.u8()? != VERSION {
        return Err(Bad);
    }
    let mut parts = Vec::new();
    while !reader.left.is_empty() {
        parts.push(match reader.u8()? {
            LIVE => {
                let (call_sid, stream) = reader.head()?;
                let stream = stream.ok_or(Bad)?;
                Part::Live {
                    call_sid,
                    stream,
                    items: reader.items(Some(stream))?,
                }
            }
            REPLAYED => {
                let (call_sid, stream) = reader.head()?;
                Part::Replayed {
                    call_sid,
                    stream,
                    ms: reader.u32()?,
                    last: reader.u8()? != 0,
                    items: reader.items(stream)?,
                }
            }
            LEVELS => Part::Levels(reader.levels()?),
            _ => return Err(Bad),
        });
    }
    Ok(parts)
}

struct Reader {
    left: Bytes,
}

impl Reader {
    fn take(&mut self, bytes: usize) -> Result<Bytes, Bad> {
        if bytes > self.left.len() {
            return Err(Bad);
        }
        Ok(self.left.split_to(bytes))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Bad> {
        let (array, _) = self.left.split_first_chunk::<N>().ok_or(Bad)?;
        let array = *array;
        self.take(N)?;
        Ok(array)
    }

    fn u8(&mut self) -> Result<u8, Bad> {
        self.array().map(u8::from_be_bytes)
    }

    fn u16(&mut self) -> Result<u16, Bad> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, Bad> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, Bad> {
        self.array().map(u64::from_be_bytes)
    }

    fn sid(&mut self) -> Result<CallSid, Bad> {
        let bytes = self.u8()?;
        let sid = self.take(usize::from(bytes))?;
        let sid = std::str::from_utf8(&sid).map_err(|_| Bad)?;
        CallSid::parse(sid).map_err(|_| Bad)
    }

    fn head(&mut self) -> Result<(CallSid, Option<StreamInfo>), Bad> {
        let call_sid = self.sid()?;
        let audio_id = self.u32()?;
        let zero_at = self.array().map(i64::from_be_bytes)?;
        let stream = StreamInfo {
            audio_id,
            zero_at: UtcTime::from_unix_ms(zero_at),
        };
        Ok((call_sid, ((audio_id, zero_at) != (0, 0)).then_some(stream)))
    }

    fn items(&mut self, stream: Option<StreamInfo>) -> Result<Vec<Item>, Bad> {
        let count = usize::from(self.u16()?);
        // Each takes 11 bytes at least, so nobody makes us keep room for what does not come.
        if count * 11 > self.left.len() {
            return Err(Bad);
        }
        let audio_id = stream.map(|stream| stream.audio_id);
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(match self.u8()? {
                FRAME => {
                    let bytes = self.u8()?;
                    let wire = self.take(usize::from(bytes))?;
                    let frame = AudioFrame::parse(wire).map_err(|_| Bad)?.ok_or(Bad)?;
                    if Some(frame.audio_id()) != audio_id {
                        return Err(Bad);
                    }
                    Item::Frame(frame)
                }
                GAP => Item::Gap(self.gap()?),
                _ => return Err(Bad),
            });
        }
        Ok(items)
    }

    fn gap(&mut self) -> Result<Gap, Bad> {
        let gap = Gap {
            track: Track::from_index(self.u8()?).ok_or(Bad)?,
            from_chunk: self.u32()?,
            to_chunk: self.u32()?,
            reason: reason(self.u8()?),
        };
        if gap.from_chunk > gap.to_chunk {
            return Err(Bad);
        }
        Ok(gap)
    }

    fn levels(&mut self) -> Result<Vec<(CallSid, PerTrack<Energy>)>, Bad> {
        let mut levels = Vec::new();
        for _ in 0..self.u16()? {
            let call_sid = self.sid()?;
            let mut energy = PerTrack::<Energy>::default();
            for track in Track::BOTH {
                *energy.get_mut(track) = Energy {
                    squares: self.u64()?,
                    samples: u64::from(self.u32()?),
                };
            }
            levels.push((call_sid, energy));
        }
        Ok(levels)
    }
}

/// Whoever hears them elsewhere is not told that a relay was slow, but that the way there was.
fn reason_byte(reason: GapReason) -> u8 {
    match reason {
        GapReason::Upstream => 1,
        GapReason::SlowListener | GapReason::RelayLink => 2,
        GapReason::Paused => 3,
        GapReason::Unknown => 0,
    }
}

fn reason(byte: u8) -> GapReason {
    match byte {
        1 => GapReason::Upstream,
        2 => GapReason::RelayLink,
        3 => GapReason::Paused,
        _ => GapReason::Unknown,
    }
}

#[cfg(test)]
mod tests;
