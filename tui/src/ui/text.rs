//! Text by what it takes on the screen: graphemes and their cells. What is longer than any screen is cut before it is measured, so that a hostile name costs nothing.

use std::borrow::Cow;
use std::ops::Range;

use partyline_shared::text::{clean, is_unsafe};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Characters of a text looked at for each cell it could fill: a letter and the eight marks that
/// `shared::text::clean` leaves on it.
const CHARS_PER_CELL: usize = 9;

/// Cells of the widest thing that is written as one. Some scripts join any number of letters; a terminal that knows
/// nothing of that would leave the last of them standing when others take their place.
const WIDEST: u16 = 2;

/// Cells that a grapheme takes; one that a terminal would obey takes none, since it is never written.
pub fn cells(grapheme: &str) -> u16 {
    if grapheme.chars().any(is_unsafe) {
        return 0;
    }
    u16::try_from(grapheme.width()).unwrap_or(u16::MAX)
}

/// `text` as it may be drawn, no longer than fills `room` cells; a copy only where there is something to take out.
pub fn safe(text: &str, room: usize) -> Cow<'_, str> {
    let most = room.saturating_add(1).saturating_mul(CHARS_PER_CELL);
    let text = match text.char_indices().nth(most) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    };
    if text.chars().any(is_unsafe) {
        Cow::Owned(clean(text))
    } else {
        Cow::Borrowed(text)
    }
}

/// Graphemes with their cells, without those that take none; one that is too wide letter by letter.
pub fn graphemes(text: &str) -> impl Iterator<Item = (&str, u16)> {
    pieces(text)
        .map(|(_, piece, cells)| (piece, cells))
        .filter(|(_, cells)| *cells > 0)
}

/// The same with those that take no cell, and where each begins.
fn pieces(text: &str) -> impl Iterator<Item = (usize, &str, u16)> {
    text.grapheme_indices(true).flat_map(|(at, grapheme)| {
        let whole = cells(grapheme);
        let mut from = 0;
        std::iter::from_fn(move || {
            let rest = grapheme.get(from..).filter(|rest| !rest.is_empty())?;
            let end = if whole > WIDEST { letter(rest) } else { rest.len() };
            let piece = rest.get(..end)?;
            let begin = at + from;
            from += end;
            Some((begin, piece, cells(piece)))
        })
    })
}

/// The bytes of the first letter of a text that is not empty, with the marks on it.
fn letter(text: &str) -> usize {
    let next = text.char_indices().skip(1).find(|(_, c)| c.width() > Some(0));
    next.map_or(text.len(), |(at, _)| at)
}

/// Cells of a whole text.
pub fn width(text: &str) -> usize {
    graphemes(text).map(|(_, cells)| usize::from(cells)).sum()
}

/// Whether all of `text` fits into `room` cells; of a long one no more is measured than that needs.
pub fn fits(text: &str, room: usize) -> bool {
    let mut used = 0;
    graphemes(text).all(|(_, cells)| {
        used += usize::from(cells);
        used <= room
    })
}

/// The beginning of `text` that fits into `room` cells, with `cut` behind it where that is not all.
pub fn fit(text: &str, room: usize, cut: &str) -> String {
    let text = safe(text, room);
    if fits(&text, room) {
        return text.into_owned();
    }
    let room = room.saturating_sub(width(cut));
    let mut used = 0;
    let mut out = String::new();
    for (grapheme, cells) in graphemes(&text) {
        used += usize::from(cells);
        if used > room {
            break;
        }
        out.push_str(grapheme);
    }
    out.truncate(out.trim_end().len());
    out.push_str(cut);
    out
}

/// Where the rows of `text` lie, wrapped at spaces to `room` cells; a longer word is parted between
/// graphemes. At least one row, and never one that is wider, except for a wide character in a single cell's room.
pub fn wrap(text: &str, room: usize) -> Vec<Range<usize>> {
    let room = room.max(1);
    let mut rows = Vec::new();
    // The row so far, and the last place where it may be parted: the space's begin, and where the next goes on.
    let (mut start, mut used) = (0, 0);
    let mut space: Option<(usize, usize)> = None;
    for (at, grapheme, cells) in pieces(text) {
        let cells = usize::from(cells);
        let is_space = grapheme == " ";
        // What is left behind a space may still be too wide, then it is parted here.
        while used + cells > room && used > 0 && !is_space {
            let (end, next) = space.take().unwrap_or((at, at));
            rows.push(start..end);
            start = next;
            used = text.get(start..at).map_or(0, width);
        }
        used += cells;
        if is_space {
            if at == start {
                // A row does not begin with a space.
                start = at + grapheme.len();
                used = 0;
            } else {
                let end = match space {
                    Some((end, next)) if next == at => end,
                    _ => at,
                };
                space = Some((end, at + grapheme.len()));
            }
        }
    }
    let end = match space {
        Some((end, next)) if next == text.len() => end,
        _ => text.len(),
    };
    if start < text.len() || rows.is_empty() {
        rows.push(start.min(end)..end);
    }
    rows
}

/// Where `needle`, in lower case, lies in `text`, whatever case it is written in there.
pub fn find(text: &str, needle: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    if needle.is_empty() {
        return found;
    }
    let mut from = 0;
    while let Some(rest) = text.get(from..) {
        let Some(first) = rest.chars().next() else {
            break;
        };
        match starts_with(rest, needle) {
            Some(length) => {
                found.push(from..from + length);
                from += length;
            }
            None => from += first.len_utf8(),
        }
    }
    found
}

/// How many bytes of `text` are `needle`, if it begins with it.
fn starts_with(text: &str, needle: &str) -> Option<usize> {
    let mut wanted = needle.chars();
    for (at, c) in text.char_indices() {
        if wanted.as_str().is_empty() {
            return Some(at);
        }
        for lower in c.to_lowercase() {
            if wanted.next() != Some(lower) {
                return None;
            }
        }
    }
    wanted.as_str().is_empty().then_some(text.len())
}

#[cfg(test)]
mod tests;
