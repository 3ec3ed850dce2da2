//! Relays that share their calls have the same call each: it is one row, of the relay that knows it best. Where that
//! relay goes, the row goes on as another one has it, and so does what is shown and heard. Relays that share nothing have
//! nothing to do with each other, whatever their calls are named.

use std::collections::HashSet;

use super::super::calls::Row;
use super::super::effect::Effect;
use super::super::state::{App, Dirty};
use super::relays::about;
use super::show::follow;
use super::{hear, next, seats};
use crate::event::{CallKey, Playing, RelayId};

/// How well a relay knows a call: whether it is there, then whether what it says of the call is of now.
fn knows(app: &App, row: &Row) -> (bool, bool) {
    let Some(relay) = app.relay(row.key.relay) else {
        return (false, false);
    };
    let is_its_own = relay.node.as_ref() == Some(&row.node);
    (relay.is_online(), is_its_own || relay.cut_off_since().is_none())
}

fn shares(app: &App, relay: RelayId) -> bool {
    app.relay(relay).is_some_and(|relay| relay.shares.is_some())
}

/// The same call at the other relays that share it.
fn others<'a>(app: &'a App, key: &'a CallKey) -> impl Iterator<Item = CallKey> + 'a {
    let relays = (0..).map(RelayId).take(app.relays.len());
    let others =
        relays.filter(move |relay| *relay != key.relay && shares(app, key.relay) && shares(app, *relay));
    others.map(|relay| CallKey {
        relay,
        call: key.call.clone(),
    })
}

/// The one in the list of those.
fn listed(app: &App, key: &CallKey) -> Option<CallKey> {
    others(app, key).find(|other| app.list.calls.contains_key(other))
}

/// Who knows the call best of those that are not in the list.
fn best(app: &App, key: &CallKey) -> Option<CallKey> {
    let waiting = others(app, key).filter_map(|other| app.list.twins.get(&other));
    let best = waiting.max_by_key(|row| (knows(app, row), std::cmp::Reverse(row.key.relay)));
    best.map(|row| row.key.clone())
}

/// Keeps a call that is in the list already, as another relay has it; else gives it back.
pub(super) fn aside(app: &mut App, row: Row, effects: &mut Vec<Effect>) -> Option<Row> {
    if app.list.calls.contains_key(&row.key) {
        return Some(row);
    }
    let Some(twin) = listed(app, &row.key) else {
        app.list.twins.remove(&row.key);
        return Some(row);
    };
    app.list.twins.insert(row.key.clone(), row);
    better(app, &twin, effects);
    None
}

/// All calls of a relay are these: those that are in the list already are kept, the others given back. Where it has
/// forgotten one that another relay has, that one is in the list.
pub(super) fn set_aside(
    app: &mut App,
    relay: RelayId,
    rows: Vec<Row>,
    named: &HashSet<CallKey>,
    effects: &mut Vec<Effect>,
) -> Vec<Row> {
    app.list.twins.retain(|key, _| key.relay != relay);
    if app.relays.len() == 1 {
        return rows;
    }
    let gone = app
        .list
        .calls
        .keys()
        .filter(|key| key.relay == relay && !named.contains(*key));
    for key in gone.cloned().collect::<Vec<_>>() {
        go_on(app, &key, effects);
        app.list.twins.remove(&key);
    }
    rows.into_iter()
        .filter_map(|row| aside(app, row, effects))
        .collect()
}

/// A relay is about to forget a call: the list goes on with another one's.
pub(super) fn go_on(app: &mut App, key: &CallKey, effects: &mut Vec<Effect>) {
    if app.list.calls.contains_key(key)
        && let Some(twin) = best(app, key)
    {
        trade(app, key, &twin, effects);
    }
}

/// A relay came, went or was cut off: each call is once in the list, of who knows it best now.
pub(super) fn settle(app: &mut App, effects: &mut Vec<Effect>) {
    if app.relays.len() == 1 {
        return;
    }
    for key in app.list.calls.keys().cloned().collect::<Vec<_>>() {
        if !app.list.calls.contains_key(&key) {
            continue;
        }
        let Some(twin) = listed(app, &key) else {
            better(app, &key, effects);
            continue;
        };
        // Both were there before it was known that they are one: what is looked at stays.
        let (goes, stays) = match app.follows(&twin) || app.list.selected.as_ref() == Some(&twin) {
            true => (key, twin),
            false => (twin, key),
        };
        trade(app, &goes, &stays, effects);
        better(app, &stays, effects);
    }
    // Where nobody else shares it any more it stands for itself again.
    let twins = app.list.twins.keys();
    let alone: Vec<CallKey> = twins.filter(|key| listed(app, key).is_none()).cloned().collect();
    for key in alone {
        if let Some(row) = app.list.twins.remove(&key) {
            app.list.put(row, app.now.ms);
            app.touch(Dirty::List);
        }
    }
}

/// The list goes on with another relay's, where that knows the call better; among equals it stays as it is.
fn better(app: &mut App, key: &CallKey, effects: &mut Vec<Effect>) {
    let (Some(row), Some(twin)) = (app.list.calls.get(key), best(app, key)) else {
        return;
    };
    let is_better = app
        .list
        .twins
        .get(&twin)
        .is_some_and(|other| knows(app, other) > knows(app, row));
    if is_better {
        trade(app, key, &twin, effects);
    }
}

/// The row of a call is another relay's from now on, and what is shown and heard of it comes from there.
fn trade(app: &mut App, from: &CallKey, to: &CallKey, effects: &mut Vec<Effect>) {
    let Some(roles) = app.list.calls.get(from).map(|row| row.roles) else {
        return;
    };
    if app.hears(from) && app.hears(to) {
        hear::leave(app, from, effects);
    }
    let (was_followed, is_followed) = (app.follows(from), app.follows(to));
    app.list.trade(from, to);
    app.pending.unconfirmed.remove(from);
    app.pending.held.remove(from);
    for place in [&mut app.shown, &mut app.pending.selected] {
        if place.as_ref() == Some(from) {
            *place = Some(to.clone());
        }
    }
    // The same journal goes on there: what is known of it stays, and where it was read.
    if let Some(texts) = app.texts.remove(from) {
        app.texts.entry(to.clone()).or_insert(texts);
    }
    next::traded(app, from, to);
    let behind = app.behind.iter_mut().map(|seat| &mut seat.call);
    let heard = app.heard.iter_mut().chain(behind).find(|call| *call == from);
    let was_heard = heard.is_some();
    if let Some(heard) = heard {
        *heard = to.clone();
        effects.push(Effect::StopListening(from.clone()));
    }
    if was_followed {
        effects.push(Effect::Unfollow(from.clone()));
        if !is_followed {
            follow(app, to, effects);
        }
    }
    let Some((now, is_ended)) = app.row(to).map(|row| (row.roles, row.is_ended())) else {
        return;
    };
    if now != roles {
        hear::roles_changed(app, to, &roles, effects);
    }
    if was_heard && is_ended {
        if app.heard.as_ref() == Some(to) {
            // What came of it went with the other relay: there is nothing left to be played first.
            app.pending.heard_is_over = false;
            app.playback.state = Playing::Over;
        }
        hear::is_over(app, to, effects);
    } else if was_heard {
        hear_on(app, to, effects);
    }
    app.touch(Dirty::List);
}

/// What was heard from one relay is heard from another.
fn hear_on(app: &mut App, call: &CallKey, effects: &mut Vec<Effect>) {
    seats::hear_anew(app, call, effects);
    app.say(about(app, call.relay, "the call is heard through this relay now"));
}
