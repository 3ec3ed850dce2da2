//! The relay in families of numbers: what it has counted, and how it stands now. Costs a short look at each call and each
//! listener, so it is for who asks every few seconds.

use super::process::accept_queue;
use super::redis;
use crate::metrics::{Family, Kind, Sample, Value};
use crate::route::Relay;

/// All of them, without their prefix.
pub(super) fn families(relay: &Relay) -> Vec<Family> {
    let mut families = relay.metrics.families();
    families.push(build(relay));
    families.extend(calls(relay));
    families.extend(listeners(relay));
    families.extend(standing(relay));
    families.extend(redis::families(relay));
    families
}

fn build(relay: &Relay) -> Family {
    let labels = vec![
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("node", relay.registry.node().to_owned()),
    ];
    let value = Value::Level(1.0);
    Family {
        name: "build_info",
        help: "1; which relay this is, and of which version",
        kind: Kind::Gauge,
        samples: vec![Sample { labels, value }],
    }
}

fn calls(relay: &Relay) -> [Family; 4] {
    let census = relay.registry.census();
    let statuses = census.statuses.iter();
    let sample = |status, n: usize| Sample::new(vec![("status", status)], Value::Level(n as f64));
    [
        Family {
            name: "calls_live",
            help: "Calls that are not over, by Twilio's status",
            kind: Kind::Gauge,
            samples: statuses.map(|(status, n)| sample(status.as_str(), *n)).collect(),
        },
        Family::gauge(
            "calls_remembered",
            "Ended calls that are still visible",
            census.ended as f64,
        ),
        Family::gauge(
            "streams_live",
            "Streams that media may come from",
            census.streams as f64,
        ),
        Family::gauge(
            "calls_max",
            "Calls that may be followed at once, --max-calls",
            relay.config.load().max_calls as f64,
        ),
    ]
}

fn listeners(relay: &Relay) -> [Family; 3] {
    let counts = relay.presence.counts();
    let of = |kind, n: usize| Sample::new(vec![("kind", kind)], Value::Level(n as f64));
    [
        Family::gauge(
            "listeners_idle",
            "Listeners that hear and read no call",
            counts.idle as f64,
        ),
        Family {
            name: "subscriptions",
            help: "Calls that listeners hear, or only read, each counted for each listener",
            kind: Kind::Gauge,
            samples: vec![of("heard", counts.heard), of("read", counts.read)],
        },
        Family::gauge(
            "listeners_max",
            "Listeners that may be connected at once, --max-listeners",
            relay.config.load().max_listeners as f64,
        ),
    ]
}

fn standing(relay: &Relay) -> Vec<Family> {
    let yes = |yes: bool| f64::from(u8::from(yes));
    let mut families = vec![
        Family::gauge(
            "ready",
            "1 while new calls and listeners are welcome",
            yes(relay.takes_work()),
        ),
        Family::gauge("draining", "1 while the relay leaves", yes(relay.is_draining())),
        Family::gauge(
            "audit_works",
            "1 while the audit can be written, and where there is none",
            yes(relay.doorman.audit().works()),
        ),
        Family::gauge(
            "tokens_known",
            "Tokens in the tokens file, ended ones too",
            relay.doorman.access().tokens() as f64,
        ),
        Family::gauge(
            "preauth_seats",
            "Sockets that have shown neither signature nor token yet",
            relay.limits.preauth.taken() as f64,
        ),
        Family::gauge(
            "audit_queue",
            "Entries that wait for the audit's disk",
            relay.doorman.audit().waiting() as f64,
        ),
    ];
    let ends = relay.tls.as_ref().map(|tls| tls.certificate().not_after);
    families.push(Family::gauge(
        "certificate_not_after_timestamp_seconds",
        "When the certificate ends, seconds since 1970; 0 where the relay speaks no TLS by itself",
        ends.map_or(0.0, |ends| ends.unix_ms() as f64 / 1e3),
    ));
    if let Some(waiting) = accept_queue(relay.local.port()) {
        let help = "Connections that the kernel has for the relay and that are not accepted yet";
        families.push(Family::gauge("accept_queue", help, waiting as f64));
    }
    families
}
