//! Who speaks low is made louder, and who speaks loud quieter, so slowly that it is not heard as a change. Only speech
//! is measured: what rises well above the pauses before and behind it. Silence, a line's noise and music without pauses
//! say nothing of how loud a person is, and leave the gain where it is. One track.

use partyline_shared::audio::SAMPLE_RATE;

use super::super::{Mono, SLOT};

/// What a person's speech is brought to, dB below full scale, as RMS while they speak: a quarter above what a
/// telephone call usually has, and with room for its loudest vowels.
const TARGET_DB: f64 = -20.0;

/// At most so much quieter and louder, dB. More would be the line's noise, louder.
pub const RANGE_DB: std::ops::RangeInclusive<f64> = -12.0..=18.0;

/// How fast the gain moves, dB a second. What is promised is 3; the rest is for rounding.
const SLEW_DB_S: f64 = 2.95;

/// By so much the wanted gain must be another before it is gone to, dB: less is not heard, and would never rest.
const REST_DB: f64 = 1.0;

/// Speech is so many dB above the quietest slot of its look, and of the next one: between words it is quiet. In a
/// line's noise, and in most music, it is not; where that begins, the next look says so.
const ABOVE_DB: f64 = 10.0;

/// Slots that are looked at together: 0.8 s. People pause more often than once in that time.
const LOOK: usize = 40;

/// What is quieter than this, dB below full scale, is nobody who speaks into a telephone.
const QUIET_DB: f64 = -50.0;

/// The quietest that a line is taken to be, dB: µ-law's own step.
const FLOOR_DB: f64 = -70.0;

/// Slots of speech after which its loudness is known well enough to act on: 0.2 s.
const KNOWN: u32 = 10;

/// Slots of speech that the mean goes over: 3 s. A sentence, so that a stressed word does not move it.
const MEAN: u32 = 150;

fn power(db: f64) -> f64 {
    10f64.powf(db / 10.0)
}

fn gain(db: f64) -> f64 {
    10f64.powf(db / 20.0)
}

/// One track's level.
#[derive(Debug)]
pub struct Leveller {
    is_on: bool,
    /// Where the gain is at the end of the slot in hand, and where it would go while on, dB.
    now_db: f64,
    aim_db: f64,
    /// The gain of the last sample, and by what each one's is the one before's.
    gain: f64,
    ratio: f64,
    /// The power of each slot of this look, as far as it has come, and of the one before it.
    look: [f64; LOOK],
    before: [f64; LOOK],
    looked: usize,
    /// The mean power of speech, and over how many slots.
    speech: f64,
    spoken: u32,
}

impl Default for Leveller {
    fn default() -> Self {
        Leveller {
            is_on: false,
            now_db: 0.0,
            aim_db: 0.0,
            gain: 1.0,
            ratio: 1.0,
            look: [0.0; LOOK],
            before: [0.0; LOOK],
            looked: 0,
            speech: 0.0,
            spoken: 0,
        }
    }
}

impl Leveller {
    /// Begins to level, or to go back to 0 dB, as slowly.
    pub fn turn(&mut self, on: bool) {
        self.is_on = on;
    }

    /// The next slot; its gains follow from [`Leveller::step`].
    pub fn hear(&mut self, slot: &Mono) {
        self.measure(slot);
        let end = if self.is_on { self.aim_db } else { 0.0 };
        if self.now_db == end {
            self.gain = gain(end);
            self.ratio = 1.0;
            return;
        }
        let most = SLEW_DB_S * SLOT as f64 / f64::from(SAMPLE_RATE);
        let way = (end - self.now_db).clamp(-most, most);
        self.now_db = if way.abs() < most { end } else { self.now_db + way };
        self.ratio = gain(way / SLOT as f64);
    }

    /// The gain of the next sample of the slot.
    pub fn step(&mut self) -> f32 {
        self.gain *= self.ratio;
        self.gain as f32
    }

    fn measure(&mut self, slot: &Mono) {
        let energy: f32 = slot.iter().map(|sample| sample * sample).sum();
        let heard = f64::from(energy) / SLOT as f64;
        if let Some(place) = self.look.get_mut(self.looked) {
            *place = if heard.is_finite() { heard } else { 0.0 };
        }
        self.looked += 1;
        if self.looked < LOOK {
            return;
        }
        self.looked = 0;
        let quietest = |look: &[f64; LOOK]| look.iter().copied().fold(f64::INFINITY, f64::min);
        let floor = quietest(&self.before).max(quietest(&self.look));
        let least = (floor.max(power(FLOOR_DB)) * power(ABOVE_DB)).max(power(QUIET_DB));
        let before = std::mem::replace(&mut self.before, self.look);
        for heard in before.into_iter().filter(|heard| *heard >= least) {
            self.spoken = (self.spoken + 1).min(MEAN);
            self.speech += (heard - self.speech) / f64::from(self.spoken);
        }
        if self.spoken < KNOWN {
            return;
        }
        let wanted = TARGET_DB - 10.0 * self.speech.max(power(FLOOR_DB)).log10();
        let wanted = wanted.clamp(*RANGE_DB.start(), *RANGE_DB.end());
        if (wanted - self.aim_db).abs() > REST_DB {
            self.aim_db = wanted;
        }
    }
}

#[cfg(test)]
mod tests;
