//! One source's audio without sockets or clocks: pieces of any length in, frames out when it is time for them, on one
//! grid of 20 ms for both tracks, so that these stay in step. Media time is the time since the stream began: where a
//! source has nothing to say, silence goes on in its place, as it does in a telephone, and nothing counts as lost.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::audio::{BYTES_PER_MS, FRAME_BYTES, FRAME_MS, SILENCE};
use partyline_shared::track::{PerTrack, Track};

use crate::calls::fanout::Item;

/// How far ahead of what is heard a track may be when more comes, the contract's.
pub const AHEAD: Duration = Duration::from_secs(2);
/// Audio that begins, or begins again, waits for so long: what follows over a network may be late by as much without
/// being heard as a break, and both tracks begin together.
pub const CUSHION: Duration = Duration::from_millis(100);
/// A source that says nothing for so long is gone.
pub const GONE: Duration = Duration::from_secs(30);
/// A machine that stood still for longer has not lived meanwhile: its media time stood as well, instead of pouring out
/// what nobody could have heard.
const STOOD: Duration = Duration::from_secs(2);
/// Memory of a track that is kept while nothing waits in it, bytes: what sources send at a time.
const KEPT: usize = 4 << 10;

const FRAME: Duration = Duration::from_millis(FRAME_MS as u64);

/// The track is over [`AHEAD`]: nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this track is {} ms ahead of what is heard, and may be 2000; send in real time", ahead.as_millis())]
pub struct TooFar {
    /// How far it is.
    pub ahead: Duration,
}

impl TooFar {
    /// When there is room again.
    pub fn retry_after(&self) -> Duration {
        self.ahead.saturating_sub(AHEAD)
    }
}

/// How a stream stands after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It goes on; its source was heard last at this moment.
    Goes(Instant),
    /// It was completed, and all of it has been played.
    Played,
    /// Its source says nothing any more.
    Gone,
}

/// Where a track stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Flow {
    /// Nothing has ever come.
    #[default]
    Never,
    /// Nothing waits: silence goes on.
    Dry,
    /// Audio has begun to come, and is heard from this moment on.
    Fills(Instant),
    /// It is heard.
    Flows,
}

#[derive(Debug, Default)]
struct Side {
    waiting: VecDeque<u8>,
    flow: Flow,
    chunk: u32,
}

/// One stream of a source.
#[derive(Debug)]
pub struct Stream {
    audio_id: u32,
    /// A source that says nothing for so long is gone.
    gone: Duration,
    zero: Instant,
    /// The tick that is due next: `next` times 20 ms after `zero`.
    next: u32,
    sides: PerTrack<Side>,
    /// When something came of the source last, or was played.
    heard: Instant,
    ending: bool,
}

impl Side {
    fn ahead(&self) -> Duration {
        Duration::from_millis(self.waiting.len() as u64 / u64::from(BYTES_PER_MS))
    }

    /// The bytes of the tick at this moment, where there are any: audio, or the silence that stands for it.
    fn frame(&mut self, at: Instant, ending: bool) -> Option<Tick> {
        match self.flow {
            Flow::Never => return None,
            Flow::Fills(from) if !ending && at < from => return self.silence(),
            Flow::Fills(_) => self.flow = Flow::Flows,
            Flow::Dry if ending => return None,
            Flow::Dry => return self.silence(),
            Flow::Flows => {}
        }
        let mut bytes = [SILENCE; FRAME_BYTES];
        let length = self.waiting.len().min(FRAME_BYTES);
        for (to, from) in bytes.iter_mut().zip(self.waiting.drain(..length)) {
            *to = from;
        }
        if self.waiting.is_empty() && (ending || length < FRAME_BYTES) {
            self.flow = Flow::Dry;
            self.waiting.shrink_to(KEPT);
        }
        match length {
            0 if ending => None,
            0 => self.silence(),
            // The last piece is as long as it is; in between, what is missing of a frame is silence.
            _ if ending => self.tick(bytes, length, true),
            _ => self.tick(bytes, FRAME_BYTES, true),
        }
    }

    /// Before a track's first frame there is nothing to fill: it starts late.
    fn silence(&mut self) -> Option<Tick> {
        if self.chunk == 0 {
            return None;
        }
        self.tick([SILENCE; FRAME_BYTES], FRAME_BYTES, false)
    }

    fn tick(&mut self, bytes: [u8; FRAME_BYTES], length: usize, heard: bool) -> Option<Tick> {
        self.chunk = self.chunk.saturating_add(1);
        let chunk = self.chunk;
        Some(Tick {
            bytes,
            length,
            chunk,
            heard,
        })
    }
}

struct Tick {
    bytes: [u8; FRAME_BYTES],
    length: usize,
    chunk: u32,
    heard: bool,
}

impl Stream {
    /// One that begins now; its frames will carry `audio_id`. `gone` is [`GONE`], but in tests, which do not wait.
    pub fn new(now: Instant, audio_id: u32, gone: Duration) -> Stream {
        Stream {
            audio_id,
            gone,
            zero: now,
            next: 0,
            sides: PerTrack::default(),
            heard: now,
            ending: false,
        }
    }

    /// The number its frames carry.
    pub fn audio_id(&self) -> u32 {
        self.audio_id
    }

    /// Takes µ-law of a track, however much; answers how far ahead the track is by now.
    ///
    /// # Errors
    /// [`TooFar`] where the track was too far ahead before.
    pub fn push(&mut self, now: Instant, track: Track, mulaw: &[u8]) -> Result<Duration, TooFar> {
        let idle = self.is_idle();
        let side = self.sides.get(track);
        if side.ahead() > AHEAD {
            return Err(TooFar { ahead: side.ahead() });
        }
        let other = self.sides.get(track.other()).flow;
        let side = self.sides.get_mut(track);
        side.waiting.extend(mulaw);
        if matches!(side.flow, Flow::Never | Flow::Dry) {
            // Both that begin anew begin together.
            side.flow = match other {
                Flow::Fills(from) => Flow::Fills(from),
                _ => Flow::Fills(now + CUSHION),
            };
        }
        let ahead = side.ahead();
        self.heard = self.heard.max(now);
        if idle {
            self.next = self.tick_after(now);
        }
        Ok(ahead)
    }

    /// It was completed: what waits is played, and then it is over.
    pub fn end(&mut self, now: Instant) {
        if self.is_idle() {
            self.next = self.tick_after(now);
        }
        self.ending = true;
    }

    /// Whether it has been completed.
    pub fn is_ending(&self) -> bool {
        self.ending
    }

    /// When [`Stream::turn`] is to be called next, unless something comes before.
    pub fn due(&self) -> Instant {
        if self.ending || !self.is_idle() {
            self.at(self.next)
        } else {
            self.heard + self.gone
        }
    }

    /// What is due by `now`, appended to `out` in order.
    pub fn turn(&mut self, now: Instant, out: &mut Vec<Item>) -> Turn {
        let late = now.saturating_duration_since(self.at(self.next));
        if !self.is_idle() && late > STOOD {
            self.zero += late;
            self.heard = now.min(self.heard + late);
        }
        while self.has_tick(now) {
            self.tick(out);
        }
        if self.ending && self.is_empty() {
            Turn::Played
        } else if !self.ending && self.is_empty() && now >= self.heard + self.gone {
            Turn::Gone
        } else {
            Turn::Goes(self.heard)
        }
    }

    /// Whether the next tick has come, and there is anything left for it.
    fn has_tick(&self, now: Instant) -> bool {
        self.at(self.next) <= now && !self.is_idle() && !(self.ending && self.is_empty())
    }

    fn tick(&mut self, out: &mut Vec<Item>) {
        let (at, timestamp_ms) = (self.at(self.next), self.next.saturating_mul(FRAME_MS));
        self.next = self.next.saturating_add(1);
        for track in Track::BOTH {
            let Some(tick) = self.sides.get_mut(track).frame(at, self.ending) else {
                continue;
            };
            if tick.heard {
                self.heard = self.heard.max(at);
            }
            let bytes = tick.bytes.get(..tick.length).unwrap_or_default();
            out.push(Item::Frame(AudioFrame::new(
                track,
                self.audio_id,
                tick.chunk,
                timestamp_ms,
                bytes,
            )));
        }
    }

    /// Nothing has ever come, so that there is nothing to play, not even silence.
    fn is_idle(&self) -> bool {
        Track::BOTH
            .iter()
            .all(|track| self.sides.get(*track).flow == Flow::Never)
    }

    fn is_empty(&self) -> bool {
        Track::BOTH
            .iter()
            .all(|track| self.sides.get(*track).waiting.is_empty())
    }

    fn at(&self, tick: u32) -> Instant {
        self.zero + FRAME * tick
    }

    fn tick_after(&self, now: Instant) -> u32 {
        let since = now.saturating_duration_since(self.zero).as_millis();
        u32::try_from(since.div_ceil(u128::from(FRAME_MS))).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests;
