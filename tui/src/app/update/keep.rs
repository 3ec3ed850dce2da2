//! What is kept of a call: a clip in a file, a mark that others see. Neither is done here: a relay has to agree to
//! both, and answers.

use super::super::effect::Effect;
use super::super::state::App;
use super::relays::{about, short};
use crate::event::{CallKey, Intent};

/// Marks of one call that may wait for their answer: as many keys as somebody presses who means it.
const MARKS_WAITING: usize = 4;

const NOT_YET: &str = "the relay has not answered yet";

/// A key of this room was pressed.
pub(super) fn press(app: &mut App, intent: Intent, effects: &mut Vec<Effect>) {
    match intent {
        Intent::Clip => clip(app, effects),
        Intent::Mark => mark(app, effects),
        _ => {}
    }
}

/// Keeps the last of what is heard.
fn clip(app: &mut App, effects: &mut Vec<Effect>) {
    let Some(call) = app.heard.clone() else {
        return app.say("nothing is heard: there is nothing to keep");
    };
    if app.read_only {
        return app.say("read-only: no audio is kept");
    }
    if !is_online(app, &call) {
        return app.say("not kept: the relay is away, and has to put it on record first");
    }
    if !app.pending.keeping.insert(call.clone()) {
        return app.say(NOT_YET);
    }
    effects.push(Effect::Clip(call));
    app.say("keeping what was heard last");
}

/// Marks what is heard now, or the moment of the call that is shown.
fn mark(app: &mut App, effects: &mut Vec<Effect>) {
    let shown = || app.shown.clone().or_else(|| app.list.selected.clone());
    let Some(call) = app.heard.clone().or_else(shown) else {
        return app.say("there is no call to mark");
    };
    if app.read_only {
        return app.say("read-only: nothing is changed at a relay");
    }
    if !is_online(app, &call) {
        return app.say("not marked: the relay is away");
    }
    let waiting = app.pending.marks.entry(call.clone()).or_default();
    if *waiting >= MARKS_WAITING {
        return app.say(NOT_YET);
    }
    *waiting += 1;
    let behind = i64::from(app.playback.behind_ms);
    let is_past = behind > 0 && app.heard.as_ref() == Some(&call);
    let at = is_past.then(|| app.now.utc.plus_ms(-behind));
    effects.push(Effect::Mark { call, at });
}

fn is_online(app: &App, call: &CallKey) -> bool {
    app.relay(call.relay).is_some_and(|relay| relay.is_online())
}

/// A clip is written, or is not.
pub(super) fn on_kept(app: &mut App, call: &CallKey, kept: Result<String, String>) {
    app.pending.keeping.remove(call);
    match kept {
        Ok(path) => app.say(format!("kept: {path}")),
        Err(why) => {
            let text = about(app, call.relay, &format!("not kept: {}", short(&why)));
            app.warn(text);
        }
    }
}

/// A moment is marked, or is not.
pub(super) fn on_marked(app: &mut App, call: &CallKey, why_not: Option<&str>) {
    if let Some(waiting) = app.pending.marks.get_mut(call) {
        *waiting -= 1;
        if *waiting == 0 {
            app.pending.marks.remove(call);
        }
    }
    match why_not {
        None => app.say("marked, for all who see this call"),
        Some(why) => {
            let text = about(app, call.relay, &format!("not marked: {}", short(why)));
            app.warn(text);
        }
    }
}
