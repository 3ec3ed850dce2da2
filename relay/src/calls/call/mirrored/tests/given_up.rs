//! A call that is given up: what was on its way to it, and what its new owner knows already.

use futures_util::FutureExt;

use super::*;

#[test]
fn what_was_to_be_done_when_it_was_given_up_is_done_by_who_has_it() {
    let (a, b) = pair();
    let now = Now::take();
    let call = a.open(now, &sid()).unwrap();
    says(&call, "one", true);
    tell(&a, &b, Cursor::default()).unwrap();
    // Whoever does it has seen that it is a's.
    call.give_up(now, "b", |_| Cursor::default()).unwrap();
    let over = StatusNote {
        leg: sid(),
        parties: Parties::default(),
        status: Some(CallStatus::Completed),
        at: None,
        duration_s: None,
        sip_response_code: None,
    };
    call.status(now, over.clone());
    assert!(call.ended().is_none(), "b is to say so");
    let deeds = a.feed().deeds().now_or_never().unwrap();
    let deeds: Vec<_> = deeds.into_iter().map(|(_, deed)| deed).collect();
    assert_eq!(deeds, [Deed::Status { note: over }]);
    let there = of(&b);
    there.take_over(now, false);
    deeds.into_iter().for_each(|deed| there.apply(now, deed));
    assert!(there.ended().is_some());
}

#[test]
fn what_was_being_said_and_is_said_by_now_is_not_taken_for_unknown() {
    let (a, b) = pair();
    let now = Now::take();
    let call = a.open(now, &sid()).unwrap();
    says(&call, "one", true);
    says(&call, "tw", false);
    tell(&a, &b, Cursor::default()).unwrap();
    let there = of(&b);
    there.take_over(now, false);
    says(&there, "two", true);
    let before = there.numbering();
    // Its answer was lost, and it is said again.
    let left = call.give_up(now, "b", |_| Cursor::default()).unwrap();
    assert!(
        left.entries
            .iter()
            .any(|entry| entry.line().is_some_and(|line| !line.is_final))
    );
    there.merge(now, &left.snapshot, &left.entries, "j2".into());
    assert_eq!(there.numbering(), before);
    assert_eq!(texts(&b).last().unwrap().1, "two");
}

#[test]
fn what_both_know_is_not_taken_twice() {
    let (a, b) = pair();
    let now = Now::take();
    let call = a.open(now, &sid()).unwrap();
    says(&call, "one", true);
    tell(&a, &b, Cursor::default()).unwrap();
    let there = of(&b);
    there.take_over(now, true);
    let left = call.give_up(now, "b", |_| Cursor::default()).unwrap();
    let before = there.numbering();
    there.merge(now, &left.snapshot, &left.entries, "j2".into());
    assert_eq!((texts(&b).len(), there.numbering()), (1, before));
}
