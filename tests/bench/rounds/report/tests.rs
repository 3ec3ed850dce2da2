//! The page for rounds made up.

use super::*;
use crate::rounds::sample::{Spread, Window};

fn sample(cpu: f64, p99: f64) -> Sample {
    let mut sample = Sample {
        latency_ms: Spread {
            p50: Some(p99 / 2.0),
            p99: Some(p99),
            p99_9: Some(p99 * 2.0),
            max: Some(p99 * 3.0),
        },
        window: Window { seconds: 10.0 },
        ..Sample::default()
    };
    sample.server.cpu_us_per_delivered = Some(cpu);
    sample.server.cpu_us_per_frame_in = Some(cpu * 2.0);
    sample.server.ctx_voluntary = Some(1_000.0);
    sample.server.ctx_involuntary = Some(10.0);
    sample.server.rss_kb.peak = Some(10_240.0);
    sample
}

fn rounds() -> Vec<Round> {
    let (relay, floor) = (
        Case::ours(Scene::TwoHundred, Who::Relay),
        Case::ours(Scene::TwoHundred, Who::Floor),
    );
    let mut late = sample(30.0, 1.0);
    late.send_lag_ms.p99 = Some(6.0);
    vec![
        Round::from([(relay, sample(12.0, 0.6)), (floor, sample(10.0, 0.5))]),
        Round::from([(relay, sample(11.0, 0.7)), (floor, sample(10.0, 0.5))]),
        Round::from([(relay, late), (floor, sample(20.0, 0.5))]),
    ]
}

fn page(rounds: &[Round], failed: &[String]) -> String {
    let machine = Machine(vec![("processor", "Some | CPU".to_owned())]);
    let report = Report {
        machine: &machine,
        rounds,
        extra: 1,
        seconds: 10,
        is_quick: false,
        failed,
    };
    report.page()
}

#[test]
fn goals_are_judged_by_the_median_and_show_their_range() {
    let page = page(&rounds(), &[]);
    for line in [
        "| the same, 200×2×1 | 1.20 (1.10 to 1.50) | ≤ 1.3 | yes |",
        "| p99 from frame in to frame out, to the floor, 200×2×1 | 1.30 (1.20 to 1.40), 1 of 3 discarded | ≤ 1.5 | yes |",
        "| CPU per delivered frame to the floor, 50×2×2 | not measured | ≤ 1.3 | – |",
    ] {
        assert!(page.contains(line), "{line}\nis not in\n{page}");
    }
}

#[test]
fn figures_machine_and_rounds_are_told() {
    let page = page(&rounds(), &["50x2x2 relay: no report | of a load".to_owned()]);
    for line in [
        "| 200×2×1 | relay | 12.0 (11.0 to 30.0) | 24.0 | 0.35 | 0.70 | 1.40 | 2.1 | 101 | 10.0 | 0 | 3 |",
        "| processor | Some \\| CPU |",
        "| rounds | 2 of 10 s a run, and 1 of 200×2×1 alone for more pairs of delays |",
        "| failed run | 50x2x2 relay: no report \\| of a load |",
    ] {
        assert!(page.contains(line), "{line}\nis not in\n{page}");
    }
    assert!(!page.contains("yardstick"), "{page}");
}

#[test]
fn the_yardstick_stands_beside_where_it_was_laid_on() {
    let mut rounds = rounds();
    rounds[0].extend([
        (Case::yardstick(Scene::TwoHundred, Who::Relay), sample(11.5, 0.6)),
        (Case::yardstick(Scene::TwoHundred, Who::Floor), sample(10.0, 0.6)),
    ]);
    let page = page(&rounds, &[]);
    for line in [
        "| 200×2×1 | CPU to the floor | 1.20 (1.10 to 1.50) | 1.15 (1.15 to 1.15) | +4 % | yes |",
        "| 200×2×1 | p99 ms, relay | 0.70 (0.60 to 1.00) | 0.60 (0.60 to 0.60) | +17 % | **no** |",
    ] {
        assert!(page.contains(line), "{line}\nis not in\n{page}");
    }
}

#[test]
fn rounds_that_gave_nothing_make_a_page_all_the_same() {
    let page = page(&[Round::new()], &[]);
    assert!(page.contains("not measured") && !page.contains("NaN"), "{page}");
}
