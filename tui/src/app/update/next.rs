//! The next call of an agent or a customer is heard by itself when theirs has ended, unless something else is heard
//! by then.

use super::super::calls::Row;
use super::super::effect::Effect;
use super::super::seats::FollowOn;
use super::super::state::{App, Dirty};
use super::super::text::Side;
use super::hear;
use super::show::show;
use crate::event::CallKey;

/// Goes on with the agent's next call, with the customer's, or with none.
pub(super) fn press(app: &mut App) {
    if app.follow_on.take_if(|next| next.waits).is_some() {
        return app.say("no next call is waited for");
    }
    let row = app.heard.as_ref().and_then(|call| app.row(call));
    let Some(row) = row else {
        return app.say(hear::NOTHING);
    };
    let now = app.follow_on.as_ref().filter(|next| next.call == row.key);
    let after = match now.map(|next| next.whom) {
        None => of(row, Side::Agent).or_else(|| of(row, Side::Customer)),
        Some(Side::Agent) => of(row, Side::Customer),
        Some(Side::Customer) => None,
    };
    let text = match (&after, now) {
        (Some(next), _) if next.whom == Side::Agent => "after this call: the agent's next one",
        (Some(_), _) => "after this call: the customer's next one",
        (None, Some(_)) => "after this call: none",
        (None, None) => "neither an agent nor a customer's number is known of this call",
    };
    app.follow_on = after;
    app.say(text);
}

/// Whoever that is in a call, to go on with them.
fn of(row: &Row, whom: Side) -> Option<FollowOn> {
    let name = match whom {
        Side::Agent => row.agent.clone(),
        Side::Customer => row.customer_id.clone(),
    };
    Some(FollowOn {
        whom,
        name: name?,
        call: row.key.clone(),
        waits: false,
    })
}

/// A call is no longer heard, and has not ended: nobody goes on after it.
pub(super) fn left(app: &mut App, call: &CallKey) {
    app.follow_on.take_if(|next| !next.waits && next.call == *call);
}

/// A heard call has ended, and all of it was played: the next one is looked for.
pub(super) fn ended(app: &mut App, call: &CallKey) {
    if let Some(next) = &mut app.follow_on
        && next.call == *call
    {
        next.waits = true;
        app.pending.calls_changed = true;
        app.touch(Dirty::Now);
    }
}

/// The same call is another relay's now.
pub(super) fn traded(app: &mut App, from: &CallKey, to: &CallKey) {
    if let Some(next) = &mut app.follow_on
        && next.call == *from
    {
        next.call = to.clone();
    }
}

/// Hears the newest call of who is waited for, if there is one. Looked for only where calls have changed.
pub(super) fn settle(app: &mut App, effects: &mut Vec<Effect>) {
    let changed = std::mem::take(&mut app.pending.calls_changed);
    let Some(next) = app.follow_on.as_ref().filter(|next| next.waits) else {
        return;
    };
    if app.heard.is_some() || !changed {
        return;
    }
    let theirs = app.list.calls.values();
    let theirs = theirs.filter(|row| !row.is_ended() && row.key != next.call && next.is_of(row));
    let newest = theirs.max_by_key(|row| (row.started_at, &row.key));
    let Some((call, roles)) = newest.map(|row| (row.key.clone(), row.roles)) else {
        return;
    };
    let before = next.call.clone();
    let text = match next.whom {
        Side::Agent => "the agent's next call is heard now",
        Side::Customer => "the customer's next call is heard now",
    };
    // Who looks at something else goes on looking at it.
    if app.shown.as_ref().is_none_or(|shown| *shown == before) {
        app.list.select_call(&call);
        if app.list.selected.as_ref() == Some(&call) {
            show(app, Some(call.clone()), effects);
        }
    }
    if let Some(next) = &mut app.follow_on {
        next.call = call.clone();
        next.waits = false;
    }
    hear::alone(app, call, roles, effects);
    hear::say_how(app, text);
}
