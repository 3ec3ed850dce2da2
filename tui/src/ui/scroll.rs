//! What transcript and events have in common: entries of one or more rows, seen from a bottom entry upwards,
//! so that what is read stays where it is while more comes. Only entries in sight are made into rows.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Look;
use super::pen::Pen;
use super::text;
use crate::app::text::View;
use crate::app::text::view::Entry;

/// A stretch of a row in one style.
pub type Piece = (String, Style);
/// A row, from left to right.
pub type Row = Vec<Piece>;

/// What can be seen.
pub struct Seen {
    /// The rows, from the top; no more than there is room for.
    pub rows: Vec<Row>,
    /// Entries that begin below.
    pub below: usize,
}

/// The rows of entries `0..count` that fit, with entry `bottom` as the last, or the last one of all. `make`
/// makes an entry's rows.
pub fn seen(
    count: usize,
    bottom: Option<usize>,
    room: usize,
    mut make: impl FnMut(usize) -> Vec<Row>,
) -> Seen {
    let last = count.saturating_sub(1);
    let bottom_at = bottom.map_or(last, |at| at.min(last));
    let mut above: Vec<Vec<Row>> = Vec::new();
    let mut used = 0;
    let mut next = count.min(bottom_at + 1);
    while used < room && next > 0 {
        next -= 1;
        let mut rows = make(next);
        let spare = room - used;
        if rows.len() > spare {
            if above.is_empty() && bottom.is_some() {
                // An entry that is larger than the pane, and scrolled to: its begin.
                rows.truncate(spare);
            } else {
                rows.drain(..rows.len() - spare);
            }
        }
        used += rows.len();
        above.push(rows);
    }
    let mut rows: Vec<Row> = above.into_iter().rev().flatten().collect();
    // Scrolled to the begin, there may be room left below.
    let mut end = count.min(bottom_at + 1);
    while rows.len() < room && end < count {
        rows.extend(make(end));
        end += 1;
    }
    rows.truncate(room);
    Seen {
        rows,
        below: count - end,
    }
}

/// The entry that a view holds on to, by its place; `None` where it follows what comes.
pub fn bottom<T: Entry>(view: &View, entries: &[T]) -> Option<usize> {
    view.bottom.and_then(|_| view.bottom_index(entries))
}

/// Draws rows below a pane's title.
pub fn draw_rows(rows: &[Row], look: &Look, area: Rect, buf: &mut Buffer) {
    for (at, row) in (1..).zip(rows) {
        let mut pen = Pen::new(buf, area, at, look.glyphs.cut);
        for (text, style) in row {
            pen.put(text, *style);
        }
    }
}

/// Draws words in a pane that has nothing else to show.
pub fn draw_words(words: &str, look: &Look, area: Rect, buf: &mut Buffer) {
    let room = usize::from(area.width.saturating_sub(4));
    let words = text::safe(words, room * usize::from(area.height));
    let rows: Vec<Row> = text::wrap(&words, room)
        .into_iter()
        .map(|row| {
            vec![
                ("   ".to_owned(), look.theme.text),
                piece(&words, row, look.theme.text),
            ]
        })
        .collect();
    draw_rows(&rows, look, area, buf);
}

/// How much is out of sight below, and what leads there.
pub fn aside(look: &Look, view: &View, below: usize) -> String {
    match (view.bottom, below) {
        (None, _) => String::new(),
        (Some(_), 0) => "End follows".to_owned(),
        (Some(_), count) => format!("{}{count} more, End follows", look.glyphs.down),
    }
}

/// `body`, wrapped into `room` cells, with what is searched for in it marked. `first` stands before its
/// first row, `indent` cells before the others.
pub fn wrapped(
    first: Row,
    indent: u16,
    body: &str,
    room: u16,
    style: Style,
    search: &str,
    look: &Look,
) -> Vec<Row> {
    let room = usize::from(room.max(1));
    let body = text::safe(body, partyline_shared::text::MAX_TEXT);
    let found = text::find(&body, search);
    let mut first = Some(first);
    let mut rows = Vec::new();
    for range in text::wrap(&body, room) {
        let mut row = first
            .take()
            .unwrap_or_else(|| vec![(" ".repeat(usize::from(indent)), look.theme.text)]);
        let mut at = range.start;
        for hit in &found {
            let (from, to) = (hit.start.clamp(at, range.end.max(at)), hit.end.min(range.end));
            if from < to {
                row.push(piece(&body, at..from, style));
                row.push(piece(&body, from..to, style.patch(look.theme.found)));
                at = to;
            }
        }
        row.push(piece(&body, at..range.end, style));
        rows.push(row);
    }
    rows
}

fn piece(text: &str, range: Range<usize>, style: Style) -> Piece {
    (text.get(range).unwrap_or_default().to_owned(), style)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entry 2 has three rows, the others one.
    fn shown(bottom: Option<usize>, room: usize) -> (Vec<String>, usize) {
        let seen = seen(5, bottom, room, |at| {
            let rows = if at == 2 { 3 } else { 1 };
            (0..rows)
                .map(|row| vec![(format!("{at}.{row}"), Style::new())])
                .collect()
        });
        let rows = seen.rows.into_iter().map(|mut row| row.remove(0).0).collect();
        (rows, seen.below)
    }

    #[test]
    fn the_end_is_seen_unless_one_has_scrolled_up() {
        assert_eq!(shown(None, 3).0, ["2.2", "3.0", "4.0"]);
        assert_eq!(shown(Some(1), 2), (vec!["0.0".into(), "1.0".into()], 3));
        assert_eq!(
            shown(Some(3), 3),
            (vec!["2.1".into(), "2.2".into(), "3.0".into()], 1)
        );
    }

    #[test]
    fn no_room_is_left_empty_while_there_is_something_below() {
        assert_eq!(
            shown(Some(0), 4),
            (vec!["0.0".into(), "1.0".into(), "2.0".into(), "2.1".into()], 2)
        );
        assert_eq!(shown(None, 99).0.len(), 7);
    }

    #[test]
    fn an_entry_larger_than_the_pane_is_read_from_its_begin() {
        assert_eq!(shown(Some(2), 2).0, ["2.0", "2.1"]);
        assert_eq!(shown(Some(3), 2).0, ["2.2", "3.0"]);
        assert_eq!(shown(None, 0).0, Vec::<String>::new());
        assert_eq!(seen(0, Some(7), 3, |_| Vec::new()).below, 0);
    }

    #[test]
    fn a_match_that_is_wrapped_is_marked_on_both_rows() {
        let look = Look {
            theme: crate::ui::theme::Theme::MONO,
            glyphs: crate::ui::glyphs::Glyphs::BRAILLE,
        };
        let rows = wrapped(Vec::new(), 0, "a refund now", 8, Style::new(), "fund n", &look);
        let marked: Vec<&str> = rows
            .iter()
            .flatten()
            .filter(|(_, style)| *style == look.theme.found)
            .map(|(text, _)| text.as_str())
            .collect();
        assert_eq!(marked, ["fund", "n"]);
    }
}
