//! The jitter buffer of one call, both tracks on one media clock. Frames go in as they come, slots of 20 ms come
//! out as the card needs them. No clock, no thread, no socket: time is an argument, in µs since any start.
//!
//! A frame's place is where its timestamp puts it against the first frame of the call, to the nearest 20 ms; see
//! `lane`. The *depth* is the delay of the least delayed frame: from its arrival until it leaves for the card,
//! what lies behind this buffer included. The *target* is what lies behind, what arrivals vary by, and one
//! frame. What is missing of it, or too much, is for [`Jitter::speed`] to say, and for whoever plays the slots to mend.
//! Frames out of the relay's memory are a backlog: they are played as such, behind live, and say nothing
//! about the connection.

mod clock;
mod lane;
mod out;
mod speed;
mod spread;

use partyline_shared::audio::frame::AudioFrame;
use partyline_shared::track::{PerTrack, Track};

use clock::Clock;
use lane::{Entry, Joined, Lane};
use speed::Course;
use spread::Spread;

/// A slot, µs.
const SLOT_US: i64 = 20_000;

/// A slot, ms.
const SLOT_MS: u64 = 20;

/// The least target, µs.
const MIN_TARGET_US: i64 = 20_000;

/// The greatest, µs: a conversation that is heard later than that is followed with difficulty.
const MAX_TARGET_US: i64 = 400_000;

/// The target before anything is known, µs.
const START_US: i64 = 60_000;

/// On top of what arrivals vary by, µs: the thread that pulls is as late as that, and a frame in two hundred
/// comes later than is allowed for.
const MARGIN_US: i64 = 16_000;

/// What is taken to lie behind this buffer until it is told, µs.
const ASSUMED_DOWNSTREAM_US: i64 = 20_000;

/// The card takes what it takes, and a slot is 20 ms: where their clocks differ, how much lies behind at a pull wanders by
/// a slot, for a minute and more. What it was at most is forgotten to a third in so many pulls, 2 min of sound, or the
/// depth would be changed all the time.
const FORGETS: f64 = 6_000.0;

/// By more than that it does not wander, µs: it was another card.
const WANDERS_US: f64 = 1.5 * SLOT_US as f64;

/// A stream of which nothing came for so long has stopped sending, µs; longer than what the target may cover,
/// so that a stall is no stop.
const IDLE_US: u64 = 400_000;

/// A frame that is faster than all others by so much, µs, belongs to another clock.
const MAX_EARLY_US: i64 = 2_000_000;

/// A step on the media clock over more than that, in slots, is another clock: 5 min.
const MAX_LEAP: i64 = 15_000;

/// A live frame so far behind what is played, in slots, is another clock: 10 s.
const MAX_BACK: i64 = 500;

/// Frames that wait, of each track, while nobody takes any: 30 s, more than any stall brings at once; the oldest go.
const MAX_WAITING: usize = 1_500;

/// What comes next.
#[derive(Debug)]
pub enum Pull {
    /// Nothing: time stands still. [`Piece::Silence`] for both, so that the last sound ends without a click.
    Wait,
    /// 20 ms.
    Play(Slot),
}

/// 20 ms of both tracks.
#[derive(Debug)]
pub struct Slot {
    /// What each plays.
    pub tracks: PerTrack<Piece>,
    /// Of a track that conceals: the frame that follows, if it is there.
    pub after: PerTrack<Option<AudioFrame>>,
    /// When the frames came, µs.
    pub arrived_us: PerTrack<Option<u64>>,
    /// Where it lies on the media clock, in slots of 20 ms; the same as the next one's where time stood still.
    pub place: i64,
    /// Something was left out right before: the join has to be covered.
    pub cut: bool,
}

/// 20 ms of one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A frame; one that is short is followed by silence.
    Play(AudioFrame),
    /// Lost or late: to be covered up.
    Conceal,
    /// Nothing was said.
    Silence,
}

/// How deep the sound is buffered, seconds: what the resampler's ratio follows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Depth {
    /// The delay as it is.
    pub is_s: f64,
    /// As it should be.
    pub meant_s: f64,
    /// The delay of the least delayed frame of the last seconds, with any zero: what `is_s` is measured from.
    pub base_s: f64,
    /// What stretching time has made of it so far, with any zero: no clock did.
    pub stretched_s: f64,
}

/// What the buffer does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum State {
    /// Nothing came yet, or nothing comes at present.
    #[default]
    Waiting,
    /// What is played is live.
    Playing,
    /// It stands still, and takes what comes.
    Held,
    /// What is played was said a while ago, and nothing is left out.
    Behind,
    /// The call is over, and all of it was played.
    Over,
}

/// How it goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// What it does.
    pub state: State,
    /// The delay as it is, ms.
    pub depth_ms: u32,
    /// As it should be, ms.
    pub target_ms: u32,
    /// How far behind live, ms: held, or after it.
    pub behind_ms: u32,
    /// Lost or late audio that was covered up, ms of either track.
    pub concealed_ms: u64,
    /// Audio left out, ms.
    pub dropped_ms: u64,
    /// Frames that came: all that are played, dropped, late, doubles, joined, or waiting.
    pub received: u64,
    /// Frames played.
    pub played: u64,
    /// Frames left out.
    pub dropped: u64,
    /// Audio that is known never to come, ms of either track.
    pub lost_ms: u64,
    /// Frames that came after their time.
    pub late: u64,
    /// Audio that was put in or taken out by stretching time, ms.
    pub stretched_ms: u64,
    /// Frames that came twice.
    pub doubles: u64,
    /// Short frames that became part of the one before.
    pub joined: u64,
    /// Frames that wait.
    pub waiting: u64,
}

/// What it is at, between two pulls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Gathers frames and is silent.
    Waiting,
    Playing,
    /// Ran dry: gathers frames and covers up.
    Refilling,
    Over,
}

/// The buffer; see the module.
#[derive(Debug)]
pub struct Jitter {
    lanes: PerTrack<Lane>,
    clock: Option<Clock>,
    spread: Spread,
    phase: Phase,
    /// The place of the next slot.
    next: i64,
    /// One past the last place that ever had a frame.
    end: i64,
    heard_us: Option<u64>,
    over: bool,
    /// Slots covered up since the last one that was played.
    stalled: u32,
    /// Covered up while nothing came, ms: a loss if something still comes in time, the stream's stop if not.
    unsettled_ms: u64,
    /// The last slot was quiet, and the last frame of each track.
    was_quiet: bool,
    quiet: PerTrack<bool>,
    /// Slots since it began to play, after a start or a stop.
    since_start: u32,
    /// Whether what is heard is to be faster or slower, and while nobody speaks.
    course: Course,
    pause: Course,
    downstream_us: i64,
    /// The most of that which is to be reckoned with.
    downstream_most_us: f64,
    /// What left it and is not on its way yet: with who stretches time.
    held_us: i64,
    depth_us: i64,
    /// What that was measured from.
    measured_from_us: Option<i64>,
    counts: Stats,
}

impl Default for Jitter {
    fn default() -> Self {
        Jitter::new()
    }
}

impl Jitter {
    /// A buffer that heard nothing.
    pub fn new() -> Self {
        Jitter {
            lanes: PerTrack::default(),
            clock: None,
            spread: Spread::new(),
            phase: Phase::Waiting,
            next: 0,
            end: 0,
            heard_us: None,
            over: false,
            stalled: 0,
            unsettled_ms: 0,
            was_quiet: false,
            quiet: PerTrack {
                inbound: true,
                outbound: true,
            },
            since_start: 0,
            course: Course::Even,
            pause: Course::Even,
            downstream_us: ASSUMED_DOWNSTREAM_US,
            downstream_most_us: 0.0,
            held_us: 0,
            depth_us: 0,
            measured_from_us: None,
            counts: Stats::default(),
        }
    }

    /// Another stream begins: numbers and timestamps count anew. What waits is played first.
    pub fn on_stream(&mut self, _now_us: u64) {
        self.over = false;
        if self.phase == Phase::Over {
            self.phase = Phase::Waiting;
        }
        self.renumber();
    }

    /// What comes from now on follows what is there, whatever its numbers.
    fn renumber(&mut self) {
        self.clock = None;
        self.spread.clear();
        for track in Track::BOTH {
            self.lanes.get_mut(track).renumber();
        }
    }

    /// A frame came, at this time: its place; `None` where it became part of the one before.
    pub fn on_frame(&mut self, now_us: u64, frame: &AudioFrame) -> Option<i64> {
        self.counts.received += 1;
        let quiet_us = self.heard_us.map_or(0, |heard| now_us.saturating_sub(heard));
        let idle = quiet_us > IDLE_US;
        let base = self.spread.base().filter(|_| idle);
        if idle {
            self.spread.clear();
        }
        self.heard_us = Some(now_us);
        let track = frame.track();
        self.lanes.get_mut(track).heard_us = Some(now_us);
        if let Some(joined) = self.lanes.get_mut(track).join(frame, now_us) {
            self.counts.joined += u64::from(joined == Joined::Whole);
            self.after_put(track);
            return None;
        }
        let now = now_us as i64;
        let (mut clock, mut ms, mut at) = self.find(frame);
        if self.is_leap(now, at.0, frame.is_replayed()) {
            self.renumber();
            (clock, ms, at) = self.find(frame);
        }
        let (place, after_pause) = at;
        if self.clock.is_none() || ms > clock.ms {
            (clock.stamp, clock.ms) = (frame.timestamp_ms(), ms);
        }
        self.clock = Some(clock);
        let delay = now.saturating_sub(place.saturating_mul(SLOT_US));
        if !frame.is_replayed() {
            // What follows what came last was held back; what does not, was not said.
            if let Some(base) = base.filter(|_| place <= self.end) {
                self.spread.on_stall(now, delay - base);
            }
            self.spread.on_arrival(now, delay);
            if self.is_past(place) || (self.stalled > 0 && place == self.next) {
                self.spread.on_late(delay);
            }
        }
        if self.is_past(place) {
            self.counts.late += 1;
            return Some(place);
        }
        let entry = Entry {
            place,
            arrived_us: now_us,
            frame: frame.clone(),
            after_pause,
        };
        if self.lanes.get_mut(track).put(entry) {
            self.after_put(track);
        } else {
            self.counts.doubles += 1;
        }
        Some(place)
    }

    fn has_begun(&self) -> bool {
        self.lanes.inbound.begun || self.lanes.outbound.begun
    }

    /// Before the first slot nothing is: earlier frames may still come.
    fn is_past(&self, place: i64) -> bool {
        self.has_begun() && place < self.next
    }

    fn find(&self, frame: &AudioFrame) -> (Clock, i64, (i64, bool)) {
        let clock = self.clock.unwrap_or(Clock {
            stamp: frame.timestamp_ms(),
            ms: 0,
            zero: self.end.max(self.next),
        });
        let ms = clock.ms(frame.timestamp_ms());
        let lane = self.lanes.get(frame.track());
        (clock, ms, lane.place(frame.chunk(), clock.place(ms)))
    }

    /// Whether a frame at this place cannot belong to the clock of those before.
    fn is_leap(&self, now: i64, place: i64, replayed: bool) -> bool {
        if self.clock.is_none() {
            return false;
        }
        let delay = now.saturating_sub(place.saturating_mul(SLOT_US));
        let early = self.spread.base().is_some_and(|base| base - delay > MAX_EARLY_US);
        let far = place > self.end.saturating_add(MAX_LEAP);
        let back = match (self.has_begun(), replayed) {
            // What comes again after a break is only late.
            (true, true) => false,
            (true, false) => place < self.next.saturating_sub(MAX_BACK),
            (false, true) => place < self.end.saturating_sub(MAX_LEAP),
            (false, false) => place < self.end.saturating_sub(MAX_BACK),
        };
        far || back || (early && !replayed)
    }

    fn after_put(&mut self, track: Track) {
        let lane = self.lanes.get(track);
        self.end = self
            .end
            .max(lane.back().map_or(0, |place| place.saturating_add(1)));
        if lane.len() > MAX_WAITING {
            let first = lane.front().unwrap_or(self.next);
            self.let_go_before(first.saturating_add(1));
        }
    }

    /// Chunks that will not come.
    pub fn on_missed(&mut self, now_us: u64, track: Track, from: u32, to: u32) {
        self.counts.lost_ms += u64::from(to.saturating_sub(from).saturating_add(1)) * SLOT_MS;
        if let Some(place) = self.lanes.get_mut(track).on_missed(to) {
            let delay = (now_us as i64).saturating_sub(place.saturating_mul(SLOT_US));
            self.spread.on_missed(delay);
        }
    }

    /// Nothing more comes: what waits is played.
    pub fn on_over(&mut self) {
        self.over = true;
    }
}

#[cfg(test)]
mod tests;
