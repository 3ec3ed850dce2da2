//! What a key does, by its intent.

use super::super::calls::Sort;
use super::super::effect::Effect;
use super::super::state::{App, Dirty, Pane};
use super::{devices, hear, hold, keep, panes, past, relays, seats, sides, typing};
use crate::event::Intent;

/// Rows of a page of help: it is seldom longer than the screen.
const HELP_PAGE: u16 = 10;

/// A key was pressed.
pub(super) fn press(app: &mut App, intent: Intent, effects: &mut Vec<Effect>) {
    use Intent as I;
    app.touch(Dirty::Now);
    if app.help && in_help(app, intent) || devices::in_picker(app, intent, effects) {
        return;
    }
    match intent {
        I::Type(c) => typing::letter(app, c),
        I::Erase => typing::erase(app),
        I::EraseAll => typing::erase_all(app),
        I::Accept => typing::accept(app),
        I::Cancel => cancel(app),
        I::Up | I::Down | I::PageUp | I::PageDown | I::Home | I::End => panes::go(app, intent),
        I::NextPane => turn(app, true),
        I::PrevPane => turn(app, false),
        I::Find => typing::begin(app),
        I::NextMatch => panes::search_on(app, true),
        I::PrevMatch => panes::search_on(app, false),
        I::Copy => panes::copy(app, effects),
        I::Listen => hear::listen(app, effects),
        I::Stop => hear::stop(app, effects),
        I::Pause => hear::pause(app, effects),
        I::Live => hear::live(app, effects),
        I::Louder | I::Quieter | I::Mute | I::OnlyCustomer | I::OnlyAgent | I::BothSides | I::Stereo => {
            hear::mix(app, intent, effects);
        }
        I::CustomerLouder
        | I::CustomerQuieter
        | I::AgentLouder
        | I::AgentQuieter
        | I::MuteCustomer
        | I::MuteAgent
        | I::AutoLevel => sides::press(app, intent, effects),
        I::Back | I::Forward | I::Fast | I::SkipSilence => past::press(app, intent, effects),
        I::Clip | I::Mark => keep::press(app, intent, effects),
        I::Also | I::Switch | I::FollowOn => seats::press(app, intent, effects),
        I::Devices => devices::open(app, effects),
        I::Hold => hold::toggle(app, effects),
        I::Privacy => {
            app.privacy = !app.privacy;
            app.say(if app.privacy {
                "numbers and text are masked"
            } else {
                "numbers and text are shown"
            });
        }
        I::Ended => {
            let with_ended = !app.list.with_ended;
            app.list.set_with_ended(with_ended);
            app.say(if with_ended {
                "ended calls are shown"
            } else {
                "ended calls are hidden"
            });
        }
        I::NextSort => sort(app, 1),
        I::PrevSort => sort(app, SORTS.len() - 1),
        I::Retry => relays::retry(app, effects),
        I::Help => {
            app.help = true;
            app.help_scroll = 0;
        }
        I::Quit => effects.push(Effect::Quit),
        I::Suspend => effects.push(Effect::Suspend),
        I::Redraw => effects.push(Effect::Redraw),
    }
}

/// While the help is open it has the keys that move; whether it took this one.
fn in_help(app: &mut App, intent: Intent) -> bool {
    let (at, last) = (app.help_scroll, app.sizes.help);
    match intent {
        Intent::Up => app.help_scroll = at.saturating_sub(1),
        Intent::Down => app.help_scroll = at.saturating_add(1).min(last),
        Intent::PageUp => app.help_scroll = at.saturating_sub(HELP_PAGE),
        Intent::PageDown => app.help_scroll = at.saturating_add(HELP_PAGE).min(last),
        Intent::Home => app.help_scroll = 0,
        Intent::End => app.help_scroll = last,
        Intent::Help | Intent::Cancel => app.help = false,
        _ => return false,
    }
    true
}

/// Leaves what is open; one thing at a time, the nearest first.
fn cancel(app: &mut App) {
    if app.typing.is_some() {
        return typing::give_up(app);
    }
    let pane = app.focus;
    let texts = app.shown.as_ref().and_then(|call| app.texts.get_mut(call));
    let view = texts.map(|texts| typing::text_view(texts, pane));
    match view {
        Some(view) if pane != Pane::Calls && !view.search.is_empty() => {
            view.search.clear();
            view.found = None;
        }
        _ if !app.list.filter.is_empty() => {
            app.list.set_filter("");
            app.say("all calls are shown");
        }
        _ => app.notice = None,
    }
}

const PANES: [Pane; 4] = [Pane::Calls, Pane::Call, Pane::Transcript, Pane::Events];

/// The next pane has the keys, or the one before.
fn turn(app: &mut App, forward: bool) {
    typing::accept(app);
    let step = if forward { 1 } else { PANES.len() - 1 };
    app.focus = after(&PANES, app.focus, step);
}

const SORTS: [Sort; 5] = [
    Sort::Oldest,
    Sort::Newest,
    Sort::Customer,
    Sort::Agent,
    Sort::Listeners,
];

fn sort(app: &mut App, step: usize) {
    let sort = after(&SORTS, app.list.sort, step);
    app.list.set_sort(sort);
    app.say(format!("sorted: {}", sort.as_str()));
}

fn after<T: Copy + PartialEq>(all: &[T], now: T, step: usize) -> T {
    let at = all.iter().position(|one| *one == now).unwrap_or(0);
    all.get((at + step) % all.len().max(1)).copied().unwrap_or(now)
}

impl Sort {
    /// As people are told it.
    pub fn as_str(self) -> &'static str {
        match self {
            Sort::Oldest => "the oldest first",
            Sort::Newest => "the newest first",
            Sort::Customer => "by customer",
            Sort::Agent => "by agent",
            Sort::Listeners => "by listeners",
        }
    }
}
