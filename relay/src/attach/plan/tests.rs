//! When attempts are made, over every way in which they may end.

use super::*;

fn sid() -> CallSid {
    CallSid::parse("CA22222222222222222222222222222222").unwrap()
}

/// Runs a plan second by second for a minute; gives when was asked, ms, and how it ended.
fn run(
    plans: &mut Plans,
    start: Instant,
    mut standing: impl FnMut(u64) -> Standing,
    mut outcome: impl FnMut(u64) -> Outcome,
) -> (Vec<u64>, Option<Step>) {
    let mut asked = Vec::new();
    for ms in (0..60_000).step_by(100) {
        let now = start + Duration::from_millis(ms);
        while let Some(due) = plans.due(now) {
            match plans.on_due(now, &due, standing(ms)) {
                Step::Ask(_) => {
                    asked.push(ms);
                    let step = plans.on_outcome(now, &due, outcome(ms));
                    if step != Step::Wait {
                        return (asked, Some(step));
                    }
                }
                Step::Wait => {}
                step => return (asked, Some(step)),
            }
        }
    }
    (asked, None)
}

fn lost(start: Instant) -> Plans {
    let mut plans = Plans::default();
    assert_eq!(plans.lost(start, sid()), Step::Wait);
    plans
}

#[test]
fn what_fails_is_tried_at_one_three_and_nine_seconds() {
    let start = Instant::now();
    let got = run(&mut lost(start), start, |_| Standing::Deaf, |_| Outcome::Failed);
    assert_eq!(got, (vec![1000, 3000, 9000], Some(Step::GivenUp)));
    // After a restart the first attempt is at once.
    let mut plans = Plans::default();
    plans.found(start, sid());
    let got = run(&mut plans, start, |_| Standing::Deaf, |_| Outcome::Failed);
    assert_eq!(got, (vec![0, 3000, 9000], Some(Step::GivenUp)));
    // A call that Twilio may be about to connect is left to it at first.
    let mut plans = Plans::default();
    plans.found_unheard(start, sid());
    let got = run(&mut plans, start, |_| Standing::Deaf, |_| Outcome::Failed);
    assert_eq!(got, (vec![9000], Some(Step::GivenUp)));
}

#[test]
fn nothing_is_asked_for_a_call_that_has_a_stream_or_is_over() {
    let start = Instant::now();
    for standing in [Standing::Live, Standing::Over] {
        let got = run(&mut lost(start), start, |_| standing, |_| panic!("asked"));
        assert_eq!(got, (vec![], Some(Step::Done)));
    }
    let over = |_| Outcome::Over;
    let got = run(&mut lost(start), start, |_| Standing::Deaf, over);
    assert_eq!(got, (vec![1000], Some(Step::Done)));
    let never = |_| Outcome::Never;
    let got = run(&mut lost(start), start, |_| Standing::Deaf, never);
    assert_eq!(got, (vec![1000], Some(Step::GivenUp)));
}

#[test]
fn a_promised_stream_is_waited_for_and_stopped_before_another_is_asked_for() {
    let start = Instant::now();
    let mut plans = lost(start);
    let at = |ms| start + Duration::from_millis(ms);
    assert_eq!(plans.on_due(at(1000), &sid(), Standing::Deaf), Step::Ask(None));
    assert_eq!(plans.due(at(5000)), None, "one attempt at a time");
    plans.on_outcome(at(1200), &sid(), Outcome::Coming("MZ1".into()));
    assert_eq!(plans.due(at(6199)), None);
    assert_eq!(plans.due(at(6200)), Some(sid()));
    let again = plans.on_due(at(6200), &sid(), Standing::Deaf);
    assert_eq!(again, Step::Ask(Some("MZ1".into())));
    plans.on_outcome(at(6300), &sid(), Outcome::Coming("MZ2".into()));
    assert_eq!(plans.on_due(at(11_300), &sid(), Standing::Live), Step::Wait);
    assert_eq!(plans.next_due(), Some(at(36_300)));
    assert_eq!(plans.on_due(at(36_300), &sid(), Standing::Live), Step::Done);
    assert_eq!(plans.next_due(), None);
}

#[test]
fn a_stream_that_does_not_live_uses_up_the_attempts() {
    let start = Instant::now();
    let mut plans = lost(start);
    let mut now = start;
    let mut waits = Vec::new();
    loop {
        let due = plans.next_due().unwrap();
        waits.push((due - now).as_secs());
        assert!(matches!(plans.on_due(due, &sid(), Standing::Deaf), Step::Ask(_)));
        plans.on_outcome(due, &sid(), Outcome::Coming("MZ1".into()));
        // It comes, and dies a second later.
        now = due + Duration::from_secs(1);
        if plans.lost(now, sid()) == Step::GivenUp {
            break;
        }
    }
    assert_eq!(waits, [1, 3, 9]);
    // One that lived is asked for anew from the beginning.
    let mut plans = lost(start);
    let at = |s| start + Duration::from_secs(s);
    plans.on_due(at(1), &sid(), Standing::Deaf);
    plans.on_outcome(at(1), &sid(), Outcome::Coming("MZ1".into()));
    plans.lost(at(31), sid());
    assert_eq!(plans.next_due(), Some(at(32)));
}

#[test]
fn twilios_own_time_is_kept_within_the_calls() {
    let start = Instant::now();
    let (wait, mut refused) = (Some(Duration::from_secs(5)), 0);
    let got = run(
        &mut lost(start),
        start,
        |_| Standing::Deaf,
        |_| {
            refused += 1;
            Outcome::TooMany(wait)
        },
    );
    assert_eq!(
        got,
        (vec![1000, 6000, 11_000, 16_000, 21_000], Some(Step::GivenUp))
    );
    let long = |_| Outcome::TooMany(Some(Duration::from_secs(60)));
    let got = run(&mut lost(start), start, |_| Standing::Deaf, long);
    assert_eq!(got, (vec![1000], Some(Step::GivenUp)));
    let unsaid = |_| Outcome::TooMany(None);
    let (asked, step) = run(&mut lost(start), start, |_| Standing::Deaf, unsaid);
    assert!(asked.len() < 10 && step == Some(Step::GivenUp), "{asked:?}");
}

#[test]
fn who_waits_longest_is_first() {
    let (start, mut plans) = (Instant::now(), Plans::default());
    let name = |n: u32| CallSid::parse(&format!("CA{n}")).unwrap();
    for n in [3, 1, 2] {
        plans.lost(start + Duration::from_millis(u64::from(n)), name(n));
    }
    let later = start + Duration::from_secs(2);
    let mut order = Vec::new();
    while let Some(sid) = plans.due(later) {
        plans.on_due(later, &sid, Standing::Deaf);
        order.push(sid);
    }
    assert_eq!(order, [1, 2, 3].map(name));
}
