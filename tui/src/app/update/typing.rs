//! A filter or a search is typed: what it finds is shown at every letter, and is undone by Esc.

use partyline_shared::text::is_unsafe;

use super::super::pending::Before;
use super::super::state::{App, Dirty, Pane, Typing};
use super::super::text::view::Found;
use super::super::text::{Texts, View};

/// Characters of a filter or search: more than a number, a name and a word.
pub const TYPED_MAX: usize = 64;

/// The text that a pane shows, with its view. The call pane's is the transcript.
pub(super) fn text_view(texts: &mut Texts, pane: Pane) -> &mut View {
    match pane {
        Pane::Events => &mut texts.events_view,
        _ => &mut texts.lines_view,
    }
}

fn search(texts: &mut Texts, pane: Pane, what: &str) -> Found {
    match pane {
        Pane::Events => texts.events_view.search(&texts.events, what),
        _ => texts.lines_view.search(&texts.lines, what),
    }
}

fn shown_texts(app: &mut App) -> Option<&mut Texts> {
    app.texts.get_mut(app.shown.as_ref()?)
}

/// Begins.
pub(super) fn begin(app: &mut App) {
    if app.focus == Pane::Call {
        app.focus = Pane::Transcript;
    }
    let pane = app.focus;
    let filter = app.list.filter.clone();
    let selected = app.list.selected.clone();
    let (text, view) = if pane == Pane::Calls {
        (filter, View::default())
    } else {
        match shown_texts(app) {
            Some(texts) => (String::new(), text_view(texts, pane).clone()),
            None => return app.say("there is no text to search"),
        }
    };
    let before = if pane == Pane::Calls {
        text.clone()
    } else {
        view.search.clone()
    };
    app.typing = Some(Typing { text, before, pane });
    app.pending.before = Some(Before {
        selected,
        shown: app.shown.clone(),
        view,
    });
}

/// A letter.
pub(super) fn letter(app: &mut App, c: char) {
    let Some(typing) = &mut app.typing else {
        return;
    };
    if !is_unsafe(c) && typing.text.chars().count() < TYPED_MAX {
        typing.text.push(c);
        apply(app);
    }
}

/// The last letter goes; out of an empty text, the typing.
pub(super) fn erase(app: &mut App) {
    match &mut app.typing {
        Some(typing) if typing.text.is_empty() => accept(app),
        Some(typing) => {
            typing.text.pop();
            apply(app);
        }
        None => {}
    }
}

/// All letters go.
pub(super) fn erase_all(app: &mut App) {
    if let Some(typing) = &mut app.typing {
        typing.text.clear();
        apply(app);
    }
}

/// It is done.
pub(super) fn accept(app: &mut App) {
    let Some(typing) = app.typing.take() else {
        return;
    };
    app.pending.before = None;
    let nothing = match typing.pane {
        Pane::Calls => app.list.order.is_empty() && !app.list.filter.is_empty(),
        pane => shown_texts(app)
            .map(|texts| text_view(texts, pane))
            .is_some_and(|view| !view.search.is_empty() && view.found.is_none()),
    };
    if nothing {
        app.say("nothing matches");
    }
}

/// What was there before is there again.
pub(super) fn give_up(app: &mut App) {
    let Some(typing) = app.typing.take() else {
        return;
    };
    let before = app.pending.before.take();
    if typing.pane == Pane::Calls {
        app.list.set_filter(&typing.before);
        if let Some(call) = before.and_then(|before| before.selected) {
            app.list.select_call(&call);
        }
    } else if let Some(before) = before.filter(|before| before.shown == app.shown)
        && let Some(texts) = shown_texts(app)
    {
        match typing.pane {
            Pane::Events => texts.events_view.go_back(before.view, &texts.events),
            _ => texts.lines_view.go_back(before.view, &texts.lines),
        }
    }
}

fn apply(app: &mut App) {
    let Some(Typing { text, pane, .. }) = app.typing.clone() else {
        return;
    };
    if pane == Pane::Calls {
        app.list.set_filter(&text);
    } else if let Some(texts) = shown_texts(app) {
        search(texts, pane, &text);
    }
    app.touch(Dirty::Now);
}
