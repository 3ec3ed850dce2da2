//! What is heard in place of a line that is gone: its own noise. How loud that is, the quietest moment of the last
//! seconds says; the same each run.

/// The loudest it gets: -50 dBFS, which is a noisy line.
const LOUDEST: f32 = 0.003_16;

/// Slots that a quietest one is looked for in, 1 s, and how many such seconds count.
const SPAN: u32 = 50;
const SPANS: usize = 4;

/// How much of each sample is the one before: dull, as a telephone line.
const DULL: f32 = 0.6;

/// What makes such noise as loud as what it is made of, of a mean square of 1/3.
const SCALE: f32 = 1.732 * 2.0;

/// The noise of one line.
#[derive(Debug)]
pub(super) struct Comfort {
    /// The mean squares of the quietest slots of the last seconds, and of this one.
    quietest: [f32; SPANS],
    now: f32,
    slots: u32,
    seed: u32,
    last: f32,
}

impl Comfort {
    /// A line of which nothing is known: silence.
    pub(super) fn new() -> Comfort {
        Comfort {
            quietest: [f32::MAX; SPANS],
            now: f32::MAX,
            slots: 0,
            seed: 1,
            last: 0.0,
        }
    }

    /// A slot was played as it came.
    pub(super) fn hear(&mut self, slot: &[f32]) {
        let square = slot.iter().map(|sample| sample * sample).sum::<f32>() / slot.len().max(1) as f32;
        self.now = self.now.min(square);
        self.slots += 1;
        if self.slots >= SPAN {
            self.quietest.rotate_left(1);
            if let Some(last) = self.quietest.last_mut() {
                *last = self.now;
            }
            (self.slots, self.now) = (0, f32::MAX);
        }
    }

    /// How loud the line is by itself, of full scale; nothing before a second was heard.
    pub(super) fn level(&self) -> f32 {
        let known = self.quietest.iter().filter(|square| **square < f32::MAX);
        let least = known.copied().reduce(f32::min);
        least.map_or(0.0, |square| square.sqrt().min(LOUDEST))
    }

    /// The next sample of it, for a line this loud.
    pub(super) fn sample(&mut self, level: f32) -> f32 {
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let white = (self.seed >> 8) as f32 / 8_388_608.0 - 1.0;
        self.last += (white - self.last) * (1.0 - DULL);
        self.last * level * SCALE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loudness(comfort: &mut Comfort) -> f32 {
        let level = comfort.level();
        let squares: f32 = (0..8000).map(|_| comfort.sample(level).powi(2)).sum();
        (squares / 8000.0).sqrt()
    }

    #[test]
    fn it_is_as_loud_as_the_line_when_nobody_speaks_and_never_loud() {
        let mut comfort = Comfort::new();
        assert_eq!(loudness(&mut comfort), 0.0);
        for n in 0..300 {
            comfort.hear(&[if n % 25 == 0 { 0.001 } else { 0.3 }; 160]);
        }
        let heard = loudness(&mut comfort);
        assert!((0.000_8..0.001_2).contains(&heard), "{heard}");
        for _ in 0..300 {
            comfort.hear(&[0.3; 160]);
        }
        let heard = loudness(&mut comfort);
        assert!((0.002..0.004).contains(&heard), "{heard}");
    }
}
