//! Pictures as bytes: only what has changed since the picture before. A terminal that measures a character
//! otherwise than we do may draw it askew, and nothing else: what comes after it is put where it belongs.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell, CellWidth};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthChar;

/// A picture appears at once, where the terminal can do that; where it cannot, these are nothing.
const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";

/// No colour that is left set.
const PLAIN: &str = "\x1b[0m";

/// Nothing on the screen.
const CLEAR: &str = "\x1b[2J";

/// The picture that the terminal shows.
pub struct Canvas {
    shown: Buffer,
    next: Buffer,
    clear: bool,
}

impl Canvas {
    /// A terminal of that size that may show anything: the first picture is drawn whole.
    pub fn new((columns, rows): (u16, u16)) -> Canvas {
        let empty = Buffer::empty(Rect::new(0, 0, columns, rows));
        Canvas {
            shown: empty.clone(),
            next: empty,
            clear: true,
        }
    }

    /// The bytes that turn the last picture into this one; none where both are the same.
    pub fn draw(&mut self, picture: impl FnOnce(&mut Buffer)) -> Vec<u8> {
        self.next.reset();
        picture(&mut self.next);
        let mut strokes = Strokes {
            next: &self.next,
            out: String::new(),
            cursor: None,
            style: Style::default(),
            done: (0, 0),
        };
        for (x, y, _) in self.shown.diff_iter(&self.next) {
            if self.shown.cell((x, y)).is_some_and(may_join) {
                strokes.cell(owner(&self.next, x.saturating_sub(1), y), y);
            }
            strokes.cell(x, y);
            // A terminal may have drawn in each of them.
            let hidden = self.shown.cell((x, y)).map_or(1, CellWidth::cell_width);
            for hidden in 1..hidden {
                strokes.cell(x.saturating_add(hidden), y);
            }
        }
        let strokes = strokes.out;
        std::mem::swap(&mut self.shown, &mut self.next);
        mark_hidden(&mut self.shown);
        let clear = std::mem::take(&mut self.clear);
        if strokes.is_empty() && !clear {
            return Vec::new();
        }
        let clear = if clear {
            [PLAIN, CLEAR].concat()
        } else {
            String::new()
        };
        [BEGIN, &clear, &strokes, PLAIN, END].concat().into_bytes()
    }
}

/// Whether a terminal may have added it to the cell before, as a mark of that: they differ about most scripts.
fn may_join(cell: &Cell) -> bool {
    cell.symbol().starts_with(|c| {
        matches!(c, '\u{0300}'..='\u{1fff}' | '\u{20d0}'..='\u{20ff}' | '\u{2cef}'..='\u{30ff}'
            | '\u{a66f}'..='\u{abff}' | '\u{d7b0}'..='\u{d7ff}' | '\u{fb1e}' | '\u{fe00}'..='\u{fe2f}' | '\u{fff0}'..)
    })
}

/// The cell that a column belongs to: itself, or the wide one before it.
fn owner(next: &Buffer, x: u16, y: u16) -> u16 {
    let is_hidden = |x: u16| {
        let before = x.checked_sub(1).and_then(|before| next.cell((before, y)));
        before.is_some_and(|before| before.cell_width() > 1)
    };
    if is_hidden(x) { x.saturating_sub(1) } else { x }
}

/// What a hidden cell is marked with: no text has it.
const HIDDEN: &str = "\u{e000}";

/// Marks cells that a wide one before them hides: a terminal may have drawn in them, so they are like no other
/// cell, and are drawn again once nothing hides them.
fn mark_hidden(shown: &mut Buffer) {
    let columns = usize::from(shown.area.width).max(1);
    for row in shown.content.chunks_mut(columns) {
        let mut hidden = 0;
        for cell in row {
            if hidden > 0 {
                hidden -= 1;
                cell.set_symbol(HIDDEN);
            } else if cell.symbol().len() > 1 {
                hidden = cell.cell_width().saturating_sub(1);
            }
        }
    }
}

/// Cells as bytes, in the order of reading.
struct Strokes<'a> {
    next: &'a Buffer,
    out: String,
    /// Where the terminal's cursor certainly is.
    cursor: Option<(u16, u16)>,
    style: Style,
    /// A row, and the column in it up to which all is drawn.
    done: (u16, u16),
}

/// Colours and modifiers of a cell.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Style(Color, Color, Modifier);

impl Strokes<'_> {
    fn cell(&mut self, x: u16, y: u16) {
        let next = self.next;
        let (row, until) = self.done;
        let Some(cell) = next.cell((x, y)).filter(|_| row != y || x >= until) else {
            return;
        };
        let (symbol, width) = (cell.symbol(), cell.cell_width().max(1));
        self.go(x, y);
        self.dress(cell);
        let mut chars = symbol.chars();
        if let (Some(c), None) = (chars.next(), chars.next())
            && c <= MAX_KNOWN
            && width <= 2
        {
            self.out.push(c);
            self.step(x.saturating_add(width), y);
            return;
        }
        // How many cells the terminal will take for it is not known: from `width` to `widest`.
        let widest = widest(symbol).max(width);
        for _ in 0..width {
            self.out.push(' ');
        }
        self.step(x.saturating_add(width), y);
        // Over the edge it would go on in the next row.
        if x.saturating_add(widest) <= next.area.right() {
            self.go(x, y);
            self.out.push_str(symbol);
            self.cursor = None;
            for covered in x.saturating_add(width)..x.saturating_add(widest) {
                self.cell(covered, y);
            }
        }
    }

    fn go(&mut self, x: u16, y: u16) {
        if self.cursor != Some((x, y)) {
            let (row, column) = (u32::from(y) + 1, u32::from(x) + 1);
            let _ = write!(self.out, "\x1b[{row};{column}H");
        }
    }

    /// Something known was written, and this comes next.
    fn step(&mut self, x: u16, y: u16) {
        // At the edge terminals differ in where the cursor is.
        self.cursor = (x < self.next.area.right()).then_some((x, y));
        self.done = (y, x);
    }

    fn dress(&mut self, cell: &Cell) {
        let style = Style(cell.fg, cell.bg, cell.modifier);
        if style == self.style {
            return;
        }
        self.style = style;
        self.out.push_str("\x1b[0");
        for (modifier, number) in MODIFIERS {
            if style.2.contains(modifier) {
                let _ = write!(self.out, ";{number}");
            }
        }
        colour(&mut self.out, style.0, 0);
        colour(&mut self.out, style.1, 10);
        self.out.push('m');
    }
}

/// Up to here a character alone takes as many cells as its table says, in all terminals; of emoji, which are
/// beyond, each knows others, and what stands for a character that is none some leave out.
const MAX_KNOWN: char = '\u{ffef}';

const MODIFIERS: [(Modifier, u8); 6] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::REVERSED, 7),
    (Modifier::CROSSED_OUT, 9),
];

/// One of the 16 colours; `more` is 10 for the background. The themes have no others, since those would not be
/// the user's own.
fn colour(out: &mut String, colour: Color, more: u8) {
    let number = match colour {
        Color::Black => 30,
        Color::Red => 31,
        Color::Green => 32,
        Color::Yellow => 33,
        Color::Blue => 34,
        Color::Magenta => 35,
        Color::Cyan => 36,
        Color::Gray => 37,
        Color::DarkGray => 90,
        Color::LightRed => 91,
        Color::LightGreen => 92,
        Color::LightYellow => 93,
        Color::LightBlue => 94,
        Color::LightMagenta => 95,
        Color::LightCyan => 96,
        Color::White => 97,
        Color::Reset | Color::Rgb(..) | Color::Indexed(_) => return,
    };
    let _ = write!(out, ";{}", number + more);
}

/// Most cells that a terminal may take for it: one that joins nothing, takes half of a flag for an emoji, and
/// knows no marks but the oldest.
fn widest(symbol: &str) -> u16 {
    let cells = |c: char| match c {
        '\u{0300}'..='\u{036f}' => 0,
        '\u{1f1e6}'..='\u{1f1ff}' => 2,
        c => c.width().unwrap_or(0).max(1) as u16,
    };
    symbol.chars().map(cells).sum()
}

#[cfg(test)]
mod tests;
