//! What is aimed at, and whether the rounds reached it. Knows nothing of processes: rounds in, outcomes out.

use std::collections::BTreeMap;

use super::case::{Case, Scene, Who};
use super::sample::Sample;
use super::stats::{Range, ratio};

/// One round: what each case gave. A run that failed is absent.
pub(crate) type Round = BTreeMap<Case, Sample>;

/// A pair is discarded when either load's own p99 lag was more than this, ms: it then says more of the machine
/// than of who was measured.
pub(crate) const MAX_LAG: f64 = 5.0;
/// A run of many calls does not count when the load's p99 lag was more than this, ms.
pub(crate) const MAX_LAG_OF_MANY: f64 = 100.0;
/// What a listener may notice of one that does not read, ms, or this part of what it had before.
const MAX_CHANGE: f64 = 2.0;
const MAX_CHANGE_PART: f64 = 0.1;

/// A figure of one run.
pub(crate) type Figure = fn(&Sample) -> Option<f64>;

pub(crate) fn cpu(sample: &Sample) -> Option<f64> {
    sample.server.cpu_us_per_delivered
}

pub(crate) fn p50(sample: &Sample) -> Option<f64> {
    sample.latency_ms.p50
}

pub(crate) fn p99(sample: &Sample) -> Option<f64> {
    sample.latency_ms.p99
}

/// How a goal comes from a round.
#[derive(Clone, Copy)]
enum How {
    /// The first's figure as a part of the second's; at most `limit`.
    Ratio {
        figure: Figure,
        of: Case,
        to: Case,
        max_lag: Option<f64>,
        limit: f64,
    },
    /// By how much p99 grows from the second to the first.
    Change { with: Case, without: Case },
    /// By how much a figure grows from the second to the first; less than `limit`.
    Grows {
        figure: Figure,
        with: Case,
        without: Case,
        limit: f64,
    },
    /// A figure; at most `limit`.
    Value { figure: Figure, of: Case, limit: f64 },
    /// Frames that did not come: none, in no round.
    Missing { of: Case },
}

/// One row of the table.
pub(crate) struct Goal {
    what: &'static str,
    unit: &'static str,
    goal: &'static str,
    how: How,
}

/// What came of a goal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) what: &'static str,
    /// After the figure, with a space where it needs one.
    pub(crate) unit: &'static str,
    pub(crate) goal: &'static str,
    /// `None` where no round gave it.
    pub(crate) measured: Option<Range>,
    /// Rounds that had it but do not count, since the load was late itself.
    pub(crate) discarded: usize,
    /// `None` where it was not measured.
    pub(crate) is_met: Option<bool>,
}

const fn cpu_ratio(what: &'static str, goal: &'static str, of: Case, to: Case, limit: f64) -> Goal {
    let how = How::Ratio {
        figure: cpu,
        of,
        to,
        max_lag: None,
        limit,
    };
    Goal {
        what,
        unit: "",
        goal,
        how,
    }
}

/// The relay without coalescing against the floor.
const fn to_floor(what: &'static str, scene: Scene) -> Goal {
    let (relay, floor) = (Case::ours(scene, Who::Relay), Case::ours(scene, Who::Floor));
    cpu_ratio(what, "≤ 1.3", relay, floor, 1.3)
}

/// The goal whose pairs are counted: there have to be enough of them.
pub(crate) const DELAY: Goal = Goal {
    what: "p99 from frame in to frame out, to the floor, 200×2×1",
    unit: "",
    goal: "≤ 1.5",
    how: How::Ratio {
        figure: p99,
        of: Case::ours(Scene::TwoHundred, Who::Relay),
        to: Case::ours(Scene::TwoHundred, Who::Floor),
        max_lag: Some(MAX_LAG),
        limit: 1.5,
    },
};

/// All rows, in the order of the table.
pub(crate) const GOALS: [Goal; 18] = [
    to_floor("CPU per delivered frame to the floor, 50×2×2", Scene::Fifty),
    to_floor("the same, 200×2×1", Scene::TwoHundred),
    to_floor("the same, 10×2×1", Scene::TenSolo),
    to_floor("the same, 50×2×1", Scene::FiftySolo),
    to_floor("the same, 50×2×2, tracks together", Scene::FiftyTogether),
    to_floor("the same, 200×2×1, tracks together", Scene::TwoHundredTogether),
    cpu_ratio(
        "the same, 200×2×1, `--coalesce 20ms`",
        "≤ 0.75",
        Case::ours(Scene::TwoHundred, Who::Coalescing),
        Case::ours(Scene::TwoHundred, Who::Floor),
        0.75,
    ),
    cpu_ratio(
        "CPU per delivered frame to the Node relay, 50×2×2",
        "≤ 0.7",
        Case::ours(Scene::Fifty, Who::Relay),
        Case::ours(Scene::Fifty, Who::Node),
        0.7,
    ),
    Goal {
        what: "CPU per delivered frame to Action Cable, 50×2×2",
        unit: " µs",
        goal: "≤ 45 µs, 0.06 of Rails' 760",
        how: How::Value {
            figure: cpu,
            of: Case::ours(Scene::FiftyCable, Who::Relay),
            limit: 45.0,
        },
    },
    Goal {
        what: "frames missing, 50×2×2, half of them Action Cable",
        unit: "",
        goal: "none, in no round",
        how: How::Missing {
            of: Case::ours(Scene::FiftyMixed, Who::Relay),
        },
    },
    DELAY,
    Goal {
        what: "one listener in ten does not read: others' p99 grows by, 200×2×1",
        unit: " ms",
        goal: "< max(2 ms, 10 %)",
        how: How::Change {
            with: Case::ours(Scene::Slow, Who::Relay),
            without: Case::ours(Scene::TwoHundred, Who::Relay),
        },
    },
    Goal {
        what: "frames missing, 400×2×1, `--coalesce auto`",
        unit: "",
        goal: "none, in no round",
        how: How::Missing {
            of: Case::ours(Scene::FourHundred, Who::Auto),
        },
    },
    Goal {
        what: "memory of an idle listener",
        unit: " kB",
        goal: "≤ 10 kB",
        how: How::Value {
            figure: |sample| sample.server.rss_kb_per_idle_listener,
            of: Case::ours(Scene::Idle, Who::Relay),
            limit: 10.0,
        },
    },
    Goal {
        what: "memory of a call without history and listener",
        unit: " kB",
        goal: "≤ 20 kB",
        how: How::Value {
            figure: Sample::kb_per_call,
            of: Case::ours(Scene::Bare, Who::Forgetful),
            limit: 20.0,
        },
    },
    Goal {
        what: "p50 from frame in to frame out grows across Redis by, 50×2×1",
        unit: " ms",
        goal: "< 2 ms",
        how: How::Grows {
            figure: p50,
            with: ELSEWHERE,
            without: HERE,
            limit: 2.0,
        },
    },
    Goal {
        what: "CPU of both relays and Redis for a frame grows across Redis by, 50×2×1",
        unit: " µs",
        goal: "< 150 µs",
        how: How::Grows {
            figure: cpu,
            with: ELSEWHERE,
            without: HERE,
            limit: 150.0,
        },
    },
    Goal {
        what: "frames missing across Redis, 50×2×1",
        unit: "",
        goal: "none, in no round",
        how: How::Missing { of: ELSEWHERE },
    },
];

/// The same calls, heard at another relay and at their own.
const ELSEWHERE: Case = Case::ours(Scene::Elsewhere, Who::Two);
const HERE: Case = Case::ours(Scene::FiftySolo, Who::Relay);

impl Goal {
    /// What these rounds say of it.
    pub(crate) fn outcome(&self, rounds: &[Round]) -> Outcome {
        let mut values = Vec::new();
        let mut allowed = Vec::new();
        let mut discarded = 0;
        for round in rounds {
            // In order, so that a case that is not in this round ends it before anything is counted.
            let Some(value) = self.value(round) else { continue };
            if self.is_late(round) {
                discarded += 1;
                continue;
            }
            values.push(value);
            allowed.extend(self.allowed(round));
        }
        let measured = Range::of(&values);
        let limit = Range::of(&allowed).map(|range| range.median);
        let is_met = measured.zip(limit).map(|(found, limit)| match self.how {
            How::Ratio { .. } | How::Value { .. } => found.median <= limit,
            How::Change { .. } | How::Grows { .. } => found.median < limit,
            How::Missing { .. } => found.high <= limit,
        });
        Outcome {
            what: self.what,
            unit: self.unit,
            goal: self.goal,
            measured,
            discarded,
            is_met,
        }
    }

    /// Rounds that count.
    pub(crate) fn counted(&self, rounds: &[Round]) -> usize {
        self.outcome(rounds).measured.map_or(0, |range| range.count)
    }

    fn value(&self, round: &Round) -> Option<f64> {
        match self.how {
            How::Ratio { figure, of, to, .. } => ratio(figure(round.get(&of)?)?, figure(round.get(&to)?)?),
            How::Change { with, without } => Some(p99(round.get(&with)?)? - p99(round.get(&without)?)?),
            How::Grows {
                figure,
                with,
                without,
                ..
            } => Some(figure(round.get(&with)?)? - figure(round.get(&without)?)?),
            How::Value { figure, of, .. } => figure(round.get(&of)?),
            How::Missing { of } => Some(round.get(&of)?.missing as f64),
        }
    }

    fn allowed(&self, round: &Round) -> Option<f64> {
        match self.how {
            How::Ratio { limit, .. } | How::Grows { limit, .. } | How::Value { limit, .. } => Some(limit),
            How::Change { without, .. } => Some(MAX_CHANGE.max(MAX_CHANGE_PART * p99(round.get(&without)?)?)),
            How::Missing { .. } => Some(0.0),
        }
    }

    /// Whether the load was too late itself in this round.
    fn is_late(&self, round: &Round) -> bool {
        let late = |cases: &[Case], most: f64| {
            let lags = cases.iter().filter_map(|case| round.get(case)?.send_lag_ms.p99);
            lags.into_iter().any(|lag| lag > most)
        };
        match self.how {
            How::Ratio { of, to, max_lag, .. } => max_lag.is_some_and(|most| late(&[of, to], most)),
            How::Change { with, without } | How::Grows { with, without, .. } => {
                late(&[with, without], MAX_LAG)
            }
            How::Value { .. } => false,
            How::Missing { of } => late(&[of], MAX_LAG_OF_MANY),
        }
    }
}

#[cfg(test)]
mod tests;
