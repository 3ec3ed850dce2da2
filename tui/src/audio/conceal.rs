//! One track's frames into samples without a seam: a lost frame is the last waveform again, fading into what leads to
//! the next one where that is known, else into the line's own noise; every join is made without a step. A frame
//! that follows the one before is passed through untouched.

mod ahead;
mod comfort;

use partyline_shared::audio::frame::AudioFrame;

use super::jitter::Piece;
use super::{Mono, SLOT, decode};
use ahead::Ahead;
use comfort::Comfort;

/// How many samples are remembered: 40 ms.
const PAST: usize = 2 * SLOT;

/// The shortest and the longest period of a voice that is looked for, samples: 400 Hz and 50 Hz.
const PERIODS: std::ops::RangeInclusive<usize> = 20..=SLOT;

/// Samples over which a seam is closed: 5 ms.
const SEAM: usize = 40;

/// The most that what follows silence is bent by, of full scale: -34 dB.
const BEND: f32 = 0.02;

/// Samples of a covered loss that are as loud as the voice was: 10 ms.
const FULL: usize = SLOT / 2;

/// Samples after which nothing of the voice is left: 60 ms.
const FADE: usize = 3 * SLOT;

/// What was played last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// A frame, whole.
    Frame,
    /// So many samples in place of frames.
    Cover(usize),
    /// Silence.
    Rest,
}

/// One track's waveform.
#[derive(Debug)]
pub struct Concealer {
    /// The last samples that were played.
    past: [f32; PAST],
    before: Before,
    /// The period that is repeated; it lies at the start.
    period: Mono,
    length: usize,
    /// Where in it the next sample is.
    phase: usize,
    /// The step from the past to the period, and over how many samples it was spread so far.
    step: f32,
    stepped: usize,
    /// What leads to the frame behind the loss.
    ahead: Option<Ahead>,
    comfort: Comfort,
    /// How loud the line was by itself when the loss began.
    noise: f32,
    /// The last cover led to a frame.
    led: bool,
}

impl Default for Concealer {
    fn default() -> Self {
        Concealer::new()
    }
}

impl Concealer {
    /// Silence so far.
    pub fn new() -> Self {
        Concealer {
            past: [0.0; PAST],
            before: Before::Rest,
            period: [0.0; SLOT],
            length: 1,
            phase: 0,
            step: 0.0,
            stepped: 0,
            ahead: None,
            comfort: Comfort::new(),
            noise: 0.0,
            led: false,
        }
    }

    /// The frame that follows the next piece, where that is [`Piece::Conceal`] and the frame is there.
    pub fn expect(&mut self, frame: Option<&AudioFrame>) {
        self.ahead = frame.and_then(|frame| {
            let mut samples = [0.0; SLOT];
            let had = decode::decode(frame.mulaw(), &mut samples);
            (had == SLOT).then(|| Ahead::to(samples)).flatten()
        });
    }

    /// The samples of a piece. `cut`: something was left out before it.
    pub fn next(&mut self, piece: &Piece, cut: bool, out: &mut Mono) {
        match piece {
            Piece::Play(frame) => self.play(frame.mulaw(), cut, out),
            Piece::Conceal => self.cover(out),
            Piece::Silence => {
                self.rest(out);
                self.before = Before::Rest;
            }
        }
        self.remember(out);
    }

    /// The samples of a frame that lies somewhere else than in an [`super::jitter::Piece`].
    pub fn hear(&mut self, mulaw: &[u8], cut: bool, out: &mut Mono) {
        self.play(mulaw, cut, out);
        self.remember(out);
    }

    fn play(&mut self, mulaw: &[u8], cut: bool, out: &mut Mono) {
        let had = decode::decode(mulaw, out);
        self.comfort.hear(out);
        match self.before {
            Before::Frame if !cut => {}
            Before::Rest => begin(self.last(), out),
            Before::Frame => {
                self.find_period();
                self.noise = self.comfort.level();
                self.blend(0, out);
            }
            // What was played led here.
            Before::Cover(_) if self.led && !cut => bridge(self.last(), out),
            Before::Cover(covered) => self.blend(covered, out),
        }
        self.before = Before::Frame;
        let (played, rest) = out.split_at_mut(had);
        if !rest.is_empty() {
            fade_out(played.last().copied().unwrap_or_default(), rest);
            self.before = Before::Rest;
        }
    }

    /// Begins with what would have been covered up, and ends with the frame.
    fn blend(&mut self, covered: usize, out: &mut Mono) {
        for (n, out) in out.iter_mut().take(SEAM).enumerate() {
            let share = (n + 1) as f32 / (SEAM + 1) as f32;
            let old = self.guess(covered + n);
            *out = old * (1.0 - share) + *out * share;
        }
    }

    fn cover(&mut self, out: &mut Mono) {
        let covered = match self.before {
            Before::Cover(covered) => covered,
            Before::Rest => {
                self.rest(out);
                return;
            }
            Before::Frame => {
                self.find_period();
                self.noise = self.comfort.level();
                0
            }
        };
        let ahead = self.ahead.take();
        for (n, out) in out.iter_mut().enumerate() {
            let guess = self.guess(covered + n);
            let share = (n + 1) as f32 / SLOT as f32;
            *out = match &ahead {
                Some(ahead) => guess * (1.0 - share) + ahead.sample(n) * share,
                None => guess,
            };
        }
        self.led = ahead.is_some();
        self.before = Before::Cover((covered + SLOT).min(FADE));
    }

    fn rest(&self, out: &mut Mono) {
        fade_out(self.last(), out);
    }

    fn last(&self) -> f32 {
        self.past.last().copied().unwrap_or_default()
    }

    fn remember(&mut self, out: &Mono) {
        self.past.copy_within(SLOT.., 0);
        if let Some(newest) = self.past.last_chunk_mut::<SLOT>() {
            *newest = *out;
        }
    }

    /// What may have been said, so many samples into a loss.
    fn guess(&mut self, covered: usize) -> f32 {
        let gain = gain(covered);
        self.repeat() * gain + self.comfort.sample(self.noise) * (1.0 - gain)
    }

    fn repeat(&mut self) -> f32 {
        self.stepped = (self.stepped + 1).min(SEAM);
        let bend = self.step * (1.0 - self.stepped as f32 / SEAM as f32);
        let sample = self.period.get(self.phase).copied().unwrap_or_default() + bend;
        self.phase = if self.phase + 1 < self.length {
            self.phase + 1
        } else {
            0
        };
        sample
    }

    /// Finds the period after which the past is most like itself, and makes its last one join itself.
    fn find_period(&mut self) {
        let length = ahead::shortest(PERIODS, f32::MIN, |length| self.likeness(length)).unwrap_or(SLOT);
        let start = PAST - length;
        let last = self.past.get(start..).unwrap_or_default();
        for (to, from) in self.period.iter_mut().zip(last) {
            *to = *from;
        }
        // What came before the period leads into it; its own end is led there over a quarter of it.
        let seam = (length / 4).clamp(1, SEAM);
        let lead = self.past.get(start - seam..start).unwrap_or_default();
        let tail = self.period.get_mut(length - seam..length).unwrap_or_default();
        for (n, (to, lead)) in tail.iter_mut().zip(lead).enumerate() {
            let share = (n + 1) as f32 / seam as f32;
            *to = *to * (1.0 - share) + lead * share;
        }
        // The first time around starts where the past ended, not where the period's own predecessor did.
        self.step = self.last() - lead.last().copied().unwrap_or_default();
        self.stepped = 0;
        self.length = length;
        self.phase = 0;
    }

    /// How like the last 20 ms are to those `length` samples before, at most 1.
    fn likeness(&self, length: usize) -> f32 {
        let late = self.past.get(PAST - SLOT..).unwrap_or_default();
        let early = self
            .past
            .get(PAST - SLOT - length..PAST - length)
            .unwrap_or_default();
        let (mut product, mut a, mut b) = (0.0, 1e-9, 1e-9);
        for (late, early) in late.iter().zip(early) {
            product += late * early;
            a += late * late;
            b += early * early;
        }
        product / f32::sqrt(a * b)
    }
}

/// How much of the voice there is after so many samples of a cover.
fn gain(covered: usize) -> f32 {
    1.0 - covered.clamp(FULL, FADE).saturating_sub(FULL) as f32 / (FADE - FULL) as f32
}

/// From a sample down to silence.
fn fade_out(from: f32, out: &mut [f32]) {
    for (n, out) in out.iter_mut().enumerate() {
        *out = from * (1.0 - (n + 1).min(SEAM) as f32 / SEAM as f32);
    }
}

/// Sound begins behind what died away. What begins about there keeps its form; what begins in the middle of a wave
/// rises, since bent it would swing out farther than it is loud.
fn begin(from: f32, out: &mut Mono) {
    let step = from - out.first().copied().unwrap_or_default();
    if step.abs() <= BEND {
        bridge(from, out);
        return;
    }
    for (n, out) in out.iter_mut().take(SEAM).enumerate() {
        let share = (n + 1) as f32 / (SEAM + 1) as f32;
        *out = from * (1.0 - share) + *out * share;
    }
}

/// Bends the start of `out` so that it follows `from` without a step; what follows it anyway stays as it is.
fn bridge(from: f32, out: &mut Mono) {
    let step = from - out.first().copied().unwrap_or_default();
    for (n, out) in out.iter_mut().take(SEAM).enumerate() {
        *out += step * (1.0 - (n + 1) as f32 / SEAM as f32);
    }
}

#[cfg(test)]
mod tests;
