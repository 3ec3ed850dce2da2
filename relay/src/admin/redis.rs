//! The link to Redis and what is shared over it, for who runs the relay. Where Redis is away the relay is ready all the
//! same: its own calls go on.

use partyline_shared::protocol::server::Relays;
use partyline_shared::time::UtcTime;
use serde_json::{Value, json};

use crate::broker::Link;
use crate::clock::Now;
use crate::metrics::Family;
use crate::route::Relay;

/// `null` where nothing is shared.
pub(super) fn detail(relay: &Relay, now: Now) -> Value {
    let Some(sharing) = &relay.sharing else {
        return Value::Null;
    };
    let link = *sharing.hub().broker.link().borrow();
    let status = sharing.hub().status();
    let untold = Untold {
        refuses: status.refuses,
        calls: status.waiting,
        for_s: status.oldest.as_secs(),
        commons: relay.commons.backlog(),
    };
    shown(link, relays(relay), &untold, now)
}

/// What Redis has yet to be told.
#[derive(Default)]
struct Untold {
    /// By what it refuses.
    refuses: Option<String>,
    calls: usize,
    for_s: u64,
    commons: usize,
}

fn shown(link: Link, relays: Option<Relays>, untold: &Untold, now: Now) -> Value {
    json!({
        "up": link.up,
        "since": moment(link, now),
        "why": (!link.up).then_some(link.why),
        "came_up": link.generation,
        "relays": relays.map(|relays| relays.relays),
        "shares": relays.map(|relays| json!({ "state": relays.state, "since": relays.since })),
        "to_be_told": untold.commons,
        "refuses": untold.refuses,
        "calls_to_be_told": untold.calls,
        "calls_wait_s": untold.for_s,
    })
}

/// The clock of links is this machine's own.
fn moment(link: Link, now: Now) -> UtcTime {
    let since = now.mono.saturating_duration_since(link.since).as_millis();
    now.wall.plus_ms(-i64::try_from(since).unwrap_or(i64::MAX))
}

fn relays(relay: &Relay) -> Option<Relays> {
    relay.relays.as_ref().map(|relays| *relays.borrow())
}

/// The same in numbers; none where nothing is shared.
pub(super) fn families(relay: &Relay) -> Vec<Family> {
    let Some(sharing) = &relay.sharing else {
        return Vec::new();
    };
    let status = sharing.hub().status();
    let count = relays(relay).map_or(1, |relays| relays.relays);
    vec![
        Family::gauge(
            "relays",
            "Relays that share calls, this one among them; while Redis is away, how many there were",
            f64::from(count),
        ),
        Family::gauge(
            "commons_waiting",
            "Webhooks, passes and tickets that acted here and that Redis has yet to be told of",
            relay.commons.backlog() as f64,
        ),
        Family::gauge(
            "shared_waiting",
            "Calls of which something has yet to be told to other relays",
            status.waiting as f64,
        ),
        Family::gauge(
            "redis_refuses",
            "1 while Redis answers but takes nothing: it is full, or our user may not write",
            f64::from(u8::from(status.refuses.is_some())),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use partyline_shared::protocol::server::RelaysState;

    use super::*;

    #[test]
    fn what_is_shown_says_since_when_and_why_and_nothing_of_who_may() {
        let now = Now::take();
        let Some(since) = now.mono.checked_sub(Duration::from_secs(12)) else {
            return;
        };
        let down = Link {
            up: false,
            since,
            generation: 3,
            why: "connection refused",
        };
        let relays = Relays {
            state: RelaysState::CutOff,
            since: now.wall,
            relays: 2,
        };
        let told = shown(
            down,
            Some(relays),
            &Untold {
                refuses: Some("OOM".to_owned()),
                commons: 7,
                ..Untold::default()
            },
            now,
        );
        assert_eq!(told["since"], json!(now.wall.plus_ms(-12_000)));
        assert_eq!(
            (&told["up"], &told["why"]),
            (&json!(false), &json!("connection refused"))
        );
        assert_eq!((&told["to_be_told"], &told["relays"]), (&json!(7), &json!(2)));
        assert_eq!(
            (&told["refuses"], &told["calls_to_be_told"]),
            (&json!("OOM"), &json!(0))
        );
        assert_eq!(told["shares"]["state"], "cut_off");
        let up = shown(
            Link {
                up: true,
                why: "",
                ..down
            },
            None,
            &Untold::default(),
            now,
        );
        assert_eq!((&up["why"], &up["shares"]), (&Value::Null, &Value::Null));
    }
}
