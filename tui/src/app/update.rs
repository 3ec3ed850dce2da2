//! (App, Event) to Effects: no await, no I/O. Whatever happens, what waits for time is looked at afterwards, so
//! that no event can hold it up.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `keys`, `typing`, `panes` | what a key does · a text is typed · moving, searching and copying in a pane |
//! | `relays`, `back` | whether relays are there · what was missed while one was not |
//! | `calls`, `texts` | the list is pushed · lines and events come |
//! | `show`, `hear` | which call is on the right · which is played, and how |
//! | `hold` | a call is held back, or let go |
//! | `settle` | what time does |

mod back;
mod calls;
mod hear;
mod hold;
mod keys;
mod panes;
mod relays;
mod settle;
mod show;
mod texts;
mod typing;

pub use hear::{VOLUME_DB, VOLUME_STEP_DB};
pub use show::TEXTS_KEPT;
pub use typing::TYPED_MAX;

use super::effect::Effect;
use super::state::{App, Dirty};
use crate::event::{CallKey, Event, FromRelay, Now, RelayId};

/// Takes in one thing that happened, and says what is to be done.
pub fn update(app: &mut App, now: Now, event: Event) -> Vec<Effect> {
    app.now = Now {
        utc: now.utc,
        ms: now.ms.max(app.now.ms),
    };
    let mut effects = Vec::new();
    match event {
        Event::Intent(intent) => keys::press(app, intent, &mut effects),
        Event::Resized(sizes) => {
            app.sizes = sizes;
            app.touch(Dirty::Now);
        }
        Event::Relay(relay, said) if app.relay(relay).is_some() => {
            from_relay(app, relay, said, &mut effects);
        }
        Event::Relay(..) | Event::Tick => {}
        Event::Sound(said) => hear::from_sound(app, said, &mut effects),
    }
    settle::settle(app, &mut effects);
    effects
}

fn from_relay(app: &mut App, relay: RelayId, said: FromRelay, effects: &mut Vec<Effect>) {
    let key = |call| CallKey { relay, call };
    match said {
        FromRelay::Connected {
            user,
            role,
            allow,
            node,
        } => relays::connected(app, relay, (&user, &role, &allow), &node, effects),
        FromRelay::Held { call, on, why_not } => hold::answered(app, &key(call), on, why_not.as_deref()),
        FromRelay::Cut { why, retry_ms } => relays::cut(app, relay, &why, retry_ms),
        FromRelay::Refused { why, retry_ms } => relays::refused(app, relay, &why, retry_ms),
        FromRelay::Goodbye { reason } => relays::goodbye(app, relay, &reason),
        FromRelay::RoundTrip { ms } => relays::round_trip(app, relay, ms),
        FromRelay::Complaint(text) => relays::complaint(app, relay, &text),
        FromRelay::Snapshot(all) => calls::snapshot(app, relay, &all, effects),
        FromRelay::Changed(call) => calls::changed(app, relay, &call, effects),
        FromRelay::Removed(call) => calls::removed(app, &key(call), effects),
        FromRelay::Levels(levels) => calls::levels(app, relay, &levels),
        FromRelay::Following { call, resumed, .. } => texts::following(app, &key(call), resumed),
        FromRelay::Journal { call, .. } => texts::renumbered(app, &key(call)),
        FromRelay::Line { call, line } => texts::line(app, &key(call), &line),
        FromRelay::Happened { call, event } => texts::event(app, &key(call), &event),
        FromRelay::Missed {
            call,
            track,
            frames,
            reason,
        } => texts::missed(app, &key(call), track, frames, reason),
        FromRelay::Ended(call) => texts::ended(app, &key(call), effects),
        FromRelay::NotFollowed { call, why } => texts::not_followed(app, &key(call), &why, effects),
    }
}
