//! How a call sounded that was played, in numbers: for a program, and in a line for a person.

use serde_json::{Value, json};

use super::report::Report;
use crate::audio::player::{Spread, Stats};

/// What is known of it at the end.
pub(super) struct Played {
    /// What the player has counted.
    pub(super) stats: Stats,
    /// How long the newest ping to the relay took, ms.
    pub(super) round_trip_ms: Option<u64>,
}

impl Played {
    /// From the socket's read to the card; what the first seconds were like says little of a long call.
    fn delay(&self) -> &Spread {
        match self.stats.settled.frames {
            0 => &self.stats.all,
            _ => &self.stats.settled,
        }
    }

    /// From the relay to the card, ms, for half of the frames: half of a ping, and the delay here.
    fn relay_to_ear_ms(&self) -> Option<u64> {
        let round_trip = self.round_trip_ms.filter(|_| self.stats.all.frames > 0)?;
        Some(u64::from(self.delay().p50_ms).saturating_add(round_trip / 2))
    }

    /// One object.
    pub(super) fn json(&self, report: &Report) -> Value {
        let playback = &self.stats.playback;
        let delay = |spread: &Spread| json!({"frames": spread.frames, "p50": spread.p50_ms, "p95": spread.p95_ms, "max": spread.max_ms});
        json!({
            "type": "stats",
            "missing": report.missing_so_far(),
            "reconnects": report.reconnects,
            "delay_ms": delay(&self.stats.all),
            "settled_delay_ms": delay(&self.stats.settled),
            "present_delay_ms": playback.delay_ms,
            "target_ms": playback.target_ms,
            "relay_round_trip_ms": self.round_trip_ms,
            "relay_to_ear_ms": self.relay_to_ear_ms(),
            "lost_ms": playback.lost_ms,
            "late_ms": playback.late_ms,
            "concealed_ms": playback.concealed_ms,
            "stretched_ms": playback.stretched_ms,
            "dropped_ms": playback.dropped_ms,
            "underruns": playback.underruns,
            "drift_ppm": self.stats.drift_ppm.round(),
        })
    }

    /// One line.
    pub(super) fn words(&self, report: &Report) -> String {
        let (playback, delay) = (&self.stats.playback, self.delay());
        let meant = match playback.target_ms {
            0 => String::new(),
            ms => format!(" (meant {ms})"),
        };
        let at_last = playback
            .delay_ms
            .map_or_else(String::new, |ms| format!(", {ms} ms at last"));
        let from_relay = self
            .relay_to_ear_ms()
            .map_or_else(String::new, |ms| format!("; {ms} ms from the relay to the ear"));
        format!(
            "{} frames played live, {} ms after they came{meant}, 95 of 100 within {} ms, all within {} ms{at_last}{from_relay}; \
             {} ms lost, {} ms late, {} ms concealed, {} ms stretched, {} ms left out, {} underruns, {} reconnects",
            self.stats.all.frames,
            delay.p50_ms,
            delay.p95_ms,
            delay.max_ms,
            playback.lost_ms,
            playback.late_ms,
            playback.concealed_ms,
            playback.stretched_ms,
            playback.dropped_ms,
            playback.underruns,
            report.reconnects
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Playback;

    fn played() -> Played {
        let spread = |p50_ms| Spread {
            frames: 900,
            mean_ms: p50_ms,
            p50_ms,
            p95_ms: 92,
            max_ms: 130,
        };
        Played {
            stats: Stats {
                playback: Playback {
                    delay_ms: Some(66),
                    target_ms: 60,
                    lost_ms: 40,
                    late_ms: 20,
                    concealed_ms: 60,
                    stretched_ms: 1_200,
                    underruns: 2,
                    ..Playback::default()
                },
                all: spread(99),
                settled: spread(71),
                ..Stats::default()
            },
            round_trip_ms: Some(25),
        }
    }

    #[test]
    fn the_line_says_how_late_and_what_was_not_as_it_was_said() {
        assert_eq!(
            played().words(&Report::new(false, false)),
            "900 frames played live, 71 ms after they came (meant 60), 95 of 100 within 92 ms, all within 130 ms, 66 ms at last; \
             83 ms from the relay to the ear; 40 ms lost, 20 ms late, 60 ms concealed, 1200 ms stretched, 0 ms left \
             out, 2 underruns, 0 reconnects"
        );
    }

    #[test]
    fn the_object_has_all_of_it_and_null_for_what_is_not_known() {
        let mut played = played();
        let all = played.json(&Report::new(true, false));
        assert_eq!(
            (
                &all["relay_to_ear_ms"],
                &all["relay_round_trip_ms"],
                &all["target_ms"]
            ),
            (&json!(83), &json!(25), &json!(60))
        );
        let losses = [
            "lost_ms",
            "late_ms",
            "concealed_ms",
            "stretched_ms",
            "dropped_ms",
            "underruns",
        ];
        assert_eq!(
            losses.map(|name| all[name].as_u64().unwrap()),
            [40, 20, 60, 1_200, 0, 2]
        );
        assert_eq!(all["settled_delay_ms"]["p95"], 92);
        assert_eq!(all["present_delay_ms"], 66);
        played.round_trip_ms = None;
        let all = played.json(&Report::new(true, false));
        assert_eq!(
            (&all["relay_to_ear_ms"], &all["relay_round_trip_ms"]),
            (&Value::Null, &Value::Null)
        );
        played.round_trip_ms = Some(25);
        played.stats = Stats::default();
        assert_eq!(
            played.json(&Report::new(true, false))["relay_to_ear_ms"],
            Value::Null,
            "nothing was played"
        );
    }
}
