//! What was said, by whom and when. What is not yet final is faded and ends in a mark; what was not
//! heard is said where it is missing.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Look;
use super::pen::title;
use super::scroll::{self, Row};
use super::words;
use crate::app::calls::Row as Call;
use crate::app::state::{App, Pane};
use crate::app::text::{Said, Side, Texts};

/// Columns from which the agent's words stand a little to the right of the customer's.
const INDENTED: u16 = 56;
/// Cells before the words: mark, clock, who.
const HEAD: u16 = 16;

/// Draws the pane.
pub fn draw(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &look.theme;
    let texts = app.shown_texts();
    let lines = texts.map_or(&[][..], |texts| &texts.lines);
    let mut aside = String::new();
    if let Some(texts) = texts.filter(|_| !lines.is_empty()) {
        let room = usize::from(area.height.saturating_sub(1));
        let bottom = scroll::bottom(&texts.lines_view, lines);
        let marks = Marks::of(app);
        let seen = scroll::seen(lines.len(), bottom, room, |at| {
            entry(app, look, texts, at, area.width, &marks)
        });
        aside = scroll::aside(look, &texts.lines_view, seen.below);
        scroll::draw_rows(&seen.rows, look, area, buf);
    } else {
        scroll::draw_words(why_empty(app), look, area, buf);
    }
    let dot = format!(" {} ", look.glyphs.dot);
    let mut parts = vec![
        ("Transcript", theme.strong),
        (dot.as_str(), theme.faded),
        ("UTC", theme.text),
    ];
    let search = texts.map_or("", |texts| &texts.lines_view.search);
    let search = format!("/{search}");
    if search.len() > 1 {
        parts.extend([(dot.as_str(), theme.faded), (search.as_str(), theme.strong)]);
    }
    title(buf, area, look, app.focus == Pane::Transcript, &parts, &aside);
}

/// The lines that are marked, by their ids.
struct Marks {
    /// What is heard now, of what was said before.
    heard: Option<u64>,
    /// What Enter plays.
    cursor: Option<u64>,
}

impl Marks {
    fn of(app: &App) -> Marks {
        let has_keys = app.focus == Pane::Transcript;
        let cursor = app.line_to_play().filter(|_| has_keys);
        Marks {
            heard: app.heard_line(),
            cursor: cursor.map(|line| line.id),
        }
    }
}

fn entry(app: &App, look: &Look, texts: &Texts, at: usize, columns: u16, marks: &Marks) -> Vec<Row> {
    let Some(said) = texts.lines.get(at) else {
        return Vec::new();
    };
    let view = &texts.lines_view;
    let mut rows = Vec::new();
    let was_old = at
        .checked_sub(1)
        .and_then(|at| texts.lines.get(at))
        .is_some_and(|before| before.is_old);
    if was_old && !said.is_old {
        rows.push(between(look, OLDER));
    }
    if said.hole_ms > 0 {
        rows.push(between(
            look,
            &format!("{} not heard", words::short(said.hole_ms)),
        ));
    }
    let id = Some(said.id);
    let mark = match said.is_old {
        _ if marks.heard == id => look.glyphs.heard,
        _ if view.found == id => look.glyphs.found,
        _ if marks.cursor == id => look.glyphs.selected,
        true => look.glyphs.dot,
        false => " ",
    };
    rows.extend(said_rows(app, look, said, mark, &view.search, columns));
    if said.is_old && at + 1 == texts.lines.len() {
        rows.push(between(look, OLDER));
    }
    rows
}

/// What separates an older journal's entries from what came later.
pub const OLDER: &str = "above: before the relay restarted";

/// A row that stands between entries.
pub fn between(look: &Look, words: &str) -> Row {
    let dash = look.glyphs.dash;
    vec![(format!("  {dash} {words} {dash}"), look.theme.faded)]
}

fn said_rows(app: &App, look: &Look, said: &Said, mark: &str, search: &str, columns: u16) -> Vec<Row> {
    let theme = &look.theme;
    let (who, colour) = match said.side {
        Side::Customer => ("cust.", theme.customer),
        Side::Agent => ("agent", theme.agent),
    };
    let mut style = theme.text;
    let mut who_style = colour;
    if said.is_old || !said.is_final {
        style = theme.faded;
        who_style = colour.patch(theme.faded);
    }
    let mut indent = HEAD;
    let mut first = vec![
        (mark.to_owned(), theme.strong),
        (format!("{} ", words::clock(said.at)), theme.faded),
        (format!("{who} "), who_style),
    ];
    if said.side == Side::Agent && columns >= INDENTED {
        first.push(("  ".to_owned(), theme.text));
        indent += 2;
    }
    let mut body = words::words(&said.text, app.privacy, look.glyphs.mask).into_owned();
    if !said.is_final {
        body.push(' ');
        body.push_str(look.glyphs.cut);
    }
    let search = if app.privacy { "" } else { search };
    let room = columns.saturating_sub(indent).saturating_sub(1);
    scroll::wrapped(first, indent, &body, room, style, search, look)
}

fn why_empty(app: &App) -> &'static str {
    let Some(call) = app.shown.as_ref().and_then(|key| app.list.calls.get(key)) else {
        return "No call is selected.";
    };
    if !app.shown_texts().is_some_and(|texts| texts.is_known) {
        return "Waiting for the relay.";
    }
    let running = |state: &str| matches!(state, "running" | "starting");
    let Call { transcription, .. } = call;
    if running(&transcription.customer) || running(&transcription.agent) {
        "Nothing was said yet."
    } else if words::is_over(call) {
        "Nothing was written down of this call."
    } else {
        "No speech-to-text runs on this call."
    }
}
