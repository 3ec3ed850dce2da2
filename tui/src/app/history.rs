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

/// A column's length, ms.
pub const COLUMN_MS: u64 = 20;

/// How far the peaks of speech stand over its RMS: 12 dB. A level is drawn as high as the samples it stands for.
const CREST: f32 = 4.0;

/// Full scale of a column.
const FULL: f32 = 127.0;

impl Column {
    /// Whether there is nothing to see of it but a line.
    pub fn is_flat(self) -> bool {
        self.low == 0 && self.high == 0
    }

    /// The column of a level, dBFS RMS; flat without one.
    pub fn of_level(db: Option<f32>) -> Column {
        let rms = db.map_or(0.0, |db| 10f32.powf(db / 20.0));
        // A level that is no number is flat: `as` makes it 0.
        let high = (rms * CREST * FULL).clamp(0.0, FULL) as i8;
        Column { low: -high, high }
    }
}

impl History {
    /// Puts columns at the end, as many for each side, and lets the oldest go. Whether the picture is another:
    /// silence after silence is none.
    pub fn push(&mut self, customer: &[Column], agent: &[Column]) -> bool {
        let new = customer.iter().chain(agent);
        let was_flat = self.is_flat();
        let changes = !was_flat || new.into_iter().any(|column| !column.is_flat());
        put(&mut self.columns.customer, customer);
        put(&mut self.columns.agent, agent);
        changes
    }

    /// Begins anew, with columns of another source or call.
    pub fn clear(&mut self, is_played: bool) {
        self.columns.customer.clear();
        self.columns.agent.clear();
        self.is_played = is_played;
    }

    /// Whether all of it is silence.
    pub fn is_flat(&self) -> bool {
        let both = self.columns.customer.iter().chain(&self.columns.agent);
        both.into_iter().all(|column| column.is_flat())
    }
}

fn put(columns: &mut VecDeque<Column>, new: &[Column]) {
    let new = new.get(new.len().saturating_sub(KEPT)..).unwrap_or_default();
    let over = (columns.len() + new.len()).saturating_sub(KEPT);
    columns.drain(..over);
    columns.extend(new);
}
