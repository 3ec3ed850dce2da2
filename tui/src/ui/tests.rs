//! Pictures of every pane in every state, and what must be true of all of them.

mod any;
mod call;
pub(crate) mod fixture;
mod heard;
mod list;
mod picker;
mod screens;
mod texts;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Look;
use super::glyphs::Glyphs;
use super::screen;
use super::theme::Theme;
use crate::app::state::App;

/// Without colour, with braille.
const MONO: Look = Look {
    theme: Theme::MONO,
    glyphs: Glyphs::BRAILLE,
};

fn drawn(app: &App, look: &Look, columns: u16, rows: u16) -> Buffer {
    let area = Rect::new(0, 0, columns, rows);
    let mut buf = Buffer::empty(area);
    screen::draw(app, look, area, &mut buf);
    buf
}

/// The rows of a picture as a terminal shows them: what lies under the second half of a wide character is
/// left out. Ends in `|`, so that a snapshot has no spaces at the end of a line.
fn rows(buf: &Buffer) -> Vec<String> {
    let width = usize::from(buf.area.width.max(1));
    buf.content
        .chunks(width)
        .map(|cells| {
            let mut row = String::new();
            let mut hidden = 0;
            for cell in cells {
                if hidden > 0 {
                    hidden -= 1;
                    continue;
                }
                hidden = super::text::cells(cell.symbol()).saturating_sub(1);
                row.push_str(cell.symbol());
            }
            row.push('|');
            row
        })
        .collect()
}

fn picture(app: &App, columns: u16, rows: u16) -> String {
    self::rows(&drawn(app, &MONO, columns, rows)).join("\n")
}

/// Compares with the picture of that name in `snapshots/`.
#[track_caller]
fn assert_picture(name: &str, picture: impl Into<String>) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path("snapshots");
    settings.bind(|| insta::assert_snapshot!(name, picture.into()));
}
