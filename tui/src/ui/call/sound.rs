//! The sound of the shown call: what is played, and what is set for it; of a call that is not heard, what to do.

use super::{Parts, past, words};
use crate::app::calls::Row;
use crate::app::state::{App, RelayView};
use crate::event::{Ears, Intent, Mix, Playing, Side, Sides};
use crate::ui::{Look, help};

/// The row, the most important first; and what can be spared of it.
pub(super) fn parts(app: &App, look: &Look, row: &Row) -> (Parts, Parts) {
    if !app.hears_shown() {
        return (not_in_front(app, look, row), Parts::new());
    }
    let theme = &look.theme;
    let mut parts = Parts::new();
    if let Some(why) = app.device.trouble() {
        parts.push((format!("{} {why}", look.glyphs.trouble), theme.trouble));
    }
    let playback = &app.playback;
    let is_waiting = playback.state == Playing::Waiting && app.as_of(row).is_some();
    let is_held = row.paused && matches!(playback.state, Playing::Live | Playing::Waiting);
    let (playing, style) = if is_held {
        ("silent: held back by a supervisor".to_owned(), theme.strong)
    } else if is_waiting && app.relay(row.key.relay).is_some_and(RelayView::is_online) {
        let words = "waiting: the relay does not know this call now";
        (words.to_owned(), theme.strong)
    } else if is_waiting {
        ("waiting for the relay".to_owned(), theme.strong)
    } else if playback.state == Playing::Live {
        (past::playing(playback), theme.good.patch(theme.strong))
    } else {
        (past::shown(app, look), theme.strong)
    };
    parts.push((playing, style));
    parts.extend(past::parts(app, look));
    if let Some(next) = app.follow_on.as_ref().filter(|next| next.call == row.key) {
        let words = format!("then the next call of {}", words::whose(next, app.privacy));
        parts.push((words, theme.strong));
    }
    let (set, usual) = settings(&app.mix);
    parts.extend(set.into_iter().map(|words| (words, theme.strong)));
    let rest = past::bar(app, look).into_iter().chain(usual);
    (parts, rest.map(|words| (words, theme.text)).collect())
}

/// What to do to hear a call, or to have it in front.
fn not_in_front(app: &App, look: &Look, row: &Row) -> Parts {
    let theme = &look.theme;
    let mut parts = Parts::new();
    if let Some(waits) = words::waits(app) {
        let key = help::key(Intent::FollowOn);
        parts.push((format!("{waits}; {key} ends that"), theme.strong));
    }
    let words = if app.hears_behind(&row.key) {
        "heard behind another call, more quietly: a brings it to the front"
    } else if words::is_over(row) {
        "over: its text can be read"
    } else if row.paused {
        "held back by a supervisor: nobody hears it"
    } else {
        "not listening: waves drawn from levels"
    };
    parts.push((words.to_owned(), theme.text));
    parts
}

/// What is set otherwise than at the start, which may be why somebody hears too little; and what is not.
fn settings(mix: &Mix) -> (Vec<String>, Vec<String>) {
    let ears = match mix.ears {
        Ears::Stereo => "stereo",
        Ears::Wide => "wide stereo",
        Ears::Mono => "mono",
    };
    let (customer, agent) = (side(mix.customer), side(mix.agent));
    let all = [
        (mix.muted, mix.muted.then(|| "muted".to_owned())),
        (mix.sides != Sides::Both, Some(words::sides(mix.sides).to_owned())),
        (
            mix.volume_db != 0,
            (!mix.muted).then(|| format!("volume {}", volume(mix.volume_db))),
        ),
        (true, customer.map(|gain| format!("customer {gain}"))),
        (true, agent.map(|gain| format!("agent {gain}"))),
        (true, mix.auto_level.then(|| "auto-level".to_owned())),
        (mix.ears != Ears::Stereo, Some(ears.to_owned())),
    ];
    let (set, usual): (Vec<_>, Vec<_>) = all.into_iter().partition(|(is_set, _)| *is_set);
    let words =
        |settings: Vec<(bool, Option<String>)>| settings.into_iter().filter_map(|(_, words)| words).collect();
    (words(set), words(usual))
}

/// A gain.
pub fn volume(db: i8) -> String {
    match db {
        0 => "0 dB".to_owned(),
        db => format!("{db:+} dB"),
    }
}

/// A side's own setting, where it has one.
pub fn side(side: Side) -> Option<String> {
    match side {
        Side { muted: true, .. } => Some("muted".to_owned()),
        Side { gain_db: 0, .. } => None,
        Side { gain_db, .. } => Some(volume(gain_db)),
    }
}
