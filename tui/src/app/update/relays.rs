//! Whether relays are there.

use partyline_shared::protocol::server::Relays;
use partyline_shared::text::clean;

use super::super::effect::Effect;
use super::super::state::{App, Dirty, Link, RelayView};
use super::{back, calls};
use crate::event::RelayId;

/// Levels asked for, a second: what a meter needs to look alive.
const LEVELS_HZ: u8 = 5;

/// Characters kept of a reason: a line or two of a screen.
const WHY_CHARS: usize = 400;

pub(super) fn short(text: &str) -> String {
    clean(text).chars().take(WHY_CHARS).collect()
}

fn view(app: &mut App, relay: RelayId) -> Option<&mut RelayView> {
    app.relays.get_mut(usize::from(relay.0))
}

/// A notice about a relay; with its name where there are several.
pub(super) fn about(app: &App, relay: RelayId, text: &str) -> String {
    match app.relay(relay) {
        Some(view) if app.relays.len() > 1 => format!("{}: {text}", view.name),
        _ => text.to_owned(),
    }
}

/// Whether the status line has room for what is wrong with a relay: it has where that is the only one. A notice
/// would say the same once more, over the keys.
fn is_in_status(app: &App, relay: RelayId) -> bool {
    let mut others = (0..).map(RelayId).zip(&app.relays).filter(|(id, _)| *id != relay);
    others.all(|(_, view)| matches!(view.link, Link::Online { .. }))
}

/// It is there.
pub(super) fn connected(
    app: &mut App,
    relay: RelayId,
    (user, role, allow): (&str, &str, &[String]),
    node: &str,
    effects: &mut Vec<Effect>,
) {
    let since = app.now.utc;
    if let Some(view) = view(app, relay) {
        view.link = Link::Online { since };
        view.user = Some((short(user), short(role)));
        view.may_pause = role == "admin" || allow.iter().any(|right| right == "pause");
        view.node = Some(short(node));
        view.round_trip_ms = None;
        view.shares = None;
    }
    // The connection asks again by itself after a cut.
    if app.pending.watched.insert(relay) {
        effects.push(Effect::Watch(relay, LEVELS_HZ));
    }
    back::came_back(app, relay);
    app.touch(Dirty::Now);
}

/// It is gone.
pub(super) fn cut(app: &mut App, relay: RelayId, why: &str, retry_ms: u64) {
    let (now, why) = (app.now, short(why));
    let retry_at = now.ms.saturating_add(retry_ms);
    let Some(view) = view(app, relay) else {
        return;
    };
    let was_online = matches!(view.link, Link::Online { .. });
    let since = match view.link {
        Link::Online { .. } => now.utc,
        Link::Connecting { since } | Link::Away { since, .. } | Link::Refused { since, .. } => since,
    };
    let is_news = !matches!(view.link, Link::Away { .. });
    view.link = Link::Away {
        since,
        why: why.clone(),
        retry_at,
    };
    view.round_trip_ms = None;
    if was_online {
        back::went(app, relay);
        calls::forget_levels(app, relay);
    }
    if is_news && !is_in_status(app, relay) {
        app.warn(about(app, relay, &format!("the relay is away: {why}")));
    }
    app.touch(Dirty::Now);
}

/// It refuses us.
pub(super) fn refused(app: &mut App, relay: RelayId, why: &str, retry_ms: Option<u64>) {
    let (now, why) = (app.now, short(why));
    let Some(view) = view(app, relay) else {
        return;
    };
    let (since, is_news) = match &view.link {
        Link::Refused { since, why: old, .. } => (*since, *old != why),
        _ => (now.utc, true),
    };
    let was_online = matches!(view.link, Link::Online { .. });
    view.link = Link::Refused {
        since,
        why: why.clone(),
        retry_at: retry_ms.map(|ms| now.ms.saturating_add(ms)),
    };
    view.round_trip_ms = None;
    if was_online {
        back::went(app, relay);
        calls::forget_levels(app, relay);
    }
    if is_news && !is_in_status(app, relay) {
        app.warn(about(app, relay, &why));
    }
    app.touch(Dirty::Now);
}

/// It stands otherwise with the relays that share its calls.
pub(super) fn shares(app: &mut App, relay: RelayId, shares: Relays) {
    if let Some(view) = view(app, relay) {
        view.shares = Some(shares);
    }
    app.touch(Dirty::Now);
}

/// It will leave soon.
pub(super) fn goodbye(app: &mut App, relay: RelayId, reason: &str) {
    let text = format!("the relay is about to leave: {}", short(reason));
    app.say(about(app, relay, &text));
}

/// A ping came back. That is seen with the next picture, and is none of its own: where nothing happens nothing is
/// drawn, and while a call is live there is a picture a second.
pub(super) fn round_trip(app: &mut App, relay: RelayId, ms: u64) {
    if let Some(view) = view(app, relay) {
        view.round_trip_ms = Some(ms);
    }
}

/// It complains, or sent what cannot be read.
pub(super) fn complaint(app: &mut App, relay: RelayId, text: &str) {
    app.warn(about(app, relay, &short(text)));
}

/// Tries those that are not there now.
pub(super) fn retry(app: &mut App, effects: &mut Vec<Effect>) {
    let now = app.now.ms;
    let mut tried = 0;
    for (id, view) in (0..).zip(&mut app.relays) {
        match &mut view.link {
            Link::Online { .. } => continue,
            Link::Connecting { .. } => {}
            Link::Away { retry_at, .. } => *retry_at = now,
            Link::Refused { retry_at, .. } => *retry_at = Some(now),
        }
        tried += 1;
        effects.push(Effect::Retry(RelayId(id)));
    }
    app.say(match (tried, app.relays.len()) {
        (1.., _) => "trying again",
        (_, 1) => "the relay is there",
        _ => "all relays are there",
    });
}
