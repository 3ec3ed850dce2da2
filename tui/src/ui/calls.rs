//! The list of calls: a title, a header, a row a call. Only the rows that can be seen are made.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Look;
use super::columns::{Column, LEVELS_BARS, MARKS, Slot, choose};
use super::help::key;
use super::layout::LEAST;
use super::meter;
use super::pen::{Align, Pen, title};
use super::text;
use super::words::{self, Mood};
use crate::app::calls::{PerSide, Row};
use crate::app::state::{App, Link, Pane};
use crate::event::{Intent, RelayId};

/// Rows of the pane that are no calls: title and header.
pub const HEAD: u16 = 2;

/// Draws the pane.
pub fn draw(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let rows = fitting(area.height);
    let top = app.list.offset(rows);
    head(app, look, area, buf, top, rows);
    if app.list.order.is_empty() {
        empty(app, look, area, buf);
        return;
    }
    // Where there is room, the last column keeps away from what is at its right.
    let columns = area.width - u16::from(area.width > LEAST.0);
    let slots = choose(columns, app.relays.len() > 1);
    header(look, area, buf, &slots);
    for (at, key) in (HEAD..).zip(app.list.window(rows)) {
        if let Some(call) = app.list.calls.get(key) {
            draw_row(app, look, area, buf, &slots, at, call);
        }
    }
}

fn head(app: &App, look: &Look, area: Rect, buf: &mut Buffer, top: usize, rows: u16) {
    let (list, glyphs, theme) = (&app.list, &look.glyphs, &look.theme);
    let (seen, all) = (list.order.len(), list.calls.len());
    let count = if seen == all {
        format!(" {all}")
    } else {
        format!(" {seen}/{all}")
    };
    let dot = format!(" {} ", glyphs.dot);
    let mut parts = vec![
        ("Calls", theme.strong),
        (count.as_str(), theme.text),
        (dot.as_str(), theme.faded),
        (words::sort(list.sort), theme.text),
    ];
    let filter = format!("/{}", list.filter);
    if !list.filter.is_empty() {
        parts.extend([(dot.as_str(), theme.faded), (filter.as_str(), theme.strong)]);
    }
    if !list.with_ended {
        parts.extend([(dot.as_str(), theme.faded), ("ended hidden", theme.text)]);
    }
    let stale = app
        .relays
        .iter()
        .zip(0..)
        .filter(|(_, id)| app.list.calls.keys().any(|key| key.relay == RelayId(*id)))
        .find_map(|(relay, _)| Some((relay, words::away_since(&relay.link)?)));
    let stale = stale.map(|(relay, since)| {
        let name = if app.relays.len() > 1 {
            format!("{} ", relay.name)
        } else {
            String::new()
        };
        format!("{} {name}as of {}", glyphs.trouble, words::clock_short(since))
    });
    if let Some(stale) = &stale {
        parts.extend([(dot.as_str(), theme.faded), (stale.as_str(), theme.trouble)]);
    }
    let below = seen.saturating_sub(top + usize::from(rows));
    let mut aside = String::new();
    for (glyph, count) in [(glyphs.up, top.min(seen)), (glyphs.down, below)] {
        if count > 0 {
            let gap = if aside.is_empty() { "" } else { " " };
            aside.push_str(&format!("{gap}{glyph}{count}"));
        }
    }
    title(buf, area, look, app.focus == Pane::Calls, &parts, &aside);
}

fn header(look: &Look, area: Rect, buf: &mut Buffer, slots: &[Slot]) {
    let mut pen = Pen::new(buf, area, 1, look.glyphs.cut);
    pen.skip(MARKS);
    let style = look.theme.faded;
    for slot in slots {
        let (name, align) = match slot.column {
            Column::State => ("State", Align::Left),
            Column::Customer => ("Customer", Align::Left),
            Column::Agent => ("Agent", Align::Left),
            Column::Parties => ("Parties", Align::Left),
            Column::Time => ("Time", Align::Right),
            Column::Levels => ("CA", Align::Left),
            Column::Talk => ("C:A", Align::Right),
            Column::Balance => ("Talk", Align::Left),
            Column::Listeners => ("Lsn", Align::Right),
            Column::Relay => ("Relay", Align::Left),
        };
        if slot.column == Column::Levels && slot.cells >= LEVELS_BARS {
            let half = slot.cells / 2;
            pen.column("C", half, Align::Left, style).skip(1);
            pen.column("A", half, Align::Left, style).skip(1);
        } else {
            pen.column(name, slot.cells, align, style).skip(1);
        }
    }
}

fn draw_row(app: &App, look: &Look, area: Rect, buf: &mut Buffer, slots: &[Slot], at: u16, row: &Row) {
    let (glyphs, theme) = (&look.glyphs, &look.theme);
    let is_selected = app.list.selected.as_ref() == Some(&row.key);
    let is_heard = app.heard.as_ref() == Some(&row.key);
    let state = words::state(row, glyphs);
    let is_current = app.as_of(row).is_none();
    let plain = match state.mood {
        Mood::Over => theme.faded,
        _ if !is_current => theme.faded,
        _ if is_heard || is_selected => theme.strong,
        _ => theme.text,
    };
    let mut pen = Pen::new(buf, area, at, glyphs.cut);
    pen.put(if is_selected { glyphs.selected } else { " " }, theme.strong);
    match (is_heard, app.hears_behind(&row.key)) {
        (true, _) => pen.put(glyphs.heard, theme.strong),
        (false, true) => pen.put(glyphs.behind, theme.faded),
        (false, false) => pen.skip(1),
    }
    .skip(1);
    for slot in slots {
        let cells = slot.cells;
        match slot.column {
            Column::State => {
                let style = if is_current {
                    mood(look, state.mood, plain)
                } else {
                    plain
                };
                pen.put(state.glyph, style).skip(1);
                pen.column(state.word, cells.saturating_sub(2), Align::Left, style);
            }
            Column::Customer => {
                pen.column(&words::customer(row, app.privacy), cells, Align::Left, plain);
            }
            Column::Agent => {
                let style = if row.agent.is_some() { plain } else { theme.faded };
                let agent = row.agent.as_ref().map(|_| words::agent_name(row, app.privacy));
                pen.column(agent.as_deref().unwrap_or("-"), cells, Align::Left, style);
            }
            Column::Parties => {
                let parties = words::parties(row, app.privacy, glyphs.arrow);
                pen.column(&parties, cells, Align::Left, plain);
            }
            Column::Time => {
                let time = words::lasted(app, row).map(words::duration);
                pen.column(time.as_deref().unwrap_or("-"), cells, Align::Right, plain);
            }
            Column::Levels => levels(&mut pen, look, row, is_current, cells),
            Column::Talk => {
                let share = words::customer_share(row.talk_ms);
                let share = share.map(|c| format!("{c}:{}", 100_u8.saturating_sub(c)));
                pen.column(share.as_deref().unwrap_or("-"), cells, Align::Right, plain);
            }
            Column::Balance => balance(&mut pen, look, row.talk_ms, cells, plain == theme.faded),
            Column::Listeners => {
                let count = match row.listeners {
                    0 => "-".to_owned(),
                    count => count.to_string(),
                };
                pen.column(&count, cells, Align::Right, plain);
            }
            Column::Relay => {
                let name = app.relay(row.key.relay).map_or("?", |relay| relay.name.as_str());
                pen.column(name, cells, Align::Left, plain);
            }
        }
        pen.skip(1);
    }
    if is_selected && app.focus == Pane::Calls {
        let line = Rect {
            y: area.y.saturating_add(at),
            height: 1,
            ..area
        };
        buf.set_style(line, theme.cursor);
    }
}

/// The style of a state.
pub fn mood(look: &Look, mood: Mood, plain: Style) -> Style {
    match mood {
        Mood::Good => plain.patch(look.theme.good),
        Mood::Trouble => look.theme.trouble,
        Mood::Plain => plain,
        Mood::Held => plain.patch(look.theme.strong),
        Mood::Over => look.theme.faded,
    }
}

fn levels(pen: &mut Pen<'_>, look: &Look, row: &Row, is_current: bool, cells: u16) {
    let PerSide { customer, agent } = if words::is_over(row) || !is_current {
        PerSide::default()
    } else {
        row.level
    };
    let theme = &look.theme;
    if cells < LEVELS_BARS {
        meter::cell(pen, look, customer, theme.customer);
        meter::cell(pen, look, agent, theme.agent);
    } else {
        let half = cells.saturating_sub(1) / 2;
        meter::bar(pen, look, customer, half, theme.customer);
        pen.skip(1);
        meter::bar(pen, look, agent, half, theme.agent);
        pen.skip(cells.saturating_sub(half * 2 + 1));
    }
}

fn balance(pen: &mut Pen<'_>, look: &Look, talk: PerSide<u64>, cells: u16, is_faded: bool) {
    let Some(share) = words::customer_share(talk) else {
        pen.skip(cells);
        return;
    };
    let mine = ((u32::from(share) * u32::from(cells) + 50) / 100) as u16;
    let theme = &look.theme;
    let style = |side| if is_faded { theme.faded } else { side };
    pen.fill(look.glyphs.share_customer, mine, style(theme.customer));
    pen.fill(
        look.glyphs.share_agent,
        cells.saturating_sub(mine),
        style(theme.agent),
    );
}

/// What there is to say where no call is.
fn empty(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    let online = app
        .relays
        .iter()
        .any(|relay| matches!(relay.link, Link::Online { .. }));
    let hidden = app.list.calls.len();
    let lines: Vec<String> = if hidden > 0 && !app.list.filter.is_empty() {
        vec![
            format!("None of {hidden} calls has \"{}\" in it.", app.list.filter),
            format!(
                "{} changes the filter, {} drops it.",
                key(Intent::Find),
                key(Intent::Cancel)
            ),
        ]
    } else if hidden > 0 {
        vec![
            format!("No call is going on; {hidden} ended."),
            format!("{} shows those that ended.", key(Intent::Ended)),
        ]
    } else if online {
        let mut lines = vec![
            "No calls yet.".to_owned(),
            "Calls show up here as they begin.".to_owned(),
        ];
        // The simulator speaks no TLS: a relay that is reached by it has calls of its own.
        if let [relay] = app.relays.as_slice()
            && relay.url.starts_with("http://")
        {
            lines.push(format!(
                "To try it out: partyline-relay simulate --relay {}",
                relay.url
            ));
        }
        lines
    } else {
        let mut lines = vec!["Not connected to a relay.".to_owned()];
        for relay in &app.relays {
            lines.push(super::status::link(app, look, relay).0);
        }
        lines.push("Calls show up here as soon as one is there.".to_owned());
        if cfg!(feature = "demo") {
            lines.push("To look around without a relay: partyline demo".to_owned());
        }
        lines
    };
    let room = area.width.saturating_sub(MARKS + 1);
    let mut at = HEAD;
    for (count, line) in lines.iter().enumerate() {
        let style = if count == 0 {
            look.theme.strong
        } else {
            look.theme.text
        };
        let line = text::safe(line, usize::from(room) * usize::from(area.height));
        for range in text::wrap(&line, usize::from(room)) {
            let mut pen = Pen::new(buf, area, at, look.glyphs.cut);
            pen.skip(MARKS).put(line.get(range).unwrap_or_default(), style);
            at = at.saturating_add(1);
        }
    }
}

/// How many calls fit into a pane of so many rows.
pub fn fitting(rows: u16) -> u16 {
    rows.saturating_sub(HEAD)
}
