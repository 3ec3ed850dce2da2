//! What of a call is said now: frames go in as they come, 20 ms of both tracks come out when there is a place for
//! them, with every loss covered up, and faster or slower where the network asks for it. Knows no card and no clock.

use std::collections::VecDeque;

use partyline_shared::audio::SAMPLE_RATE;
use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::{PerTrack, Track};

use super::super::conceal::Concealer;
use super::super::jitter::{Depth, Jitter, Piece, Pull, Stats};
use super::super::stretch::Stretch;
use super::super::{Mono, SLOT};

/// A sample, µs.
const SAMPLE_US: u64 = 125;

/// Samples of a millisecond.
const MS: u64 = 8;

/// Samples in which it dies away where the stretcher holds the end of it: 5 ms.
const DYING: usize = 40;

/// Slots inside the stretcher, at most.
const MARKS: usize = 16;

/// 20 ms of both tracks.
pub struct Both {
    /// The samples.
    pub samples: PerTrack<Mono>,
    /// When the frames that begin in it came, µs, as if each began with it.
    pub arrived_us: PerTrack<Option<u64>>,
    /// Where its first sample lies on the media clock, in samples from place 0.
    pub at: i64,
}

/// A slot on its way through the stretcher.
#[derive(Debug)]
struct Mark {
    /// Of its first sample, by what went in before.
    at: u64,
    arrived_us: PerTrack<Option<u64>>,
    place: i64,
}

/// The live edge of one call.
#[derive(Debug)]
pub struct Live {
    jitter: Jitter,
    concealers: PerTrack<Concealer>,
    stretch: Stretch,
    marks: VecDeque<Mark>,
    /// Samples that went into the stretcher, and came out.
    pushed: u64,
    pulled: u64,
    /// The last slot that began to come out: its place, and what came out before it.
    place: i64,
    began: u64,
    /// Samples that the stretcher had put in, and left out, when the depth was measured.
    stretched: (u64, u64),
}

impl Default for Live {
    fn default() -> Self {
        Live::new()
    }
}

impl Live {
    /// One of which nothing came.
    pub fn new() -> Live {
        Live {
            jitter: Jitter::new(),
            concealers: PerTrack {
                inbound: Concealer::new(),
                outbound: Concealer::new(),
            },
            stretch: Stretch::new(),
            marks: VecDeque::with_capacity(MARKS),
            pushed: 0,
            pulled: 0,
            place: 0,
            began: 0,
            stretched: (0, 0),
        }
    }

    /// Another stream begins.
    pub fn on_stream(&mut self, now_us: u64) {
        self.jitter.on_stream(now_us);
    }

    /// A frame came: its place on the media clock, in slots of 20 ms; `None` where it became part of another.
    pub fn on_frame(&mut self, arrived_us: u64, frame: &AudioFrame) -> Option<i64> {
        self.jitter.on_frame(arrived_us, frame)
    }

    /// Chunks that will not come.
    pub fn on_missed(&mut self, now_us: u64, track: Track, from: u32, to: u32) {
        self.jitter.on_missed(now_us, track, from, to);
    }

    /// Nothing more comes.
    pub fn on_over(&mut self) {
        self.jitter.on_over();
    }

    /// The next 20 ms, of which the first sample takes `downstream_us` from here to the card; nothing while it
    /// waits.
    pub fn next(&mut self, now_us: u64, downstream_us: u64) -> Option<Both> {
        self.jitter.on_held(self.held_us());
        let mut speed = self.jitter.speed(now_us, downstream_us);
        let mut samples = silence();
        while !self.stretch.pull(speed, &mut samples) {
            // To stretch time more has to be there than is played; what is not there yet is no loss.
            if speed != 1.0 && self.stretch.held() >= SLOT && !self.jitter.has_next(now_us) {
                speed = 1.0;
                continue;
            }
            self.jitter.on_held(self.held_us());
            self.stretched = (self.stretch.inserted(), self.stretch.removed());
            let Pull::Play(slot) = self.jitter.pull(now_us, downstream_us) else {
                return None;
            };
            if self.marks.len() == MARKS {
                self.marks.pop_front();
            }
            self.marks.push_back(Mark {
                at: self.pushed,
                arrived_us: slot.arrived_us,
                place: slot.place,
            });
            for track in Track::BOTH {
                let after = slot.after.get(track).as_ref();
                self.concealers.get_mut(track).expect(after);
            }
            let both = self.samples(&slot.tracks, slot.cut);
            self.push(&both);
        }
        let from = self.pulled as i64;
        let arrived_us = self.pass();
        let began = self.place.saturating_mul(SLOT as i64);
        Some(Both {
            samples,
            arrived_us,
            at: began.saturating_add(from - self.began as i64),
        })
    }

    /// 20 ms behind the last that there was, in which it ends without a step.
    pub fn rest(&mut self) -> PerTrack<Mono> {
        let quiet = PerTrack {
            inbound: Piece::Silence,
            outbound: Piece::Silence,
        };
        let both = self.samples(&quiet, false);
        self.push(&both);
        let mut samples = silence();
        self.stretch.pull(1.0, &mut samples);
        self.pass();
        let left = self.stretch.held();
        if left > 0 {
            // Perhaps more than the silence behind it.
            for track in Track::BOTH {
                let (_, end) = samples.get_mut(track).split_at_mut(SLOT - DYING);
                for (n, sample) in end.iter_mut().enumerate() {
                    *sample *= 1.0 - (n + 1) as f32 / DYING as f32;
                }
            }
        }
        self.pulled += left as u64;
        self.stretch.clear();
        samples
    }

    fn push(&mut self, both: &PerTrack<Mono>) {
        self.stretch.push(both);
        self.pushed += SLOT as u64;
    }

    fn held_us(&self) -> u64 {
        self.stretch.held() as u64 * SAMPLE_US
    }

    /// 20 ms came out: when the frames that begin in them came.
    fn pass(&mut self) -> PerTrack<Option<u64>> {
        let from = self.pulled;
        self.pulled += SLOT as u64;
        let mut arrived_us = PerTrack::default();
        while let Some(mark) = self.marks.front() {
            let at = (mark.at + self.stretch.inserted()).saturating_sub(self.stretch.removed());
            if at >= self.pulled {
                break;
            }
            let later_us = at.saturating_sub(from) * SAMPLE_US;
            for track in Track::BOTH {
                let came = mark.arrived_us.get(track).map(|at| at.saturating_sub(later_us));
                let all = arrived_us.get_mut(track);
                *all = came.or(*all);
            }
            (self.place, self.began) = (mark.place, at);
            self.marks.pop_front();
        }
        arrived_us
    }

    fn samples(&mut self, pieces: &PerTrack<Piece>, cut: bool) -> PerTrack<Mono> {
        let mut samples = silence();
        for track in Track::BOTH {
            let concealer = self.concealers.get_mut(track);
            concealer.next(pieces.get(track), cut, samples.get_mut(track));
        }
        samples
    }

    /// As [`Jitter::depth`], with what was stretched until then.
    pub fn depth(&self) -> Option<Depth> {
        let seconds = |samples: u64| samples as f64 / f64::from(SAMPLE_RATE);
        let (inserted, removed) = self.stretched;
        let stretched_s = seconds(inserted) - seconds(removed);
        self.jitter.depth().map(|depth| Depth { stretched_s, ..depth })
    }

    /// How it goes, as of the last pull.
    pub fn stats(&self) -> Stats {
        Stats {
            stretched_ms: self.stretch.changed_samples() / MS,
            ..self.jitter.stats()
        }
    }
}

fn silence() -> PerTrack<Mono> {
    PerTrack {
        inbound: [0.0; SLOT],
        outbound: [0.0; SLOT],
    }
}

#[cfg(test)]
mod tests;
