//! When time has to pass for the app: `run` sleeps until then, and no longer where nothing happens.

use super::calls::{PerSide, Row};
use super::state::{App, Link};
use crate::event::Column;

/// How long a selection rests before its call is shown, ms: longer than between two presses of a key that is
/// held, shorter than anyone waits.
pub const SHOW_AFTER_MS: u64 = 150;

/// How often levels become columns, ms: as often as they come.
pub const LEVEL_STEP_MS: u64 = 200;

impl App {
    /// When the next [`crate::event::Event::Tick`] is due, on [`crate::event::Now::ms`]; `None` where nothing waits.
    pub fn deadline(&self) -> Option<u64> {
        let resting = self.pending.selected_at.saturating_add(SHOW_AFTER_MS);
        let since_second = u64::try_from(self.now.utc.unix_ms().rem_euclid(1000)).unwrap_or(0);
        let second = self.now.ms.saturating_add(1000 - since_second);
        let columns = self.pending.columns_to.unwrap_or(self.now.ms);
        [
            self.notice.as_ref().map(|notice| notice.until),
            self.is_resting().then_some(resting),
            self.list.lingers_until(),
            self.pending.back.iter().map(|back| back.until).min(),
            self.is_counting().then_some(second),
            self.loud_level().map(|_| columns.saturating_add(LEVEL_STEP_MS)),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Whether the selection has not rested long enough.
    pub(super) fn is_resting(&self) -> bool {
        self.list.selected.is_some() && self.list.selected != self.shown
    }

    /// Whether a duration on the screen changes: a call's, the time until a relay is tried again, or since it has heard
    /// of others.
    pub(super) fn is_counting(&self) -> bool {
        let grows = |row: &Row| !row.is_ended() && self.as_of(row).is_none();
        let seen = self
            .list
            .window(self.sizes.list)
            .iter()
            .filter_map(|key| self.row(key));
        seen.chain(self.shown_row()).any(grows)
            || self.relays.iter().any(|relay| match relay.link {
                Link::Away { retry_at, .. } => retry_at > self.now.ms,
                Link::Refused { retry_at, .. } => retry_at.is_some_and(|at| at > self.now.ms),
                Link::Online { .. } => relay.cut_off_since().is_some(),
                Link::Connecting { .. } => false,
            })
    }

    /// The shown call's levels, where columns are made from them and one of them is seen.
    pub(super) fn loud_level(&self) -> Option<PerSide<Option<f32>>> {
        let row = self
            .shown_row()
            .filter(|row| row.is_live() && !self.history.is_played)?;
        let is_loud = |level| !Column::of_level(level).is_flat();
        (is_loud(row.level.customer) || is_loud(row.level.agent)).then_some(row.level)
    }
}
