//! A waveform: the lowest and highest sample of each 20 ms, the newest at the right. What is quiet is drawn
//! larger than it is, by the square root: speech lies 20 to 30 dB under full scale, where a
//! true picture would be a flat line. So a quarter of the height is a sixteenth of the loudness.

use std::collections::VecDeque;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Look;
use super::glyphs::{Wave, step};
use crate::event::Column;

/// Full scale of a column's numbers.
const FULL: f32 = 128.0;

/// Dots of a braille cell, from the top, left and right column: bits over U+2800.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// How high a sample is drawn, -1 to 1.
fn companded(sample: i8) -> f32 {
    let part = f32::from(sample) / FULL;
    part.abs().sqrt().copysign(part)
}

/// Draws the end of `columns` into `area`. Where no audio was there is nothing; where there was silence, a line.
pub fn draw(columns: &VecDeque<Column>, look: &Look, area: Rect, buf: &mut Buffer, style: Style) {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    for x in 0..area.width {
        let from_right = usize::from(area.width - 1 - x) * 2;
        let column = |back: usize| {
            let at = columns.len().checked_sub(from_right + back + 1)?;
            columns.get(at).copied()
        };
        let pair = [column(1), column(0)];
        match look.glyphs.wave {
            Wave::Braille => braille(pair, area, x, buf, style),
            Wave::Bars => bars(pair, look, area, x, buf, style),
        }
    }
}

/// Which row of a waveform of so many has the line that silence is.
pub fn silence(look: &Look, rows: u16) -> u16 {
    let last = rows.saturating_sub(1);
    match look.glyphs.wave {
        Wave::Braille => last / 2,
        Wave::Bars => last,
    }
}

/// Two columns as dots: around a middle line, or from the bottom where a single row has no middle.
fn braille(pair: [Option<Column>; 2], area: Rect, x: u16, buf: &mut Buffer, style: Style) {
    let dots = i32::from(area.height) * 4;
    let spans = pair.map(|column| column.map(|column| span(column, dots)));
    for y in 0..area.height {
        let top = i32::from(y) * 4;
        let mut bits = 0;
        for (span, dots) in spans.iter().zip(DOTS) {
            let Some((from, to)) = span else { continue };
            for (dot, bit) in (top..).zip(dots) {
                if (*from..=*to).contains(&dot) {
                    bits |= bit;
                }
            }
        }
        if let (true, Some(glyph)) = (bits > 0, char::from_u32(0x2800 + bits))
            && let Some(cell) = buf.cell_mut((area.x + x, area.y + y))
        {
            cell.set_char(glyph).set_style(style);
        }
    }
}

/// The first and last dot of a column, from the top, out of so many.
fn span(column: Column, dots: i32) -> (i32, i32) {
    let (low, high) = (companded(column.low.min(0)), companded(column.high.max(0)));
    if dots <= 4 {
        let loud = (high.max(-low) * dots as f32).round() as i32;
        return ((dots - loud).clamp(0, dots - 1), dots - 1);
    }
    let half = dots / 2;
    // The middle line is the dot above the middle, so that a positive swing has one dot less.
    let up = (high * (half - 1) as f32).round() as i32;
    let down = (-low * half as f32).round() as i32;
    (half - 1 - up, half - 1 + down)
}

/// The louder of two columns as a bar from the bottom.
fn bars(pair: [Option<Column>; 2], look: &Look, area: Rect, x: u16, buf: &mut Buffer, style: Style) {
    let loud = |column: Column| companded(column.high.max(0)).max(-companded(column.low.min(0)));
    let Some(height) = pair.into_iter().flatten().map(loud).reduce(f32::max) else {
        return;
    };
    let filled = height * f32::from(area.height);
    for y in 0..area.height {
        let above_bottom = f32::from(area.height - 1 - y);
        let steps = look.glyphs.upward;
        let least = 1.0 / (steps.len().max(2) - 1) as f32;
        // The bottom row shows at least a line where there was audio.
        let part = if y == area.height - 1 {
            filled.max(least)
        } else {
            filled - above_bottom
        };
        let glyph = step(steps, part);
        if glyph != " "
            && let Some(cell) = buf.cell_mut((area.x + x, area.y + y))
        {
            cell.set_symbol(glyph).set_style(style);
        }
    }
}

#[cfg(test)]
mod tests;
