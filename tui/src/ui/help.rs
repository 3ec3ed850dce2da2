//! The keys, as the key table has them: all of them over the whole screen, and the few of most use in a row.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Look;
use super::pen::{Align, Pen, title};
use super::text;
use super::words::{away_since, is_over};
use crate::app::state::{App, Pane};
use crate::event::{Intent, Playing};
use crate::keymap::{BINDINGS, Binding};

/// Cells of the keys' column.
const KEYS: u16 = 12;
/// The same in the left one of two columns, whose keys are shorter.
const KEYS_LEFT: u16 = 7;
/// Cells before the keys.
const INDENT: u16 = 2;
/// Cells of the left one of two columns of the help.
const LEFT: u16 = 38;
/// Columns of a screen from which two columns of the help are as good as one.
const WIDE: u16 = 80;

/// What the list's headers and the waves' letters stand for.
const LETTERS: [(&str, &str); 3] = [
    ("C A", "how loud customer, agent"),
    ("C:A", "who has talked, percent"),
    ("Lsn", "how many listen"),
];

/// A row of the help.
enum Row {
    Heading(&'static str),
    /// A key, and the first row of what it does.
    Key(&'static Binding, &'static str),
    /// A header or letter, and what it stands for.
    Letter(&'static str, &'static str),
    /// The rest of what it does.
    More(&'static str),
    Nothing,
}

/// All rows for that area, in how many columns, and how many of a column fit not.
fn arranged(app: &App, area: Rect) -> (Vec<Row>, usize, usize) {
    let columns: usize = if area.width >= WIDE { 2 } else { 1 };
    let cells = if columns == 2 {
        (LEFT - KEYS_LEFT).min(area.width.saturating_sub(LEFT + KEYS))
    } else {
        area.width.saturating_sub(KEYS)
    };
    let rows = rows(app, cells);
    let tallest = if columns == 1 {
        rows.len()
    } else {
        let (left, right) = rows.split_at(half(&rows));
        // What stands between two headings is not missed under the last row.
        let left = left.len() - usize::from(matches!(left.last(), Some(Row::Nothing)));
        left.max(right.len())
    };
    let over = tallest.saturating_sub(room(area));
    (rows, columns, over)
}

fn room(area: Rect) -> usize {
    usize::from(area.height.saturating_sub(2))
}

/// As far as it can be scrolled in that area, rows.
pub fn over(app: &App, area: Rect) -> u16 {
    u16::try_from(arranged(app, area).2).unwrap_or(u16::MAX)
}

/// Draws all keys; in two columns where that spares scrolling.
pub fn draw(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    let (rows, columns, last) = arranged(app, area);
    let room = room(area);
    let per_column = if columns == 1 { rows.len() } else { half(&rows) };
    let top = usize::from(app.help_scroll).min(last);
    let theme = &look.theme;
    let mut aside = String::new();
    for (glyph, count) in [(look.glyphs.up, top), (look.glyphs.down, last - top)] {
        if count > 0 {
            let gap = if aside.is_empty() { "" } else { " " };
            aside.push_str(&format!("{gap}{glyph}{count}"));
        }
    }
    title(buf, area, look, true, &[("Keys", theme.strong)], &aside);
    for column in 0..columns {
        let left = column as u16 * LEFT;
        let keys_cells = if column + 1 < columns { KEYS_LEFT } else { KEYS };
        let place = Rect {
            x: area.x.saturating_add(left),
            width: if column + 1 < columns {
                LEFT
            } else {
                area.width.saturating_sub(left)
            },
            ..area
        };
        let shown = rows.iter().skip(column * per_column).take(per_column).skip(top);
        for (at, row) in (1..).zip(shown.take(room)) {
            let mut pen = Pen::new(buf, place, at, look.glyphs.cut);
            pen.skip(1);
            match row {
                Row::Heading(words) => {
                    pen.put(words, theme.focus);
                }
                Row::Key(binding, does) => {
                    pen.skip(INDENT - 1).column(
                        &written(binding.shown, look),
                        keys_cells,
                        Align::Left,
                        theme.strong,
                    );
                    pen.put(does, theme.text);
                }
                Row::Letter(letter, means) => {
                    pen.skip(INDENT - 1)
                        .column(letter, keys_cells, Align::Left, theme.strong);
                    pen.put(means, theme.text);
                }
                Row::More(does) => {
                    pen.skip(INDENT - 1 + keys_cells).put(does, theme.text);
                }
                Row::Nothing => {}
            }
        }
    }
    let last_row = last;
    if let Some(last) = area.height.checked_sub(1).filter(|last| *last > 0) {
        let mut leave = format!("{} or {} leaves", key(Intent::Help), key(Intent::Cancel));
        if last_row > top {
            let down = written(key(Intent::Down), look);
            leave.push_str(&format!(", {down} and {} show more", key(Intent::PageDown)));
        }
        Pen::new(buf, area, last, look.glyphs.cut)
            .skip(1)
            .put(&leave, theme.faded);
    }
}

/// The keys that may do something for this user.
fn offered(app: &App) -> impl Iterator<Item = &'static Binding> {
    let may_hold = app.relays.iter().any(|relay| relay.may_pause) && !app.read_only;
    BINDINGS
        .iter()
        .filter(move |binding| may_hold || binding.intent != Intent::Hold)
}

/// All rows, with so many cells for the indent and what a key does.
fn rows(app: &App, cells: u16) -> Vec<Row> {
    let room = usize::from(cells.saturating_sub(INDENT));
    let mut rows = Vec::new();
    let mut group = "";
    for binding in offered(app) {
        if binding.group != group {
            if !rows.is_empty() {
                rows.push(Row::Nothing);
            }
            group = binding.group;
            rows.push(Row::Heading(group));
        }
        let does = text::wrap(binding.help, room);
        for (at, range) in does.into_iter().enumerate() {
            let part = binding.help.get(range).unwrap_or_default();
            rows.push(if at == 0 {
                Row::Key(binding, part)
            } else {
                Row::More(part)
            });
        }
    }
    rows.extend([Row::Nothing, Row::Heading("On the screen")]);
    rows.extend(LETTERS.map(|(letter, means)| Row::Letter(letter, means)));
    rows
}

/// Where the second column begins: at the heading nearest behind the middle.
fn half(rows: &[Row]) -> usize {
    let middle = rows.len().div_ceil(2);
    let headings = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| matches!(row, Row::Heading(_)));
    let nearest = headings.map(|(at, _)| at).min_by_key(|at| at.abs_diff(middle));
    match nearest {
        Some(at) if at >= rows.len() - at => at,
        _ => middle,
    }
}

/// Keys as the table writes them; in words where the arrows cannot be shown.
pub fn written<'a>(shown: &'a str, look: &Look) -> Cow<'a, str> {
    if shown.is_ascii() || !look.glyphs.up.is_ascii() {
        return Cow::Borrowed(shown);
    }
    Cow::Owned(in_words(shown))
}

fn in_words(shown: &str) -> String {
    let arrows = [('↑', "Up"), ('↓', "Down"), ('←', "Left"), ('→', "Right")];
    arrows.iter().fold(shown.to_owned(), |shown, (arrow, name)| {
        shown.replace(*arrow, name)
    })
}

/// The first key that means something.
pub fn key(intent: Intent) -> &'static str {
    let binding = BINDINGS.iter().find(|binding| binding.intent == intent);
    let shown = binding.map_or("", |binding| binding.shown);
    shown.split(' ').next().unwrap_or(shown)
}

/// The keys of most use now, with what they do, the most useful first.
pub fn hints(app: &App) -> Vec<(&'static str, &'static str)> {
    use Intent as I;
    let mut wanted = vec![(I::Help, "keys"), (I::Quit, "quit")];
    if app.relays.iter().any(|relay| away_since(&relay.link).is_some()) {
        wanted.push((I::Retry, "try again"));
    }
    let is_text = matches!(app.focus, Pane::Transcript | Pane::Events);
    let can_be_heard = app.shown_row().is_some_and(|row| !is_over(row));
    if app.focus == Pane::Transcript && app.line_to_play().is_some() {
        wanted.push((I::Listen, "play the line"));
    } else if can_be_heard && !app.hears_shown() {
        wanted.push((I::Listen, "listen"));
        if app.heard.is_some() {
            wanted.push((I::Also, "hear too"));
        }
    }
    if !app.behind.is_empty() {
        wanted.push((I::Switch, "next heard"));
    }
    if app.heard.is_some() {
        wanted.push(match app.playback.state {
            Playing::Paused => (I::Pause, "continue"),
            _ => (I::Pause, "pause"),
        });
        if matches!(app.playback.state, Playing::Paused | Playing::Behind) {
            wanted.push((I::Live, "live"));
        }
        wanted.extend([(I::Back, "back"), (I::Stop, "stop")]);
        if app.heard_at().is_some() {
            wanted.extend([
                (I::Forward, "forward"),
                (I::Fast, "faster"),
                (I::SkipSilence, "no silence"),
            ]);
        }
        wanted.extend([(I::Louder, "louder"), (I::Quieter, "quieter"), (I::Mute, "mute")]);
    }
    if let Some(row) = app
        .shown_row()
        .filter(|row| !is_over(row) && app.may_hold(row.key.relay))
    {
        wanted.push((I::Hold, if row.paused { "let go" } else { "hold back" }));
    }
    if is_text {
        wanted.extend([(I::Find, "search"), (I::NextMatch, "next"), (I::End, "follow")]);
    } else {
        wanted.extend([(I::Find, "filter"), (I::NextSort, "sort"), (I::Ended, "ended")]);
    }
    wanted.extend([(I::NextPane, "pane"), (I::Privacy, "privacy"), (I::Copy, "copy")]);
    wanted
        .into_iter()
        .map(|(intent, words)| (key(intent), words))
        .collect()
}

/// All keys in lines to be read out: `Enter: hear the selected call`.
pub fn spoken(app: &App) -> Vec<String> {
    let line = |binding: &Binding| {
        let shown = in_words(binding.shown).replace(' ', " or ");
        format!("{shown}: {}", binding.help)
    };
    offered(app).map(line).collect()
}
