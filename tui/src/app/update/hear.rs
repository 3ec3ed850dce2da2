//! Which call is played, and how it sounds.

use std::ops::RangeInclusive;

use partyline_shared::call::StreamState;
use partyline_shared::track::{PerTrack, Role, Track};

use super::super::calls::row::side_of;
use super::super::effect::Effect;
use super::super::state::{App, Dirty, Link};
use super::show::{let_go, restart_history, show};
use crate::event::{CallKey, Device, FromSound, Intent, Playback, Playing, Sides};

/// How much louder or quieter a key makes it, dB: the least that is clearly heard.
pub const VOLUME_STEP_DB: i8 = 2;

/// From hardly audible to what a quiet line needs, dB; the limiter holds what that makes too loud.
pub const VOLUME_DB: RangeInclusive<i8> = -40..=12;

/// Hears the selected call.
pub(super) fn listen(app: &mut App, effects: &mut Vec<Effect>) {
    let Some(row) = app.list.selected_row() else {
        return app.say("there is no call to hear");
    };
    let (call, roles) = (row.key.clone(), row.roles);
    if row.is_ended() {
        return app.say("this call is over: its text can be read, there is nothing to hear");
    }
    if app.heard.as_ref() == Some(&call) {
        return app.say("this call is being heard already");
    }
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
        "listening"
    };
    show(app, Some(call.clone()), effects);
    let old = app.heard.replace(call.clone());
    if let Some(old) = old {
        effects.push(Effect::StopListening(old.clone()));
        let_go(app, &old, effects);
    }
    effects.push(Effect::Listen { call, roles });
    app.playback = Playback {
        state: Playing::Waiting,
        ..Playback::default()
    };
    app.pending.heard_is_over = false;
    restart_history(app);
    match &app.device {
        Device::Missing { .. } => {
            let why = app.device.trouble().unwrap_or_default();
            app.warn(format!("{why}: you can read along and watch the levels"));
        }
        Device::Off => app.say("sound is off: you can read along and watch the levels"),
        _ => app.say(notice),
    }
}

/// Hears nothing; whether anything was heard.
pub(super) fn stop(app: &mut App, effects: &mut Vec<Effect>) -> bool {
    let Some(call) = app.heard.take() else {
        return false;
    };
    app.playback = Playback::default();
    app.pending.heard_is_over = false;
    effects.push(Effect::StopListening(call.clone()));
    let_go(app, &call, effects);
    if app.shown.as_ref() == Some(&call) {
        restart_history(app);
    }
    app.touch(Dirty::Now);
    true
}

/// The heard call will bring nothing more. What was received is played first.
pub(super) fn is_over(app: &mut App, call: &CallKey, effects: &mut Vec<Effect>) {
    if app.heard.as_ref() != Some(call) || app.pending.heard_is_over {
        return;
    }
    app.pending.heard_is_over = true;
    if app.playback.state == Playing::Over {
        stop(app, effects);
    }
    app.say("the call is over");
}

/// Holds the sound, or goes on.
pub(super) fn pause(app: &mut App, effects: &mut Vec<Effect>) {
    if app.heard.is_none() {
        return app.say("nothing is heard: Enter listens");
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
        (None, _) => app.say("nothing is heard: Enter listens"),
        (Some(_), Playing::Paused | Playing::Behind) => {
            effects.push(Effect::Live);
            if app.playback.state == Playing::Paused {
                effects.push(Effect::Pause(false));
            }
            app.playback.state = Playing::Live;
            app.say("live");
        }
        (Some(_), _) => app.say("live already"),
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
            mix.stereo = !mix.stereo;
            let stereo = "stereo: customer left, agent right";
            if mix.stereo {
                stereo.to_owned()
            } else {
                "mono: both sides on both ears".to_owned()
            }
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
        FromSound::Device(device) => on_device(app, device),
        FromSound::Playback(playback) => on_playback(app, playback, effects),
        FromSound::Columns { customer, agent } => {
            if app.hears_shown() && app.history.push(&customer, &agent) {
                app.touch(Dirty::Wave);
            }
        }
    }
}

fn on_device(app: &mut App, device: Device) {
    let device = device.cleaned();
    if device == app.device {
        return;
    }
    let was_missing = matches!(app.device, Device::Missing { .. });
    app.device = device;
    match &app.device {
        Device::Missing { .. } if app.heard.is_some() => app.warn(app.device.trouble().unwrap_or_default()),
        Device::Open { name, .. } if was_missing => app.say(format!("sound again: {name}")),
        _ => app.touch(Dirty::Now),
    }
}

fn on_playback(app: &mut App, mut playback: Playback, effects: &mut Vec<Effect>) {
    if app.heard.is_none() {
        return;
    }
    // What the player said of the call before may come after the next one was chosen.
    let stale =
        playback.state == Playing::Idle || (playback.state == Playing::Over && !app.pending.heard_is_over);
    if stale && app.playback.state == Playing::Waiting {
        playback.state = Playing::Waiting;
    }
    if playback.state == Playing::Over && app.pending.heard_is_over {
        stop(app, effects);
        return app.say("the call is over, and all of it was played");
    }
    if playback != app.playback {
        let same_state = playback.state == app.playback.state;
        app.touch(if same_state { Dirty::List } else { Dirty::Now });
        app.playback = playback;
    }
}

/// The roles of a call's tracks are others now.
pub(super) fn roles_changed(app: &mut App, call: &CallKey, old: &PerTrack<Role>, effects: &mut Vec<Effect>) {
    let Some(roles) = app.row(call).map(|row| row.roles) else {
        return;
    };
    if app.heard.as_ref() == Some(call) {
        effects.push(Effect::Roles(roles));
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
