//! What leaves the buffer: when to wait, to play, to cover up, and to leave out.

use partyline_shared::audio::level::Energy;
use partyline_shared::track::{PerTrack, Track};

use super::lane::View;
use super::{
    Depth, FORGETS, IDLE_US, Jitter, MARGIN_US, MAX_TARGET_US, MIN_TARGET_US, Phase, Piece, Pull, SLOT_MS,
    SLOT_US, START_US, Slot, State, Stats, WANDERS_US,
};

/// So far above it what a stall held back is left out, µs, where nobody is cut short: right after the stop, and
/// in pauses. Less is caught up with by playing faster, in 2 s or less.
const BURST_US: i64 = 800_000;

/// So far above it anything is left out, at once, µs: a supervisor who acts on it would be too late.
const TOO_FAR_US: i64 = 2_000_000;

/// Slots after a stop in which a cut is part of it, 200 ms: what was held back comes in more than one read.
const FRESH: u32 = 10;

/// Under this a slot is quiet, dBFS: the noise of a telephone line, not the end of a word.
const QUIET_DB: f64 = -45.0;

/// What is still missing of the target after running dry may be so much, µs: the rest is gained by playing slower.
const NEARLY_US: i64 = 24_000;

/// A track is waited for, while the other one is there, for so many slots: 60 ms.
const WAIT_SLOTS: u32 = 3;

/// A track that lies back by so many slots has lost its frame: both are sent in turn.
const SKEW_SLOTS: i64 = 2;

/// Longer holes than that, in slots, are pauses: 400 ms.
const LONG_HOLE: u32 = 20;

/// A hole in both tracks that is longer than this is not waited out where nothing live follows, in slots: 5 s.
const MAX_HOLE: i64 = 250;

impl Jitter {
    /// The next slot, for which the card has a place now. `downstream_us` is how long its first sample will take
    /// from here to the card: what the ring and the resampler hold.
    pub fn pull(&mut self, now_us: u64, downstream_us: u64) -> Pull {
        let now = now_us as i64;
        self.measure(now, downstream_us.min(MAX_TARGET_US as u64) as i64);
        let before = self.next;
        if !self.is_ready(now_us) {
            return Pull::Wait;
        }
        self.shed();
        let skipped = self.next != before;
        let slot = self.slot(now_us, skipped);
        if slot.is_none() {
            self.phase = if self.over { Phase::Over } else { Phase::Waiting };
        }
        slot.map_or(Pull::Wait, Pull::Play)
    }

    /// How it goes, as of the last pull.
    pub fn stats(&self) -> Stats {
        let ms = |us: i64| u32::try_from(us / 1000).unwrap_or_default();
        let state = match self.phase {
            Phase::Over => State::Over,
            Phase::Waiting => State::Waiting,
            _ => State::Playing,
        };
        Stats {
            state,
            depth_ms: ms(self.depth_us),
            target_ms: ms(self.target_us()),
            waiting: (self.lanes.inbound.len() + self.lanes.outbound.len()) as u64,
            ..self.counts
        }
    }

    /// The depth as of the last pull; `None` while that says nothing about the card's clock.
    pub fn depth(&self) -> Option<Depth> {
        let steady = self.phase == Phase::Playing && !self.over;
        let base = self.measured_from_us.filter(|_| steady)?;
        let seconds = |us: i64| us as f64 / 1e6;
        Some(Depth {
            is_s: seconds(self.depth_us),
            meant_s: seconds(self.target_us()),
            base_s: seconds(base),
            stretched_s: 0.0,
        })
    }

    /// What left the buffer is kept by who stretches time, so long is it.
    pub fn on_held(&mut self, held_us: u64) {
        self.held_us = held_us.min(MAX_TARGET_US as u64) as i64;
    }

    pub(super) fn target_us(&self) -> i64 {
        // More than a slot is kept only as long as there is too much.
        let behind = self.downstream_most_us as i64 + self.held_us.min(SLOT_US);
        let wanted = behind + self.spread.allowance() + MARGIN_US;
        let least = if self.has_begun() { MIN_TARGET_US } else { START_US };
        wanted.clamp(least, MAX_TARGET_US)
    }

    /// The delay of the next slot's first sample against the fastest way through.
    fn measure(&mut self, now: i64, downstream: i64) {
        if self.has_begun() {
            // A second's average: the card takes what it takes in gulps.
            self.downstream_us += (downstream - self.downstream_us) / 50;
        } else {
            self.downstream_us = self.downstream_us.max(downstream);
        }
        let now_is = self.downstream_us as f64;
        let over = (self.downstream_most_us - now_is).clamp(0.0, WANDERS_US);
        self.downstream_most_us = now_is + over - over / FORGETS;
        let place = match self.phase {
            Phase::Waiting => self.front().unwrap_or(self.next),
            _ => self.next,
        };
        self.depth_us = self.depth_at(now, downstream, place);
        self.measured_from_us = self.spread.base();
    }

    /// The delay of what lies at this place if it left now.
    pub(super) fn depth_at(&self, now: i64, downstream: i64, place: i64) -> i64 {
        let leaves = now + downstream + self.held_us;
        match self.spread.base() {
            Some(base) => (leaves - base).saturating_sub(place.saturating_mul(SLOT_US)),
            None => self.level_us(),
        }
    }

    /// What waits here and behind, by its length.
    pub(super) fn level_us(&self) -> i64 {
        let first = self.front().unwrap_or(self.end);
        let place = if self.phase == Phase::Waiting {
            first
        } else {
            self.next
        };
        (self.end - place).max(0).saturating_mul(SLOT_US) + self.downstream_us + self.held_us
    }

    /// What is there above the target by both measures: by the clock, and really.
    fn surplus_us(&self) -> i64 {
        self.depth_us.min(self.level_us()) - self.target_us()
    }

    fn front(&self) -> Option<i64> {
        let fronts = Track::BOTH.map(|track| self.lanes.get(track).front());
        fronts.into_iter().flatten().min()
    }

    /// Whether a slot is due; begins, or ends, what has to.
    fn is_ready(&mut self, now_us: u64) -> bool {
        let idle = self
            .heard_us
            .is_none_or(|heard| now_us.saturating_sub(heard) > IDLE_US);
        match (self.phase, self.front()) {
            (Phase::Waiting | Phase::Over, None) => {
                if self.over {
                    self.phase = Phase::Over;
                }
                false
            }
            (Phase::Waiting | Phase::Over, Some(front)) => {
                if !self.over && self.depth_us < self.target_us() {
                    return false;
                }
                if front > self.next {
                    // It had stopped: nothing of it was missing.
                    self.unsettled_ms = 0;
                }
                // Nothing was said in between, or it was lost while nothing else came.
                self.next = if self.has_begun() {
                    self.next.max(front)
                } else {
                    front
                };
                self.phase = Phase::Playing;
                self.since_start = 0;
                true
            }
            (Phase::Playing | Phase::Refilling, None) if self.over || idle => {
                self.phase = if self.over { Phase::Over } else { Phase::Waiting };
                false
            }
            (Phase::Playing | Phase::Refilling, _) => true,
        }
    }

    /// Leaves out what is too much.
    fn shed(&mut self) {
        let surplus = self.surplus_us();
        let unheard = self.since_start < FRESH || self.is_calm();
        let burst = surplus > TOO_FAR_US || (surplus > BURST_US && unheard);
        if burst {
            let to = self.next.saturating_add(surplus / SLOT_US);
            self.skip_to(to);
            return;
        }
        if self.over {
            let front = self.front().unwrap_or(self.next);
            if front - self.next > MAX_HOLE {
                self.skip_to(front);
            }
        }
    }

    /// Nobody spoke, or speaks now.
    pub(super) fn is_calm(&self) -> bool {
        let is_quiet = |quiet: PerTrack<bool>| quiet.inbound && quiet.outbound;
        self.was_quiet && is_quiet(self.quiet())
    }

    fn skip_to(&mut self, place: i64) {
        self.depth_us -= (place - self.next).saturating_mul(SLOT_US);
        self.let_go_before(place);
    }

    /// Lets go of all frames before a place, and goes on from there.
    pub(super) fn let_go_before(&mut self, place: i64) {
        let inbound = self.lanes.inbound.drop_before(place);
        let outbound = self.lanes.outbound.drop_before(place);
        self.counts.dropped += inbound + outbound;
        self.counts.dropped_ms += inbound.max(outbound) * SLOT_MS;
        self.next = self.next.max(place);
    }

    /// Nobody speaks in the next slot: neither track. One whose frame is not there speaks on, if it did, for as long as
    /// that may be a loss.
    fn quiet(&self) -> PerTrack<bool> {
        let of = |track| {
            let lane = self.lanes.get(track);
            match lane.at(self.next) {
                Some(frame) => Energy::of(frame.mulaw())
                    .dbfs()
                    .is_none_or(|level| level < QUIET_DB),
                None => *self.quiet.get(track) || lane.covered > LONG_HOLE,
            }
        };
        PerTrack {
            inbound: of(Track::Inbound),
            outbound: of(Track::Outbound),
        }
    }

    /// The slot that is due; `None` where neither track has, or expects, anything.
    fn slot(&mut self, now_us: u64, cut: bool) -> Option<Slot> {
        let mut views = self.views(now_us);
        if self.stalled > 0 && (views.inbound, views.outbound) == (View::Lost, View::Lost) {
            // What was waited for in vain is covered up already.
            self.stalled = 0;
            self.next = self.next.saturating_add(1);
            self.depth_us -= SLOT_US;
            views = self.views(now_us);
        }
        let any = |view| views.inbound == view || views.outbound == view;
        if !any(View::Here) && !any(View::Open) && !any(View::Lost) && self.front().is_none() {
            return None;
        }
        if any(View::Open) && self.waits() {
            self.stalled += 1;
            self.phase = Phase::Refilling;
            return Some(self.standing(cut));
        }
        let short = self.target_us() - self.depth_us;
        if self.phase == Phase::Refilling && short > NEARLY_US && !self.over {
            return Some(self.standing(cut));
        }
        self.phase = Phase::Playing;
        self.quiet = self.quiet();
        self.was_quiet = self.quiet.inbound && self.quiet.outbound;
        self.since_start = self.since_start.saturating_add(1);
        self.stalled = 0;
        let mut arrived_us = PerTrack::default();
        let mut after = PerTrack::default();
        let tracks = self.each(|jitter, track| {
            let lane = jitter.lanes.get_mut(track);
            if let Some(entry) = lane.take(jitter.next) {
                (lane.begun, lane.covered) = (true, 0);
                jitter.counts.played += 1;
                *arrived_us.get_mut(track) = Some(entry.arrived_us);
                return Piece::Play(entry.frame);
            }
            let lane = jitter.lanes.get(track);
            *after.get_mut(track) = lane.at(jitter.next.saturating_add(1)).cloned();
            jitter.cover(track, *views.get(track) != View::Nothing)
        });
        self.counts.concealed_ms += concealed_ms(&tracks) + std::mem::take(&mut self.unsettled_ms);
        let place = self.next;
        self.next = place.saturating_add(1);
        Some(Slot {
            tracks,
            after,
            place,
            arrived_us,
            cut,
        })
    }

    pub(super) fn views(&self, now_us: u64) -> PerTrack<View> {
        let view = |track| {
            let lane = self.lanes.get(track);
            let live = lane
                .heard_us
                .is_some_and(|heard| now_us.saturating_sub(heard) <= IDLE_US);
            lane.view(self.next, live && lane.begun && !self.over)
        };
        PerTrack {
            inbound: view(Track::Inbound),
            outbound: view(Track::Outbound),
        }
    }

    /// Whether what is missing is worth waiting for: always while nothing at all is there; else for a while,
    /// unless the other track is so far ahead that it must be lost.
    fn waits(&self) -> bool {
        let ahead = Track::BOTH.map(|track| self.lanes.get(track).back());
        match ahead.into_iter().flatten().max() {
            None => true,
            Some(back) => self.stalled < WAIT_SLOTS && back < self.next.saturating_add(SKEW_SLOTS),
        }
    }

    /// 20 ms in which the place does not move.
    fn standing(&mut self, cut: bool) -> Slot {
        let tracks = self.each(|jitter, track| jitter.cover(track, jitter.lanes.get(track).begun));
        self.unsettled_ms += concealed_ms(&tracks);
        Slot {
            tracks,
            after: PerTrack::default(),
            place: self.next,
            arrived_us: PerTrack::default(),
            cut,
        }
    }

    fn cover(&mut self, track: Track, lost: bool) -> Piece {
        let lane = self.lanes.get_mut(track);
        lane.covered = lane.covered.saturating_add(1);
        if lost && lane.covered <= LONG_HOLE {
            Piece::Conceal
        } else {
            Piece::Silence
        }
    }

    fn each(&mut self, mut piece: impl FnMut(&mut Jitter, Track) -> Piece) -> PerTrack<Piece> {
        PerTrack {
            inbound: piece(self, Track::Inbound),
            outbound: piece(self, Track::Outbound),
        }
    }
}

/// How much of a slot is covered up.
fn concealed_ms(tracks: &PerTrack<Piece>) -> u64 {
    let concealed = tracks.inbound == Piece::Conceal || tracks.outbound == Piece::Conceal;
    u64::from(concealed) * SLOT_MS
}
