//! A call is held back from everybody, or let go: what the key does, and what the relay answers. Whether a call is held
//! back is the relay's word; nothing here guesses it.

use super::super::effect::Effect;
use super::super::state::App;
use super::relays::about;
use crate::event::CallKey;

/// Holds the selected call back, or lets it go.
pub(super) fn toggle(app: &mut App, effects: &mut Vec<Effect>) {
    let Some(row) = app.list.selected_row() else {
        return app.say("there is no call to hold back");
    };
    let (call, on) = (row.key.clone(), !row.paused);
    if app.read_only {
        return app.say("read-only: nothing is changed at a relay");
    }
    if !app.may_hold(call.relay) {
        return app.say("this token has not the right to hold calls back");
    }
    if row.is_ended() {
        return app.say("this call is over");
    }
    if !app.relay(call.relay).is_some_and(|relay| relay.is_online()) {
        return app.say("the relay is away: nothing can be changed there now");
    }
    // Twice in a row would be two requests, of which either could come first.
    if !app.pending.held.insert(call.clone()) {
        return app.say("the relay has not answered yet");
    }
    effects.push(Effect::Hold { call, on });
    app.say(if on { "holding it back" } else { "letting it go" });
}

/// The relay has done it, or says why not.
pub(super) fn answered(app: &mut App, call: &CallKey, on: bool, why_not: Option<&str>) {
    app.pending.held.remove(call);
    match why_not {
        None if on => app.say("held back: nobody hears or reads what is said from here on"),
        None => app.say("it is heard and written down again"),
        Some(why) => {
            let what = if on { "not held back" } else { "still held back" };
            let text = about(app, call.relay, &format!("{what}: {}", super::relays::short(why)));
            app.warn(text);
        }
    }
}
