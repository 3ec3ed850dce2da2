//! All heard calls as one source: one in front as it is, the others quieter behind it. What is in front says how
//! long audio takes, how deep it is buffered, and what the screen shows. Who changes places does so without a step.

use std::sync::Arc;

use partyline_shared::track::PerTrack;

use super::super::desk::{SEATS, Wanted};
use super::super::jitter::Depth;
use super::super::memory::shelf::{Kept, Shelf};
use super::super::scope::Scope;
use super::super::{SLOT, Stereo};
use super::voice::{Ready, Voice};

/// Who is behind is quieter by so much, dB: understood when nobody in front speaks, no trouble when somebody does.
pub const DUCKED_DB: f32 = -12.0;

/// So many samples it takes to come to the front or to go behind: 50 ms.
const RAMP: f32 = 400.0;

/// A voice's own loudness.
#[derive(Debug, Clone, Copy)]
struct Gain {
    now: f32,
    end: f32,
}

impl Gain {
    fn next(&mut self) -> f32 {
        let step = (1.0 - ducked()) / RAMP;
        self.now += (self.end - self.now).clamp(-step, step);
        self.now
    }
}

fn ducked() -> f32 {
    10f32.powf(DUCKED_DB / 20.0)
}

/// One call in its seat.
struct Seated {
    // A call's buffers are large, and seats are swapped.
    voice: Box<Voice>,
    gain: Gain,
    /// Its last slot was something.
    sounded: bool,
    /// And this one is nothing.
    ends: bool,
}

impl Seated {
    /// Adds a slot of it.
    fn add(&mut self, samples: &Stereo, sum: &mut Stereo) {
        let ears = sum.as_chunks_mut::<2>().0;
        for (sum, [left, right]) in ears.iter_mut().zip(samples.as_chunks::<2>().0) {
            let gain = self.gain.next();
            let [to_left, to_right] = sum;
            *to_left += left * gain;
            *to_right += right * gain;
        }
    }
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing that matters here.
    None,
    /// Another call is in front; `first`: none was heard before.
    Front {
        /// No call was heard before.
        first: bool,
    },
    /// All calls went; others may have come.
    Left {
        /// Another call is heard instead.
        instead: bool,
    },
}

/// The calls.
pub(super) struct Sum {
    scope: Arc<Scope>,
    seats: [Option<Seated>; SEATS],
    front: u64,
    /// What is left of calls that were left while others go on.
    dying: Option<Stereo>,
}

impl Sum {
    /// None.
    pub(super) fn new(scope: Arc<Scope>) -> Sum {
        Sum {
            scope,
            seats: Default::default(),
            front: 0,
            dying: None,
        }
    }

    /// Makes it as wanted.
    pub(super) fn follow(&mut self, wanted: &Wanted, shelf: &Shelf) -> Change {
        let had = !self.is_empty();
        let is_wanted = |seat: &Seated| wanted.seat(seat.voice.generation()).is_some();
        let stays = self.seats.iter().flatten().any(is_wanted);
        for place in &mut self.seats {
            let gone = place.take_if(|seat| !is_wanted(seat));
            if let Some(mut gone) = gone.filter(|gone| gone.sounded && stays) {
                let rest = gone.voice.rest();
                gone.add(&rest, self.dying.get_or_insert([0.0; 2 * SLOT]));
            }
        }
        for seat in wanted.seats.iter().flatten() {
            let end = if seat.generation == wanted.front {
                1.0
            } else {
                ducked()
            };
            if let Some(known) = self.seated(seat.generation) {
                known.gain.end = end;
                known.voice.follow(seat, wanted.mix);
            } else if let Some(free) = self.seats.iter_mut().find(|place| place.is_none()) {
                let memory = shelf.get(seat.generation).unwrap_or_else(Kept::closed);
                *free = Some(Seated {
                    voice: Box::new(Voice::new(seat, wanted.mix, memory)),
                    gain: Gain { now: end, end },
                    sounded: false,
                    ends: false,
                });
            }
        }
        let front = std::mem::replace(&mut self.front, wanted.front);
        if had && !stays {
            self.scope.clear();
            let instead = !self.is_empty();
            return Change::Left { instead };
        }
        if front == self.front {
            return Change::None;
        }
        self.scope.clear();
        Change::Front { first: !had }
    }

    fn seated(&mut self, generation: u64) -> Option<&mut Seated> {
        let mut seats = self.seats.iter_mut().flatten();
        seats.find(|seat| seat.voice.generation() == generation)
    }

    /// A heard call.
    pub(super) fn voice(&mut self, generation: u64) -> Option<&mut Voice> {
        self.seated(generation).map(|seat| &mut *seat.voice)
    }

    /// All of them.
    pub(super) fn voices(&self) -> impl Iterator<Item = &Voice> {
        self.seats.iter().flatten().map(|seat| &*seat.voice)
    }

    /// The call in front.
    pub(super) fn front(&self) -> Option<&Voice> {
        self.voices().find(|voice| voice.generation() == self.front)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seats.iter().all(Option::is_none)
    }

    /// As [`Voice::next`], of all; nothing where none of them has anything.
    pub(super) fn next(&mut self, now_us: u64, downstream_us: u64) -> Option<Ready> {
        let mut sum = [0.0; 2 * SLOT];
        let mut any = self.dying.is_some();
        let mut arrived_us = PerTrack::default();
        let mut columns = Default::default();
        for seat in self.seats.iter_mut().flatten() {
            let ready = seat.voice.next(now_us, downstream_us);
            seat.ends = seat.sounded && ready.is_none();
            let Some(ready) = ready else { continue };
            any = true;
            seat.sounded = true;
            seat.add(&ready.samples, &mut sum);
            if seat.voice.generation() == self.front {
                (columns, arrived_us) = (ready.columns, ready.arrived_us);
                self.scope.hear(columns.0, columns.1);
            }
        }
        if !any {
            return None;
        }
        for seat in self.seats.iter_mut().flatten().filter(|seat| seat.ends) {
            seat.sounded = false;
            let rest = seat.voice.rest();
            seat.add(&rest, &mut sum);
        }
        for (sum, dying) in sum.iter_mut().zip(self.dying.take().into_iter().flatten()) {
            *sum += dying;
        }
        Some(Ready {
            samples: sum,
            arrived_us,
            columns,
        })
    }

    /// 20 ms behind the last that there was, in which all of it ends without a step.
    pub(super) fn rest(&mut self) -> Stereo {
        let mut sum = [0.0; 2 * SLOT];
        for seat in self.seats.iter_mut().flatten() {
            if std::mem::take(&mut seat.sounded) {
                let rest = seat.voice.rest();
                seat.add(&rest, &mut sum);
            }
        }
        sum
    }

    /// How deep the call in front is buffered.
    pub(super) fn depth(&self) -> Option<Depth> {
        self.front()?.depth()
    }
}

#[cfg(test)]
mod tests;
