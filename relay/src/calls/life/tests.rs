//! The contract's paragraph "A call", sentence by sentence.

use super::*;

fn at(start: Now, seconds: u64) -> Now {
    start.plus(Duration::from_secs(seconds))
}

fn leg(sid: &str) -> CallSid {
    CallSid::parse(sid).unwrap()
}

#[test]
fn a_live_stream_is_in_progress_and_stop_completes() {
    let t = Now::take();
    let mut life = Life::new(t);
    assert_eq!(life.own_status(t, CallStatus::Ringing, None), Turn::Changed);
    life.stream_accepted(at(t, 1));
    assert_eq!(
        (life.status(), life.stream()),
        (CallStatus::InProgress, StreamState::Live)
    );
    assert_eq!(
        life.own_status(at(t, 2), CallStatus::Ringing, None),
        Turn::Nothing,
        "never back"
    );
    assert_eq!(life.stream_stopped(at(t, 3)), Turn::Ended);
    assert_eq!(
        (life.status(), life.ended_at()),
        (CallStatus::Completed, Some(at(t, 3).wall))
    );
}

#[test]
fn of_more_legs_than_are_kept_the_newest_are() {
    let t = Now::take();
    let mut life = Life::new(t);
    let name = |n: usize| leg(&format!("L{n}"));
    for n in 0..LEGS {
        life.child_status(t, &name(n), CallStatus::Ringing, None);
    }
    let kept = |life: &Life| life.legs.iter().map(|(sid, _)| sid.clone()).collect::<Vec<_>>();
    assert_eq!(kept(&life), (0..LEGS).map(name).collect::<Vec<_>>());
    life.child_status(t, &name(LEGS), CallStatus::Ringing, None);
    assert_eq!(kept(&life), (1..=LEGS).map(name).collect::<Vec<_>>());
}

#[test]
fn a_later_final_status_corrects_once_and_the_end_stays() {
    let t = Now::take();
    let mut life = Life::new(t);
    life.stream_accepted(t);
    life.stream_stopped(at(t, 3));
    assert_eq!(life.own_status(at(t, 4), CallStatus::Failed, None), Turn::Changed);
    assert_eq!(
        (life.status(), life.ended_at()),
        (CallStatus::Failed, Some(at(t, 3).wall))
    );
    assert_eq!(life.own_status(at(t, 5), CallStatus::Busy, None), Turn::Nothing);
    assert_eq!(life.status(), CallStatus::Failed);
    assert_eq!(
        life.own_status(at(t, 6), CallStatus::InProgress, None),
        Turn::Nothing
    );
    assert!(!life.media(at(t, 6).mono), "late media is dropped");
    life.stream_accepted(at(t, 7));
    assert_eq!(
        (life.status(), life.ended_at()),
        (CallStatus::InProgress, None),
        "a new stream revives"
    );
}

#[test]
fn a_lost_stream_ends_thirty_seconds_after_the_last_sign_of_life() {
    let t = Now::take();
    let mut life = Life::new(t);
    life.stream_accepted(t);
    life.own_status(t, CallStatus::InProgress, None);
    life.stream_lost(at(t, 5));
    assert_eq!(life.stream(), StreamState::Lost);
    assert_eq!(life.on_deadline(at(t, 34)), Turn::Nothing);
    life.heard_of(at(t, 30));
    assert_eq!(life.on_deadline(at(t, 59)), Turn::Nothing);
    assert_eq!(life.on_deadline(at(t, 60)), Turn::Ended);
    assert_eq!(life.status(), CallStatus::Completed);
}

#[test]
fn without_stream_and_answered_leg_two_minutes_are_enough() {
    let t = Now::take();
    let mut life = Life::new(t);
    life.own_status(t, CallStatus::Ringing, None);
    assert_eq!(life.on_deadline(at(t, 119)), Turn::Nothing);
    assert_eq!(life.on_deadline(at(t, 120)), Turn::Ended);
    let mut life = Life::new(t);
    life.child_status(t, &leg("CA2"), CallStatus::InProgress, None);
    assert_eq!(
        life.on_deadline(at(t, 7200)),
        Turn::Nothing,
        "an answered leg will say when it is over"
    );
    life.child_status(at(t, 7200), &leg("CA2"), CallStatus::Completed, None);
    assert_eq!(
        life.on_deadline(at(t, 7320)),
        Turn::Ended,
        "it is over, and nothing else goes on"
    );
    let mut life = Life::new(t);
    life.heard_of(t);
    assert_eq!(
        (life.status(), life.on_deadline(at(t, 120))),
        (CallStatus::InProgress, Turn::Ended)
    );
}

#[test]
fn a_childs_callback_answers_the_call_and_never_ends_it() {
    let t = Now::take();
    let rfc = UtcTime::parse("Sun, 25 Jan 2026 09:53:19 +0000");
    for own_first in [true, false] {
        let mut life = Life::new(t);
        if own_first {
            life.own_status(t, CallStatus::InProgress, None);
        }
        life.child_status(at(t, 1), &leg("CA2"), CallStatus::Ringing, None);
        assert_eq!(
            life.answered_at(),
            None,
            "somebody was dialled, and has not answered"
        );
        life.child_status(at(t, 2), &leg("CA2"), CallStatus::InProgress, rfc);
        life.child_status(at(t, 3), &leg("CA2"), CallStatus::Completed, None);
        if !own_first {
            life.own_status(at(t, 4), CallStatus::InProgress, None);
        }
        assert_eq!((life.answered_at(), life.ended_at()), (rfc, None));
    }
    let mut life = Life::new(t);
    life.own_status(at(t, 1), CallStatus::InProgress, None);
    assert_eq!(life.answered_at(), Some(at(t, 1).wall), "nobody was dialled");
}

#[test]
fn silence_of_ten_seconds_is_told_once() {
    let t = Now::take();
    let mut life = Life::new(t);
    life.stream_accepted(t);
    assert!(!life.has_stalled(at(t, 9).mono));
    assert!(life.has_stalled(at(t, 10).mono) && !life.has_stalled(at(t, 11).mono));
    life.media(at(t, 12).mono);
    assert!(life.has_stalled(at(t, 22).mono));
    assert_eq!(life.on_deadline(at(t, 9999)), Turn::Nothing, "never a close");
}

#[test]
fn each_leg_is_over_for_itself_whatever_comes_late() {
    let t = Now::take();
    let mut life = Life::new(t);
    life.child_status(t, &leg("CA2"), CallStatus::InProgress, None);
    life.child_status(t, &leg("CA3"), CallStatus::Busy, None);
    assert_eq!(
        life.on_deadline(at(t, 7200)),
        Turn::Nothing,
        "one was busy, the other talks"
    );
    life.child_status(at(t, 7200), &leg("CA2"), CallStatus::Completed, None);
    life.child_status(at(t, 7201), &leg("CA2"), CallStatus::InProgress, None);
    assert_eq!(
        life.on_deadline(at(t, 7321)),
        Turn::Ended,
        "it was over when it was answered late"
    );
}

#[test]
fn a_lost_stream_is_lost_whether_the_end_or_the_loss_came_first() {
    let t = Now::take();
    let mut life = Life::new(t);
    life.stream_accepted(t);
    life.own_status(
        at(t, 1),
        CallStatus::Completed,
        UtcTime::parse("2020-01-01T00:00:00Z"),
    );
    life.stream_lost(at(t, 2));
    assert_eq!(
        (life.stream(), life.ended_at()),
        (StreamState::Lost, Some(t.wall))
    );
}

#[test]
fn what_fills_a_pause_is_no_sign_and_the_stall_is_told_once() {
    let t = Now::take();
    let mut life = Life::new(t);
    life.stream_accepted(t);
    assert!(life.media(at(t, 1).mono));
    let told: Vec<u64> = (2..20)
        .filter(|second| {
            // Silence, of the moment at which the pause began.
            assert!(life.media(at(t, 1).mono));
            life.has_stalled(at(t, *second).mono)
        })
        .collect();
    assert_eq!(told, [11]);
    assert!(life.media(at(t, 20).mono) && !life.has_stalled(at(t, 29).mono));
    assert!(life.has_stalled(at(t, 30).mono), "anew, once it has spoken again");
}
