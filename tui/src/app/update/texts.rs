//! Lines and events of followed calls come, or come no more.

use partyline_shared::event::Event;
use partyline_shared::line::Line;
use partyline_shared::time::UtcTime;
use partyline_shared::track::{Track, roles};

use super::super::calls::row::{FRAME_MS, side_of};
use super::super::effect::Effect;
use super::super::state::{App, Dirty};
use super::super::text::Side;
use super::{back, calls, hear};
use crate::event::CallKey;

fn touch_if_shown(app: &mut App, call: &CallKey) {
    if app.shown.as_ref() == Some(call) {
        app.touch(Dirty::Now);
    }
}

fn side(app: &App, call: &CallKey, track: Track) -> Side {
    let roles = app
        .row(call)
        .map_or_else(|| roles(Track::Outbound), |row| row.roles);
    side_of(track, &roles)
}

/// A call's lines and events come now.
pub(super) fn following(app: &mut App, call: &CallKey, zero_at: Option<UtcTime>, resumed: bool) {
    if !app.follows(call) {
        return;
    }
    back::confirmed(app, call, resumed);
    if let Some(texts) = app.texts.get_mut(call) {
        texts.follow(resumed);
        texts.zero_at = zero_at;
    }
    touch_if_shown(app, call);
}

/// What follows is numbered anew.
pub(super) fn renumbered(app: &mut App, call: &CallKey) {
    if let Some(texts) = app.texts.get_mut(call) {
        texts.renumber();
    }
    touch_if_shown(app, call);
}

/// A line. Of a call that is no longer followed none is taken: it comes again if the call is.
pub(super) fn line(app: &mut App, call: &CallKey, line: &Line) {
    if !app.follows(call) {
        return;
    }
    let side = side(app, call, line.track);
    let texts = app.texts.entry(call.clone()).or_default();
    if texts.take_line(line, side) {
        touch_if_shown(app, call);
    }
}

/// An event.
pub(super) fn event(app: &mut App, call: &CallKey, event: &Event) {
    if !app.follows(call) {
        return;
    }
    let texts = app.texts.entry(call.clone()).or_default();
    if texts.take_event(event) {
        touch_if_shown(app, call);
    }
}

/// Audio that will not come.
pub(super) fn missed(app: &mut App, call: &CallKey, track: Track, frames: u32, reason: &str) {
    if reason == "away" {
        back::missed(app, call, track, frames);
    }
    let side = side(app, call, track);
    let Some(texts) = app.texts.get_mut(call) else {
        return;
    };
    let missed = match side {
        Side::Customer => &mut texts.missed_ms.customer,
        Side::Agent => &mut texts.missed_ms.agent,
    };
    *missed = missed.saturating_add(u64::from(frames) * FRAME_MS);
    if app.shown.as_ref() == Some(call) {
        app.touch(Dirty::List);
    }
}

/// A followed call is over, and all of it has come.
pub(super) fn ended(app: &mut App, call: &CallKey, effects: &mut Vec<Effect>) {
    if let Some(texts) = app.texts.get_mut(call) {
        texts.is_following = false;
    }
    hear::is_over(app, call, effects);
    touch_if_shown(app, call);
}

/// A followed call is given up.
pub(super) fn not_followed(app: &mut App, call: &CallKey, why: &str, effects: &mut Vec<Effect>) {
    if let Some(texts) = app.texts.get_mut(call) {
        (texts.is_following, texts.is_refused) = (false, true);
    }
    if hear::leave(app, call, effects) {
        app.warn(format!("stopped listening: {why}"));
    } else if app.shown.as_ref() == Some(call) {
        app.warn(format!("no text of this call: {why}"));
    }
    calls::give_up(app, call, effects);
}
