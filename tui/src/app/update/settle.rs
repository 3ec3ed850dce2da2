//! What time does: a selection has rested, a notice is over, a duration is a second longer.

use super::super::calls::PerSide;
use super::super::effect::Effect;
use super::super::history::{COLUMN_MS, KEPT};
use super::super::state::{App, Dirty};
use super::{back, next, show};
use crate::app::deadline::{LEVEL_STEP_MS, SHOW_AFTER_MS};
use crate::event::Column;

/// Columns of one step.
const STEP: usize = (LEVEL_STEP_MS / COLUMN_MS) as usize;

/// Looks at all that waits.
pub(super) fn settle(app: &mut App, effects: &mut Vec<Effect>) {
    next::settle(app, effects);
    if app.list.settle_ended(app.now.ms) {
        app.touch(Dirty::List);
    }
    let row = app.list.cursor_row;
    app.list.settle_cursor(app.sizes.list);
    if app.list.cursor_row != row {
        app.touch(Dirty::List);
    }
    rest(app, effects);
    // The call that was shown until now may have been in the list for that alone.
    app.list.settle_cursor(app.sizes.list);
    if app
        .notice
        .as_ref()
        .is_some_and(|notice| notice.until <= app.now.ms)
    {
        app.notice = None;
        app.touch(Dirty::Now);
    }
    back::tell(app);
    columns(app);
    let second = app.now.utc.unix_ms().div_euclid(1000);
    if second != app.pending.second {
        app.pending.second = second;
        if app.is_counting() {
            app.touch(Dirty::Second);
        }
    }
}

/// A call that was selected for a moment is shown: running through the list asks for nothing.
fn rest(app: &mut App, effects: &mut Vec<Effect>) {
    if app.list.selected != app.pending.selected {
        app.pending.selected = app.list.selected.clone();
        app.pending.selected_at = app.now.ms;
        app.touch(Dirty::List);
    }
    if app.is_resting() && app.now.ms >= app.pending.selected_at.saturating_add(SHOW_AFTER_MS) {
        show::show(app, app.list.selected.clone(), effects);
    }
}

/// The shown call's levels as columns, while there is anything to see of them. Levels come on change only, so
/// the last one holds; a silence is made up for when it ends.
fn columns(app: &mut App) {
    let now = app.now.ms;
    let Some(level) = app.loud_level() else {
        return;
    };
    let columns = PerSide {
        customer: [Column::of_level(level.customer); STEP],
        agent: [Column::of_level(level.agent); STEP],
    };
    let Some(to) = app.pending.columns_to else {
        app.pending.columns_to = Some(now);
        return;
    };
    let mut to = to;
    let behind = now.saturating_sub(to);
    if behind > 2 * LEVEL_STEP_MS {
        let silence = [Column::default(); KEPT];
        let count = usize::try_from((behind - LEVEL_STEP_MS) / COLUMN_MS).unwrap_or(KEPT);
        let silence = silence.get(..count.min(KEPT)).unwrap_or_default();
        app.history.push(silence, silence);
        to = now - LEVEL_STEP_MS;
    }
    while to + LEVEL_STEP_MS <= now {
        to += LEVEL_STEP_MS;
        if app.history.push(&columns.customer, &columns.agent) {
            app.touch(Dirty::List);
        }
    }
    app.pending.columns_to = Some(to);
}
