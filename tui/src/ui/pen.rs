//! Writing into one row of the screen, from left to right, and never beyond its room. All text goes
//! through here: it is cleaned once more, cut with a mark where it is too long, and counted by grapheme.

use std::num::NonZero;

use ratatui::buffer::{Buffer, CellDiffOption, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::text;

/// Where a text lies in a column that is wider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At its left.
    Left,
    /// At its right.
    Right,
}

/// A place in a row.
pub struct Pen<'a> {
    buf: &'a mut Buffer,
    cut: &'static str,
    x: u16,
    y: u16,
    right: u16,
}

impl<'a> Pen<'a> {
    /// At the begin of a row of `area`, counted from 0; without any room where there is no such row.
    pub fn new(buf: &'a mut Buffer, area: Rect, row: u16, cut: &'static str) -> Self {
        let area = area.intersection(buf.area);
        let is_in = row < area.height;
        Pen {
            buf,
            cut,
            x: area.x,
            y: area.y.saturating_add(row),
            right: if is_in { area.right() } else { area.x },
        }
    }

    /// Cells left.
    pub fn room(&self) -> u16 {
        self.right.saturating_sub(self.x)
    }

    /// Leaves cells out.
    pub fn skip(&mut self, cells: u16) -> &mut Self {
        self.x = self.x.saturating_add(cells).min(self.right);
        self
    }

    /// Writes a text, cut where it is too long.
    pub fn put(&mut self, text: &str, style: Style) -> &mut Self {
        let room = self.room();
        if room == 0 || text.is_empty() {
            return self;
        }
        let mut text = text::fit(text, usize::from(room), self.cut);
        if self.cut.is_ascii() && !text.is_ascii() {
            // The app's own texts have these two marks; others are as they came from outside.
            text = text.replace('…', self.cut).replace('•', "*");
        }
        for (grapheme, cells) in text::graphemes(&text) {
            let end = self.x.saturating_add(cells);
            if end > self.right {
                break;
            }
            self.put_one(grapheme, cells, style);
            self.x = end;
        }
        self
    }

    fn put_one(&mut self, grapheme: &str, cells: u16, style: Style) {
        if let Some(cell) = self.buf.cell_mut((self.x, self.y)) {
            cell.set_symbol(grapheme).set_style(style);
            // ratatui counts the sound marks of half-width katakana twice.
            let is_counted = grapheme.cell_width() == cells;
            cell.set_diff_option(match NonZero::new(cells).filter(|_| !is_counted) {
                Some(cells) => CellDiffOption::ForcedWidth(cells),
                None => CellDiffOption::None,
            });
        }
        // What a wide one covers.
        for covered in 1..cells {
            if let Some(cell) = self.buf.cell_mut((self.x.saturating_add(covered), self.y)) {
                cell.reset();
            }
        }
    }

    /// Writes a text if the whole of it fits.
    pub fn put_whole(&mut self, text: &str, style: Style) -> &mut Self {
        if text::fits(text, usize::from(self.room())) {
            self.put(text, style);
        }
        self
    }

    /// Writes a text into a column of its own and goes on behind it.
    pub fn column(&mut self, text: &str, cells: u16, align: Align, style: Style) -> &mut Self {
        let cells = cells.min(self.room());
        let text = text::fit(text, usize::from(cells), self.cut);
        let spare = usize::from(cells).saturating_sub(text::width(&text));
        let begin = self.x;
        if align == Align::Right {
            self.skip(spare as u16);
        }
        self.put(&text, style);
        self.x = begin.saturating_add(cells).min(self.right);
        self
    }

    /// Repeats a glyph over so many cells.
    pub fn fill(&mut self, glyph: &str, cells: u16, style: Style) -> &mut Self {
        for _ in 0..cells.min(self.room()) {
            self.put(glyph, style);
        }
        self
    }

    /// What is still written ends so many cells earlier; hands back a pen for those.
    pub fn keep_right(&mut self, cells: u16) -> Pen<'_> {
        let cells = cells.min(self.room());
        let right = self.right;
        self.right = self.right.saturating_sub(cells);
        Pen {
            buf: self.buf,
            cut: self.cut,
            x: self.right,
            y: self.y,
            right,
        }
    }
}

/// A pane's title over its first row: a mark and a heavy rule where the pane has the keys, then what is
/// said about it, and at the right what is out of sight.
pub fn title(
    buf: &mut Buffer,
    area: Rect,
    look: &super::Look,
    is_focused: bool,
    parts: &[(&str, Style)],
    aside: &str,
) {
    let (glyphs, theme) = (&look.glyphs, &look.theme);
    let (mark, rule, style) = if is_focused {
        (glyphs.focus, glyphs.rule_focus, theme.focus)
    } else {
        (glyphs.rule, glyphs.rule, theme.line)
    };
    let mut pen = Pen::new(buf, area, 0, glyphs.cut);
    let aside_cells = text::width(aside) as u16;
    // What is out of sight is worth less than the title itself.
    if aside_cells > 0 && pen.room() > aside_cells.saturating_add(12) {
        let mut kept = pen.keep_right(aside_cells.saturating_add(2));
        kept.put(" ", theme.text)
            .put(aside, theme.strong)
            .put(" ", theme.text);
    }
    pen.put(mark, style).put(" ", theme.text);
    for (text, style) in parts {
        pen.put(text, *style);
    }
    pen.put_whole(" ", theme.text);
    let room = pen.room();
    pen.fill(rule, room, style);
}
