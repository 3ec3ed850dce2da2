//! (App, Event) to Effects: no await, no I/O. Whatever happens, what waits for time is looked at afterwards, so
//! that no event can hold it up.
//!
//! | room | what is in it |
//! | --- | --- |
//! | `keys`, `typing`, `panes` | what a key does · a text is typed · moving, searching and copying in a pane |
//! | `relays`, `back` | whether relays are there · what was missed while one was not |
//! | `calls`, `texts` | the list is pushed · lines and events come |
//! | `twins` | one call that several relays have is one row |
//! | `show`, `hear` | which call is on the right · which is played, and how |
//! | `seats`, `next` | several heard calls · the next one of an agent or customer |
//! | `past` | back in time in what is heard |
//! | `sides`, `devices` | one side's own gain · the picker of the sound card |
//! | `hold`, `keep` | a call is held back, or let go · what is kept of it: clips and marks |
//! | `settle` | what time does |

mod back;
mod calls;
mod devices;
mod hear;
mod hold;
mod keep;
mod keys;
mod next;
mod panes;
mod past;
mod relays;
mod seats;
mod settle;
mod show;
mod sides;
mod texts;
mod twins;
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
        Event::Kept(call, kept) => keep::on_kept(app, &call, kept),
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
        FromRelay::Marked { call, why_not } => keep::on_marked(app, &key(call), why_not.as_deref()),
        FromRelay::Held { call, on, why_not } => hold::answered(app, &key(call), on, why_not.as_deref()),
        FromRelay::Cut { why, retry_ms } => {
            relays::cut(app, relay, &why, retry_ms);
            twins::settle(app, effects);
        }
        FromRelay::Refused { why, retry_ms } => {
            relays::refused(app, relay, &why, retry_ms);
            twins::settle(app, effects);
        }
        FromRelay::Shares(shares) => {
            relays::shares(app, relay, shares);
            twins::settle(app, effects);
        }
        FromRelay::Goodbye { reason } => relays::goodbye(app, relay, &reason),
        FromRelay::RoundTrip { ms } => relays::round_trip(app, relay, ms),
        FromRelay::Complaint(text) => relays::complaint(app, relay, &text),
        FromRelay::Snapshot(all) => calls::snapshot(app, relay, &all, effects),
        FromRelay::Changed(call) => calls::changed(app, relay, &call, effects),
        FromRelay::Removed(call) => calls::removed(app, &key(call), effects),
        FromRelay::Levels(levels) => calls::levels(app, relay, &levels),
        FromRelay::Following {
            call,
            zero_at,
            resumed,
        } => texts::following(app, &key(call), zero_at, resumed),
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
