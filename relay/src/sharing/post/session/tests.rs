//! Every deed once and in order, whatever becomes of letters and owners; and the bounds.

use proptest::prelude::*;

use super::*;

mod world;

use world::{CALLS, World, deed, name, ops, sid};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// Whatever is lost, comes twice or late, and whoever has the call or dies with it.
    #[test]
    fn every_deed_is_done_once_and_in_order(ops in prop::collection::vec(ops(), 0..120)) {
        let mut world = World::new();
        for op in ops {
            world.op(op);
        }
        world.settle();
        for call in 0..CALLS {
            prop_assert_eq!(&world.live[call].log, &world.pushed[call]);
        }
        prop_assert_eq!(world.session.waiting(), 0);
        prop_assert_eq!(world.session.gone().len() as u64, world.next);
    }
}

fn there(node: usize) -> impl Fn(&CallSid) -> Way {
    move |_| Way::There {
        node: name(node),
        told: 0,
    }
}

fn sent(out: &[Out]) -> Vec<(u64, Vec<u64>, bool)> {
    out.iter()
        .map(|out| match out {
            Out::Send {
                batch, deeds, again, ..
            } => (*batch, deeds.iter().map(|deed| deed.number).collect(), *again),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_batch_is_said_again_after_half_a_second_or_when_the_link_comes_back() {
    let (mut session, now) = (Session::default(), Instant::now());
    session.push(sid(0), deed(1));
    assert_eq!(sent(&session.poll(now, true, there(1))), [(1, vec![1], false)]);
    session.push(sid(0), deed(2));
    let nearly = now + PATIENCE - Duration::from_millis(1);
    assert_eq!(sent(&session.poll(nearly, true, there(1))), []);
    assert_eq!(session.next_deadline(), Some(now + PATIENCE));
    let late = now + PATIENCE;
    assert_eq!(sent(&session.poll(late, true, there(1))), [(1, vec![1], true)]);
    assert_eq!(sent(&session.poll(late + PATIENCE, false, there(1))), []);
    session.link_is_back();
    assert_eq!(sent(&session.poll(late, true, there(1))), [(1, vec![1], true)]);
    session.answered(late, "node1", 7, &[]);
    assert_eq!(session.waiting(), 2, "that was no answer to it");
    session.answered(late, "node1", 1, &[]);
    assert_eq!(sent(&session.poll(late, true, there(1))), [(2, vec![2], false)]);
}

#[test]
fn so_many_deeds_wait_and_then_the_oldest_are_lost_and_the_call_is_told() {
    let (mut session, now) = (Session::default(), Instant::now());
    for n in 0..MOST_DEEDS as u64 {
        session.push(sid(0), deed(n));
    }
    assert_eq!((session.lost(), session.waiting()), (0, MOST_DEEDS));
    for n in 0..3 {
        session.push(sid(0), deed(n));
    }
    assert_eq!((session.lost(), session.waiting()), (3, MOST_DEEDS));
    assert_eq!(session.gone().len(), 3);
    let out = session.poll(now, true, |_| Way::Here);
    let [Out::Do(_, deeds)] = out.as_slice() else {
        panic!("{} things to do", out.len());
    };
    assert_eq!(deeds.len(), MOST_DEEDS + 1);
    assert_eq!(deeds[0].0, 4, "the first three are gone");
    let Deed::Error { message } = &deeds[MOST_DEEDS].1 else {
        panic!("{:?}", deeds[MOST_DEEDS]);
    };
    assert!(message.contains(" 3 callbacks"), "{message}");
}

#[test]
fn large_ones_have_room_by_their_bytes() {
    let mut session = Session::default();
    let large = Deed::Error {
        message: "x".repeat(1 << 20),
    };
    for _ in 0..15 {
        session.push(sid(0), large.clone());
    }
    assert_eq!(session.lost(), 0);
    session.push(sid(0), large);
    assert_eq!((session.lost(), session.waiting()), (1, 15));
    let sends = session.poll(Instant::now(), true, there(1));
    assert_eq!(
        sent(&sends),
        [(1, vec![2], false)],
        "one too large for a batch goes alone"
    );
}

#[test]
fn what_is_done_elsewhere_begins_no_call_anew() {
    let (mut session, now) = (Session::default(), Instant::now());
    session.push(sid(0), deed(1));
    session.poll(now, true, there(1));
    session.answered(now, "node1", 1, &[]);
    session.push(sid(0), deed(2));
    let out = session.poll(now, true, |_| Way::New);
    assert_eq!(out, [Out::Do(sid(0), vec![(2, deed(2))])]);
    session.did(now, &sid(0), 2);
    assert!(session.is_idle());
}
