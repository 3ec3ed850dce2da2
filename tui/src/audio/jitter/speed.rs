//! How fast what leaves the buffer is to be heard: slower while it is less deep than it should be, faster while it is
//! deeper. A network that changes is followed so, in speech too; the two clocks are not: what differs by less
//! than [`FAST_FROM_US`] is left to them, and to the pauses, in which nobody hears that they are shorter.

use partyline_shared::track::Track;

use super::lane::View;
use super::spread::ASSUMED_US;
use super::{Jitter, MAX_TARGET_US, Phase, SLOT_US};

/// So far above the target it begins to play faster, µs: more than a clock that is off by a lot makes of the
/// depth until its pace is learnt.
const FAST_FROM_US: i64 = 40_000;

/// And goes on until it is no more than that, µs.
const FAST_TO_US: i64 = 4_000;

/// In a pause it begins to so near to the target, µs: more than what a clock makes of the depth.
const PAUSE_FAST_FROM_US: i64 = 14_000;
const PAUSE_SLOW_FROM_US: i64 = 10_000;

/// There a slot is left out or put in at once: it ends so near that one is never followed by the other.
const PAUSE_FAST_TO_US: i64 = SLOT_US - PAUSE_SLOW_FROM_US;
const PAUSE_SLOW_TO_US: i64 = SLOT_US - PAUSE_FAST_FROM_US;

/// So far below it begins to play slower, µs, until nothing is missing.
const SLOW_FROM_US: i64 = 12_000;

/// So far below it plays as slow as one can listen to, µs.
const FAR_US: i64 = 60_000;

/// A frame that is later than all that is allowed for, by so much, µs: half of the margin.
const LATE_US: i64 = 8_000;

/// A surplus of so much, µs, is caught up with as fast as one can listen to.
const MUCH_US: f32 = 400_000.0;

/// How fast one can listen to, and how little is not worth it.
const FASTEST: f32 = 1.5;
const LEAST_FASTER: f32 = 1.1;

/// How fast where nobody speaks.
const PAUSE_FASTER: f32 = 2.0;
const PAUSE_SLOWER: f32 = 0.5;

/// How slow while somebody speaks: a little short, far short, and before it runs dry.
const SLOWER: f32 = 0.85;
const FAR_SLOWER: f32 = 0.7;
const LATE_SLOWER: f32 = 0.5;

/// Where the depth is on its way to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// It is where it should be.
    Even,
    /// Down: faster.
    Less,
    /// Up: slower.
    More,
}

/// From where on something is done about it, and until where, µs.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: i64,
    to: i64,
}

impl Course {
    /// Where to, where so much is short of the target, or too much, µs; `slow` and `fast` are from where on that
    /// matters, and until where.
    fn next(self, (short, slow): (i64, Span), (surplus, fast): (i64, Span)) -> Course {
        match self {
            Course::Less if surplus > fast.to => Course::Less,
            Course::More if short > slow.to => Course::More,
            _ if surplus > fast.from => Course::Less,
            _ if short > slow.from => Course::More,
            _ => Course::Even,
        }
    }
}

impl Jitter {
    /// How fast the next 20 ms are to be heard, of 1, as what `downstream_us` says; see [`Jitter::pull`].
    pub fn speed(&mut self, now_us: u64, downstream_us: u64) -> f32 {
        if self.phase != Phase::Playing || self.over {
            (self.course, self.pause) = (Course::Even, Course::Even);
            return 1.0;
        }
        let downstream = downstream_us.min(MAX_TARGET_US as u64) as i64;
        let depth = self.depth_at(now_us as i64, downstream, self.next);
        let target = self.target_us();
        let short = target - depth;
        let surplus = depth.min(self.level_us()) - target;
        let span = |from, to| Span { from, to };
        let calm = self.is_calm();
        let to = match calm {
            true => (PAUSE_SLOW_TO_US, PAUSE_FAST_TO_US),
            false => (0, FAST_TO_US),
        };
        let (slow, fast) = (span(SLOW_FROM_US, to.0), span(FAST_FROM_US, to.1));
        self.course = self.course.next((short, slow), (surplus, fast));
        if !calm {
            self.pause = Course::Even;
        } else if self.course == Course::Even {
            // The frame that is due may come in a moment.
            let surplus = depth.min(self.level_us() + SLOT_US) - target;
            let (slow, fast) = (span(PAUSE_SLOW_FROM_US, to.0), span(PAUSE_FAST_FROM_US, to.1));
            self.pause = self.pause.next((short, slow), (surplus, fast));
        }
        let course = if self.course == Course::Even {
            self.pause
        } else {
            self.course
        };
        match course {
            Course::Less if calm => PAUSE_FASTER,
            Course::Less => {
                let share = (surplus as f32 / MUCH_US).clamp(0.0, 1.0);
                LEAST_FASTER + share * (FASTEST - LEAST_FASTER)
            }
            Course::Even | Course::More if self.runs_dry(now_us) => LATE_SLOWER,
            Course::Even => 1.0,
            Course::More if calm => PAUSE_SLOWER,
            Course::More if short > FAR_US => FAR_SLOWER,
            Course::More => SLOWER,
        }
    }

    /// Whether both tracks have what comes next, as far as more is expected of them.
    pub fn has_next(&self, now_us: u64) -> bool {
        let views = self.views(now_us);
        let has = |view| matches!(view, View::Here | View::Nothing);
        has(views.inbound)
            && has(views.outbound)
            && (views.inbound, views.outbound) != (View::Nothing, View::Nothing)
    }

    /// One more slot is there, and what follows it is late already; on both tracks, since what only one has not is
    /// lost. Where frames came evenly so far, so is what neither has.
    fn runs_dry(&self, now_us: u64) -> bool {
        let uneven = self.spread.allowance() > ASSUMED_US;
        let Some(base) = self.spread.base().filter(|_| uneven) else {
            return false;
        };
        let backs = Track::BOTH.map(|track| self.lanes.get(track).back());
        let back = backs.into_iter().flatten().max();
        let missing = back.map_or(self.next, |back| back.saturating_add(1));
        let due = (base + self.spread.allowance() + LATE_US).saturating_add(missing.saturating_mul(SLOT_US));
        missing == self.next.saturating_add(1) && now_us as i64 > due
    }
}
