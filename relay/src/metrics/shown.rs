//! All that is counted, as families: counters of one family come together, and what stands now comes with its most.

use super::{Family, Kind, Metrics, Moment, Sample, Value};

/// What families say that have more than one counter.
pub(super) const FAMILIES: [(&str, &str); 5] = [
    ("refusals", "Refused, by way in and reason"),
    (
        "tls_handshakes_failed",
        "TLS handshakes that came to nothing, by reason",
    ),
    (
        "redis_failed",
        "What was asked of Redis and came to nothing, by reason",
    ),
    ("dials_refused", "Calls that nobody is rung for, by reason"),
    (
        "frames_lost",
        "Frames of 20 ms that were lost: before the relay (upstream), for an ended call or a replaced stream (late), to one listener (slow_listener), or to a player so that it stays live (not_live)",
    ),
];

/// A counter as it is shown.
pub(super) struct One {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) value: u64,
    pub(super) family: Option<&'static str>,
    pub(super) labels: Vec<(&'static str, &'static str)>,
}

impl Metrics {
    /// All of it, as `/metrics` shows it.
    pub fn families(&self) -> Vec<Family> {
        let mut families: Vec<Family> = Vec::new();
        for one in self.counters() {
            let known = |family: &Family| one.family == Some(family.name);
            let sample = Sample::new(one.labels, Value::Count(one.value));
            match families.iter_mut().find(|family| known(family)) {
                Some(family) => family.samples.push(sample),
                None => {
                    let name = one.family.unwrap_or(one.name);
                    let help = FAMILIES.iter().find(|(of, _)| *of == name);
                    let help = help.map_or(one.help, |(_, help)| help);
                    families.push(Family {
                        name,
                        help,
                        kind: Kind::Counter,
                        samples: vec![sample],
                    });
                }
            }
        }
        families.extend(self.times.families());
        families.extend(self.now());
        families
    }

    /// What stands now, and the most that ever did.
    fn now(&self) -> Vec<Family> {
        let gauges = [
            (
                "connections_open",
                "Connections of every kind that are open",
                &self.connections,
            ),
            ("listeners", "Listener sockets that are open", &self.listeners),
            (
                "streams_waiting",
                "Signed sockets of streams that have not said start",
                &self.streams_waiting,
            ),
            (
                "redis_up",
                "1 while the link to Redis is up, and 0 where there is none",
                &self.redis_up,
            ),
        ];
        let queue = |name, most: u64| Sample::new(vec![("queue", name)], Value::Level(most as f64));
        let marks = vec![
            queue("mailbox", self.marks.mailbox.get()),
            queue("audit", self.marks.audit_queue.get()),
            queue("preauth_seats", self.marks.preauth_seats.get()),
            queue("streams_waiting", self.streams_waiting.most()),
            queue("listeners", self.listeners.most()),
            queue("connections", self.connections.most()),
        ];
        let moment = |name, help, moment: &Moment| Family::gauge(name, help, moment.get() as f64);
        let mut families: Vec<Family> = gauges
            .map(|(name, help, gauge)| Family::gauge(name, help, gauge.get() as f64))
            .into();
        families.push(Family {
            name: "queue_high_water",
            help: "The most that was at once in what is bounded, since the start: items, entries, seats, sockets",
            kind: Kind::Gauge,
            samples: marks,
        });
        families.push(moment(
            "reload_timestamp_seconds",
            "When settings were put in force last, seconds since 1970",
            &self.moments.reloaded,
        ));
        families
    }
}
