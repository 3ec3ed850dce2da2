//! The selection, and the row of the screen it stands on. It is a call: what comes and goes above it moves the
//! list, not the cursor, as long as the list is longer than the pane.

use super::{List, Row};
use crate::event::CallKey;

impl List {
    /// The selected call's row.
    pub fn selected_row(&self) -> Option<&Row> {
        self.calls.get(self.selected.as_ref()?)
    }

    /// The selected call's place in the order.
    pub fn selected_index(&self) -> Option<usize> {
        self.index_of(self.selected.as_ref()?)
    }

    /// The place of the first call that is drawn in a pane of so many rows.
    pub fn offset(&self, rows: u16) -> usize {
        let at = self.selected_index().unwrap_or(0);
        let highest = self.order.len().saturating_sub(usize::from(rows.max(1)));
        let row = self.cursor_row.min(rows.saturating_sub(1));
        at.saturating_sub(usize::from(row)).min(highest)
    }

    /// The calls that are drawn in a pane of so many rows.
    pub fn window(&self, rows: u16) -> &[CallKey] {
        let from = self.offset(rows);
        let to = from.saturating_add(usize::from(rows)).min(self.order.len());
        self.order.get(from..to).unwrap_or_default()
    }

    /// So many calls down, or up where negative: the cursor moves on the screen, and the list only at its edges.
    pub(in crate::app) fn move_by(&mut self, calls: isize, rows: u16) {
        let Some(at) = self.selected_index() else {
            return;
        };
        let to = at
            .saturating_add_signed(calls)
            .min(self.order.len().saturating_sub(1));
        let row = usize::from(self.cursor_row).saturating_add_signed(to.cast_signed() - at.cast_signed());
        self.select(to, row, rows);
    }

    /// A pane's height down or up: the list moves under the cursor.
    pub(in crate::app) fn page(&mut self, down: bool, rows: u16) {
        let Some(at) = self.selected_index() else {
            return;
        };
        let page = usize::from(rows.max(1));
        let to = if down {
            at.saturating_add(page)
        } else {
            at.saturating_sub(page)
        };
        self.select(to, usize::from(self.cursor_row), rows);
    }

    /// The first, or the last.
    pub(in crate::app) fn go_to_edge(&mut self, last: bool, rows: u16) {
        let (at, row) = if last { (usize::MAX, usize::MAX) } else { (0, 0) };
        self.select(at, row, rows);
    }

    /// This call, where it is seen.
    pub(in crate::app) fn select_call(&mut self, key: &CallKey) {
        if self.index_of(key).is_some() {
            self.selected = Some(key.clone());
            self.lingers_until = 0;
        }
    }

    fn select(&mut self, at: usize, row: usize, rows: u16) {
        let Some(key) = self.order.get(at.min(self.order.len().saturating_sub(1))) else {
            return;
        };
        self.selected = Some(key.clone());
        // The one that was selected may have kept its place for that alone.
        self.lingers_until = 0;
        self.cursor_row = u16::try_from(row).unwrap_or(u16::MAX);
        self.settle_cursor(rows);
    }

    /// Puts the cursor on the row where its call is drawn, and on the first call where none is selected.
    pub(in crate::app) fn settle_cursor(&mut self, rows: u16) {
        if self.selected.is_none() {
            self.selected = self.order.first().cloned();
        }
        let at = self.selected_index().unwrap_or(0);
        let row = at.saturating_sub(self.offset(rows));
        self.cursor_row = u16::try_from(row).unwrap_or(0).min(rows.saturating_sub(1));
    }

    /// A call left its place: where it was selected and is not seen elsewhere, the next one is now.
    pub(super) fn reselect(&mut self, key: &CallKey, was_at: Option<usize>) {
        if self.selected.as_ref() != Some(key) || self.index_of(key).is_some() {
            return;
        }
        let at = was_at.unwrap_or(0).min(self.order.len().saturating_sub(1));
        self.selected = self.order.get(at).cloned();
        self.lingers_until = 0;
    }

    /// The order was made anew: the selected call, or the nearest after it, or before it, of the old order.
    pub(super) fn reselect_after(&mut self, old: &[CallKey]) {
        let Some(selected) = self.selected.clone() else {
            return;
        };
        if self.index_of(&selected).is_some() {
            return;
        }
        let at = old.iter().position(|key| *key == selected).unwrap_or(0);
        let (before, after) = old.split_at_checked(at).unwrap_or_default();
        let near = after.iter().chain(before.iter().rev());
        self.selected = near
            .filter(|key| self.index_of(key).is_some())
            .chain(self.order.first())
            .next()
            .cloned();
        self.lingers_until = 0;
    }
}
