//! What happened in the shown call, besides what was said: when, what, and what is known of it.

use partyline_shared::event::EventKind;
use partyline_shared::time::UtcTime;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Look;
use super::pen::title;
use super::scroll::{self, Row};
use super::transcript::{OLDER, between};
use super::words;
use crate::app::state::{App, Pane};
use crate::app::text::{Happened, Texts};

/// Cells before what happened: mark and clock.
const HEAD: u16 = 10;

/// Draws the pane.
pub fn draw(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &look.theme;
    let texts = app.shown_texts();
    let events = texts.map_or(&[][..], |texts| &texts.events);
    let mut aside = String::new();
    if let Some(texts) = texts.filter(|_| !events.is_empty()) {
        let room = usize::from(area.height.saturating_sub(1));
        let bottom = scroll::bottom(&texts.events_view, events);
        let seen = scroll::seen(events.len(), bottom, room, |at| {
            entry(app, look, texts, at, area.width)
        });
        aside = scroll::aside(look, &texts.events_view, seen.below);
        scroll::draw_rows(&seen.rows, look, area, buf);
    } else {
        let words = match (&app.shown, texts.is_some_and(|texts| texts.is_known)) {
            (None, _) => "No call is selected.",
            (Some(_), false) => "Waiting for the relay.",
            (Some(_), true) => "Nothing has happened yet.",
        };
        scroll::draw_words(words, look, area, buf);
    }
    let dot = format!(" {} ", look.glyphs.dot);
    let mut parts = vec![("Events", theme.strong)];
    let trouble = events.iter().filter(|event| event.is_trouble).count();
    let trouble_words = format!("{} {trouble}", look.glyphs.trouble);
    if trouble > 0 {
        parts.extend([
            (dot.as_str(), theme.faded),
            (trouble_words.as_str(), theme.trouble),
        ]);
    }
    let search = texts.map_or("", |texts| &texts.events_view.search);
    let search = format!("/{search}");
    if search.len() > 1 {
        parts.extend([(dot.as_str(), theme.faded), (search.as_str(), theme.strong)]);
    }
    title(buf, area, look, app.focus == Pane::Events, &parts, &aside);
}

fn entry(app: &App, look: &Look, texts: &Texts, at: usize, columns: u16) -> Vec<Row> {
    let Some(event) = texts.events.get(at) else {
        return Vec::new();
    };
    let view = &texts.events_view;
    let mut rows = Vec::new();
    let was_old = at
        .checked_sub(1)
        .and_then(|at| texts.events.get(at))
        .is_some_and(|before| before.is_old);
    if was_old && !event.is_old {
        rows.push(between(look, OLDER));
    }
    let theme = &look.theme;
    let (mark, style) = match (view.found == Some(event.id), event.is_trouble, event.is_old) {
        (true, _, _) => (look.glyphs.found, theme.text),
        (false, true, _) => (look.glyphs.trouble, theme.trouble),
        (false, false, true) => (look.glyphs.dot, theme.faded),
        (false, false, false) => (" ", theme.text),
    };
    let first = vec![
        (mark.to_owned(), theme.trouble),
        (format!("{} ", words::clock(event.at)), theme.faded),
    ];
    let body = said(event, app.privacy, look.glyphs.mask);
    let search = if app.privacy { "" } else { view.search.as_str() };
    let room = columns.saturating_sub(HEAD).saturating_sub(1);
    let mut wrapped = scroll::wrapped(first, HEAD, &body, room, style, search, look);
    if app.focus != Pane::Events && wrapped.len() > 1 {
        // Beside other panes an event is a row; whoever goes there wants all of it.
        wrapped.truncate(1);
        if let Some(last) = wrapped.last_mut() {
            last.push((look.glyphs.cut.to_owned(), theme.faded));
        }
    }
    rows.extend(wrapped);
    if event.is_old && at + 1 == texts.events.len() {
        rows.push(between(look, OLDER));
    }
    rows
}

/// What a reader looks for first, and what only who searches for it reads.
fn weight(key: &str) -> u8 {
    match key {
        "status" | "reason" | "name" | "text" => 0,
        _ if key.ends_with("_sid") || key.ends_with("_id") => 2,
        _ => 1,
    }
}

/// `["inbound","outbound"]` as `inbound,outbound`.
fn listed(value: &str) -> String {
    match value
        .strip_prefix("[\"")
        .and_then(|value| value.strip_suffix("\"]"))
    {
        Some(inside) => inside.replace("\",\"", ","),
        None => value.to_owned(),
    }
}

/// A mark that somebody made, in words: `alice marked 09:41:07: text`. One of a two-way stream is an event like others.
fn marked(event: &Happened, privacy: bool, mask: &str) -> Option<String> {
    let known = |name: &str| {
        let detail = event.detail.iter().find(|(key, _)| key == name);
        detail.map(|(key, value)| (key, value.as_str()))
    };
    let (_, by) = known("by").filter(|_| event.kind == EventKind::Mark)?;
    let meant = known("at").and_then(|(_, at)| UtcTime::parse(at));
    let by = words::detail("name", by, privacy, mask);
    let mut out = format!("{by} marked {}", words::clock(meant.unwrap_or(event.at)));
    if let Some((key, text)) = known("text") {
        out.push_str(": ");
        out.push_str(&words::detail(key, text, privacy, mask));
    }
    Some(out)
}

/// An event in words: `call status: ringing  leg=dialed`.
pub fn said(event: &Happened, privacy: bool, mask: &str) -> String {
    if let Some(marked) = marked(event, privacy, mask) {
        return marked;
    }
    let mut out = event.kind.as_str().replace('_', " ");
    let mut detail: Vec<_> = event.detail.iter().collect();
    detail.sort_by_key(|(key, _)| weight(key));
    let mut gap = "  ";
    for (count, (key, value)) in detail.into_iter().enumerate() {
        let value = words::detail(key, value, privacy, mask);
        // One of our own words: `relay_link`.
        let value = match (event.kind, key.as_str()) {
            (EventKind::Gap, "reason") => value.replace('_', " ").into(),
            _ => value,
        };
        if count == 0 && weight(key) == 0 {
            // What the event is about needs no name.
            out.push_str(": ");
            out.push_str(&value);
            continue;
        }
        out.push_str(gap);
        gap = " ";
        out.push_str(key);
        out.push('=');
        out.push_str(&listed(&value));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(detail: &[(&str, &str)]) -> Happened {
        let at = UtcTime::from_unix_ms(1_795_338_000_000);
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Happened {
            id: 1,
            seq: 1,
            at,
            kind: EventKind::Mark,
            detail: detail.iter().map(pair).collect(),
            is_trouble: false,
            is_old: false,
        }
    }

    #[test]
    fn a_mark_says_who_made_it_of_when_and_what_for() {
        let all = mark(&[
            ("at", "2026-11-22T08:41:07.900Z"),
            ("by", "alice"),
            ("text", "a promise"),
        ]);
        assert_eq!(said(&all, false, "*"), "alice marked 08:41:07: a promise");
        let masked = said(&all, true, "*");
        assert!(
            masked.contains(" marked 08:41:07: ") && !masked.contains("promise"),
            "{masked}"
        );
        let plain = mark(&[("by", "bob"), ("at", "no time")]);
        assert_eq!(said(&plain, false, "*"), "bob marked 09:00:00");
        // One of a stream is as it was.
        assert_eq!(said(&mark(&[("digit", "5")]), false, "*"), "mark  digit=5");
    }
}
