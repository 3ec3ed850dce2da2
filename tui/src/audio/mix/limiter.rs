//! Never over full scale, and never by clipping: what comes is seen a millisecond before it is heard, and the gain is
//! down by then, in a straight line. It stands behind all else, at the card's rate, so that it sees what the card gets,
//! of one call or of several. What is not too loud passes to the bit. Both ears go together, or voices would wander.

use std::collections::VecDeque;

use super::super::output::Frame;

/// No sample is farther from zero. Above the loudest that µ-law can say (32,124 of 32,768), so that a call as it is
/// needs no limiter.
pub const CEILING: f32 = 0.985;

/// Between seeing and hearing, a part of a second: 1 ms. So long the gain takes to fall; less would be heard as a
/// click, more as delay.
const AHEAD: u32 = 1000;

/// In so long, s, most of what was taken is given back: longer than a period of the lowest voice, so that its waves
/// keep their form, and shorter than a word.
const RELEASE_S: f32 = 0.2;

/// So near to nothing taken it lets go.
const NOTHING: f32 = 1e-4;

/// The limiter. Allocates when it is made, and never again.
#[derive(Debug)]
pub struct Limiter {
    /// What was seen and is not heard yet, from `at` on and around.
    late: Box<[Frame]>,
    at: usize,
    /// The gains that the last frames, and this one, were held at, from `held_at` on and around; and their sum.
    held: Box<[f32]>,
    held_at: usize,
    sum: f64,
    /// What was taken of the last of them, and how much of that is still taken a frame later. What is taken, not what
    /// is left: near 1 an f32 is too coarse to be given back so little.
    taken: f32,
    keeps: f32,
    /// What frames that are not heard yet can bear, and until which frame that counts; rising, and each the least
    /// from there on.
    bears: VecDeque<(f32, u64)>,
    now: u64,
    /// Frames since anything was taken.
    calm: usize,
}

impl Limiter {
    /// For so many frames a second.
    pub fn new(rate: u32) -> Limiter {
        let ahead = (rate / AHEAD).max(1) as usize;
        Limiter {
            late: vec![[0.0; 2]; ahead].into(),
            at: 0,
            held: vec![1.0; ahead + 1].into(),
            held_at: 0,
            sum: (ahead + 1) as f64,
            taken: 0.0,
            keeps: (-1.0 / (RELEASE_S * rate.max(1) as f32)).exp(),
            bears: VecDeque::with_capacity(ahead + 2),
            now: 0,
            calm: ahead + 1,
        }
    }

    /// By how many frames it delays, always.
    pub fn delay(&self) -> usize {
        self.late.len()
    }

    /// Takes the next samples, left and right in turn, and puts those in their place that are to be heard now.
    pub fn limit(&mut self, samples: &mut [f32]) {
        // What is no number is not below it either.
        let fits = samples.iter().all(|sample| sample.abs() <= CEILING);
        let rests = self.calm >= self.held.len();
        for frame in samples.as_chunks_mut::<2>().0 {
            if !(fits && rests) {
                *frame = frame.map(|sample| if sample.is_finite() { sample } else { 0.0 });
            }
            let gain = if fits && rests { 1.0 } else { self.gain(*frame) };
            if let Some(late) = self.late.get_mut(self.at) {
                std::mem::swap(frame, late);
            }
            self.at = (self.at + 1) % self.late.len().max(1);
            if gain < 1.0 {
                *frame = frame.map(|sample| (sample * gain).clamp(-CEILING, CEILING));
            }
        }
    }

    /// The gain of the frame that is heard now, while this one is seen.
    ///
    /// Each of the gains in the mean was held when the frame that is heard now was already seen and still counted,
    /// so none is more than that can bear, and nor is their mean; and the mean moves by at most a part of the way.
    fn gain(&mut self, seen: Frame) -> f32 {
        let window = self.held.len();
        self.now += 1;
        let peak = seen.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        if self.bears.front().is_some_and(|(_, until)| *until <= self.now) {
            self.bears.pop_front();
        }
        if peak > CEILING {
            let bears = CEILING / peak;
            while self.bears.back().is_some_and(|(more, _)| *more >= bears) {
                self.bears.pop_back();
            }
            self.bears.push_back((bears, self.now + window as u64));
        }
        let least = self.bears.front().map_or(1.0, |(bears, _)| *bears);
        let kept = self.taken * self.keeps;
        self.taken = if kept > NOTHING { kept } else { 0.0 }.max(1.0 - least);
        let gain = 1.0 - self.taken;
        if let Some(held) = self.held.get_mut(self.held_at) {
            // Exact: so few numbers of so few bits fit into the sum whole.
            self.sum += f64::from(gain) - f64::from(*held);
            *held = gain;
        }
        self.held_at = (self.held_at + 1) % window.max(1);
        self.calm = if gain < 1.0 {
            0
        } else {
            (self.calm + 1).min(window)
        };
        if self.calm == window {
            self.sum = window as f64;
        }
        (self.sum / window as f64) as f32
    }
}

#[cfg(test)]
mod tests;
