//! Waveforms of a few columns, in all glyphs.

use super::*;
use crate::ui::glyphs::Glyphs;
use crate::ui::theme::Theme;

fn drawn(glyphs: Glyphs, columns: &[(i8, i8)], width: u16, height: u16) -> String {
    let look = Look {
        theme: Theme::MONO,
        glyphs,
    };
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    let columns = columns.iter().map(|&(low, high)| Column { low, high }).collect();
    draw(&columns, &look, area, &mut buf, Style::new());
    let rows: Vec<String> = buf
        .content
        .chunks(usize::from(width))
        .map(|row| row.iter().map(|cell| cell.symbol()).collect())
        .collect();
    rows.join("\n")
}

#[test]
fn the_newest_is_at_the_right_and_silence_is_a_line() {
    assert_eq!(drawn(Glyphs::BRAILLE, &[(-128, 127), (0, 0)], 3, 1), "  ⣇");
    assert_eq!(drawn(Glyphs::BRAILLE, &[], 3, 2), "   \n   ");
    assert_eq!(drawn(Glyphs::BRAILLE, &[(0, 0), (0, 0)], 2, 2), " ⣀\n  ");
    assert_eq!(drawn(Glyphs::BRAILLE, &[(-128, 127), (-128, 127)], 1, 2), "⣿\n⣿");
    assert_eq!(
        drawn(Glyphs::BLOCK, &[(-128, 127), (0, 0), (0, 0), (0, 0)], 2, 2),
        "█ \n█▁"
    );
    assert_eq!(
        drawn(Glyphs::ASCII, &[(-128, 127), (0, 0), (0, 0), (0, 0)], 2, 2),
        "| \n|."
    );
}

#[test]
fn what_is_quiet_is_drawn_larger() {
    // -24 dBFS: a sixteenth of full scale takes a quarter of the height.
    assert_eq!(span(Column { low: -8, high: 8 }, 64), (23, 39));
    assert_eq!(
        span(
            Column {
                low: i8::MIN,
                high: i8::MAX
            },
            64
        ),
        (0, 63)
    );
    assert_eq!(
        span(Column { low: 5, high: -5 }, 64),
        (31, 31),
        "nonsense is silence"
    );
}
