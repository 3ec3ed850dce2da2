//! Once and not twice, for a day, in bounded memory.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

fn seen(n: usize) -> Seen {
    // All in one part, so that its bounds are met.
    let mut seen = [0; 16];
    seen[..8].copy_from_slice(&n.to_be_bytes());
    seen
}

fn told(n: u32) -> Told {
    Told::Followed { written_s: n }
}

#[test]
fn a_request_seen_before_gets_the_first_answer_again() {
    let replays = Replays::default();
    let start = Instant::now();
    let first = replays.answer(start, seen(1), || told(1));
    assert_eq!((first.kept, first.again), (told(1), false));
    for later in [
        Duration::ZERO,
        REMEMBERED / 2,
        REMEMBERED - Duration::from_millis(1),
    ] {
        let again = replays.answer(start + later, seen(1), || panic!("done twice"));
        assert_eq!((again.kept, again.again), (told(1), true));
    }
    // It came with one that is remembered for longer, and by no more than a span.
    replays.answer(start + SPAN / 2, seen(2), || told(2));
    assert!(
        replays
            .answer(start + REMEMBERED, seen(1), || panic!("done twice"))
            .again
    );
    let after = replays.answer(start + REMEMBERED + SPAN / 2, seen(1), || told(3));
    assert_eq!((after.kept, after.again), (told(3), false));
    assert_eq!(after.forgotten, None, "its time was over");
}

#[test]
fn of_many_at_once_one_acts() {
    let replays = Replays::default();
    let (acted, now) = (AtomicUsize::new(0), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for n in 0..200 {
                    replays.callback(now, seen(n), || {
                        acted.fetch_add(1, Relaxed);
                    });
                }
            });
        }
    });
    assert_eq!(acted.load(Relaxed), 200);
}

#[test]
fn past_its_bounds_the_oldest_go_and_that_is_told() {
    let mut part = Part::new(3);
    let start = Instant::now();
    let second = Duration::from_secs(1);
    for n in 0..3 {
        assert_eq!(part.once(start + second * n as u32, n, || n).forgotten, None);
    }
    let once = part.once(start + second * 5, 3, || 3);
    let one = |age| Some(Forgotten { count: 1, age });
    assert_eq!(once.forgotten, one(second * 5));
    assert!(part.once(start + second * 6, 1, || panic!()).again);
    // Seen anew, and for that the next oldest is forgotten.
    let again = part.once(start + second * 6, 0, || 9);
    assert_eq!((again.again, again.forgotten), (false, one(second * 5)));
    assert_eq!((part.len, part.generations.len()), (3, 3));
}

#[test]
fn what_is_remembered_takes_no_more_than_is_said() {
    let mut callbacks = Part::<()>::new(MAX_CALLBACKS / PARTS);
    let mut answers = Part::<Told>::new(MAX_ANSWERS / PARTS);
    let now = Instant::now();
    // Names as they come: in no order.
    for n in 0..MAX_CALLBACKS as u64 {
        let name = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        callbacks.once(now, name, || ());
        answers.once(now, name, || told(7));
    }
    let taken = |lens: &mut dyn Iterator<Item = usize>| lens.sum::<usize>() * PARTS;
    let of_callbacks = taken(&mut callbacks.generations.iter().map(|g| g.entries.capacity() * 8));
    let of_answers = taken(&mut answers.generations.iter().map(|g| g.entries.capacity() * 16));
    assert_eq!(size_of::<(Name, ())>(), 8);
    assert_eq!(size_of::<(Name, Told)>(), 16);
    assert!(
        callbacks.len > MAX_CALLBACKS / PARTS * 9 / 10 && of_callbacks <= MAX_CALLBACKS * 9,
        "{of_callbacks}"
    );
    assert!(
        answers.len > MAX_ANSWERS / PARTS * 9 / 10 && of_answers <= MAX_ANSWERS * 18,
        "{of_answers}"
    );
}

#[test]
fn the_two_sorts_have_rooms_of_their_own() {
    let replays = Replays::default();
    let now = Instant::now();
    replays.answer(now, seen(0), || told(0));
    for n in 1..=MAX_CALLBACKS / PARTS + 1 {
        replays.callback(now, seen(n), || ());
    }
    assert!(replays.answer(now, seen(0), || panic!("forgotten")).again);
    assert!(!replays.callback(now, seen(1), || ()).again, "the oldest went");
}
