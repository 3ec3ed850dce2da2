//! The list is pushed: all calls of a relay, one that changed, one that is gone, how loud they are.

use std::collections::HashSet;

use partyline_shared::call::Call;
use partyline_shared::protocol::server::Level;
use partyline_shared::track::{PerTrack, Role};

use super::super::calls::meter::meter_step;
use super::super::calls::order::Change;
use super::super::calls::row::by_side;
use super::super::calls::{PerSide, Row};
use super::super::effect::Effect;
use super::super::state::{App, Dirty};
use super::hear;
use super::seats;
use super::show::{follow, show};
use super::twins;
use crate::event::{CallKey, RelayId};

/// Calls kept of all relays: twice what a relay keeps at most, and more than anyone looks through.
pub(super) const CALLS_KEPT: usize = 50_000;

/// All calls of a relay, as of now. One that is looked at stays, though the relay does not name it: after a
/// restart a relay hears of its calls one by one.
pub(super) fn snapshot(app: &mut App, relay: RelayId, calls: &[Call], effects: &mut Vec<Effect>) {
    let known = app.list.calls.keys().chain(app.list.twins.keys());
    let room = CALLS_KEPT.saturating_sub(known.filter(|key| key.relay != relay).count());
    let key = |call: &Call| CallKey {
        relay,
        call: call.call_sid.clone(),
    };
    let rows: Vec<Row> = calls
        .iter()
        .take(room)
        .map(|call| Row::of(key(call), call))
        .collect();
    let named: HashSet<CallKey> = rows.iter().map(|row| row.key.clone()).collect();
    let rows = twins::set_aside(app, relay, rows, &named, effects);
    let watched: Vec<Row> = app.texts.keys().filter_map(|key| app.row(key)).cloned().collect();
    let held: Vec<CallKey> = app.shown.iter().chain(app.heard_calls()).cloned().collect();
    app.pending.calls_changed = true;
    let lost_selected = app
        .list
        .replace(relay, rows, app.now.ms, |key| held.contains(key));
    for key in held.into_iter().filter(|key| key.relay == relay) {
        if !named.contains(&key) {
            let since = app.pending.last_cut.get(&relay).copied().unwrap_or(app.now.utc);
            app.pending.unconfirmed.entry(key).or_insert(since);
        }
    }
    app.pending.unconfirmed.retain(|key, _| !named.contains(key));
    for before in watched.into_iter().filter(|row| row.key.relay == relay) {
        if app.row(&before.key).is_some() {
            follow_up(app, &before, effects);
        } else {
            // Forgotten by the relay, or erased: then here too.
            app.texts.remove(&before.key);
        }
    }
    twins::settle(app, effects);
    if lost_selected {
        app.say("the selected call is no longer known: the next one is selected");
    }
    app.touch(Dirty::List);
}

/// A call is new or changed.
pub(super) fn changed(app: &mut App, relay: RelayId, call: &Call, effects: &mut Vec<Effect>) {
    let key = CallKey {
        relay,
        call: call.call_sid.clone(),
    };
    if app.list.calls.len().saturating_add(app.list.twins.len()) >= CALLS_KEPT
        && app.row(&key).is_none()
        && !app.list.twins.contains_key(&key)
    {
        return app.warn(format!(
            "more than {CALLS_KEPT} calls: the newest are not in the list"
        ));
    }
    let Some(row) = twins::aside(app, Row::of(key.clone(), call), effects) else {
        return;
    };
    app.pending.calls_changed = true;
    app.pending.unconfirmed.remove(&key);
    let is_looked_at = app.texts.contains_key(&key);
    let before = if is_looked_at {
        app.row(&key).cloned()
    } else {
        None
    };
    let selected = app.list.selected.clone();
    match app.list.put(row, app.now.ms) {
        Change::Same => return,
        Change::Order => app.touch(Dirty::List),
        Change::Row if is_in_sight(app, &key) => app.touch(Dirty::List),
        Change::Row => {}
    }
    if selected.is_some() && selected != app.list.selected {
        app.say("the selected call no longer matches the filter: the next one is selected");
    }
    if let Some(before) = before {
        follow_up(app, &before, effects);
    }
}

fn is_in_sight(app: &App, key: &CallKey) -> bool {
    let rows = app.sizes.list;
    let from = app.list.offset(rows);
    let seen = from..from.saturating_add(usize::from(rows));
    app.shown.as_ref() == Some(key)
        || app.hears(key)
        || app.list.index_of(key).is_some_and(|at| seen.contains(&at))
}

/// A call that is or was looked at has another row now.
fn follow_up(app: &mut App, before: &Row, effects: &mut Vec<Effect>) {
    let key = &before.key;
    let Some(row) = app.row(key) else {
        return;
    };
    let (is_ended, roles) = (row.is_ended(), row.roles);
    if roles != before.roles {
        hear::roles_changed(app, key, &before.roles, effects);
    }
    if is_ended && !before.is_ended() {
        hear::is_over(app, key, effects);
    }
    // A call can come back by a new stream; the connection has let go of it meanwhile.
    if !is_ended && before.is_ended() && app.follows(key) {
        let is_following = app.texts.get(key).is_some_and(|texts| texts.is_following);
        if app.heard.as_ref() == Some(key) {
            app.pending.heard_is_over = false;
        }
        if !is_following {
            follow(app, key, effects);
            if app.hears(key) {
                // What the player has of it goes on from a connection that has given it up.
                if !app.behind.is_empty() {
                    effects.push(Effect::StopListening(key.clone()));
                }
                seats::hear_anew(app, key, effects);
            }
        }
    }
}

/// A call is forgotten, or no longer granted: nothing of it stays.
pub(super) fn removed(app: &mut App, key: &CallKey, effects: &mut Vec<Effect>) {
    twins::go_on(app, key, effects);
    if app.list.twins.remove(key).is_some() {
        return;
    }
    let was_heard = hear::leave(app, key, effects);
    if app.shown.as_ref() == Some(key) {
        show(app, None, effects);
    }
    app.pending.unconfirmed.remove(key);
    app.texts.remove(key);
    let was_selected = app.list.remove(key);
    if was_heard {
        app.warn("a call that was heard is no longer known, or no longer granted");
    } else if was_selected {
        app.say("the selected call is no longer known: the next one is selected");
    }
    app.touch(Dirty::List);
}

/// How loud calls are, of those where that has changed.
pub(super) fn levels(app: &mut App, relay: RelayId, levels: &[Level]) {
    for level in levels {
        let key = CallKey {
            relay,
            call: level.call_sid.clone(),
        };
        let Some(row) = app.list.calls.get_mut(&key) else {
            continue;
        };
        let old = steps(row.level);
        row.level = by_track(level, &row.roles);
        let moved = steps(row.level) != old;
        // Looked up only where it still makes a difference.
        if moved && app.dirty < Dirty::List && is_in_sight(app, &key) {
            app.touch(Dirty::List);
        }
    }
}

fn by_track(level: &Level, roles: &PerTrack<Role>) -> PerSide<Option<f32>> {
    // The wire has more digits than a meter needs.
    let narrow = |db: Option<f64>| db.map(|db| db as f32);
    let tracks = PerTrack {
        inbound: narrow(level.inbound),
        outbound: narrow(level.outbound),
    };
    by_side(tracks, roles)
}

fn steps(level: PerSide<Option<f32>>) -> (u8, u8) {
    (meter_step(level.customer), meter_step(level.agent))
}

/// A relay is away: nobody knows how loud its calls are.
pub(super) fn forget_levels(app: &mut App, relay: RelayId) {
    let rows = app.list.calls.iter_mut().filter(|(key, _)| key.relay == relay);
    rows.for_each(|(_, row)| row.level = PerSide::default());
}

/// The connection has given up a call. One that the relay does not name either was held on to for nothing.
pub(super) fn give_up(app: &mut App, key: &CallKey, effects: &mut Vec<Effect>) {
    if app.pending.unconfirmed.contains_key(key) && app.shown.as_ref() == Some(key) {
        show(app, None, effects);
    }
}
