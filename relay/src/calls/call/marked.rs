//! A moment that somebody marked: an event of the call, which all see who see the call, also while it is held back and
//! once it is over. Asks for the right to it: what a bearer may not hear does not exist for it.

use partyline_shared::event::{Event, EventKind};
use partyline_shared::time::UtcTime;
use serde_json::json;

use super::{Call, Held, Tell};
use crate::access::Grant;
use crate::calls::journal::BY;
use crate::clock::Now;
use crate::lock::lock;

/// Marks of one name among the events that a call remembers: one every other minute of a call of three hours. With
/// the next one, it has to wait until older ones are forgotten.
pub const MARKS_BY_ONE: usize = 100;

/// Marks of all together: a quarter of what is remembered, so that the call's own events keep their place.
pub const MARKS_BY_ALL: usize = 500;

/// How far a moment may lie outside the call, ms: clocks of those who hear it, and of relays that hand it over, differ
/// by so much. It is taken for the call's first, or for now.
const TOLERANCE_MS: i64 = 5_000;

/// A moment to be marked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mark {
    /// Which; now without.
    pub at: Option<UtcTime>,
    /// What for, clean.
    pub text: Option<String>,
}

/// Why a moment is not marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotMarked {
    /// The call is none of the bearer's, or nobody's any more.
    NotTheirs,
    /// Another relay has it by now, or is about to let go of it: nothing was written.
    Elsewhere,
    /// It lies before the call.
    Before,
    /// It has not come yet.
    ToCome,
    /// The bearer has marked as many as it may.
    TooMany,
    /// All together have.
    TooManyOfAll,
}

impl Call {
    /// Marks a moment in the name of `grant`; the event as everybody is shown it.
    ///
    /// # Errors
    /// [`NotMarked`].
    pub fn mark_by(&self, now: Now, grant: &Grant, mark: Mark) -> Result<Event, NotMarked> {
        self.change(now, |state| {
            if state.forgotten || !state.is_covered_by(grant) {
                return (Tell::Nothing, Err(NotMarked::NotTheirs));
            }
            if state.mirror.held != Held::Ours {
                return (Tell::Nothing, Err(NotMarked::Elsewhere));
            }
            let at = match within(mark.at, state.life.started_at(), now.wall) {
                Ok(at) => at,
                Err(why) => return (Tell::Nothing, Err(why)),
            };
            match state.journal.marks(grant.name()) {
                (own, _) if own >= MARKS_BY_ONE => return (Tell::Nothing, Err(NotMarked::TooMany)),
                (_, all) if all >= MARKS_BY_ALL => return (Tell::Nothing, Err(NotMarked::TooManyOfAll)),
                _ => {}
            }
            let mut detail = json!({ BY: grant.name(), "at": at });
            if let (Some(detail), Some(text)) = (detail.as_object_mut(), mark.text) {
                detail.insert("text".to_owned(), text.into());
            }
            let Some(kept) = detail.as_object().cloned() else {
                return (Tell::Nothing, Err(NotMarked::Elsewhere));
            };
            state.event(now.wall, EventKind::Mark, detail);
            let event = Event {
                seq: state.journal.last().event,
                at: now.wall,
                kind: EventKind::Mark,
                detail: kept,
            };
            (Tell::Nothing, Ok(event))
        })
    }

    /// Whether `grant` may mark moments of it: who may hear it may.
    pub fn may_be_marked_by(&self, grant: &Grant) -> bool {
        let state = lock(&self.state);
        !state.forgotten && state.is_covered_by(grant)
    }
}

/// The moment that is meant, within the call.
fn within(at: Option<UtcTime>, start: UtcTime, now: UtcTime) -> Result<UtcTime, NotMarked> {
    let at = at.unwrap_or(now);
    if at < start.plus_ms(-TOLERANCE_MS) {
        return Err(NotMarked::Before);
    }
    if at > now.plus_ms(TOLERANCE_MS) {
        return Err(NotMarked::ToCome);
    }
    Ok(at.min(now).max(start.min(now)))
}

#[cfg(test)]
mod tests;
