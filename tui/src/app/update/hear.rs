//! Which call is played, and how it sounds.

use std::ops::RangeInclusive;

use partyline_shared::call::StreamState;
use partyline_shared::track::{PerTrack, Role, Track};

use super::super::calls::row::side_of;
use super::super::effect::Effect;
use super::super::seats::Replay;
use super::super::state::{App, Dirty, Link, Pane};
use super::past::STALE_MS;
use super::show::{follow_if_not, let_go, restart_history, show};
use super::{devices, next, past, seats};
use crate::event::{CallKey, Device, Ears, FromSound, Intent, Playback, Playing, Sides};

/// How much louder or quieter a key makes it, dB: the least that is clearly heard.
pub const VOLUME_STEP_DB: i8 = 2;

/// From hardly audible to what a quiet line needs, dB; the limiter holds what that makes too loud.
pub const VOLUME_DB: RangeInclusive<i8> = -40..=12;

/// What is said where a key is for a heard call.
pub(super) const NOTHING: &str = "nothing is heard: Enter listens";

/// What is said of a call that cannot be heard any more.
pub(super) const OVER: &str = "this call is over: its text can be read, there is nothing to hear";

/// What is said of a call that is heard at once.
pub(super) const LISTENING: &str = "listening";

/// Hears the selected call, and no other; in the transcript of a heard call, the line that one has moved to.
pub(super) fn listen(app: &mut App, effects: &mut Vec<Effect>) {
    if app.focus == Pane::Transcript && past::play_line(app, effects) {
        return;
    }
    let Some(call) = app.list.selected.clone() else {
        return app.say("there is no call to hear");
    };
    if app.heard.as_ref() == Some(&call) && app.behind.is_empty() {
        return app.say("this call is being heard already");
    }
    if app.hears(&call) {
        seats::to_front(app, &call, effects);
        seats::leave_all_behind(app, effects);
        show(app, Some(call), effects);
        return app.say("only this call is heard");
    }
    let Some((roles, notice)) = may_hear(app, &call) else {
        return app.say(OVER);
    };
    show(app, Some(call.clone()), effects);
    seats::leave_all_behind(app, effects);
    if let Some(old) = app.heard.take() {
        next::left(app, &old);
        effects.push(Effect::StopListening(old.clone()));
        let_go(app, &old, effects);
    }
    alone(app, call, roles, effects);
    say_how(app, notice);
}

/// Who is on which track of a call that may be heard, and how soon it will be; `None` of one that is over.
pub(super) fn may_hear(app: &App, call: &CallKey) -> Option<(PerTrack<Role>, &'static str)> {
    let row = app.row(call).filter(|row| !row.is_ended())?;
    let online = app
        .relay(call.relay)
        .is_some_and(|relay| matches!(relay.link, Link::Online { .. }));
    let notice = if !online {
        "the relay is away: it plays as soon as that is back"
    } else if row.paused {
        "a supervisor holds the audio back: it plays as soon as it flows again"
    } else if row.stream != StreamState::Live {
        "no audio yet: it plays as soon as it comes"
    } else {
        LISTENING
    };
    Some((row.roles, notice))
}

/// Hears a call where nothing is heard.
pub(super) fn alone(app: &mut App, call: CallKey, roles: PerTrack<Role>, effects: &mut Vec<Effect>) {
    follow_if_not(app, &call, effects);
    app.heard = Some(call.clone());
    effects.push(Effect::Listen { call, roles });
    begins(app);
}

/// The call in front begins to be heard.
pub(super) fn begins(app: &mut App) {
    app.playback = Playback {
        state: Playing::Waiting,
        ..Playback::default()
    };
    app.replay = Replay {
        since: app.now.ms,
        ..Replay::default()
    };
    app.pending.heard_is_over = false;
    app.pending.front_at = app.now.ms;
    app.pending.sought = None;
    if app.hears_shown() {
        restart_history(app);
    }
}

/// Says how a call is heard; without a card that it is not.
pub(super) fn say_how(app: &mut App, notice: &str) {
    match &app.device {
        Device::Missing { .. } => {
            let why = app.device.trouble().unwrap_or_default();
            app.warn(format!("{why}: you can read along and watch the levels"));
        }
        Device::Off => app.say("sound is off: you can read along and watch the levels"),
        _ => app.say(notice),
    }
}

/// Stops the call in front; the one that was there before it comes back.
pub(super) fn stop(app: &mut App, effects: &mut Vec<Effect>) {
    let Some(call) = app.heard.clone() else {
        let waited = app.follow_on.take_if(|next| next.waits);
        return app.say(if waited.is_some() {
            "no next call is waited for"
        } else {
            "nothing is heard"
        });
    };
    leave(app, &call, effects);
    if app.heard.is_some() {
        return app.say("stopped; the call behind it is in front");
    }
    // Who wants silence wants no next call either.
    app.follow_on = None;
    app.say("stopped listening");
}

/// A call is not heard any more, though it may go on; whether it was.
pub(super) fn leave(app: &mut App, call: &CallKey, effects: &mut Vec<Effect>) -> bool {
    next::left(app, call);
    goes(app, call, effects)
}

/// A call is not heard any more; whether it was.
fn goes(app: &mut App, call: &CallKey, effects: &mut Vec<Effect>) -> bool {
    app.touch(Dirty::Now);
    if app.heard.take_if(|heard| heard == call).is_none() {
        return seats::leave_behind(app, call, effects);
    }
    app.pending.heard_is_over = false;
    app.pending.sought = None;
    effects.push(Effect::StopListening(call.clone()));
    let_go(app, call, effects);
    seats::step_back(app, effects);
    if app.shown.as_ref() == Some(call) {
        restart_history(app);
    }
    // Whoever is waited for may have come meanwhile.
    app.pending.calls_changed = true;
    true
}

/// A heard call is over, and all of it was played.
fn ends(app: &mut App, call: &CallKey, effects: &mut Vec<Effect>) {
    goes(app, call, effects);
    next::ended(app, call);
}

/// A heard call will bring nothing more. Of the one in front, what was received is played first.
pub(super) fn is_over(app: &mut App, call: &CallKey, effects: &mut Vec<Effect>) {
    if app.hears_behind(call) {
        ends(app, call, effects);
        return app.say("a call that was heard behind is over");
    }
    if app.heard.as_ref() != Some(call) || app.pending.heard_is_over {
        return;
    }
    app.pending.heard_is_over = true;
    if app.playback.state == Playing::Over {
        ends(app, call, effects);
    }
    app.say("the call is over");
}

/// Holds the sound, or goes on.
pub(super) fn pause(app: &mut App, effects: &mut Vec<Effect>) {
    if app.heard.is_none() {
        return app.say(NOTHING);
    }
    let held = app.playback.state != Playing::Paused;
    app.playback.state = if held { Playing::Paused } else { Playing::Behind };
    effects.push(Effect::Pause(held));
    app.say(if held {
        "paused: receiving goes on"
    } else {
        "goes on from where it was paused; l goes back to live"
    });
}

/// Back to what is said now.
pub(super) fn live(app: &mut App, effects: &mut Vec<Effect>) {
    match (&app.heard, app.playback.state) {
        (None, _) => app.say(NOTHING),
        (Some(_), Playing::Paused | Playing::Behind) => {
            effects.push(Effect::Live);
            if app.playback.state == Playing::Paused {
                effects.push(Effect::Pause(false));
            }
            app.playback.state = Playing::Live;
            app.playback.behind_ms = 0;
            app.pending.sought = None;
            app.say("live");
        }
        (Some(_), _) => {
            // The player may be on its way back, and have said nothing of it yet.
            effects.push(Effect::Live);
            app.pending.sought = None;
            app.say("live already");
        }
    }
}

/// Louder, quieter, one side, and the like.
pub(super) fn mix(app: &mut App, intent: Intent, effects: &mut Vec<Effect>) {
    let mix = &mut app.mix;
    let notice = match intent {
        Intent::Louder | Intent::Quieter => {
            let step = if intent == Intent::Louder {
                VOLUME_STEP_DB
            } else {
                -VOLUME_STEP_DB
            };
            let wanted = mix.volume_db.saturating_add(step);
            mix.volume_db = wanted.clamp(*VOLUME_DB.start(), *VOLUME_DB.end());
            // Who turns it up wants to hear something.
            mix.muted &= intent == Intent::Quieter;
            volume(mix.volume_db)
        }
        Intent::Mute => {
            mix.muted = !mix.muted;
            if mix.muted {
                "muted".to_owned()
            } else {
                volume(mix.volume_db)
            }
        }
        Intent::OnlyCustomer => {
            mix.sides = Sides::Customer;
            "only the customer".to_owned()
        }
        Intent::OnlyAgent => {
            mix.sides = Sides::Agent;
            "only the agent".to_owned()
        }
        Intent::BothSides => {
            mix.sides = Sides::Both;
            "both sides".to_owned()
        }
        _ => {
            mix.ears = match mix.ears {
                Ears::Stereo => Ears::Wide,
                Ears::Wide => Ears::Mono,
                Ears::Mono => Ears::Stereo,
            };
            match mix.ears {
                Ears::Stereo => "stereo: customer left, agent right",
                Ears::Wide => "wide stereo: each on one ear alone",
                Ears::Mono => "mono: both sides on both ears",
            }
            .to_owned()
        }
    };
    effects.push(Effect::Mix(*mix));
    app.say(notice);
}

fn volume(db: i8) -> String {
    match db {
        0 => "volume 0 dB".to_owned(),
        db => format!("volume {db:+} dB"),
    }
}

/// The player says something.
pub(super) fn from_sound(app: &mut App, said: FromSound, effects: &mut Vec<Effect>) {
    match said {
        FromSound::Device(device) => devices::on_device(app, device),
        FromSound::Devices(found) => devices::on_devices(app, found),
        FromSound::Playback(playback) => on_playback(app, playback, effects),
        FromSound::Columns { customer, agent } => {
            if app.hears_shown() && app.history.push(&customer, &agent) {
                app.touch(Dirty::Wave);
            }
        }
    }
}

fn on_playback(app: &mut App, mut playback: Playback, effects: &mut Vec<Effect>) {
    let Some(call) = app.heard.clone() else {
        return;
    };
    // What the player said of the call before may come after the next one was chosen.
    let is_over = playback.state == Playing::Over;
    let is_new = app.now.ms < app.pending.front_at.saturating_add(STALE_MS);
    let stale = playback.state == Playing::Idle || (is_over && !app.pending.heard_is_over);
    if stale && (is_new || app.playback.state == Playing::Waiting) {
        playback.state = app.playback.state;
    }
    if playback.state == Playing::Live && past::is_on_its_way(app) {
        (playback.state, playback.behind_ms) = (app.playback.state, app.playback.behind_ms);
    }
    if is_over && app.pending.heard_is_over {
        ends(app, &call, effects);
        return app.say(if app.heard.is_some() {
            "the call is over; the one behind it is in front"
        } else {
            "the call is over, and all of it was played"
        });
    }
    let was = std::mem::replace(&mut app.playback, playback);
    past::arrived(app);
    if playback.state != was.state {
        app.touch(Dirty::Now);
    } else if playback != seen_as(was, playback.behind_ms) {
        app.touch(Dirty::List);
    }
}

/// The same where only the tenths of how far it lies behind live are others: of those only seconds are shown.
fn seen_as(was: Playback, behind_ms: u32) -> Playback {
    let is_same = was.behind_ms / 1000 == behind_ms / 1000;
    Playback {
        behind_ms: if is_same { behind_ms } else { was.behind_ms },
        ..was
    }
}

/// The roles of a call's tracks are others now.
pub(super) fn roles_changed(app: &mut App, call: &CallKey, old: &PerTrack<Role>, effects: &mut Vec<Effect>) {
    let Some(roles) = app.row(call).map(|row| row.roles) else {
        return;
    };
    if app.hears(call) {
        effects.push(Effect::Roles {
            call: call.clone(),
            roles,
        });
    }
    if side_of(Track::Inbound, old) != side_of(Track::Inbound, &roles) {
        if let Some(texts) = app.texts.get_mut(call) {
            texts.swap_sides();
        }
        if app.shown.as_ref() == Some(call) {
            app.touch(Dirty::Now);
        }
    }
}
