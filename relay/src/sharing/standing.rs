//! How this relay stands with the others, said to who listens: whether it knows what they know.

use partyline_shared::protocol::server::{Relays, RelaysState};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::Hub;
use super::peers::BEAT;
use crate::clock::Now;

/// Says it whenever it changes, for as long as this runs.
pub async fn keep(hub: &Hub, told: &watch::Sender<Relays>) {
    let mut link = hub.broker.link();
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            changed = link.changed() => if changed.is_err() { return },
            _ = beats.tick() => {}
        }
        let others = u32::try_from(hub.peers().len()).unwrap_or(u32::MAX);
        // Redis that takes nothing keeps relays apart as one that is away does.
        let up = hub.broker.is_up() && hub.books.refusals.code().is_none();
        let next = stands(up, hub.has_lease(), others);
        told.send_if_modified(|relays| turn(relays, next, Now::take()));
    }
}

/// The state, and how many relays there are, where that is known.
fn stands(up: bool, has_lease: bool, others: u32) -> (RelaysState, Option<u32>) {
    let count = Some(others.saturating_add(1));
    match (up, has_lease) {
        (false, _) => (RelaysState::CutOff, None),
        (true, false) => (RelaysState::CatchingUp, None),
        (true, true) => (RelaysState::Shared, count),
    }
}

/// Whether something is another than before; a state's beginning is when it was first seen.
fn turn(relays: &mut Relays, (state, count): (RelaysState, Option<u32>), now: Now) -> bool {
    let count = count.unwrap_or(relays.relays);
    let before = *relays;
    if relays.state != state {
        relays.since = now.wall;
    }
    (relays.state, relays.relays) = (state, count);
    *relays != before
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_state_begins_when_it_is_first_seen_and_the_others_are_remembered() {
        let now = Now::take();
        let mut relays = Relays {
            state: RelaysState::CutOff,
            since: now.wall,
            relays: 1,
        };
        let later = |s| now.plus(Duration::from_secs(s));
        let mut at = |s, up, lease, others| {
            let is_news = turn(&mut relays, stands(up, lease, others), later(s));
            (
                is_news,
                relays.state,
                relays.relays,
                relays.since == later(s).wall,
            )
        };
        assert_eq!(at(1, false, false, 0), (false, RelaysState::CutOff, 1, false));
        assert_eq!(at(2, true, false, 0), (true, RelaysState::CatchingUp, 1, true));
        assert_eq!(at(3, true, true, 1), (true, RelaysState::Shared, 2, true));
        assert_eq!(at(4, true, true, 2), (true, RelaysState::Shared, 3, false));
        assert_eq!(at(5, true, true, 2), (false, RelaysState::Shared, 3, false));
        assert_eq!(at(6, false, true, 0), (true, RelaysState::CutOff, 3, true));
    }
}
