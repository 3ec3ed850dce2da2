//! What is counted is shown: by families that have a help, closed labels, and names that nothing else has.

use std::collections::BTreeSet;
use std::time::Duration;

use super::shown::FAMILIES;
use super::*;

#[test]
fn a_gauge_has_a_limit_falls_by_itself_and_knows_its_most() {
    let gauge = Arc::new(Gauge::default());
    let one = gauge.try_hold(1);
    assert!(one.is_some() && gauge.try_hold(1).is_none());
    drop(one);
    assert_eq!((gauge.get(), gauge.most()), (0, 1));
}

#[tokio::test]
async fn who_waits_for_a_place_has_it_when_one_is_free() {
    let gauge = Arc::new(Gauge::default());
    let (one, two) = (gauge.hold(2).await, gauge.hold(2).await);
    let waits = gauge.hold(2);
    tokio::pin!(waits);
    assert!(futures_util::poll!(&mut waits).is_pending());
    drop(one);
    let three = waits.await;
    assert_eq!((gauge.get(), gauge.most()), (2, 2));
    drop((two, three));
    assert_eq!(gauge.get(), 0);
}

#[test]
fn every_counter_is_shown_once() {
    let metrics = Metrics::default();
    let shown = |metrics: &Metrics| -> Vec<(Family, Sample)> {
        let families = metrics.families();
        let counters = families.iter().filter(|family| family.kind == Kind::Counter);
        counters
            .flat_map(|family| {
                family
                    .samples
                    .iter()
                    .map(|sample| (family.clone(), sample.clone()))
            })
            .collect()
    };
    assert_eq!(shown(&metrics).len(), metrics.totals().len());
    metrics.signatures_wrong.add(7);
    metrics.frames_out.add(3);
    let moved: Vec<_> = shown(&metrics)
        .into_iter()
        .filter(|(_, sample)| sample.value != Value::Count(0))
        .map(|(family, sample)| (family.name, sample.labels, sample.value))
        .collect();
    let labels = vec![
        ("door", "twilio".to_owned()),
        ("reason", "signature_wrong".to_owned()),
    ];
    assert_eq!(
        moved,
        [
            ("refusals", labels, Value::Count(7)),
            ("frames_out", Vec::new(), Value::Count(3))
        ]
    );
}

#[test]
fn families_have_one_help_one_set_of_labels_and_a_name_of_their_own() {
    let families = Metrics::default().families();
    let names: BTreeSet<&str> = families.iter().map(|family| family.name).collect();
    assert_eq!(names.len(), families.len(), "a name is used twice");
    for family in &families {
        assert!(
            !family.help.is_empty() && !family.help.contains('\n'),
            "{}",
            family.name
        );
        let labels = |sample: &Sample| sample.labels.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let first = labels(&family.samples[0]);
        assert!(
            family.samples.iter().all(|sample| labels(sample) == first),
            "{}",
            family.name
        );
        let values: BTreeSet<String> = family
            .samples
            .iter()
            .map(|sample| format!("{:?}", sample.labels))
            .collect();
        assert_eq!(
            values.len(),
            family.samples.len(),
            "{}: labels are used twice",
            family.name
        );
        let named = FAMILIES.iter().any(|(name, _)| *name == family.name);
        assert!(
            named || family.kind != Kind::Counter || first.is_empty(),
            "{}: say what the family is",
            family.name
        );
    }
    for (name, _) in FAMILIES {
        assert!(names.contains(name), "{name} has no counter");
    }
}

#[test]
fn times_are_sorted_into_buckets_of_which_each_has_its_upper_bound() {
    let times = Times::default();
    let bound = |nth: usize| Duration::from_micros(READ_GAP_MS[nth] * 1000);
    for nth in 0..READ_GAP_MS.len() {
        times.read_gap.record(bound(nth));
    }
    times.read_gap.record(Duration::from_secs(60 * 60 * 24));
    let families = times.families();
    let Value::Times { buckets, .. } = &families[0].samples[0].value else {
        panic!("no histogram");
    };
    assert!(buckets.iter().all(|(_, count)| *count == 1), "{buckets:?}");
    assert_eq!(buckets.last().map(|(bound, _)| *bound), Some(f64::INFINITY));
    assert!(
        buckets.iter().any(|(bound, _)| *bound == 0.1),
        "the promise has no bound of its own"
    );
}

/// As the histogram has them.
const READ_GAP_MS: [u64; 12] = [5, 10, 20, 25, 30, 40, 60, 80, 100, 200, 500, 2000];

#[test]
fn a_tally_tells_all_it_has_and_nothing_twice() {
    let (times, tally) = (Times::default(), Tally::fan_out());
    for n in 0..1000u64 {
        tally.record(Duration::from_micros(n), &times.fan_out);
    }
    assert!(
        times.fan_out.count() >= 900 && times.fan_out.count() < 1000,
        "told a few at a time"
    );
    tally.tell(&times.fan_out);
    tally.tell(&times.fan_out);
    assert_eq!(times.fan_out.count(), 1000);
    let Value::Times { sum, buckets } = times.fan_out.value() else {
        panic!("no histogram");
    };
    assert_eq!(buckets.iter().map(|(_, count)| count).sum::<u64>(), 1000);
    assert!((sum - 0.4995).abs() < 1e-9, "{sum}");
}
