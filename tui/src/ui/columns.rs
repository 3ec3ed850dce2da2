//! Which columns of the list have room, and how wide each is. What matters most comes first into the room;
//! what room is then left goes to those that can use it.

/// One column of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Glyph and word.
    State,
    /// Whose call it is.
    Customer,
    /// Who answers.
    Agent,
    /// From whom to whom.
    Parties,
    /// How long.
    Time,
    /// A level a side, a cell or a bar each.
    Levels,
    /// Whose the talk is, in percent.
    Talk,
    /// The same as a bar.
    Balance,
    /// How many listen.
    Listeners,
    /// Whose relay it is on.
    Relay,
}

/// A column and its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Which.
    pub column: Column,
    /// Its cells, without the gap behind it.
    pub cells: u16,
}

/// Cells before the first column: cursor, what is heard, a gap.
pub const MARKS: u16 = 3;
/// Cells of two levels as a cell each.
pub const LEVELS_SMALL: u16 = 2;
/// Cells of two levels as bars with a gap between them: four each.
pub const LEVELS_BARS: u16 = 9;

/// Columns as they come into the room, with the least cells that each can be read in.
const WANTED: [(Column, u16); 13] = [
    (Column::State, 11),
    (Column::Customer, 8),
    (Column::Time, 7),
    (Column::Levels, LEVELS_SMALL),
    (Column::Agent, 5),
    // A telephone number with its country, uncut: many differ in their last digits only.
    (Column::Customer, 12),
    (Column::Talk, 5),
    (Column::Listeners, 3),
    (Column::Relay, 6),
    (Column::Agent, 12),
    (Column::Levels, LEVELS_BARS),
    (Column::Parties, 24),
    (Column::Balance, 8),
];

/// Columns that can use more than the least, to how much, in the order in which they get it.
const GROWING: [(Column, u16); 8] = [
    (Column::Customer, 12),
    (Column::Agent, 12),
    (Column::Customer, 16),
    (Column::Parties, 30),
    (Column::Agent, 20),
    (Column::Customer, 24),
    (Column::Parties, 44),
    (Column::Levels, 17),
];

/// Columns from left to right.
const ORDER: [Column; 10] = [
    Column::State,
    Column::Customer,
    Column::Agent,
    Column::Parties,
    Column::Time,
    Column::Levels,
    Column::Talk,
    Column::Balance,
    Column::Listeners,
    Column::Relay,
];

/// What fits into so many cells; `relays` says whether it matters whose call it is.
pub fn choose(cells: u16, relays: bool) -> Vec<Slot> {
    let mut room = cells.saturating_sub(MARKS);
    let mut chosen: Vec<Slot> = Vec::with_capacity(ORDER.len());
    for (column, least) in WANTED {
        if column == Column::Relay && !relays {
            continue;
        }
        match chosen.iter_mut().find(|slot| slot.column == column) {
            Some(slot) => grow(slot, least, &mut room),
            None => {
                let gap = u16::from(!chosen.is_empty());
                if let Some(left) = room.checked_sub(least + gap) {
                    room = left;
                    chosen.push(Slot { column, cells: least });
                } else if matches!(column, Column::State | Column::Customer | Column::Time) {
                    // In less than the least the first ones have what there is.
                    break;
                }
            }
        }
    }
    for (column, most) in GROWING {
        if let Some(slot) = chosen.iter_mut().find(|slot| slot.column == column) {
            let more = most.saturating_sub(slot.cells).min(room);
            // Bars are equally long: an odd cell is of no use to them.
            let more = if column == Column::Levels {
                if slot.cells < LEVELS_BARS { 0 } else { more / 2 * 2 }
            } else {
                more
            };
            slot.cells += more;
            room -= more;
        }
    }
    let place = |slot: &Slot| ORDER.iter().position(|column| *column == slot.column);
    chosen.sort_by_key(place);
    chosen
}

/// All or nothing: what is half a step is no better.
fn grow(slot: &mut Slot, cells: u16, room: &mut u16) {
    let more = cells.saturating_sub(slot.cells);
    if let Some(left) = room.checked_sub(more) {
        *room = left;
        slot.cells += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(cells: u16, relays: bool) -> Vec<Column> {
        choose(cells, relays)
            .into_iter()
            .map(|slot| slot.column)
            .collect()
    }

    #[test]
    fn the_narrowest_list_says_who_how_long_and_how_loud() {
        assert_eq!(
            names(40, false),
            [
                Column::State,
                Column::Customer,
                Column::Agent,
                Column::Time,
                Column::Levels
            ]
        );
        assert!(names(50, false).contains(&Column::Talk));
        assert!(names(96, false).contains(&Column::Parties));
        assert!(names(110, false).contains(&Column::Balance));
        assert!(names(62, true).contains(&Column::Relay));
    }

    #[test]
    fn a_telephone_number_is_cut_only_where_nothing_else_can_give_way() {
        for cells in 44..300 {
            let chosen = choose(cells, false);
            let customer = chosen.iter().find(|slot| slot.column == Column::Customer);
            assert!(
                customer.is_some_and(|slot| slot.cells >= 12),
                "{cells}: {chosen:?}"
            );
        }
    }

    #[test]
    fn columns_never_need_more_than_there_is_and_waste_little() {
        for cells in 0..300 {
            for relays in [false, true] {
                let chosen = choose(cells, relays);
                let used: u16 = chosen.iter().map(|slot| slot.cells + 1).sum();
                assert!(
                    chosen.is_empty() || used - 1 + MARKS <= cells,
                    "{cells}: {chosen:?}"
                );
            }
        }
    }
}
