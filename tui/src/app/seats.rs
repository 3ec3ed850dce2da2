//! What is known of heard calls beside which they are: those behind the one in front, how what was said before is
//! played, and whose next call is to be heard. What becomes of them is decided in `update`.

use partyline_shared::time::UtcTime;

use super::calls::Row;
use super::state::App;
use super::text::{Said, Side};
use crate::event::{CallKey, Playback, Playing};

/// Calls that are heard at once: one in front and three behind it. Nobody tells more apart.
pub const HEARD_MOST: usize = 4;

/// How much of a heard call the player remembers, ms: as far back as it can be heard again.
pub const REMEMBERED_MS: u64 = 5 * 60 * 1000;

/// How long before a line was written down it may have begun, ms, where it does not say: a sentence, and the time an
/// engine takes for it.
pub const LINE_LEAD_MS: i64 = 4_000;

/// How far behind live it is that a line may be looked up, ms: nearer, it is not written down yet.
const BEHIND_LEAST_MS: u32 = 1_000;

/// How what was said before is played.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replay {
    /// One and a half times as fast.
    pub fast: bool,
    /// Silence is left out.
    pub skip_silence: bool,
    /// Since when the call is heard, ms of [`crate::event::Now::ms`]: what came before is not remembered.
    pub since: u64,
}

/// A call that is heard behind the one in front.
#[derive(Debug, Clone, PartialEq)]
pub struct Seat {
    /// Which call.
    pub call: CallKey,
    /// How its past is played.
    pub replay: Replay,
    /// How it went when it was in front.
    pub playback: Playback,
}

/// Whose next call is heard by itself when theirs has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowOn {
    /// The agent or the customer.
    pub whom: Side,
    /// The agent's address, or the customer's number with the operator.
    pub name: String,
    /// Their call.
    pub call: CallKey,
    /// Whether it has ended, and the next one is waited for.
    pub waits: bool,
}

impl FollowOn {
    /// Whether a call is one of theirs.
    pub fn is_of(&self, row: &Row) -> bool {
        let name = match self.whom {
            Side::Agent => &row.agent,
            Side::Customer => &row.customer_id,
        };
        name.as_ref() == Some(&self.name)
    }
}

impl App {
    /// The calls that are heard, the one in front first.
    pub fn heard_calls(&self) -> impl Iterator<Item = &CallKey> {
        let behind = self.behind.iter().map(|seat| &seat.call);
        self.heard.iter().chain(behind)
    }

    /// Whether a call is heard, in front or behind.
    pub fn hears(&self, call: &CallKey) -> bool {
        self.heard_calls().any(|heard| heard == call)
    }

    /// Whether a call is heard behind the one in front.
    pub fn hears_behind(&self, call: &CallKey) -> bool {
        self.behind.iter().any(|seat| seat.call == *call)
    }

    /// How much of the call in front can be heard again, ms.
    pub fn remembered_ms(&self) -> u64 {
        let heard = self.now.ms.saturating_sub(self.replay.since);
        heard.min(REMEMBERED_MS)
    }

    /// When what is heard now was said, where that is not now.
    pub fn heard_at(&self) -> Option<UtcTime> {
        let is_past = matches!(self.playback.state, Playing::Behind | Playing::Paused)
            && self.playback.behind_ms >= BEHIND_LEAST_MS;
        let behind = i64::from(self.playback.behind_ms);
        is_past.then(|| self.now.utc.plus_ms(-behind))
    }

    /// The line of the shown call that is heard now, where what is heard lies behind live.
    pub fn heard_line(&self) -> Option<u64> {
        let at = self.heard_at().filter(|_| self.hears_shown())?;
        let lines = &self.shown_texts()?.lines;
        let line = lines.iter().rev().find(|line| line.begins() <= at)?;
        (at <= line.ends()).then_some(line.id)
    }

    /// The line that Enter plays: one that was moved to or found, of a call that is heard.
    pub fn line_to_play(&self) -> Option<&Said> {
        let heard = self.shown.as_ref().filter(|call| self.hears(call))?;
        let texts = self.texts.get(heard)?;
        let view = &texts.lines_view;
        let moved = view.bottom.and_then(|_| view.bottom_index(&texts.lines));
        texts.lines.get(view.found_index(&texts.lines).or(moved)?)
    }
}

impl Said {
    /// When it was begun to be said, as far as that is known.
    pub fn begins(&self) -> UtcTime {
        self.from.unwrap_or_else(|| self.at.plus_ms(-LINE_LEAD_MS))
    }

    /// When it was said to its end, as far as that is known.
    pub fn ends(&self) -> UtcTime {
        self.to.unwrap_or(self.at)
    }
}
