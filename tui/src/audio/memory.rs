//! The last minutes of one heard call: µ-law frames by their place on a media clock of 20 ms that both tracks share,
//! and the wall clock of each. Filled as frames come, so that what is late, left out or held back is in it too.
//! Bounded in time and bytes, and overwritten when it is let go. No clock, no thread: the wall clock is an argument.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `stream` | where a stream's frames belong, and when they were said |
//! | `ring` | one track's bytes by their place |
//! | [`shelf`] | the memories of all heard calls, by generation |
//!
//! Streams of one call follow one another; what lies between two is as long as their wall clocks say, where both
//! have one of the same kind. Places are relative to the first frame.

mod ring;
pub mod shelf;
mod stream;

use std::collections::VecDeque;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::audio::{BYTES_PER_MS, FRAME_BYTES, FRAME_MS};
use partyline_shared::track::{PerTrack, Track};

use ring::Ring;
use stream::Stream;

/// How much of a call is remembered, ms: 5 min, as long as one goes back to hear how it came to this.
pub const REMEMBERED_MS: u32 = 300_000;

/// The same in slots of 20 ms; both tracks' bytes are 4.8 MB.
const SLOTS: usize = (REMEMBERED_MS / FRAME_MS) as usize;

/// A slot, samples.
const SLOT: i64 = FRAME_BYTES as i64;

/// A slot, ms.
const SLOT_MS: i64 = FRAME_MS as i64;

/// Streams of one call that are told apart: each is a take-over or a re-attachment. Of the oldest the wall clock is
/// forgotten.
const STREAMS: usize = 32;

/// What is written for nothing: silence on the wire.
const SILENCE: u8 = 0xFF;

/// A stretch of a call, as it was said.
#[derive(Clone, PartialEq, Eq)]
pub struct Clip {
    /// The wall clock of its first sample, Unix ms.
    pub from_ms: i64,
    /// That of its end.
    pub to_ms: i64,
    /// µ-law, 8,000 bytes a second, both tracks as long; holes are 0xFF.
    pub tracks: PerTrack<Vec<u8>>,
}

impl std::fmt::Debug for Clip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clip")
            .field("from_ms", &self.from_ms)
            .field("to_ms", &self.to_ms)
            .field("bytes", &self.tracks.inbound.len())
            .finish()
    }
}

/// Where the ear is.
#[derive(Debug, Clone, Copy)]
struct Ear {
    /// In samples from place 0.
    at: i64,
    /// What is heard was said a while ago.
    behind: bool,
}

/// The memory; see the module.
pub struct Memory {
    rings: PerTrack<Ring>,
    /// The first place that is remembered, and one past the last.
    low: i64,
    end: i64,
    streams: VecDeque<Stream>,
    /// Another stream begins with the next frame; its zero, if it has one.
    announced: Option<Option<i64>>,
    ear: Option<Ear>,
    closed: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Memory::new()
    }
}

impl Memory {
    /// An empty one for [`REMEMBERED_MS`].
    pub fn new() -> Memory {
        Memory::of(SLOTS)
    }

    /// One for so many slots of 20 ms.
    fn of(slots: usize) -> Memory {
        Memory {
            rings: PerTrack {
                inbound: Ring::new(slots),
                outbound: Ring::new(slots),
            },
            low: 0,
            end: 0,
            streams: VecDeque::with_capacity(STREAMS),
            announced: None,
            ear: None,
            closed: false,
        }
    }

    /// Another stream begins; `zero_ms` is the wall clock at its timestamp 0, Unix ms.
    pub fn on_stream(&mut self, zero_ms: Option<i64>) {
        self.announced = Some(zero_ms);
    }

    /// A frame came, at this wall clock (Unix ms): its place; `None` where it is too old, or there is one already.
    pub fn on_frame(&mut self, frame: &AudioFrame, wall_ms: i64) -> Option<i64> {
        if self.closed {
            return None;
        }
        let known = match self.announced {
            Some(_) => None,
            None => self.stream_of(frame),
        };
        let known = known.filter(|&at| self.streams.get(at).is_some_and(|s| !s.is_leap(frame, self.end)));
        let at = known.unwrap_or_else(|| self.begin(frame, wall_ms));
        if let Some(place) = self.join(at, frame) {
            return Some(place);
        }
        let stream = self.streams.get_mut(at)?;
        let place = stream.place(frame);
        stream.on_frame(frame, place);
        self.write(frame.track(), place, frame.mulaw()).then_some(place)
    }

    fn stream_of(&self, frame: &AudioFrame) -> Option<usize> {
        self.streams
            .iter()
            .rposition(|stream| stream.id == frame.audio_id())
    }

    fn begin(&mut self, frame: &AudioFrame, wall_ms: i64) -> usize {
        let zero_ms = self.announced.take().flatten();
        // What arrives now was said until now.
        let said_ms = zero_ms.map_or(wall_ms.saturating_sub(SLOT_MS), |zero| {
            zero.saturating_add(i64::from(frame.timestamp_ms()))
        });
        let place = self.streams.back().map_or(0, |last| {
            // Two clocks that are not the same say nothing about the time between.
            let same = last.has_zero == zero_ms.is_some();
            let since_ms = said_ms.saturating_sub(last.wall_ms(self.end));
            let most = self.rings.inbound.slots() as i64;
            let hole = (since_ms.saturating_add(SLOT_MS / 2))
                .div_euclid(SLOT_MS)
                .clamp(0, most);
            self.end.saturating_add(if same { hole } else { 0 })
        });
        if self.streams.len() == STREAMS {
            self.streams.pop_front();
        }
        let stream = Stream::new(frame, place, said_ms, zero_ms.is_some());
        self.streams.push_back(stream);
        self.streams.len() - 1
    }

    /// Appends a frame to the one before where that is short: a source that sends pieces of odd length means them
    /// to be played without a hole. Where it begins then.
    fn join(&mut self, at: usize, frame: &AudioFrame) -> Option<i64> {
        let stream = self.streams.get_mut(at)?;
        let place = stream.follows(frame)?;
        let ring = self.rings.get_mut(frame.track());
        let had = ring.at(place).len();
        if had == 0 || had >= FRAME_BYTES {
            return None;
        }
        let room = (FRAME_BYTES - had).min(frame.mulaw().len());
        let (first, rest) = frame.mulaw().split_at(room);
        ring.append(place, first);
        let last = if rest.is_empty() {
            place
        } else {
            place.saturating_add(1)
        };
        stream.on_frame(frame, last);
        if !rest.is_empty() {
            self.write(frame.track(), last, rest);
        }
        Some(place)
    }

    fn write(&mut self, track: Track, place: i64, mulaw: &[u8]) -> bool {
        let slots = self.rings.inbound.slots() as i64;
        if self.end == self.low {
            (self.low, self.end) = (place, place);
        }
        if place < self.end.saturating_sub(slots) {
            return false;
        }
        if place >= self.end {
            let from = self.end.max(place.saturating_sub(slots).saturating_add(1));
            for track in Track::BOTH {
                self.rings.get_mut(track).forget(from..=place);
            }
            self.end = place.saturating_add(1);
            self.low = self.low.max(self.end.saturating_sub(slots));
        }
        self.low = self.low.min(place);
        self.rings.get_mut(track).put(place, mulaw)
    }

    /// All of it is overwritten, and nothing more is taken: the call is left or erased.
    pub fn close(&mut self) {
        self.closed = true;
        for track in Track::BOTH {
            self.rings.get_mut(track).wipe();
        }
        self.streams.clear();
        (self.low, self.end) = (0, 0);
        self.ear = None;
    }

    /// The places that are remembered: the first, and one past the last.
    pub fn places(&self) -> (i64, i64) {
        (self.low, self.end)
    }

    /// What a track said at a place, up to 160 bytes; nothing where there is a hole.
    pub fn mulaw(&self, track: Track, place: i64) -> &[u8] {
        if (self.low..self.end).contains(&place) {
            self.rings.get(track).at(place)
        } else {
            &[]
        }
    }

    /// Whether nobody speaks at a place.
    pub fn is_quiet(&self, place: i64) -> bool {
        let quiet = |track: Track| self.rings.get(track).is_quiet(place);
        (self.low..self.end).contains(&place) && quiet(Track::Inbound) && quiet(Track::Outbound)
    }

    /// Where a frame belongs that came before.
    pub fn place_of(&self, frame: &AudioFrame) -> Option<i64> {
        let at = self.stream_of(frame)?;
        Some(self.streams.get(at)?.place(frame))
    }

    /// The wall clock of a sample, Unix ms; counted in samples from place 0.
    pub fn wall_ms(&self, at: i64) -> Option<i64> {
        let place = at.div_euclid(SLOT);
        let own = self.streams.iter().rev().find(|stream| stream.from <= place);
        let stream = own.or(self.streams.front())?;
        let within = at.rem_euclid(SLOT) / i64::from(BYTES_PER_MS);
        Some(stream.wall_ms(place).saturating_add(within))
    }

    /// The sample that was said at this wall clock; the nearest that there is at or after it, the end if there is
    /// none.
    pub fn find(&self, wall_ms: i64) -> i64 {
        let mut at = self.end.saturating_mul(SLOT);
        for stream in self.streams.iter().rev() {
            let from = stream.from.max(self.low).saturating_mul(SLOT);
            let since_ms = wall_ms.saturating_sub(stream.wall_ms(0));
            let said = since_ms.saturating_mul(i64::from(BYTES_PER_MS));
            if said < at {
                at = said.max(from);
            }
            if said >= from {
                break;
            }
        }
        let at = at.clamp(self.low.saturating_mul(SLOT), self.end.saturating_mul(SLOT));
        let mut place = at.div_euclid(SLOT);
        let hole = |place| {
            Track::BOTH
                .iter()
                .all(|&track| self.rings.get(track).at(place).is_empty())
        };
        while place < self.end && hole(place) {
            place += 1;
        }
        at.max(place.saturating_mul(SLOT))
    }

    /// The ear is here now, in samples from place 0; `behind` live or not.
    pub fn note_heard(&mut self, at: i64, behind: bool) {
        if !self.closed {
            self.ear = Some(Ear { at, behind });
        }
    }

    /// The wall clock of what is heard, Unix ms.
    pub fn heard_ms(&self) -> Option<i64> {
        self.wall_ms(self.ear?.at)
    }

    /// The last `ms` up to what is heard where that lies behind live, up to what came last where it does not;
    /// nothing where there is nothing.
    pub fn clip(&self, ms: u32) -> Option<Clip> {
        let end = self.end.saturating_mul(SLOT);
        let behind = self.ear.filter(|ear| ear.behind);
        self.clip_to(behind.map_or(end, |ear| ear.at.min(end)), ms)
    }

    /// The last `ms` up to a wall clock, Unix ms.
    pub fn clip_until(&self, until_ms: i64, ms: u32) -> Option<Clip> {
        self.clip_to(self.find(until_ms), ms)
    }

    fn clip_to(&self, to: i64, ms: u32) -> Option<Clip> {
        let length = i64::from(ms).saturating_mul(i64::from(BYTES_PER_MS));
        let from = to.saturating_sub(length).max(self.low.saturating_mul(SLOT));
        let (from_ms, to_ms) = (self.wall_ms(from)?, self.wall_ms(to)?);
        let length = usize::try_from(to.saturating_sub(from))
            .ok()
            .filter(|&length| length > 0)?;
        let tracks = |track| {
            let mut bytes = vec![SILENCE; length];
            for place in from.div_euclid(SLOT)..=to.div_euclid(SLOT) {
                let mulaw = self.mulaw(track, place).iter();
                for (at, byte) in (place.saturating_mul(SLOT)..).zip(mulaw) {
                    let to = usize::try_from(at - from).ok().and_then(|at| bytes.get_mut(at));
                    if let Some(to) = to {
                        *to = *byte;
                    }
                }
            }
            bytes
        };
        Some(Clip {
            from_ms,
            to_ms,
            tracks: PerTrack {
                inbound: tracks(Track::Inbound),
                outbound: tracks(Track::Outbound),
            },
        })
    }
}

#[cfg(test)]
mod tests;
