//! What was played, for the screen to look at: columns of 20 ms in atomics. Neither side waits for the other; a
//! reader that comes late has lost what was written over, and can say how much.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64, fence};

use crate::event::Column;

/// Columns that are kept: 10 s, forty times what passes between two looks of an idle screen.
const KEPT: usize = 512;

/// Both sides' last columns. One thread writes.
#[derive(Debug)]
pub struct Scope {
    columns: Box<[AtomicU32]>,
    /// How many were ever written.
    written: AtomicU64,
    /// What was written before this belongs to another call.
    from: AtomicU64,
}

/// Where a reader is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cursor {
    next: u64,
    lost: u64,
}

impl Cursor {
    /// Columns that were written over before they were read.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

impl Default for Scope {
    fn default() -> Self {
        Scope::new()
    }
}

impl Scope {
    /// Nothing was played.
    pub fn new() -> Self {
        Scope {
            columns: (0..KEPT).map(|_| AtomicU32::new(0)).collect(),
            written: AtomicU64::new(0),
            from: AtomicU64::new(0),
        }
    }

    /// 20 ms were played.
    pub fn hear(&self, customer: Column, agent: Column) {
        let at = self.written.load(Relaxed);
        if let Some(column) = self.columns.get(at as usize % KEPT) {
            let bytes = [customer.low, customer.high, agent.low, agent.high];
            column.store(u32::from_ne_bytes(bytes.map(|value| value as u8)), Relaxed);
        }
        self.written.store(at + 1, Release);
    }

    /// Another call begins: what nobody read of the last one is nobody's loss.
    pub fn clear(&self) {
        self.from.store(self.written.load(Relaxed), Release);
    }

    /// Adds what was played since the last time, oldest first, as many columns to each side.
    pub fn read(&self, cursor: &mut Cursor, customer: &mut Vec<Column>, agent: &mut Vec<Column>) {
        let written = self.written.load(Acquire);
        let from = self.from.load(Acquire).min(written);
        cursor.next = cursor.next.max(from).min(written);
        let first = cursor.next.max(written.saturating_sub(KEPT as u64 - 1));
        cursor.lost += first - cursor.next;
        let (customers, agents) = (customer.len(), agent.len());
        for at in first..written {
            let column = self.columns.get(at as usize % KEPT);
            let bytes = column.map_or(0, |column| column.load(Relaxed)).to_ne_bytes();
            let [low, high, agent_low, agent_high] = bytes.map(|value| value as i8);
            customer.push(Column { low, high });
            agent.push(Column {
                low: agent_low,
                high: agent_high,
            });
        }
        cursor.next = written;
        // The writer may have come around meanwhile, and be at one more: those are not what they say.
        fence(Acquire);
        let whole = (self.written.load(Relaxed) + 1).saturating_sub(KEPT as u64);
        let torn = whole.min(written).saturating_sub(first);
        customer.drain(customers..customers + torn as usize);
        agent.drain(agents..agents + torn as usize);
        cursor.lost += torn;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(high: u64) -> Column {
        Column {
            low: -((high % 100) as i8),
            high: (high % 100) as i8,
        }
    }

    fn hear(scope: &Scope, numbers: std::ops::Range<u64>) {
        for n in numbers {
            scope.hear(column(n), column(n + 7));
        }
    }

    fn read(scope: &Scope, cursor: &mut Cursor) -> Vec<Column> {
        let (mut customer, mut agent) = (Vec::new(), vec![Column::default()]);
        scope.read(cursor, &mut customer, &mut agent);
        assert_eq!(customer.len() + 1, agent.len());
        for (one, other) in customer.iter().zip(&agent[1..]) {
            assert_eq!((one.high + 7) % 100, other.high);
            assert_eq!((one.low, other.low), (-one.high, -other.high));
        }
        customer
    }

    #[test]
    fn each_reader_gets_each_column_once() {
        let scope = Scope::new();
        let (mut one, mut other) = (Cursor::default(), Cursor::default());
        assert_eq!(read(&scope, &mut one), []);
        hear(&scope, 0..3);
        assert_eq!(read(&scope, &mut one), [column(0), column(1), column(2)]);
        hear(&scope, 3..4);
        assert_eq!(read(&scope, &mut one), [column(3)]);
        assert_eq!(read(&scope, &mut other).len(), 4);
        assert_eq!((one.lost(), other.lost()), (0, 0));
    }

    #[test]
    fn who_comes_late_has_the_newest_and_knows_what_it_lost() {
        let scope = Scope::new();
        let mut cursor = Cursor::default();
        hear(&scope, 0..2_000);
        let got = read(&scope, &mut cursor);
        assert_eq!(got.last(), Some(&column(1_999)));
        assert_eq!(got.len() as u64 + cursor.lost(), 2_000);
        assert!(got.len() >= KEPT - 2);
    }

    #[test]
    fn another_call_begins_empty_and_nothing_is_lost_by_that() {
        let scope = Scope::new();
        let mut cursor = Cursor::default();
        hear(&scope, 0..900);
        scope.clear();
        assert_eq!((read(&scope, &mut cursor), cursor.lost()), (vec![], 0));
        hear(&scope, 5..6);
        assert_eq!(read(&scope, &mut cursor), [column(5)]);
    }

    #[test]
    fn a_reader_beside_a_fast_writer_sees_only_whole_columns_in_order() {
        let scope = Scope::new();
        std::thread::scope(|threads| {
            let writer = threads.spawn(|| hear(&scope, 0..300_000));
            let mut cursor = Cursor::default();
            let mut got = 0;
            while !writer.is_finished() {
                let lost = cursor.lost();
                let columns = read(&scope, &mut cursor);
                let first = got + cursor.lost() - lost;
                for (n, heard) in columns.iter().enumerate() {
                    assert_eq!(*heard, column(first + n as u64));
                }
                got = first + columns.len() as u64;
            }
            read(&scope, &mut cursor);
        });
    }
}
