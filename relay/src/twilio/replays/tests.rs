//! Once and not twice, for a day, in bounded memory.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

fn seen(n: usize) -> Seen {
    let mut seen = [0; 16];
    // All in one part, so that its bounds are met.
    seen[8..].copy_from_slice(&n.to_be_bytes());
    seen
}

fn text(n: usize) -> Bytes {
    Bytes::from(format!("answer {n}"))
}

#[test]
fn a_request_seen_before_gets_the_first_answer_again() {
    let replays = Replays::default();
    let start = Instant::now();
    let day = REMEMBERED;
    let first = replays.once(start, Sort::Answer, seen(1), || text(1));
    assert_eq!((first.answer, first.again), (text(1), false));
    for later in [Duration::ZERO, day / 2, day - Duration::from_millis(1)] {
        let again = replays.once(start + later, Sort::Answer, seen(1), || panic!("done twice"));
        assert_eq!((again.answer, again.again), (text(1), true));
    }
    let after = replays.once(start + day, Sort::Answer, seen(1), || text(2));
    assert_eq!((after.answer, after.again), (text(2), false));
    assert!(after.forgotten.is_empty(), "its time was over");
}

#[test]
fn of_many_at_once_one_acts() {
    let replays = Replays::default();
    let (acted, now) = (AtomicUsize::new(0), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for n in 0..200 {
                    let once = replays.once(now, Sort::Callback, seen(n), || {
                        acted.fetch_add(1, Relaxed);
                        Bytes::new()
                    });
                    assert_eq!(once.answer, Bytes::new());
                }
            });
        }
    });
    assert_eq!(acted.load(Relaxed), 200);
}

#[test]
fn past_its_bounds_the_oldest_go_and_that_is_told() {
    let mut part = Part::new(3, 100);
    let start = Instant::now();
    let second = Duration::from_secs(1);
    for n in 0..3 {
        let once = part.once(start + second * n as u32, seen(n), || text(n));
        assert!(once.forgotten.is_empty());
    }
    let once = part.once(start + second * 5, seen(3), || text(3));
    assert_eq!(once.forgotten, [second * 5]);
    assert!(part.once(start + second * 6, seen(1), || panic!()).again);
    // Seen anew, and for that the next oldest is forgotten.
    let again = part.once(start + second * 6, seen(0), || text(9));
    assert_eq!((again.again, again.forgotten), (false, vec![second * 5]));
    // By bytes as well; what alone is over them is answered, and kept until the next comes.
    let large = || Bytes::from(vec![0; 101]);
    assert_eq!(part.once(start + second * 7, seen(4), large).forgotten.len(), 3);
    assert!(part.once(start + second * 7, seen(5), || text(5)).forgotten.len() == 1);
    assert_eq!(
        (part.order.len(), part.answers.len(), part.bytes),
        (1, 1, text(5).len())
    );
}

#[test]
fn the_two_sorts_have_rooms_of_their_own() {
    let replays = Replays::default();
    let now = Instant::now();
    replays.once(now, Sort::Answer, seen(0), || text(0));
    for n in 1..=MAX_CALLBACKS / PARTS + 1 {
        replays.once(now, Sort::Callback, seen(n), Bytes::new);
    }
    assert!(
        replays
            .once(now, Sort::Answer, seen(0), || panic!("forgotten"))
            .again
    );
    assert!(
        !replays.once(now, Sort::Callback, seen(1), Bytes::new).again,
        "the oldest went"
    );
}
