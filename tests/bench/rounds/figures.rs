//! What of the rounds is worth a picture: who costs what, and how late. Text and drawing are elsewhere.

use super::case::{Case, Scene, Who};
use super::goals::{self, Figure};
use super::plot::{Group, Ink, Mark, Plot};
use super::report::Report;
use super::sample::Sample;
use super::stats::Range;

/// Loads that are shown, from few to many.
const SHOWN: [Scene; 6] = [
    Scene::TenSolo,
    Scene::FiftySolo,
    Scene::TwoHundred,
    Scene::Fifty,
    Scene::FiftyTogether,
    Scene::TwoHundredTogether,
];
/// Who is shown of them, in this order.
const INKS: [(Who, Ink); 4] = [
    (Who::Relay, Ink::Relay),
    (Who::Coalescing, Ink::Coalescing),
    (Who::Floor, Ink::Floor),
    (Who::Node, Ink::Node),
];

/// The plot of these rounds. Who did not run is not in it.
pub(crate) fn plot(report: &Report) -> Plot {
    let group = |scene: Scene| Group {
        title: scene.title().to_owned(),
        marks: INKS
            .iter()
            .filter_map(|&(who, ink)| mark(report, ink, Case::ours(scene, who)))
            .collect(),
    };
    let groups = SHOWN.into_iter().map(group);
    Plot {
        groups: groups.filter(|group| !group.marks.is_empty()).collect(),
        note: note(report),
    }
}

fn mark(report: &Report, ink: Ink, case: Case) -> Option<Mark> {
    let cost = over(report, case, goals::cpu);
    let p50 = over(report, case, |sample: &Sample| sample.latency_ms.p50);
    let delay = p50
        .zip(over(report, case, goals::p99))
        .map(|(p50, p99)| (p50.median, p99.median));
    (cost.is_some() || delay.is_some()).then_some(Mark { ink, cost, delay })
}

fn over(report: &Report, case: Case, figure: Figure) -> Option<Range> {
    let values = report.rounds.iter().filter_map(|round| figure(round.get(&case)?));
    Range::of(&values.collect::<Vec<_>>())
}

/// How to read the names, and where it was.
fn note(report: &Report) -> String {
    let fact = |name: &str| {
        let fact = report.machine.0.iter().find(|(what, _)| *what == name);
        fact.map_or("", |(_, which)| which.as_str())
    };
    format!(
        "Calls × tracks × listeners of each. Medians of {} rounds; whiskers from the least to the most. {}, {} cores, {}",
        report.rounds.len(),
        fact("processor"),
        fact("cores"),
        fact("date")
    )
}

#[cfg(test)]
mod tests {
    use super::super::goals::Round;
    use super::super::machine::Machine;
    use super::*;

    #[test]
    fn who_ran_is_in_it_in_the_same_order() {
        let mut sample = Sample::default();
        sample.server.cpu_us_per_delivered = Some(10.0);
        let ran = [Who::Node, Who::Relay].map(|who| (Case::ours(Scene::Fifty, who), sample.clone()));
        let machine = Machine(vec![("cores", "2".to_owned())]);
        let rounds = [Round::from(ran)];
        let plot = plot(&Report {
            machine: &machine,
            rounds: &rounds,
            extra: 0,
            seconds: 10,
            is_quick: false,
            failed: &[],
        });
        let marks = &plot.groups[0].marks;
        let inks: Vec<Ink> = marks.iter().map(|mark| mark.ink).collect();
        assert_eq!((plot.groups.len(), inks), (1, vec![Ink::Relay, Ink::Node]));
        // Nothing was said of their delays, so nothing is shown.
        assert!(
            marks
                .iter()
                .all(|mark| mark.cost.is_some() && mark.delay.is_none())
        );
        assert!(
            plot.note.contains("Medians of 1 rounds") && plot.note.contains("2 cores"),
            "{}",
            plot.note
        );
    }
}
