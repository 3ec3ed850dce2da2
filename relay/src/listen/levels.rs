//! Loudness for one listener's list of calls: over its own interval, from the calls' running sums, so a
//! call keeps nothing for who watches it. No clock, no I/O.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use partyline_shared::audio::level::{Energy, FLOOR_DB};
use partyline_shared::id::CallSid;
use partyline_shared::protocol::MAX_LEVELS_HZ;
use partyline_shared::protocol::server::Level;
use partyline_shared::track::PerTrack;

/// A level is told again when it moved by this much, dB.
const STEP_DB: f64 = 1.0;

/// The slowest that makes sense; a slower wish is taken for this.
const MIN_HZ: f64 = 0.1;

#[derive(Debug, Default)]
struct Last {
    energy: PerTrack<Energy>,
    told: Option<(Option<f64>, Option<f64>)>,
}

/// What a listener watches.
#[derive(Debug)]
pub struct Watch {
    interval: Duration,
    due: Instant,
    only: Option<HashSet<CallSid>>,
    last: HashMap<CallSid, Last>,
}

impl Watch {
    /// Levels `hz` times a second of `only` these calls, or of all; `None` where `hz` is 0 or no number.
    pub fn new(now: Instant, hz: f64, only: Option<Vec<CallSid>>) -> Option<Watch> {
        if !hz.is_finite() || hz <= 0.0 {
            return None;
        }
        let interval = Duration::from_secs_f64(1.0 / hz.clamp(MIN_HZ, MAX_LEVELS_HZ));
        let only = only.map(|only| only.into_iter().collect());
        Some(Watch {
            interval,
            due: now + interval,
            only,
            last: HashMap::new(),
        })
    }

    /// How often they are told, times a second.
    pub fn hz(&self) -> f64 {
        1.0 / self.interval.as_secs_f64()
    }

    /// When the next levels are due.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// Whether this call is watched.
    pub fn wants(&self, sid: &CallSid) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(sid))
    }

    /// Levels of what moved since the last time; `calls` are the sums of all live calls that are wanted, and whether
    /// each is paused: then it has none, also for what was said before within the interval.
    pub fn measure(&mut self, now: Instant, calls: Vec<(CallSid, PerTrack<Energy>, bool)>) -> Vec<Level> {
        // From now rather than from the due time: a listener that was held up gets no burst.
        self.due = now + self.interval;
        let mut levels = Vec::new();
        let mut last = HashMap::with_capacity(calls.len());
        for (call_sid, energy, paused) in calls {
            let before = self.last.remove(&call_sid);
            // The first interval of a call begins when it is first looked at.
            let Some(Last {
                energy: earlier,
                told,
            }) = before
            else {
                last.insert(call_sid, Last { energy, told: None });
                continue;
            };
            let level = |now: Energy, then: Energy| now.since(then).dbfs().filter(|_| !paused).map(round);
            let new = (
                level(energy.inbound, earlier.inbound),
                level(energy.outbound, earlier.outbound),
            );
            let moved = told.is_none_or(|old| moved(old.0, new.0) || moved(old.1, new.1));
            let told = if moved { Some(new) } else { told };
            if moved {
                levels.push(Level {
                    call_sid: call_sid.clone(),
                    inbound: new.0,
                    outbound: new.1,
                });
            }
            last.insert(call_sid, Last { energy, told });
        }
        self.last = last;
        levels
    }
}

fn moved(old: Option<f64>, new: Option<f64>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => (old - new).abs() >= STEP_DB,
        (old, new) => old.is_some() != new.is_some(),
    }
}

/// To a tenth of a dB: more is noise, and longer on the wire.
fn round(db: f64) -> f64 {
    ((db * 10.0).round() / 10.0).max(FLOOR_DB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_moved_is_told_over_the_listeners_own_interval() {
        let (t, sid) = (Instant::now(), CallSid::parse("CA1").unwrap());
        let mut watch = Watch::new(t, 1000.0, None).unwrap();
        assert_eq!(
            watch.due() - t,
            Duration::from_millis(100),
            "ten a second at most"
        );
        let mut sum = PerTrack::<Energy>::default();
        let mut hear = |watch: &mut Watch, byte: Option<u8>| {
            if let Some(byte) = byte {
                sum.inbound.add(Energy::of(&[byte; 160]));
            }
            watch.measure(t, vec![(sid.clone(), sum, false)])
        };
        assert_eq!(
            hear(&mut watch, Some(0x80)),
            [],
            "the first look starts the interval"
        );
        let loud = hear(&mut watch, Some(0x80));
        assert!(loud[0].inbound.unwrap() > -0.3 && loud[0].outbound.is_none());
        assert_eq!(hear(&mut watch, Some(0x80)), [], "did not move");
        assert_eq!(hear(&mut watch, Some(0xff))[0].inbound, Some(FLOOR_DB));
        assert_eq!(hear(&mut watch, None)[0].inbound, None, "no media");
        assert_eq!(hear(&mut watch, Some(0xff))[0].inbound, Some(FLOOR_DB));
        sum.inbound.add(Energy::of(&[0x80; 160]));
        let paused = watch.measure(t, vec![(sid.clone(), sum, true)]);
        assert_eq!(paused[0].inbound, None, "held back");
        assert_eq!(
            watch.measure(t, vec![(sid, sum, false)]),
            [],
            "and not told later"
        );
        assert!(Watch::new(t, 0.0, None).is_none() && Watch::new(t, f64::NAN, None).is_none());
    }
}
