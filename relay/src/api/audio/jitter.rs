//! A call's frames as samples on a clock: what a player is to be given by now, both tracks in step, with silence
//! wherever nothing is known. A machine: no socket, no runtime, no clock; time is handed in.
//!
//! The clock decides how much is given, the frames decide what. A frame lies where its chunk says: behind the one
//! before it, or so much later as is missing; the first of a track lies by its timestamp. All of it is given a little
//! late, so that a frame may be late as well. The far end's clock is not ours, and a network holds back and makes up
//! for it: so there is slack, which grows and shrinks. It is let out and taken in where both sides are silent, 20 ms at
//! a time, and only past its bounds anywhere else. Both tracks are always moved together.

mod line;

use std::time::{Duration, Instant};

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::audio::{BYTES_PER_MS, FRAME_BYTES, g711};
use partyline_shared::track::{PerTrack, Track};

use line::{Line, Place};

/// Samples of 1 ms.
const MS: u64 = BYTES_PER_MS as u64;

/// Samples of a full frame.
const FRAME: u64 = FRAME_BYTES as u64;

/// Given at a time, samples: 40 ms are 25 wake-ups a second, and less than any player buffers.
const STEP: u64 = 40 * MS;

/// Given at once where more is due, samples.
const BLOCK: u64 = 200 * MS;

/// How late a stream's first frame is given, samples: 200 ms hold what most networks do to a call, and are less than
/// players buffer on their own.
const HOLD: u64 = 200 * MS;

/// What a frame that came too late is given to spare, samples, so that the next one is not late as well.
const SPARE: u64 = FRAME;

/// Slack above this is taken in where nobody speaks, samples.
const MUCH: u64 = HOLD + 120 * MS;

/// Slack below this is let out where nobody speaks, samples.
const LITTLE: u64 = 60 * MS;

/// The most that may wait, samples: after a stall of 2 s all of it is heard, of a longer one the end.
const CEILING: u64 = 2_000 * MS;

/// What a reader does not take for so long is left out, and it goes on with what is said now, samples. Less than the
/// mailbox has room for. Given as silence, it would never be made up for: a player takes as much as there is time.
const BEHIND: u64 = 2_000 * MS;

/// Slack is judged by the least of two such times, samples: 5 s have a pause in them, and some of the network's moods.
const WINDOW: u64 = 5_000 * MS;

/// Louder than this is a sound: 54 dB below full scale, where lines hum.
const QUIET: u16 = 64;

/// Which tracks are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Two channels, left inbound.
    Both,
    /// One.
    One(Track),
}

impl Kept {
    /// Channels of the file.
    pub fn channels(self) -> u16 {
        if self == Kept::Both { 2 } else { 1 }
    }

    fn has(self, track: Track) -> bool {
        self == Kept::Both || self == Kept::One(track)
    }
}

/// The machine; see above.
#[derive(Debug)]
pub struct Jitter {
    kept: Kept,
    begun: Instant,
    /// Samples of each channel that were given or left out since then.
    out: u64,
    lines: PerTrack<Line>,
    audio_id: Option<u32>,
    /// Where this stream's timestamp 0 lies, counted as `out`; `None` until it is known.
    zero: Option<i64>,
    slack: Slack,
    /// Samples of sound that were here and not given.
    lost: u64,
}

impl Jitter {
    /// From here on something is due all the time.
    pub fn new(now: Instant, kept: Kept) -> Jitter {
        Jitter {
            kept,
            begun: now,
            out: 0,
            lines: PerTrack::default(),
            audio_id: None,
            zero: None,
            slack: Slack::default(),
            lost: 0,
        }
    }

    /// When there is something to [`read`](Jitter::read).
    pub fn due(&self) -> Instant {
        self.begun + Duration::from_micros((self.out + STEP) * 1000 / MS)
    }

    /// Whether the reader is too far behind to be given what waits: the next word makes it go on at the live edge.
    pub fn is_behind(&self, now: Instant) -> bool {
        self.owed(now) > BEHIND
    }

    /// A frame, after all of its track that came before. One of another stream begins that.
    pub fn on_frame(&mut self, now: Instant, frame: &AudioFrame) {
        let track = frame.track();
        if !self.kept.has(track) {
            return;
        }
        self.stay_live(now);
        if self.audio_id != Some(frame.audio_id()) {
            self.audio_id = Some(frame.audio_id());
            self.restart();
        }
        let place = match self.lines.get(track).place_of(frame.chunk()) {
            Place::Past => {
                self.lost += FRAME;
                return;
            }
            Place::At(place) => place,
            Place::Unknown => self.by_timestamp(now, track, frame.timestamp_ms()),
        };
        let place = self.in_time(now, track, place, frame.timestamp_ms());
        self.slack.note(place);
        self.lines.get_mut(track).put(place, frame.chunk(), frame.mulaw());
    }

    /// Adds the next of what is due to `out`, 16-bit little-endian samples, 200 ms at most; false where nothing is due.
    pub fn read(&mut self, now: Instant, out: &mut Vec<u8>) -> bool {
        self.stay_live(now);
        let owed = self.owed(now);
        if owed < STEP {
            return false;
        }
        self.adjust();
        self.give(owed.min(BLOCK), out);
        true
    }

    /// Nothing more comes: adds all that waits, both channels of one length.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let waits = self.lines.inbound.waits().max(self.lines.outbound.waits());
        self.give(waits, out);
    }

    /// Frames that were here and not given, since the last time: as many as their sound makes.
    pub fn take_lost(&mut self) -> u64 {
        let frames = self.lost / FRAME;
        self.lost %= FRAME;
        frames
    }

    /// Samples that are due and were not given yet.
    fn owed(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.begun).as_micros();
        let due = u64::try_from(elapsed).unwrap_or(u64::MAX).saturating_mul(MS) / 1000;
        due.saturating_sub(self.out)
    }

    /// A reader that took nothing for too long goes on with what is said now.
    fn stay_live(&mut self, now: Instant) {
        let owed = self.owed(now);
        if owed > BEHIND {
            self.out += owed - STEP;
            self.lost += self.lines.inbound.clear() + self.lines.outbound.clear();
            self.restart();
        }
    }

    /// What comes next begins anew, behind what waits.
    fn restart(&mut self) {
        self.zero = None;
        self.slack = Slack::default();
        for track in Track::BOTH {
            self.lines.get_mut(track).begin_anew();
        }
    }

    /// Where the first frame of a track belongs, counted from the next sample that is given.
    fn by_timestamp(&mut self, now: Instant, track: Track, timestamp_ms: u32) -> i64 {
        let Some(zero) = self.zero else {
            return self.anchor(now, track, timestamp_ms);
        };
        let place = zero + signed(u64::from(timestamp_ms) * MS) - signed(self.out);
        place.max(signed(self.lines.get(track).waits()))
    }

    /// Puts the stream's clock where its first frame is in good time.
    fn anchor(&mut self, now: Instant, track: Track, timestamp_ms: u32) -> i64 {
        let place = (self.owed(now) + HOLD).max(self.lines.get(track).waits());
        let place = signed(place);
        self.zero = Some(signed(self.out) + place - signed(u64::from(timestamp_ms) * MS));
        place
    }

    /// Moves what waits so that this place is in time; gives the place as it is then.
    fn in_time(&mut self, now: Instant, track: Track, place: i64, timestamp_ms: u32) -> u64 {
        let last = self.owed(now) + CEILING;
        let Ok(ahead) = u64::try_from(place) else {
            let late = place.unsigned_abs();
            if late > CEILING {
                return self.place_anew(now, track, timestamp_ms);
            }
            self.later(late + SPARE);
            return SPARE;
        };
        let early = ahead.saturating_sub(last);
        if early > CEILING {
            // No pile of frames is as high: its clock has jumped.
            return self.place_anew(now, track, timestamp_ms);
        }
        if early > 0 {
            self.lost += self.earlier(early);
        }
        ahead - early
    }

    fn place_anew(&mut self, now: Instant, track: Track, timestamp_ms: u32) -> u64 {
        self.restart();
        self.anchor(now, track, timestamp_ms).unsigned_abs()
    }

    /// All that is still to come comes so much later.
    fn later(&mut self, samples: u64) {
        self.zero = self.zero.map(|zero| zero + signed(samples));
        self.slack.moved(signed(samples));
        for track in Track::BOTH {
            self.lines.get_mut(track).later(samples);
        }
    }

    /// All that is still to come comes so much earlier. Answers how many samples of frames are lost by that.
    fn earlier(&mut self, samples: u64) -> u64 {
        self.zero = self.zero.map(|zero| zero - signed(samples));
        self.slack.moved(-signed(samples));
        Track::BOTH
            .iter()
            .map(|&track| self.lines.get_mut(track).earlier(samples))
            .sum()
    }

    /// Lets slack out, or takes it in, where nobody would hear that.
    fn adjust(&mut self) {
        let Some(least) = self.slack.least() else { return };
        let wrong = !(LITTLE..=MUCH).contains(&least);
        let is_quiet = |line: &Line| line.is_quiet(FRAME_BYTES, QUIET);
        if !wrong || !is_quiet(&self.lines.inbound) || !is_quiet(&self.lines.outbound) {
            return;
        }
        if least > MUCH {
            self.earlier(FRAME);
        } else {
            self.later(FRAME);
        }
    }

    fn give(&mut self, samples: u64, out: &mut Vec<u8>) {
        self.out += samples;
        self.slack.passed(samples);
        let PerTrack { inbound, outbound } = &mut self.lines;
        match self.kept {
            Kept::One(Track::Inbound) => out.extend(inbound.take(samples).flat_map(pcm)),
            Kept::One(Track::Outbound) => out.extend(outbound.take(samples).flat_map(pcm)),
            Kept::Both => {
                let pairs = inbound.take(samples).zip(outbound.take(samples));
                out.extend(pairs.flat_map(|(left, right)| [left, right]).flat_map(pcm));
            }
        }
    }
}

fn pcm(mulaw: u8) -> [u8; 2] {
    g711::decode(mulaw).to_le_bytes()
}

fn signed(samples: u64) -> i64 {
    i64::try_from(samples).unwrap_or(i64::MAX)
}

/// By how much frames came before they were needed: the least of the last seconds.
#[derive(Debug, Default)]
struct Slack {
    /// Of this window.
    now: Option<u64>,
    /// Of the one before.
    before: Option<u64>,
    /// Samples given in this window.
    given: u64,
}

impl Slack {
    fn note(&mut self, ahead: u64) {
        self.now = Some(self.now.map_or(ahead, |least| least.min(ahead)));
    }

    fn passed(&mut self, samples: u64) {
        self.given += samples;
        if self.given >= WINDOW {
            self.given = 0;
            self.before = self.now.take();
        }
    }

    fn moved(&mut self, samples: i64) {
        for least in [&mut self.now, &mut self.before].into_iter().flatten() {
            *least = least.saturating_add_signed(samples);
        }
    }

    /// `None` where not enough came to tell.
    fn least(&self) -> Option<u64> {
        Some(self.now?.min(self.before?))
    }
}

#[cfg(test)]
mod tests;
