//! The last seconds of the shown call, ready to draw: a column is 20 ms of each side, oldest first. It is
//! filled with what was played, or, of a call that is not heard, with what its levels say.

use std::collections::VecDeque;

use super::calls::PerSide;
use crate::event::Column;

/// Columns kept: 20 s, a column of dots each on a screen of 500 columns.
pub const KEPT: usize = 1000;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The columns, by side.
    pub columns: PerSide<VecDeque<Column>>,
    /// Whether they are of played samples; else they are drawn from levels.
    pub is_played: bool,
}
