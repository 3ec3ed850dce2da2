//! Several heard calls: one more is heard in front of the others, another one comes to the front, one leaves.

use super::super::effect::Effect;
use super::super::seats::{HEARD_MOST, Replay, Seat};
use super::super::state::App;
use super::show::{follow_if_not, let_go, restart_history, show};
use super::{hear, next};
use crate::event::{CallKey, Intent, Playback, Playing};

/// A key of this room was pressed.
pub(super) fn press(app: &mut App, intent: Intent, effects: &mut Vec<Effect>) {
    match intent {
        Intent::Also => also(app, effects),
        Intent::Switch => switch(app, effects),
        _ => next::press(app),
    }
}

/// Hears the selected call too, in front.
fn also(app: &mut App, effects: &mut Vec<Effect>) {
    let selected = app.list.selected.clone();
    if app.heard.is_none() || selected.is_none() {
        return hear::listen(app, effects);
    }
    let Some(call) = selected else {
        return;
    };
    if app.heard.as_ref() == Some(&call) {
        return app.say("this call is heard in front already");
    }
    if app.hears_behind(&call) {
        to_front(app, &call, effects);
        show(app, Some(call), effects);
        return app.say("in front now");
    }
    let Some((roles, notice)) = hear::may_hear(app, &call) else {
        return app.say(hear::OVER);
    };
    show(app, Some(call.clone()), effects);
    // One that has ended leaves by itself.
    let stays = usize::from(!app.pending.heard_is_over);
    let is_full = app.behind.len() + stays >= HEARD_MOST;
    if let Some(oldest) = app.behind.pop_if(|_| is_full) {
        next::left(app, &oldest.call);
        effects.push(Effect::StopListening(oldest.call.clone()));
        let_go(app, &oldest.call, effects);
    }
    put_behind(app, effects);
    follow_if_not(app, &call, effects);
    app.heard = Some(call.clone());
    effects.push(Effect::Also { call, roles });
    hear::begins(app);
    match (is_full, notice) {
        (true, _) => app.say(format!(
            "{HEARD_MOST} calls are heard at once: the one at the back is left"
        )),
        (false, hear::LISTENING) => app.say("in front; the others are quieter behind it"),
        (false, notice) => hear::say_how(app, notice),
    }
}

/// The next of the heard calls comes to the front, and is shown.
fn switch(app: &mut App, effects: &mut Vec<Effect>) {
    if app.heard.is_none() {
        return app.say(hear::NOTHING);
    }
    // The one that has waited the longest: so each has its turn.
    let Some(call) = app.behind.last().map(|seat| seat.call.clone()) else {
        return app.say("only one call is heard: a on another one hears that too");
    };
    to_front(app, &call, effects);
    app.list.select_call(&call);
    if app.list.selected.as_ref() == Some(&call) {
        show(app, Some(call), effects);
    }
    app.say("the next heard call is in front");
}

/// The call in front goes behind; one that has ended would wait there for nothing, and leaves.
fn put_behind(app: &mut App, effects: &mut Vec<Effect>) {
    let Some(call) = app.heard.take() else {
        return;
    };
    if std::mem::take(&mut app.pending.heard_is_over) {
        effects.push(Effect::StopListening(call.clone()));
        let_go(app, &call, effects);
        return next::ended(app, &call);
    }
    let (replay, playback) = (app.replay, app.playback);
    app.behind.insert(
        0,
        Seat {
            call,
            replay,
            playback,
        },
    );
}

/// A call that is heard behind comes to the front.
pub(super) fn to_front(app: &mut App, call: &CallKey, effects: &mut Vec<Effect>) {
    let Some(at) = app.behind.iter().position(|seat| seat.call == *call) else {
        return;
    };
    let seat = app.behind.remove(at);
    let had_waves = app.hears_shown();
    put_behind(app, effects);
    app.heard = Some(seat.call.clone());
    app.replay = seat.replay;
    app.playback = seat.playback;
    app.pending.front_at = app.now.ms;
    app.pending.sought = None;
    effects.push(Effect::Front(seat.call));
    if had_waves != app.hears_shown() {
        restart_history(app);
    }
}

/// The call in front was left: the one that was there before comes back, if there is one.
pub(super) fn step_back(app: &mut App, effects: &mut Vec<Effect>) {
    app.playback = Playback::default();
    app.replay = Replay::default();
    if let Some(call) = app.behind.first().map(|seat| seat.call.clone()) {
        to_front(app, &call, effects);
    }
}

/// A call behind is left; whether it was there.
pub(super) fn leave_behind(app: &mut App, call: &CallKey, effects: &mut Vec<Effect>) -> bool {
    let Some(at) = app.behind.iter().position(|seat| seat.call == *call) else {
        return false;
    };
    app.behind.remove(at);
    effects.push(Effect::StopListening(call.clone()));
    let_go(app, call, effects);
    true
}

/// All calls behind are left.
pub(super) fn leave_all_behind(app: &mut App, effects: &mut Vec<Effect>) {
    for seat in std::mem::take(&mut app.behind) {
        next::left(app, &seat.call);
        effects.push(Effect::StopListening(seat.call.clone()));
        let_go(app, &seat.call, effects);
    }
}

/// The connection, or the relay, of a heard call is another one: its audio is asked for anew, in its old place, and what
/// somebody wanted of it stays. Who has it held is not to be talked to all at once.
pub(super) fn hear_anew(app: &mut App, call: &CallKey, effects: &mut Vec<Effect>) {
    let Some(roles) = app.row(call).map(|row| row.roles) else {
        return;
    };
    let key = call.clone();
    if app.behind.is_empty() {
        effects.push(Effect::Listen { call: key, roles });
    } else {
        effects.push(Effect::Also { call: key, roles });
    }
    let since = app.now.ms;
    if let Some(seat) = app.behind.iter_mut().find(|seat| seat.call == *call) {
        seat.replay.since = since;
        seat.playback = begun(&seat.playback);
        again(&seat.replay, &seat.playback, effects);
        effects.extend(app.heard.clone().map(Effect::Front));
        return;
    }
    let (replay, playback) = (Replay { since, ..app.replay }, begun(&app.playback));
    hear::begins(app);
    again(&replay, &playback, effects);
    (app.replay, app.playback) = (replay, playback);
}

/// How it goes with a call whose audio begins anew.
fn begun(before: &Playback) -> Playback {
    let state = match before.state {
        Playing::Paused => Playing::Paused,
        _ => Playing::Waiting,
    };
    Playback {
        state,
        ..Playback::default()
    }
}

/// Says again what is wanted of the call that was asked for last.
fn again(replay: &Replay, playback: &Playback, effects: &mut Vec<Effect>) {
    if replay.fast {
        effects.push(Effect::Fast(true));
    }
    if replay.skip_silence {
        effects.push(Effect::SkipSilence(true));
    }
    if playback.state == Playing::Paused {
        effects.push(Effect::Pause(true));
    }
}
