//! Which call is on the right, and whose lines and events are therefore asked for. A call is followed while it
//! is shown or heard; what came of it is kept for a while longer.

use super::super::effect::Effect;
use super::super::state::{App, Dirty};
use crate::event::CallKey;

/// Calls whose lines and events are kept: those that one goes back and forth between.
pub const TEXTS_KEPT: usize = 8;

/// Shows another call, or none.
pub(super) fn show(app: &mut App, call: Option<CallKey>, effects: &mut Vec<Effect>) {
    if app.shown == call {
        return;
    }
    let followed = call.as_ref().is_some_and(|call| app.follows(call));
    let old = std::mem::replace(&mut app.shown, call.clone());
    if let Some(call) = call.filter(|_| !followed) {
        follow(app, &call, effects);
    }
    if let Some(old) = old {
        let_go(app, &old, effects);
    }
    restart_history(app);
    app.touch(Dirty::Now);
}

/// Asks for a call's lines and events.
pub(super) fn follow(app: &mut App, call: &CallKey, effects: &mut Vec<Effect>) {
    let texts = app.texts.entry(call.clone()).or_default();
    texts.begin();
    texts.used_at = app.now.ms;
    effects.push(Effect::Follow(call.clone()));
    while app.texts.len() > TEXTS_KEPT {
        let unused = app.texts.iter().filter(|(call, _)| !app.follows(call));
        let oldest = unused.min_by_key(|(call, texts)| (texts.used_at, (*call).clone()));
        let Some(oldest) = oldest.map(|(call, _)| call.clone()) else {
            return;
        };
        app.texts.remove(&oldest);
    }
}

/// Asks for them where nobody has, or the relay has refused it since.
pub(super) fn follow_if_not(app: &mut App, call: &CallKey, effects: &mut Vec<Effect>) {
    let is_refused = app.texts.get(call).is_some_and(|texts| texts.is_refused);
    if is_refused || !app.follows(call) {
        follow(app, call, effects);
    }
}

/// A call is shown or heard no more: where it is neither, nothing more of it is asked for.
pub(super) fn let_go(app: &mut App, call: &CallKey, effects: &mut Vec<Effect>) {
    if app.follows(call) {
        return;
    }
    effects.push(Effect::Unfollow(call.clone()));
    if let Some(texts) = app.texts.get_mut(call) {
        texts.is_following = false;
        texts.used_at = app.now.ms;
    }
    // It was in the list for being looked at alone.
    if app.pending.unconfirmed.remove(call).is_some() {
        app.list.remove(call);
        app.texts.remove(call);
        app.touch(Dirty::List);
    }
}

/// The columns are of another call or source from now on.
pub(super) fn restart_history(app: &mut App) {
    let is_played = app.hears_shown();
    app.history.clear(is_played);
    app.pending.columns_to = None;
}
