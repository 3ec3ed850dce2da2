//! What leaves a call: what is said now, what was said a while ago, or nothing while it waits or stands still.

use partyline_shared::track::PerTrack;

use super::super::super::SLOT;
use super::super::super::Stereo;
use super::super::super::jitter::{Depth, State, Stats};
use super::super::super::mix::{agent_on, column};
use super::super::live::Both;
use super::edge::ms;
use super::fade::{self, Pair, SILENCE};
use super::past::Past;
use super::{From, NEAR, Ready, SLOT_SAMPLES, Voice};

/// How much faster the past is played, the pitch kept.
pub const FAST: f32 = 1.5;

/// How much slower where it has overtaken what is live, which waits for what is late.
const SLOW: f32 = 0.8;

/// A slot, µs: the pace at which live is taken out while the voice stands still.
const SLOT_US: u64 = 20_000;

/// Standing still: so far behind that pace, µs, it does not catch up; the machine was asleep.
const ASLEEP_US: u64 = 1_000_000;

/// Less than a slot behind live, so many slots are waited for a place where nobody hears the join: half a second.
const PATIENCE: u32 = 25;

impl Voice {
    /// The next 20 ms, of which the first sample takes `downstream_us` from here to the card; nothing while it
    /// waits or stands still.
    pub fn next(&mut self, now_us: u64, downstream_us: u64) -> Option<Ready> {
        if self.backlog.is_due(now_us) {
            self.flush();
        }
        let gathers = self.starts.is_some_and(|starts| now_us < starts.at_us);
        if gathers || (self.seat.held && !self.sounds) {
            self.drain(now_us);
            return None;
        }
        self.starts = None;
        self.drained_us = now_us;
        self.downstream_us = downstream_us;
        let (edge, live) = self.take_live(now_us, downstream_us);
        let mut arrived_us = PerTrack::default();
        let (at, pair) = if self.past.is_some() {
            self.take_past(edge, live.as_ref())
        } else {
            if let Some(both) = &live
                && self.live.stats().state == State::Playing
            {
                arrived_us = both.arrived_us;
            }
            (edge, live.as_ref().map(|both| both.samples))
        };
        let pair = self.joined(pair, live.as_ref());
        let pair = if self.seat.held {
            self.come_to_rest(at, pair)
        } else {
            pair
        };
        let pair = pair?;
        self.sounds = !self.seat.held;
        self.note(at);
        Some(self.ready(&pair, arrived_us))
    }

    /// What is heard next, joined to what was heard last.
    fn joined(&mut self, mut pair: Option<Pair>, live: Option<&Both>) -> Option<Pair> {
        let mut old = match std::mem::replace(&mut self.from, From::Same) {
            From::Same => return pair,
            From::Silence => SILENCE,
            From::Live => live.map_or(SILENCE, |both| both.samples),
            From::Tail => self.tail,
        };
        match &mut pair {
            Some(new) => fade::cross(&old, new),
            None if self.sounds => {
                fade::out(&mut old);
                pair = Some(old);
            }
            None => {}
        }
        pair
    }

    /// It is to stand still: what sounds dies away, and comes again from its beginning when it goes on.
    fn come_to_rest(&mut self, at: Option<i64>, pair: Option<Pair>) -> Option<Pair> {
        let mut pair = pair.unwrap_or_else(|| self.live.rest());
        fade::out(&mut pair);
        let at = at.unwrap_or_else(|| self.edge());
        self.past = Some(Past::at(at.div_euclid(SLOT_SAMPLES)));
        Some(pair)
    }

    /// Where the ear is: what is put in now is heard later.
    fn note(&self, at: Option<i64>) {
        let Some(at) = at else { return };
        let late = self.downstream_us.saturating_mul(SLOT as u64) / SLOT_US;
        let at = at.saturating_sub(i64::try_from(late).unwrap_or_default());
        let behind = self.past.is_some() && (self.behind > NEAR || self.seat.held);
        self.memory.lock().note_heard(at, behind);
    }

    /// 20 ms of what is live, and where they begin in the memory.
    fn take_live(&mut self, now_us: u64, downstream_us: u64) -> (Option<i64>, Option<Both>) {
        let unheard = self.past.is_some();
        let before = self.live.stats();
        let live = self.live.next(now_us, downstream_us);
        if unheard {
            self.edge.was_unheard(&before, &self.live.stats());
            if live.is_none() && self.edge.sounds {
                // It comes to rest, so that nothing of it is left for when it is heard again.
                self.live.rest();
            }
        }
        let at = self.edge.on_slot(live.as_ref().map(|both| both.at));
        (at, live)
    }

    /// What is live is taken out by the clock, since no card asks for anything.
    fn drain(&mut self, now_us: u64) {
        if now_us > self.drained_us.saturating_add(ASLEEP_US) {
            self.drained_us = now_us;
        }
        while self.drained_us.saturating_add(SLOT_US) <= now_us {
            self.drained_us += SLOT_US;
            self.take_live(self.drained_us, self.downstream_us);
        }
        self.behind = self.behind_now();
    }

    /// 20 ms of the past, in front of what is live, which is joined where it is reached.
    fn take_past(&mut self, edge: Option<i64>, live: Option<&Both>) -> (Option<i64>, Option<Pair>) {
        let Some(past) = &mut self.past else {
            return (None, None);
        };
        let memory = self.memory.lock();
        let (low, end) = memory.places();
        let forgotten = low.saturating_mul(SLOT_SAMPLES) - past.pos();
        if forgotten > SLOT_SAMPLES {
            *past = Past::at(low);
            self.forgotten_ms += u64::from(ms(forgotten));
            self.from = From::Silence;
        }
        let at = past.pos();
        let edge = edge.unwrap_or_else(|| end.saturating_mul(SLOT_SAMPLES));
        self.behind = edge - at;
        let is_at_edge = live.is_some() && self.behind.abs() <= SLOT_SAMPLES;
        let speed = match self.behind {
            _ if is_at_edge => 1.0,
            ..0 if live.is_some() => SLOW,
            ..=NEAR if live.is_some() => FAST,
            _ if self.seat.fast => FAST,
            _ => 1.0,
        };
        let next = past.next(&memory, end, speed, self.seat.skip_silence);
        let joins = match (&next, live) {
            (None, _) => true,
            (Some(next), Some(live)) if is_at_edge => {
                self.patience += 1;
                self.patience > PATIENCE || fade::is_like(next, &live.samples)
            }
            _ => false,
        };
        if !joins {
            return (Some(at), next);
        }
        if matches!(self.from, From::Same) {
            self.tail = next.unwrap_or_else(|| past.tail(&memory, end));
            self.from = From::Tail;
        }
        drop(memory);
        self.past = None;
        self.behind = 0;
        self.patience = 0;
        (Some(edge), live.map(|live| live.samples))
    }

    /// 20 ms behind the last that there was, in which it ends without a step.
    pub fn rest(&mut self) -> Stereo {
        self.sounds = false;
        let rest = match std::mem::replace(&mut self.from, From::Same) {
            From::Tail => {
                self.from = From::Silence;
                let mut tail = self.tail;
                fade::out(&mut tail);
                tail
            }
            From::Live => {
                self.from = From::Silence;
                self.live.rest()
            }
            From::Same if self.past.is_none() => self.live.rest(),
            from => {
                self.from = from;
                SILENCE
            }
        };
        self.ready(&rest, PerTrack::default()).samples
    }

    fn ready(&mut self, pair: &Pair, arrived_us: PerTrack<Option<u64>>) -> Ready {
        let mut samples = [0.0; 2 * SLOT];
        self.mixer.mix(&pair.inbound, &pair.outbound, &mut samples);
        let agent = agent_on(self.seat.roles);
        let columns = (column(pair.get(agent.other())), column(pair.get(agent)));
        Ready {
            samples,
            arrived_us,
            columns,
        }
    }

    /// How deep live is buffered, where that says something about the card's clock.
    pub fn depth(&self) -> Option<Depth> {
        self.live.depth().filter(|_| !self.seat.held)
    }

    /// Whether something comes of it that nobody says: what waits, or lies behind live.
    pub fn waits(&self) -> bool {
        if self.seat.held {
            return self.sounds;
        }
        self.past.is_some() || self.backlog.waits() || self.live.stats().waiting > 0
    }

    /// The wall clock of what is heard, Unix ms.
    pub fn heard_at_ms(&self) -> Option<i64> {
        self.memory.lock().heard_ms()
    }

    /// How it goes, as of the last pull.
    pub fn stats(&self) -> Stats {
        let live = self.edge.heard(self.live.stats());
        let (state, behind_ms) = match &self.past {
            _ if self.seat.held => (State::Held, ms(self.behind)),
            None if self.backlog.waits() && live.state == State::Over => (State::Waiting, 0),
            None => (live.state, live.behind_ms),
            Some(_) if self.starts.is_some() => (State::Waiting, ms(self.behind)),
            Some(_) if self.behind <= NEAR => (State::Playing, 0),
            Some(_) => (State::Behind, ms(self.behind)),
        };
        Stats {
            state,
            behind_ms,
            dropped_ms: live.dropped_ms + self.forgotten_ms,
            ..live
        }
    }
}
