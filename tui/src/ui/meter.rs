//! A level meter: a bar in one row, thin, so that those of many calls below each other stay apart.

use ratatui::style::Style;

use super::Look;
use super::glyphs::step;
use super::pen::Pen;
use crate::app::calls::meter::{STEPS, meter_step};

/// How full a meter is, 0 to 1, in the steps that the app draws anew for.
fn fraction(db: Option<f32>) -> f32 {
    f32::from(meter_step(db)) / f32::from(STEPS)
}

/// A bar over so many cells; without media there is nothing, not even an empty one.
pub fn bar(pen: &mut Pen<'_>, look: &Look, db: Option<f32>, cells: u16, style: Style) {
    if db.is_none() {
        pen.skip(cells);
        return;
    }
    let filled = fraction(db) * f32::from(cells);
    for cell in 0..cells {
        let glyph = step(look.glyphs.across, filled - f32::from(cell));
        let is_empty = look.glyphs.across.first() == Some(&glyph);
        pen.put(glyph, if is_empty { look.theme.line } else { style });
    }
}

/// A single cell, filled from the bottom.
pub fn cell(pen: &mut Pen<'_>, look: &Look, db: Option<f32>, style: Style) {
    match (db, step(look.glyphs.upward, fraction(db))) {
        (None, _) => pen.skip(1),
        (Some(_), " ") => pen.put(look.glyphs.track, look.theme.line),
        (Some(_), glyph) => pen.put(glyph, style),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::glyphs::Glyphs;
    use crate::ui::theme::Theme;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    fn drawn(glyphs: Glyphs, db: Option<f32>, cells: u16) -> String {
        let look = Look {
            theme: Theme::MONO,
            glyphs,
        };
        let area = Rect::new(0, 0, cells + 1, 1);
        let mut buf = Buffer::empty(area);
        let mut pen = Pen::new(&mut buf, area, 0, "…");
        bar(&mut pen, &look, db, cells, Theme::MONO.text);
        cell(&mut pen, &look, db, Theme::MONO.text);
        buf.content.iter().map(|cell| cell.symbol()).collect()
    }

    #[test]
    fn a_meter_goes_from_quiet_to_loud() {
        assert_eq!(drawn(Glyphs::BRAILLE, None, 4), "     ");
        assert_eq!(drawn(Glyphs::BRAILLE, Some(-90.0), 4), "────·");
        assert_eq!(drawn(Glyphs::BRAILLE, Some(-30.0), 4), "━━──▄");
        assert_eq!(drawn(Glyphs::BRAILLE, Some(0.0), 4), "━━━━█");
        assert_eq!(drawn(Glyphs::ASCII, Some(-30.0), 4), "==..:");
        assert_eq!(
            drawn(Glyphs::ASCII, Some(f32::NAN), 1),
            "..",
            "no number is silence"
        );
    }
}
