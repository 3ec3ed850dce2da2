//! Pairing, discarding and judging, on rounds made up.

use super::*;
use crate::rounds::sample::Spread;

const RELAY: Case = Case::ours(Scene::TwoHundred, Who::Relay);
const FLOOR: Case = Case::ours(Scene::TwoHundred, Who::Floor);
const SLOW: Case = Case::ours(Scene::Slow, Who::Relay);
const MANY: Case = Case::ours(Scene::FourHundred, Who::Auto);

fn sample(cpu: f64, p99: f64, lag: f64) -> Sample {
    let mut sample = Sample {
        latency_ms: spread(p99),
        send_lag_ms: spread(lag),
        ..Sample::default()
    };
    sample.server.cpu_us_per_delivered = Some(cpu);
    sample
}

fn spread(p99: f64) -> Spread {
    Spread {
        p99: Some(p99),
        ..Spread::default()
    }
}

fn cpu_goal() -> &'static Goal {
    &GOALS[1]
}

fn goal_about(what: &str) -> &'static Goal {
    let mut about = GOALS.iter().filter(|goal| goal.what.contains(what));
    about.next().unwrap()
}

#[test]
fn a_ratio_is_of_one_round() {
    // The machine became three times slower in the middle; the ratios did not.
    let rounds = [
        Round::from([(RELAY, sample(11.0, 1.0, 0.0)), (FLOOR, sample(10.0, 1.0, 0.0))]),
        Round::from([(RELAY, sample(36.0, 1.0, 0.0)), (FLOOR, sample(30.0, 1.0, 0.0))]),
        Round::from([(RELAY, sample(12.5, 1.0, 0.0)), (FLOOR, sample(10.0, 1.0, 0.0))]),
    ];
    let outcome = cpu_goal().outcome(&rounds);
    let range = outcome.measured.unwrap();
    assert_eq!(
        (range.low, range.median, range.high, range.count),
        (1.1, 1.2, 1.25, 3)
    );
    assert_eq!(outcome.is_met, Some(true));
}

#[test]
fn what_a_longer_way_adds_is_of_one_round() {
    let rounds = [0.4, 1.9].map(|p50| {
        let [mut elsewhere, mut here] = [sample(50.0, 3.0, 0.0), sample(15.0, 0.2, 0.0)];
        (elsewhere.latency_ms.p50, here.latency_ms.p50) = (Some(p50), Some(0.1));
        Round::from([(ELSEWHERE, elsewhere), (HERE, here)])
    });
    let delay = goal_about("p50 from frame in").outcome(&rounds);
    assert_eq!(delay.is_met, Some(true));
    assert!((delay.measured.unwrap().median - 1.05).abs() < 1e-9);
    let cost = goal_about("CPU of both relays").outcome(&rounds[..1]);
    assert_eq!(cost.measured.unwrap().median, 35.0);
    let half = rounds[0].clone().into_iter().take(1).collect();
    assert_eq!(goal_about("p50 from frame in").outcome(&[half]).is_met, None);
}

#[test]
fn half_a_pair_is_none() {
    let rounds = [
        Round::from([(RELAY, sample(11.0, 1.0, 0.0))]),
        Round::from([(FLOOR, sample(30.0, 1.0, 0.0))]),
    ];
    let outcome = cpu_goal().outcome(&rounds);
    assert_eq!((outcome.measured, outcome.is_met), (None, None));
    assert_eq!(cpu_goal().counted(&rounds), 0);
}

#[test]
fn over_the_limit_is_not_met() {
    let pair = |relay| Round::from([(RELAY, sample(relay, 1.0, 0.0)), (FLOOR, sample(10.0, 1.0, 0.0))]);
    assert_eq!(cpu_goal().outcome(&[pair(13.0)]).is_met, Some(true));
    assert_eq!(cpu_goal().outcome(&[pair(13.1)]).is_met, Some(false));
}

#[test]
fn a_late_load_spoils_a_pair_of_delays_and_no_pair_of_costs() {
    let rounds = [
        Round::from([(RELAY, sample(10.0, 9.0, 0.1)), (FLOOR, sample(10.0, 1.0, 5.1))]),
        Round::from([(RELAY, sample(10.0, 1.2, 5.0)), (FLOOR, sample(10.0, 1.0, 0.1))]),
    ];
    let outcome = DELAY.outcome(&rounds);
    assert_eq!(
        (outcome.measured.map(|range| range.median), outcome.discarded),
        (Some(1.2), 1)
    );
    assert_eq!((outcome.is_met, DELAY.counted(&rounds)), (Some(true), 1));
    assert_eq!(cpu_goal().counted(&rounds), 2);
}

#[test]
fn a_listener_that_does_not_read_may_cost_others_little() {
    let goal = goal_about("does not read");
    let round =
        |without, with| Round::from([(RELAY, sample(1.0, without, 0.0)), (SLOW, sample(1.0, with, 0.0))]);
    // Two milliseconds where that is more than a tenth.
    assert_eq!(goal.outcome(&[round(1.0, 2.9)]).is_met, Some(true));
    assert_eq!(goal.outcome(&[round(1.0, 3.0)]).is_met, Some(false));
    assert_eq!(goal.outcome(&[round(40.0, 43.9)]).is_met, Some(true));
    assert_eq!(goal.outcome(&[round(40.0, 44.1)]).is_met, Some(false));
    // Quicker is fine.
    assert_eq!(goal.outcome(&[round(9.0, 1.0)]).is_met, Some(true));
}

#[test]
fn one_missing_frame_in_one_round_is_too_many() {
    let goal = goal_about("missing, 400");
    let round = |missing, lag| {
        let mut sample = sample(1.0, 1.0, lag);
        sample.missing = missing;
        Round::from([(MANY, sample)])
    };
    assert_eq!(goal.outcome(&[round(0, 1.0), round(0, 1.0)]).is_met, Some(true));
    assert_eq!(
        goal.outcome(&[round(0, 1.0), round(0, 1.0), round(1, 1.0)])
            .is_met,
        Some(false)
    );
    // That one does not count: the load could not keep up.
    let outcome = goal.outcome(&[round(0, 1.0), round(70, 101.0)]);
    assert_eq!((outcome.is_met, outcome.discarded), (Some(true), 1));
    assert_eq!(goal.outcome(&[round(70, 101.0)]).is_met, None);
}

#[test]
fn memory_is_taken_as_it_is() {
    let goal = goal_about("idle listener");
    let mut sample = sample(1.0, 1.0, 0.0);
    sample.server.rss_kb_per_idle_listener = Some(9.5);
    let case = Case::ours(Scene::Idle, Who::Relay);
    assert_eq!(goal.outcome(&[Round::from([(case, sample)])]).is_met, Some(true));
}
