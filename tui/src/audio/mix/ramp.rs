//! A gain that never steps. Knows nothing of who is heard.

/// A gain takes so many samples to change: 15 ms, too long to click and too short to be waited for.
pub(super) const RAMP: f32 = 120.0;

/// A gain on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ramp {
    now: f32,
    step: f32,
    end: f32,
}

impl Ramp {
    /// One that has arrived.
    pub(super) fn at(gain: f32) -> Ramp {
        Ramp {
            now: gain,
            step: 0.0,
            end: gain,
        }
    }

    /// From the next sample on it goes there.
    pub(super) fn go_to(&mut self, end: f32) {
        if self.end != end {
            self.end = end;
            self.step = (end - self.now) / RAMP;
        }
    }

    /// The gain of the next sample.
    pub(super) fn next(&mut self) -> f32 {
        if self.now != self.end {
            self.now += self.step;
            if (self.end - self.now) * self.step <= 0.0 {
                self.now = self.end;
            }
        }
        self.now
    }
}
