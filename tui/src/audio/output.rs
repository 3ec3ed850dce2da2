//! The last step: from the ring into the buffer that the device hands us. [`Output::fill`] runs on the
//! device's own thread, so nothing in it allocates, frees, locks, logs or waits; what it has to tell goes
//! through a second ring and through atomics.
//!
//! Silence is never begun or ended by a step: what the last sample left dies away, and what comes after
//! silence rises. Between the two every sample leaves as it came.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use rtrb::{Consumer, Producer, RingBuffer};

/// One sample for each ear, left and right, full scale at 1.
pub type Frame = [f32; 2];

/// What the ring can hold beyond two of the device's periods, ms: enough for any target of the worker's.
const ROOM_MS: usize = 500;

/// Notes from the callback that the worker has not read: 10 ms periods for more than two seconds.
const TAKES: usize = 256;

/// How long silence takes to begin or end, ms: too short to be heard as a fade, too long to be heard as a click.
const FADE_MS: f32 = 3.0;

/// What is left of the last sample is nothing below this: -120 dB, and far from the slow numbers near zero.
const NOTHING: f32 = 1e-6;

/// What the device's thread tells of itself; read by whoever likes.
#[derive(Debug, Default)]
pub struct Health {
    /// How often the callback ran: it moves, or the device stands still.
    pub calls: AtomicU64,
    /// How often the ring ran dry though more was meant to be there.
    pub underruns: AtomicU64,
    /// How often the system says that the device ran dry.
    pub xruns: AtomicU64,
    /// Faults of any other kind since the last good callback.
    pub faults: AtomicU32,
    /// Nothing more comes of this device.
    pub dead: AtomicBool,
    /// Whether the worker means the ring to have something: not before the first sample, not while held.
    expected: AtomicBool,
}

/// What one callback took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Take {
    /// Frames taken out of the ring since the beginning, this time's included.
    pub upto: u64,
    /// When, µs of the clock that [`pair`] was given.
    pub at_us: u64,
}

/// A device's own form of a sample.
pub trait Sample: Copy {
    /// From one of ours: rounded, and held at the ends of the scale.
    fn from_f32(sample: f32) -> Self;
}

impl Sample for f32 {
    fn from_f32(sample: f32) -> f32 {
        sample.clamp(-1.0, 1.0)
    }
}

impl Sample for f64 {
    fn from_f32(sample: f32) -> f64 {
        f64::from(sample.clamp(-1.0, 1.0))
    }
}

/// `as` holds what is too large at the type's own end, and makes 0 of what is no number.
macro_rules! whole_numbers {
    ($($type:ty, $scale:expr, $middle:expr;)*) => {$(
        impl Sample for $type {
            fn from_f32(sample: f32) -> $type {
                (f64::from(sample) * $scale + $middle).round() as $type
            }
        }
    )*};
}

whole_numbers! {
    i8, 128.0, 0.0;
    i16, 32_768.0, 0.0;
    i32, 2_147_483_648.0, 0.0;
    u8, 128.0, 128.0;
    u16, 32_768.0, 32_768.0;
    u32, 2_147_483_648.0, 2_147_483_648.0;
}

/// The two ends of the way to a device that takes `rate` samples a second, about `period` of them at once.
/// `clock` is the origin of [`Take::at_us`].
pub fn pair(rate: u32, period: usize, clock: Instant) -> (Output, Line) {
    let frames = rate as usize * ROOM_MS / 1000 + 2 * period;
    let (ring_in, ring) = RingBuffer::new(frames);
    let (takes, takes_out) = RingBuffer::new(TAKES);
    let health = Arc::new(Health::default());
    let fade = rate as f32 * FADE_MS / 1000.0;
    let output = Output {
        ring,
        takes,
        health: health.clone(),
        clock,
        taken: 0,
        dry: true,
        last: [0.0; 2],
        rest: [0.0; 2],
        gain: 0.0,
        rise: 1.0 / fade.max(1.0),
        // A third of the fade to 37 %, five of those to nothing that is heard.
        decay: (-3.0 / fade.max(1.0)).exp(),
    };
    let line = Line {
        ring: ring_in,
        takes: takes_out,
        health,
        rate,
        period,
        put: 0,
        frames,
    };
    (output, line)
}

/// The device's end: lives in its callback.
pub struct Output {
    ring: Consumer<Frame>,
    takes: Producer<Take>,
    health: Arc<Health>,
    clock: Instant,
    taken: u64,
    /// Whether the last frame was silence for want of any.
    dry: bool,
    last: Frame,
    /// What is still left of the last sample before the silence.
    rest: Frame,
    gain: f32,
    rise: f32,
    decay: f32,
}

impl Output {
    /// Fills the device's buffer of whole frames of `channels` samples each. One channel gets the middle of
    /// both sides; of more than two the first two are used. Called on the device's thread: nothing here
    /// allocates, frees, locks, logs or waits.
    pub fn fill<S: Sample>(&mut self, out: &mut [S], channels: usize) {
        let at_us = self.clock.elapsed().as_micros() as u64;
        self.fill_at(at_us, out, channels);
    }

    /// The same at a time of the caller's, µs.
    pub fn fill_at<S: Sample>(&mut self, at_us: u64, out: &mut [S], channels: usize) {
        let channels = channels.max(1);
        let wanted = out.len() / channels;
        let had = wanted.min(self.ring.slots());
        let mut out = out.chunks_exact_mut(channels);
        if let Ok(chunk) = self.ring.read_chunk(had) {
            // In this order nothing of `out` is passed over when the chunk ends.
            for (frame, to) in chunk.into_iter().zip(out.by_ref()) {
                self.gain = (self.gain + self.rise).min(1.0);
                self.rest = self.rest.map(|rest| fading(rest, self.decay));
                self.last = [0, 1].map(|side| at(frame, side) * self.gain + at(self.rest, side));
                put(self.last, to);
                self.dry = false;
            }
        }
        if had < wanted {
            // Once for each time that it runs dry, however long that lasts.
            if !self.dry && self.health.expected.load(Relaxed) {
                self.health.underruns.fetch_add(1, Relaxed);
            }
            if !self.dry {
                self.rest = self.last;
            }
            self.dry = true;
            self.gain = 0.0;
        }
        for to in out {
            self.rest = self.rest.map(|rest| fading(rest, self.decay));
            put(self.rest, to);
        }
        self.taken += had as u64;
        // Where nobody reads them for seconds they are not needed: the next one says the same and more.
        let _ = self.takes.push(Take {
            upto: self.taken,
            at_us,
        });
        self.health.calls.fetch_add(1, Relaxed);
        self.health.faults.store(0, Relaxed);
    }

    /// What is known of this device.
    pub fn health(&self) -> Arc<Health> {
        self.health.clone()
    }
}

fn at(frame: Frame, side: usize) -> f32 {
    let [left, right] = frame;
    if side == 0 { left } else { right }
}

fn fading(rest: f32, decay: f32) -> f32 {
    let rest = rest * decay;
    if rest.abs() < NOTHING { 0.0 } else { rest }
}

fn put<S: Sample>([left, right]: Frame, to: &mut [S]) {
    match to {
        [one] => *one = S::from_f32((left + right) * 0.5),
        [first, second, others @ ..] => {
            *first = S::from_f32(left);
            *second = S::from_f32(right);
            others.fill(S::from_f32(0.0));
        }
        [] => {}
    }
}

/// The worker's end.
pub struct Line {
    ring: Producer<Frame>,
    takes: Consumer<Take>,
    health: Arc<Health>,
    /// Samples a second that the device takes.
    pub rate: u32,
    /// Frames that it takes at once, about.
    pub period: usize,
    put: u64,
    frames: usize,
}

impl Line {
    /// Puts frames in; gives how many there was room for.
    pub fn push(&mut self, frames: &[Frame]) -> usize {
        let (done, _) = self.ring.push_partial_slice(frames);
        self.put += done.len() as u64;
        done.len()
    }

    /// Frames that were put in since the beginning.
    pub fn put(&self) -> u64 {
        self.put
    }

    /// Frames that wait to be taken.
    pub fn waiting(&self) -> usize {
        self.frames - self.ring.slots()
    }

    /// What the next callback took that was not asked for yet.
    pub fn take(&mut self) -> Option<Take> {
        self.takes.pop().ok()
    }

    /// Whether the ring is meant to have something from now on: only then does running dry count.
    pub fn expect(&self, expected: bool) {
        self.health.expected.store(expected, Relaxed);
    }

    /// What is known of this device.
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }
}

#[cfg(test)]
mod tests;
