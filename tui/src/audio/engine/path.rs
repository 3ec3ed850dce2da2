//! The way from the calls to the card: resamples, limits, keeps the ring filled, follows the card's clock, and measures
//! how long each frame took until the card had it.
//!
//! The ring is filled to the device's period and a `MARGIN_MS` more. Whatever a callback takes, the next one
//! then needs nothing of the worker for as long as the margin lasts, and something within a period: this thread
//! may be late by that much, and by more on a machine where that was once not enough.

use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use partyline_shared::audio::SAMPLE_RATE;

use super::super::SLOT;
use super::super::mix::limiter::Limiter;
use super::super::output::{Frame, Line};
use super::super::pace::Pace;
use super::super::resample::{BadRate, Resampler};
use super::sum::Sum;

/// In the ring beyond the device's period, ms: a step of the resampler, and the longest that this thread sleeps.
pub(super) const MARGIN_MS: usize = 10;

/// More, each time that the ring ran dry, ms.
const MORE_MS: usize = 10;

/// At most, ms: who needs more has another trouble.
const MOST_MS: usize = 60;

/// After so long without it is less again, µs: a machine is busy for minutes, and delay is for as long as it is.
const CALM_US: u64 = 60_000_000;

/// Samples in which a call that is left dies away: 5 ms.
const DYING: usize = 40;

/// Frames on their way to the card whose delay is not known yet: more than the ring can hold.
const MARKS: usize = 256;

/// Where in the ring a frame begins, and when it came.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: u64,
    arrived_us: u64,
}

/// Whether something flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The ring is as full as it should be.
    Flows,
    /// There is nothing to put in; what is in there is on its way.
    Ebbs,
    /// Nothing to put in, nothing in there.
    Dry,
}

/// The way.
pub struct Path {
    line: Line,
    resampler: Resampler,
    limiter: Limiter,
    pace: Pace,
    /// For the resampler, both ears in turn.
    input: Vec<f32>,
    output: Vec<f32>,
    /// The last sample of the call that was put in.
    last: Frame,
    marks: VecDeque<Mark>,
    /// When the card took something last, µs.
    taken_us: u64,
    margin_ms: usize,
    margin_since_us: u64,
    /// Times that it ran dry which were seen.
    dry: u64,
    /// Something was put in that is still inside the resampler.
    inside: bool,
}

impl Path {
    /// The way to this card.
    pub fn new(line: Line) -> Result<Path, BadRate> {
        let resampler = Resampler::new(line.rate)?;
        Ok(Path {
            input: Vec::with_capacity(2 * (SLOT + resampler.needs_at_most())),
            output: vec![0.0; 2 * resampler.gives()],
            resampler,
            limiter: Limiter::new(line.rate),
            line,
            last: [0.0; 2],
            pace: Pace::default(),
            marks: VecDeque::with_capacity(MARKS),
            taken_us: 0,
            margin_ms: MARGIN_MS,
            margin_since_us: 0,
            dry: 0,
            inside: false,
        })
    }

    /// What the callbacks took since the last time: `delay` is given each frame's, µs.
    pub fn look(&mut self, now_us: u64, mut delay: impl FnMut(u64)) {
        while let Some(take) = self.line.take() {
            self.taken_us = take.at_us;
            while let Some(mark) = self.marks.front().filter(|mark| mark.at < take.upto) {
                delay(take.at_us.saturating_sub(mark.arrived_us));
                self.marks.pop_front();
            }
        }
        let dry = self.line.health().underruns.load(Relaxed);
        if dry != self.dry {
            self.dry = dry;
            self.pace.begin_anew();
            self.margin_ms = (self.margin_ms + MORE_MS).min(MOST_MS);
            self.margin_since_us = now_us;
        } else if self.margin_ms > MARGIN_MS && now_us >= self.margin_since_us + CALM_US {
            self.margin_ms -= MORE_MS;
            self.margin_since_us = now_us;
        }
    }

    /// Fills the ring out of the calls.
    pub(super) fn refill(&mut self, calls: &mut Sum, now_us: u64) -> Flow {
        while self.line.waiting() < self.target() {
            while self.input.len() < 2 * self.resampler.needs() {
                if let Some(ready) = calls.next(now_us, self.downstream_us(now_us)) {
                    self.mark(ready.arrived_us.inbound);
                    self.mark(ready.arrived_us.outbound);
                    self.input.extend_from_slice(&ready.samples);
                    self.last = ready.samples.last_chunk().copied().unwrap_or_default();
                    self.inside = true;
                } else if self.inside {
                    // The resampler gives the last samples for what comes behind them.
                    self.input.extend_from_slice(&calls.rest());
                    self.inside = false;
                } else {
                    return self.ebb();
                }
            }
            self.step();
            self.resampler.nudge(self.pace.step(calls.depth()));
        }
        self.line.expect(true);
        Flow::Flows
    }

    /// Nothing to put in.
    pub fn ebb(&self) -> Flow {
        self.line.expect(false);
        if self.line.waiting() > 0 {
            Flow::Ebbs
        } else {
            Flow::Dry
        }
    }

    /// Another call is in front: nothing of the last one is measured any more, and how deep this one is has nothing to do
    /// with that.
    pub fn forget_marks(&mut self) {
        self.marks.clear();
        self.pace.begin_anew();
    }

    /// All calls are left in the middle: their last sample dies away, and nothing of them is measured any
    /// more.
    pub fn finish(&mut self) {
        self.line.expect(false);
        self.forget_marks();
        if !std::mem::take(&mut self.inside) {
            return;
        }
        let [left, right] = self.last;
        for n in 1..=SLOT {
            let share = 1.0 - (n as f32 / DYING as f32).min(1.0);
            self.input.extend_from_slice(&[left * share, right * share]);
        }
        while self.input.len() >= 2 * self.resampler.needs() {
            self.step();
        }
    }

    fn step(&mut self) {
        let needs = 2 * self.resampler.needs();
        let input = self.input.get(..needs).unwrap_or_default();
        self.resampler.process(input, &mut self.output);
        self.limiter.limit(&mut self.output);
        self.input.drain(..needs.min(self.input.len()));
        self.line.push(self.output.as_chunks::<2>().0);
    }

    fn mark(&mut self, arrived_us: Option<u64>) {
        let Some(arrived_us) = arrived_us else { return };
        if self.marks.len() == MARKS {
            self.marks.pop_front();
        }
        let behind = self.input.len() as u64 / 2 * u64::from(self.line.rate) / u64::from(SAMPLE_RATE);
        self.marks.push_back(Mark {
            at: self.line.put() + behind + self.delay() as u64,
            arrived_us,
        });
    }

    /// By how many of the card's frames resampler and limiter delay.
    fn delay(&self) -> usize {
        self.resampler.delay() + self.limiter.delay()
    }

    fn target(&self) -> usize {
        self.line.period + self.margin_ms * self.line.rate as usize / 1000
    }

    /// How long what is put in now takes to the card, µs. The card takes a period at once; so that this is the
    /// same whenever one looks, it is taken to take a sample at a time, half a period later.
    fn downstream_us(&self, now_us: u64) -> u64 {
        let made = (self.line.waiting() + self.delay() + self.line.period / 2) as u64;
        let input = self.input.len() as u64 / 2;
        let all = made * 1_000_000 / u64::from(self.line.rate) + input * 1_000_000 / u64::from(SAMPLE_RATE);
        let since = now_us.saturating_sub(self.taken_us).min(self.period_us());
        all.saturating_sub(since)
    }

    /// How long until the card takes something, where it keeps to its period.
    pub fn takes_in(&self, now_us: u64) -> Duration {
        Duration::from_micros((self.taken_us + self.period_us()).saturating_sub(now_us))
    }

    fn period_us(&self) -> u64 {
        self.line.period as u64 * 1_000_000 / u64::from(self.line.rate)
    }

    /// What is in the ring, ms.
    pub fn waiting_ms(&self) -> u64 {
        self.line.waiting() as u64 * 1000 / u64::from(self.line.rate)
    }

    /// How long the device keeps what it took, at most, µs: it has two periods.
    pub fn device_us(&self) -> u64 {
        2 * self.period_us()
    }

    /// How often there was nothing to play, for want of ours or of the system's.
    pub fn underruns(&self) -> u64 {
        let health = self.line.health();
        health.underruns.load(Relaxed) + health.xruns.load(Relaxed)
    }

    /// By how much the card is slower than the network, ppm.
    pub fn drift_ppm(&self) -> f64 {
        self.pace.ppm()
    }
}
