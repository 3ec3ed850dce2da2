//! Moving, searching on and copying, in the pane that has the keys.

use partyline_shared::time::UtcTime;

use super::super::effect::Effect;
use super::super::mask::mask_text;
use super::super::state::{App, Pane};
use super::super::text::view::{Entry, Found};
use super::super::text::{Texts, View};
use super::typing::text_view;
use crate::event::Intent;

/// Characters of a copied text that the notice repeats.
const COPIED_SHOWN: usize = 40;

/// A page of a text, in entries: half its rows, since most are longer than one, and none may be skipped.
fn page(rows: u16) -> isize {
    isize::try_from(rows / 2).unwrap_or(1).max(1)
}

/// Up, down, a page of either, first, last.
pub(super) fn go(app: &mut App, intent: Intent) {
    let list = app.sizes.list;
    match (app.focus, intent) {
        (Pane::Calls | Pane::Call, Intent::Up) => app.list.move_by(-1, list),
        (Pane::Calls | Pane::Call, Intent::Down) => app.list.move_by(1, list),
        (Pane::Calls | Pane::Call, Intent::PageUp) => app.list.page(false, list),
        (Pane::Calls | Pane::Call, Intent::PageDown) => app.list.page(true, list),
        (Pane::Calls | Pane::Call, Intent::Home) => app.list.go_to_edge(false, list),
        (Pane::Calls | Pane::Call, _) => app.list.go_to_edge(true, list),
        (Pane::Transcript, _) => {
            let rows = app.sizes.transcript;
            if let Some(texts) = app.shown.as_ref().and_then(|call| app.texts.get_mut(call)) {
                scroll(&mut texts.lines_view, &texts.lines, intent, rows);
            }
        }
        (Pane::Events, _) => {
            let rows = app.sizes.events;
            if let Some(texts) = app.shown.as_ref().and_then(|call| app.texts.get_mut(call)) {
                scroll(&mut texts.events_view, &texts.events, intent, rows);
            }
        }
    }
}

fn scroll<T: Entry>(view: &mut View, entries: &[T], intent: Intent, rows: u16) {
    match intent {
        Intent::Up => view.scroll(entries, -1),
        Intent::Down => view.scroll(entries, 1),
        Intent::PageUp => view.scroll(entries, -page(rows)),
        Intent::PageDown => view.scroll(entries, page(rows)),
        Intent::Home => view.go_to_first(entries, rows),
        _ => view.go_to_last(),
    }
}

/// The next or the one before of what is searched for.
pub(super) fn search_on(app: &mut App, down: bool) {
    let pane = match app.focus {
        Pane::Calls => return app.say("search in the transcript or the events: Tab goes there"),
        Pane::Events => Pane::Events,
        Pane::Call | Pane::Transcript => Pane::Transcript,
    };
    let texts = app.shown.as_ref().and_then(|call| app.texts.get_mut(call));
    let Some(texts) = texts else {
        return app.say("there is no text to search");
    };
    if text_view(texts, pane).search.is_empty() {
        return app.say("nothing is searched for: / begins");
    }
    let found = match pane {
        Pane::Events => texts.events_view.search_on(&texts.events, down),
        _ => texts.lines_view.search_on(&texts.lines, down),
    };
    match (found, down) {
        (Found::Here, _) => {}
        (Found::Wrapped, true) => app.say("past the end: from the beginning again"),
        (Found::Wrapped, false) => app.say("past the beginning: from the end again"),
        (Found::Nowhere, _) => app.say("nothing matches"),
    }
}

/// Copies the call's name, or the line or event that was found or is at the bottom.
pub(super) fn copy(app: &mut App, effects: &mut Vec<Effect>) {
    let copied = match app.focus {
        Pane::Calls => app.list.selected.as_ref().map(|key| key.call.to_string()),
        Pane::Call => app.shown.as_ref().map(|key| key.call.to_string()),
        Pane::Transcript => app.shown_texts().and_then(said),
        Pane::Events => app.shown_texts().and_then(happened),
    };
    let Some(copied) = copied else {
        return app.say("there is nothing to copy");
    };
    let mut seen: String = copied.chars().take(COPIED_SHOWN).collect();
    if seen.len() < copied.len() {
        seen.push('…');
    }
    let is_private = app.privacy && matches!(app.focus, Pane::Transcript | Pane::Events);
    effects.push(Effect::Copy(copied));
    let seen = if is_private { mask_text(&seen) } else { seen };
    app.say(format!("copied {seen}"));
}

fn said(texts: &Texts) -> Option<String> {
    let view = &texts.lines_view;
    let at = view
        .found_index(&texts.lines)
        .or_else(|| view.bottom_index(&texts.lines))?;
    let line = texts.lines.get(at)?;
    Some(format!(
        "{} {}: {}",
        clock(line.at),
        line.side.as_str(),
        line.text
    ))
}

fn happened(texts: &Texts) -> Option<String> {
    let view = &texts.events_view;
    let at = view
        .found_index(&texts.events)
        .or_else(|| view.bottom_index(&texts.events))?;
    let event = texts.events.get(at)?;
    let mut text = format!("{} {}", clock(event.at), event.kind.as_str());
    for (key, value) in &event.detail {
        text.push_str(&format!(" {key}={value}"));
    }
    Some(text)
}

/// `09:00:00`, in UTC.
fn clock(at: UtcTime) -> String {
    at.to_string().get(11..19).unwrap_or("--:--:--").to_owned()
}
