//! One heard call, as a source: frames go in as they come, 20 ms of both ears come out when the card has a place for
//! them. It plays what is said now, stands still, or plays what was said a while ago. Knows no card and no clock.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `past` | what was said before, out of the memory |
//! | `edge` | where live is in the memory, and what of it nobody heard |
//! | `backlog` | what the relay replays: past, or as good as live |
//! | `out` | what leaves it: live, past, or nothing |
//! | `fade` | from one sound to another without a step |
//!
//! While the past is heard or it stands still, what is live is taken out of its buffer all the same, unheard: so its
//! delay is what it should be when it is heard again.

mod backlog;
mod edge;
mod fade;
mod out;
mod past;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::{PerTrack, Track};

use super::super::desk::Seat;
use super::super::memory::shelf::Kept;
use super::super::mix::Mixer;
use super::super::{SLOT, Stereo};
use super::live::Live;
use crate::event::{Column, Mix};
use backlog::Backlog;
use edge::Edge;
use fade::{Pair, SILENCE};
use past::Past;

pub use out::FAST;

/// A slot, samples.
const SLOT_SAMPLES: i64 = SLOT as i64;

/// So near to live, samples, it is live, and catches up by itself: 200 ms.
const NEAR: i64 = backlog::LIVE * SLOT_SAMPLES;

/// 20 ms for both ears.
pub struct Ready {
    /// The samples.
    pub samples: Stereo,
    /// When the frames in it came, µs, where its delay says something: not of what was said a while ago.
    pub arrived_us: PerTrack<Option<u64>>,
    /// The customer and the agent, for the screen.
    pub columns: (Column, Column),
}

/// What was heard last, where something else is heard next.
#[derive(Debug)]
enum From {
    /// The same.
    Same,
    /// Nothing.
    Silence,
    /// What is live.
    Live,
    /// What is in [`Voice::tail`].
    Tail,
}

/// When the relay's memory is played, and what of it.
#[derive(Debug, Clone, Copy)]
struct Starts {
    at_us: u64,
    /// Before this, in samples, all was heard.
    heard: i64,
}

/// The call.
pub struct Voice {
    seat: Seat,
    mix: Mix,
    live: Live,
    memory: Kept,
    mixer: Mixer,
    edge: Edge,
    backlog: Backlog,
    /// Where it is, if it is not live.
    past: Option<Past>,
    from: From,
    /// What would have come of what was heard last.
    tail: Pair,
    /// Slots that it waited for a good place to join live.
    patience: u32,
    /// What the relay replays is still gathered.
    starts: Option<Starts>,
    /// The last slot was something.
    sounds: bool,
    /// Standing still: live was taken out up to then.
    drained_us: u64,
    /// How long what is put in takes to the card.
    downstream_us: u64,
    /// How far behind live, samples.
    behind: i64,
    /// What was forgotten before it was played, ms.
    forgotten_ms: u64,
    /// Of which stream the last frame was.
    audio_id: Option<u32>,
}

impl Voice {
    /// A call of which nothing came yet. What was wanted of it once is taken for done.
    pub fn new(seat: &Seat, mix: Mix, memory: Kept) -> Voice {
        Voice {
            seat: *seat,
            mix,
            live: Live::new(),
            memory,
            mixer: Mixer::new(seat.roles, mix),
            edge: Edge::default(),
            backlog: Backlog::default(),
            past: seat.held.then(|| Past::at(0)),
            from: From::Same,
            tail: SILENCE,
            patience: 0,
            starts: None,
            sounds: false,
            drained_us: 0,
            downstream_us: 0,
            behind: 0,
            forgotten_ms: 0,
            audio_id: None,
        }
    }

    /// Which of the calls heard so far it is.
    pub fn generation(&self) -> u64 {
        self.seat.generation
    }

    /// Makes it as it is wanted.
    pub fn follow(&mut self, seat: &Seat, mix: Mix) {
        let old = std::mem::replace(&mut self.seat, *seat);
        if old.roles != seat.roles {
            self.mixer.set_roles(seat.roles);
        }
        if self.mix != mix {
            self.mix = mix;
            self.mixer.set_mix(mix);
        }
        if seat.over {
            self.live.on_over();
        }
        if old.jumps.0 != seat.jumps.0 {
            let at = self.memory.lock().find(seat.jumps.1);
            self.go_to(at);
        }
        let step_ms = seat.seek_ms.saturating_sub(old.seek_ms);
        if step_ms != 0 {
            let samples = step_ms.saturating_mul(SLOT_SAMPLES) / 20;
            self.go_to(self.pos().saturating_add(samples));
        }
        if old.lives != seat.lives {
            self.go_to(i64::MAX);
        }
        if seat.held && !self.sounds && self.past.is_none() {
            self.past = Some(Past::at(self.edge().div_euclid(SLOT_SAMPLES)));
        }
        if old.held && !seat.held {
            self.from = if self.sounds { From::Same } else { From::Silence };
            if self.behind_now() <= 0 {
                self.be_live();
            }
        }
    }

    /// Where live goes on, in samples of the memory; its end, where nothing is said.
    fn edge(&self) -> i64 {
        let known = self.edge.next().filter(|_| self.edge.sounds);
        known.unwrap_or_else(|| self.memory.lock().places().1.saturating_mul(SLOT_SAMPLES))
    }

    /// What is heard next.
    fn pos(&self) -> i64 {
        self.past.as_ref().map_or_else(|| self.edge(), Past::pos)
    }

    fn behind_now(&self) -> i64 {
        self.past.as_ref().map_or(0, |past| self.edge() - past.pos())
    }

    /// It goes on there, or live if that is as far.
    fn go_to(&mut self, at: i64) {
        let low = self.memory.lock().places().0.saturating_mul(SLOT_SAMPLES);
        let edge = self.edge();
        let place = at.max(low).div_euclid(SLOT_SAMPLES);
        self.leave_here();
        self.starts = None;
        self.backlog.clear();
        if place.saturating_mul(SLOT_SAMPLES) < edge {
            self.past = Some(Past::at(place));
        } else if self.seat.held {
            self.past = Some(Past::at(edge.div_euclid(SLOT_SAMPLES)));
        } else {
            self.be_live();
        }
        self.patience = 0;
        self.behind = self.behind_now();
    }

    /// It is live. Where nothing is said now, no slot would say where the ear is.
    fn be_live(&mut self) {
        self.past = None;
        self.behind = 0;
        let edge = self.edge();
        self.memory.lock().note_heard(edge, false);
    }

    /// What would be heard next leads into what will be.
    fn leave_here(&mut self) {
        if !matches!(self.from, From::Same) {
            return;
        }
        self.from = match &mut self.past {
            _ if !self.sounds => From::Silence,
            None => From::Live,
            Some(past) => {
                let memory = self.memory.lock();
                self.tail = past.tail(&memory, memory.places().1);
                From::Tail
            }
        };
    }

    /// Another stream begins.
    pub fn on_stream(&mut self, now_us: u64) {
        self.audio_id = None;
        self.live.on_stream(now_us);
    }

    /// A frame came, which is in the memory.
    pub fn on_frame(&mut self, arrived_us: u64, frame: &AudioFrame) {
        let place = self.memory.lock().place_of(frame);
        if let Some(place) = place.filter(|_| frame.is_replayed()) {
            self.on_replayed(arrived_us, place, frame);
        } else {
            self.flush();
            self.feed(arrived_us, frame, place);
        }
    }

    fn feed(&mut self, arrived_us: u64, frame: &AudioFrame, place: Option<i64>) {
        // The word that a new stream begins may have been dropped before the worker's full queue.
        if self.audio_id.is_some_and(|id| id != frame.audio_id()) {
            self.live.on_stream(arrived_us);
        }
        self.audio_id = Some(frame.audio_id());
        let live = self.live.on_frame(arrived_us, frame);
        if let Some((live, place)) = live.zip(place) {
            self.edge.on_frame(live, place);
        }
    }

    /// What was gathered is as good as live.
    fn flush(&mut self) {
        let mut backlog = std::mem::take(&mut self.backlog);
        backlog.take(|arrived_us, frame| {
            let place = self.memory.lock().place_of(frame);
            self.feed(arrived_us, frame, place);
        });
    }

    /// Of what lies before what is heard nothing is wanted; what lies behind it is the past, if it is more than a
    /// little.
    fn on_replayed(&mut self, now_us: u64, place: i64, frame: &AudioFrame) {
        let at = place.saturating_mul(SLOT_SAMPLES);
        if let Some(past) = &self.past {
            if self.starts.is_some_and(|starts| at >= starts.heard) && at < past.pos() {
                self.past = Some(Past::at(place));
            }
            return;
        }
        let heard = self.edge.next().unwrap_or(i64::MIN);
        if at < heard {
            return;
        }
        if let Some(first) = self.backlog.on_frame(now_us, place, frame) {
            self.backlog.clear();
            self.leave_here();
            self.past = Some(Past::at(first));
            let at_us = now_us.saturating_add(backlog::GATHER_US);
            self.starts = Some(Starts { at_us, heard });
        }
    }

    /// Chunks that will not come.
    pub fn on_missed(&mut self, now_us: u64, track: Track, from: u32, to: u32) {
        self.live.on_missed(now_us, track, from, to);
    }
}

#[cfg(test)]
mod tests;
