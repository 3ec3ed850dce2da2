//! The whole picture.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::layout::{self, Layout, is_too_small};
use super::pen::Pen;
use super::{Look, call, calls, events, help, picker, status, text, transcript};
use crate::app::state::App;
use crate::event::{Intent, Sizes};

/// Draws the monitor into `area`, all of it: what stood there before is gone.
pub fn draw(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    let area = area.intersection(buf.area);
    for position in area.positions() {
        if let Some(cell) = buf.cell_mut(position) {
            cell.reset();
        }
    }
    if is_too_small(area) {
        too_small(look, area, buf);
        return;
    }
    if app.help {
        help::draw(app, look, area, buf);
        return;
    }
    if let Some(picker) = &app.picker {
        picker::draw(picker, look, area, buf);
        return;
    }
    let layout = divide(app, look, area);
    calls::draw(app, look, layout.calls, buf);
    for row in 0..layout.divider.height {
        Pen::new(buf, layout.divider, row, "").put(look.glyphs.divider, look.theme.line);
    }
    call::draw(app, look, layout.call, buf);
    transcript::draw(app, look, layout.transcript, buf);
    events::draw(app, look, layout.events, buf);
    status::draw(app, look, layout.status, buf);
}

/// What the app has to know of the layout on a terminal of that size.
pub fn sizes(app: &App, look: &Look, columns: u16, rows: u16) -> Sizes {
    let area = Rect::new(0, 0, columns, rows);
    let mut sizes = Sizes {
        columns,
        rows,
        ..Sizes::default()
    };
    if !is_too_small(area) {
        let layout = divide(app, look, area);
        sizes.list = calls::fitting(layout.calls.height);
        sizes.transcript = layout.transcript.height.saturating_sub(1);
        sizes.events = layout.events.height.saturating_sub(1);
        // All keys matter only to who looks at them.
        sizes.help = if app.help { help::over(app, area) } else { 0 };
    }
    sizes
}

fn divide(app: &App, look: &Look, area: Rect) -> Layout {
    let status = status::rows(app, look, area.width, area.height);
    layout::divide(area, status, app.focus)
}

fn too_small(look: &Look, area: Rect, buf: &mut Buffer) {
    let (columns, rows) = layout::LEAST;
    let size = format!(
        "Too small: {}x{}, at least {columns}x{rows}.",
        area.width, area.height
    );
    let quit = format!("{} quits.", help::key(Intent::Quit));
    let width = usize::from(area.width);
    let rows = [&size, &quit].into_iter().flat_map(|words| {
        text::wrap(words, width)
            .into_iter()
            .filter_map(|range| words.get(range))
    });
    for (at, row) in (0..area.height).zip(rows) {
        Pen::new(buf, area, at, look.glyphs.cut).put(row, look.theme.text);
    }
}
